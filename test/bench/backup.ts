/*
 * How fast `salvor backup` is, and what it takes, beside the ceiling on the same bytes and beside the sf CLI. Nothing here is asserted.
 *
 *   npm run bench [-- --rows 200000] [--large]     needs age, zstd and GNU time; --large: 2,000,000 rows as well
 *
 * The rows are orders of about 500 bytes. What runs is the package as it is installed, not the sources. The ceiling is measured
 * anew before each backup, since a machine is not equally fast at all times; the columns with × are multiples of it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startS3Server } from '../support/s3-server.ts';

const project = path.resolve(import.meta.dirname, '../..');
const object = 'Order';
const { values: given } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, large: { type: 'boolean', default: false } },
});
const folder = mkdtempSync(path.join(tmpdir(), 'salvor-bench-'));
const missing = ['age', 'zstd', '/usr/bin/time'].filter((one) => spawnSync(one, ['--version']).error);
if (missing.length > 0) throw new Error(`the bench needs ${missing.join(', ')}`);

const program = installed();

interface Figures {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds?: number;
  readonly peakMiB?: number;
  /** The ceiling just before. */
  readonly ceiling?: Measured;
  readonly note?: string;
}
const figures: Figures[] = [];
const processes: ChildProcess[] = [];

interface Measured {
  readonly seconds: number;
  readonly cpu: number;
  readonly peakMiB: number;
}

/** The package in a folder of its own; the program in it. */
function installed(): string {
  const home = path.join(folder, 'package');
  mkdirSync(home);
  const tsc = path.join(project, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', path.join(home, 'dist')], { cwd: project });
  for (const one of ['bin', 'package.json']) cpSync(path.join(project, one), path.join(home, one), { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(home, 'node_modules'), 'junction');
  return path.join(home, 'bin/salvor.js');
}

interface Practice {
  readonly url: string;
  readonly token: string;
}

/** A practice org in a process of its own. */
async function practice(rows: string, order: string): Promise<Practice> {
  const args = [program, 'practice-org', '--scale', `${object}=${rows}`, '--order', order, '--json'];
  const org = spawn(process.execPath, args);
  processes.push(org);
  let said = '';
  for await (const text of org.stdout.setEncoding('utf8')) {
    said += text;
    const url = /"(http:\/\/127[^"]*)"/.exec(said)?.[1];
    const token = /"(00D[^"!]*![^"]+)"/.exec(said)?.[1];
    if (url && token) return { url, token };
  }
  throw new Error('the practice org did not start');
}

/** Runs a command under GNU time, without blocking this process, which may be the S3 server. */
async function measured(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Measured> {
  const child = spawn('/usr/bin/time', ['-f', 'measured %e %U %S %M', ...command], { cwd: folder, env });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdout.resume();
  const status = await new Promise((resolve) => child.on('close', resolve));
  const [, wall, user, system, kilobytes] = /measured (\S+) (\S+) (\S+) (\S+)/.exec(stderr) ?? [];
  if (status !== 0 || !wall) throw new Error(`${command.slice(0, 4).join(' ')} failed: ${stderr}`);
  return { seconds: Number(wall), cpu: Number(user) + Number(system), peakMiB: Number(kilobytes) / 1024 };
}

/** Backs up `objects` of an org into a new vault; the same rows as CSV are in `rows`, unless there are next to none. */
async function backup(
  what: string,
  org: Practice,
  vault: string,
  objects: string,
  rows?: string,
  more: NodeJS.ProcessEnv = {},
): Promise<void> {
  const keys = path.join(folder, `keys-${figures.length}`);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_STATE_HOME: folder,
    SALVOR_NO_KEYCHAIN: '1',
    SF_ACCESS_TOKEN: org.token,
    SF_ORG_INSTANCE_URL: org.url,
    SALVOR_VAULT: vault,
    SALVOR_WRITER_KEY_FILE: path.join(keys, 'writer.key'),
    ...more,
  };
  const salvor = (...args: string[]) => measured([process.execPath, program, ...args], env);
  await salvor('init', '--no-prompt', '--no-config-file', '--keys-folder', keys, '--quiet');
  const before = rows === undefined ? undefined : await ceiling(rows);
  const { seconds, cpu, peakMiB } = await salvor('backup', '--objects', objects, '--quiet', '--json');
  const bytes = rows === undefined ? 0 : statSync(rows).size;
  const note = rows === undefined ? `${cpu.toFixed(1)} CPU s, which every run takes` : '';
  figures.push({ what, bytes, seconds, cpuSeconds: cpu, peakMiB, ...(before && { ceiling: before }), note });
}

