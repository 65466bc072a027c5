import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const project = path.resolve(import.meta.dirname, '../..');
/** A folder of this run's own. */
export const folder = mkdtempSync(path.join(tmpdir(), 'salvor-bench-'));
/** The package as it is installed: sources would be stripped of their types at every start. */
export const program = installed();

function installed(): string {
  const home = path.join(folder, 'package');
  mkdirSync(home);
  const tsc = path.join(project, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', path.join(home, 'dist')], {
    cwd: project,
  });
  for (const one of ['bin', 'package.json']) cpSync(path.join(project, one), path.join(home, one), { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(home, 'node_modules'), 'junction');
  return path.join(home, 'bin/salvor.js');
}

const processes = new Set<ChildProcess>();

/** Throws when one of these programs is missing. */
export function needs(...programs: readonly string[]): void {
  const missing = programs.filter((one) => spawnSync(one, ['--version']).error);
  if (missing.length > 0) throw new Error(`the bench needs ${missing.join(', ')}`);
}

/** Ends what was started, and removes what was written. */
export function cleanUp(): void {
  for (const one of processes) one.kill();
  rmSync(folder, { recursive: true, force: true });
}

export interface Practice {
  readonly url: string;
  readonly token: string;
  readonly username: string;
  /** Seconds of CPU that it has taken so far; 0 where nobody tells. */
  cpu(): number;
  end(): void;
}

/** A practice org in a process of its own. `rows`: volumes of objects. */
export async function practice(
  rows: Readonly<Record<string, number>>,
  order = 'chunked',
  more: readonly string[] = [],
): Promise<Practice> {
  const scale = Object.entries(rows).flatMap(([object, count]) => ['--scale', `${object}=${count}`]);
  const org = spawn(process.execPath, [program, 'practice-org', ...scale, '--order', order, ...more, '--json']);
  processes.add(org);
  let said = '';
  for await (const text of org.stdout.setEncoding('utf8')) {
    said += text;
    if (!said.includes('environment')) continue;
    const told = (name: string) => new RegExp(`"${name}": "([^"]+)"`).exec(said)?.[1] ?? '';
    return {
      url: told('url'),
      token: told('accessToken'),
      username: told('username'),
      cpu: () => cpuOf(org.pid!),
      end() {
        org.kill();
        processes.delete(org);
      },
    };
  }
  throw new Error('the practice org did not start');
}