/** Downloads the object by Bulk API 2.0, all columns, as the practice org gives it: its own speed, and the rows as a file. */
async function download(what: string, org: Practice, file: string): Promise<void> {
  const root = `${org.url}/services/data/v67.0`;
  const headers = { authorization: `Bearer ${org.token}`, 'content-type': 'application/json' };
  const describe = (await (await fetch(`${root}/sobjects/${object}/describe`, { headers })).json()) as {
    fields: { name: string; type: string }[];
  };
  const fields = describe.fields
    .filter(({ type }) => !['address', 'location', 'base64'].includes(type))
    .map(({ name }) => name);
  const body = JSON.stringify({ operation: 'query', query: `SELECT ${fields.join(',')} FROM ${object}` });
  const { id } = (await (await fetch(`${root}/jobs/query`, { method: 'POST', headers, body })).json()) as {
    id: string;
  };
  const results = `${root}/jobs/query/${id}/results`;
  for (;;) {
    const { state } = (await (await fetch(`${root}/jobs/query/${id}`, { headers })).json()) as { state: string };
    if (state === 'JobComplete') break;
  }
  const began = performance.now();
  writeFileSync(file, '');
  for (let locator = ''; locator !== 'null'; ) {
    const page = `${results}?maxRecords=100000${locator && `&locator=${locator}`}`;
    const head = path.join(folder, 'head');
    const line = `curl -s -D "$1" -H "authorization: Bearer $2" "$3" | if test "$5"; then tail -n +2; else cat; fi >> "$4"`;
    execFileSync('sh', ['-c', line, 'sh', head, org.token, page, file, locator]);
    locator = /sforce-locator: *(\S+)/i.exec(readFileSync(head, 'utf8'))?.[1] ?? 'null';
  }
  figures.push({ what, bytes: statSync(file).size, seconds: (performance.now() - began) / 1000 });
}

let recipient: string | undefined;

async function ceiling(file: string): Promise<Measured> {
  recipient ??= /age1\w+/.exec(
    execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )![0];
  const line = `cat "$1" | zstd -3 -q | age -r ${recipient} > "$1.age"`;
  const seen = await measured(['sh', '-c', line, 'sh', file], { PATH: process.env.PATH });
  rmSync(`${file}.age`);
  return seen;
}

async function sf(org: Practice, file: string): Promise<void> {
  const cli = path.join(project, 'test/clients/node_modules/.bin/sf');
  if (!existsSync(cli)) return;
  const home = path.join(folder, 'sf');
  mkdirSync(home);
  const env = {
    PATH: process.env.PATH,
    HOME: home,
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
  const login = ['org', 'login', 'access-token', '--instance-url', org.url, '--no-prompt', '--alias', 'bench'];
  await measured([cli, ...login], env);
  const columns = readFileSync(file, 'latin1').slice(0, 20_000).split('\n')[0]!.replaceAll('"', '');
  const query = ['-q', `SELECT ${columns} FROM ${object}`, '--output-file', 'export.csv', '--result-format', 'csv'];
  const { seconds, cpu, peakMiB } = await measured(
    [cli, 'data', 'export', 'bulk', '-o', 'bench', ...query, '--wait', '10'],
    env,
  );
  const note = 'a fixed poll of 5 s is in it; plain CSV, nothing else done';
  figures.push({
    what: 'sf data export bulk',
    bytes: statSync(file).size,
    seconds,
    cpuSeconds: cpu,
    peakMiB,
    note,
  });
  rmSync(home, { recursive: true, force: true });
  rmSync(path.join(folder, 'export.csv'), { force: true });
}

/** Everything about one number of rows. */
async function compare(rows: string, withSf: boolean): Promise<void> {
  for (const order of ['ascending', 'shuffled']) {
    const what = `${rows} rows, ${order}`;
    const org = await practice(rows, order);
    const file = path.join(folder, `rows-${order}.csv`);
    await download(`${what}: practice org alone (curl)`, org, file);
    const seen = await ceiling(file);
    const bytes = statSync(file).size;
    figures.push({ what: 'cat | zstd -3 | age', bytes, seconds: seen.seconds, cpuSeconds: seen.cpu });
    const vault = path.join(folder, `vault-${order}`);
    await backup('salvor backup, folder', org, vault, object, file);
    rmSync(vault, { recursive: true });
    const s3 = await startS3Server();
    const keys = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    await backup('salvor backup, S3', org, `s3://${s3.bucket}/bench?endpoint=${s3.url}`, object, file, keys);
    await s3.close();
    if (withSf) await sf(org, file);
    rmSync(file);
    processes.pop()?.kill();
  }
}

try {
  const org = await practice('1', 'ascending');
  await backup('salvor backup, next to no rows', org, path.join(folder, 'vault-few'), 'Profile');
  await compare(given.rows, true);
  if (given.large) await compare('2000000', false);
} finally {
  for (const one of processes) one.kill();
  rmSync(folder, { recursive: true, force: true });
}

const times = (part: number | undefined, whole: number | undefined) =>
  part === undefined || whole === undefined ? '' : `${(part / whole).toFixed(1)}×`;
const titles = ['what', 'MB', 's', '×', 'MB/s', 'CPU s/GB', '×', 'peak MiB', 'note'];
const lines = figures.map(({ what, bytes, seconds, cpuSeconds, peakMiB, ceiling, note }) => [
  what,
  bytes === 0 ? '' : (bytes / 1e6).toFixed(0),
  seconds.toFixed(1),
  times(seconds, ceiling?.seconds),
  bytes === 0 ? '' : (bytes / 1e6 / seconds).toFixed(0),
  cpuSeconds === undefined || bytes === 0 ? '' : (cpuSeconds / (bytes / 1e9)).toFixed(1),
  times(cpuSeconds, ceiling?.cpu),
  peakMiB === undefined ? '' : peakMiB.toFixed(0),
  note ?? '',
]);
const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
const text = [titles, ...lines].map((line) =>
  line
    .map((cell, i) => (i === 0 || i === titles.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
    .join('  ')
    .trimEnd(),
);
process.stdout.write(`Node ${process.version}, ${availableParallelism()} cores\n\n${text.join('\n')}\n`);
process.exit();