function cpuOf(pid: number): number {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return 0;
  const fields = readFileSync(stat, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A way to `target` on which every request arrives late by `latency` milliseconds; the headers, which are signed, stay as they are. */
export async function slowed(target: string, latency: number): Promise<{ url: string; close(): void }> {
  const server = createServer((incoming, answer) => {
    setTimeout(() => {
      const { method, headers } = incoming;
      const onward = request(new URL(incoming.url!, target), { method: method!, headers }, (from) => {
        answer.writeHead(from.statusCode!, from.headers);
        from.pipe(answer);
      });
      incoming.pipe(onward);
    }, latency);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.closeAllConnections(),
  };
}

export interface Measured {
  readonly status: number;
  readonly seconds: number;
  readonly cpu: number;
  readonly peakMiB: number;
  readonly stdout: string;
}

/** Runs a command under GNU time, in the folder of this run. `fails`: a status that is not 0 is no error. */
export async function measured(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  { fails = false } = {},
): Promise<Measured> {
  const child = spawn('/usr/bin/time', ['-f', 'measured %e %U %S %M', ...command], { cwd: folder, env });
  child.stdin.end();
  let stderr = '';
  let stdout = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  const [, wall, user, system, kilobytes] = /measured (\S+) (\S+) (\S+) (\S+)/.exec(stderr) ?? [];
  if ((status !== 0 && !fails) || !wall) {
    throw new Error(`${command.slice(1, 4).join(' ')} failed: ${stderr}${stdout.slice(0, 2000)}`);
  }
  return {
    status,
    seconds: Number(wall),
    cpu: Number(user) + Number(system),
    peakMiB: Number(kilobytes) / 1024,
    stdout,
  };
}

/** What salvor is run with for this org and this vault; `keys`: the folder that `init` writes them to. */
export function salvorEnvironment(org: Practice, vault: string, keys: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_STATE_HOME: folder,
    SALVOR_NO_KEYCHAIN: '1',
    SF_ACCESS_TOKEN: org.token,
    SF_ORG_INSTANCE_URL: org.url,
    SALVOR_VAULT: vault,
    SALVOR_WRITER_KEY_FILE: path.join(keys, 'writer.key'),
    SALVOR_IDENTITY_FILE: path.join(keys, 'identity.key'),
  };
}

/** What salvor is run with for a vault that was made by hand; the identity goes into a file in the folder of this run. */
export function vaultEnvironment(vault: string, identity: string, rootFingerprint: string): Record<string, string> {
  const keyFile = path.join(folder, 'identity.key');
  writeFileSync(keyFile, `${identity}\n`, { mode: 0o600 });
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    SALVOR_NO_KEYCHAIN: '1',
    SALVOR_VAULT: vault,
    SALVOR_IDENTITY_FILE: keyFile,
    SALVOR_ROOT_FINGERPRINT: rootFingerprint,
  };
}

/** Makes a vault and takes a point of these objects in it. */
export async function takePoint(
  env: Readonly<Record<string, string>>,
  keys: string,
  objects: readonly string[],
): Promise<Measured> {
  const salvor = [process.execPath, program];
  const { SALVOR_IDENTITY_FILE: _, ...writer } = env;
  await measured([...salvor, 'init', '--no-prompt', '--no-config-file', '--keys-folder', keys, '--quiet'], writer);
  return measured([...salvor, 'backup', '--objects', objects.join(), '--quiet', '--json'], writer);
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly createable: boolean;
}

/** The fields of an object that Bulk can carry. */
export async function fieldsOf(org: Practice, object: string): Promise<Field[]> {
  const answer = await fetch(`${org.url}/services/data/v67.0/sobjects/${object}/describe`, { headers: headersOf(org) });
  const { fields } = (await answer.json()) as { fields: Field[] };
  return fields.filter(({ type }) => !['address', 'location', 'base64'].includes(type));
}

export function headersOf({ token }: Practice): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

export interface Download {
  readonly columns: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

/** Downloads the rows of a query by Bulk API 2.0 to a file, as the practice org gives them: page by page, each with its header line. */
export async function download(org: Practice, query: string, file: string): Promise<Download> {
  const jobs = `${org.url}/services/data/v67.0/jobs/query`;
  const headers = headersOf(org);
  const body = JSON.stringify({ operation: 'query', query });
  const { id } = (await (await fetch(jobs, { method: 'POST', headers, body })).json()) as { id: string };
  for (;;) {
    const { state } = (await (await fetch(`${jobs}/${id}`, { headers })).json()) as { state: string };
    if (state === 'JobComplete') break;
  }
  const began = performance.now();
  for (let locator = ''; locator !== 'null'; ) {
    const page = await fetch(`${jobs}/${id}/results?maxRecords=100000${locator && `&locator=${locator}`}`, { headers });
    const first = locator === '';
    await pipeline(
      Readable.fromWeb(page.body as Parameters<typeof Readable.fromWeb>[0]),
      first ? pass : withoutHeader,
      createWriteStream(file, { flags: first ? 'w' : 'a' }),
    );
    locator = page.headers.get('sforce-locator') ?? 'null';
  }
  const columns = /^SELECT (.*?) FROM /.exec(query)![1]!.split(',');
  return { columns, bytes: statSync(file).size, seconds: (performance.now() - began) / 1000 };
}

async function* pass(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** Names of columns have no line ends, so that the header line ends at the first. */
async function* withoutHeader(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let inHeader = true;
  for await (const chunk of chunks) {
    const end = inHeader ? chunk.indexOf(0x0a) : -1;
    if (inHeader && end < 0) continue;
    yield inHeader ? chunk.subarray(end + 1) : chunk;
    inHeader = false;
  }
}

const clients = path.join(project, 'test/clients/node_modules');

/** The sf CLI of `test/clients`, logged in to an org as `bench` in a home of its own. */
export class SfCli {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;

  private constructor(home: string, org: Practice) {
    this.home = home;
    this.env = {
      PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
      HOME: home,
      TMPDIR: home,
      SF_ACCESS_TOKEN: org.token,
      SF_ORG_INSTANCE_URL: org.url,
      SF_DISABLE_TELEMETRY: 'true',
      SF_DISABLE_AUTOUPDATE: 'true',
      SF_SKIP_NEW_VERSION_CHECK: 'true',
      SF_USE_GENERIC_UNIX_KEYCHAIN: 'true',
      SF_DISABLE_LOG_FILE: 'true',
      SFDX_DISABLE_DNS_CHECK: 'true',
      SF_CONTAINER_MODE: 'true',
    };
  }

  /** Undefined when it is not installed (`npm run test:clients` does that). */
  static async loggedIn(org: Practice): Promise<SfCli | undefined> {
    if (!existsSync(path.join(clients, '.bin/sf'))) return undefined;
    const home = mkdtempSync(path.join(folder, 'sf-'));
    mkdirSync(home, { recursive: true });
    const sf = new SfCli(home, org);
    await sf.run([
      ...['org', 'login', 'access-token', '--instance-url', org.url],
      ...['--no-prompt', '--alias', 'bench'],
    ]);
    return sf;
  }

  async linkSfdmu(): Promise<boolean> {
    const plugin = path.join(clients, 'sfdmu');
    if (!existsSync(plugin)) return false;
    await this.run(['plugins', 'link', plugin, '--no-install']);
    return true;
  }

  run(args: readonly string[], options?: { readonly fails?: boolean }): Promise<Measured> {
    return measured([path.join(clients, '.bin/sf'), ...args], this.env, options);
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
