/*
 * How fast `salvor backup` is, and what it takes, beside the ceiling on the same bytes and beside the sf CLI. Nothing here is asserted.
 *
 *   npm run bench [-- --rows 200000] [--few 50000]     needs age, zstd and GNU time
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startS3Server } from '../support/s3-server.ts';

const project = path.resolve(import.meta.dirname, '../..');
const program = path.join(project, 'bin/salvor.js');
const { values: given } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, few: { type: 'string', default: '50000' } },
});
const folder = mkdtempSync(path.join(tmpdir(), 'salvor-bench-'));
const missing = ['age', 'zstd', '/usr/bin/time'].filter((one) => spawnSync(one, ['--version']).error);
if (missing.length > 0) throw new Error(`the bench needs ${missing.join(', ')}`);

interface Figures {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds?: number;
  readonly peakMiB?: number;
  readonly note?: string;
}
const figures: Figures[] = [];
const processes: ChildProcess[] = [];

interface Practice {
  readonly url: string;
  readonly token: string;
}

/** A practice org in a process of its own. */
async function practice(rows: string, order: string): Promise<Practice> {
  const org = spawn(process.execPath, [
    program,
    'practice-org',
    '--scale',
    `Account=${rows}`,
    '--order',
    order,
    '--json',
  ]);
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

/** Runs a command under GNU time. */
function measured(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): { seconds: number; cpu: number; peakMiB: number; stdout: string } {
  const ran = spawnSync('/usr/bin/time', ['-f', 'measured %e %U %S %M', ...command], {
    cwd: folder,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const [, wall, user, system, kilobytes] = /measured (\S+) (\S+) (\S+) (\S+)/.exec(ran.stderr) ?? [];
  if (ran.status !== 0 || !wall) throw new Error(`${command.slice(0, 4).join(' ')} failed: ${ran.stderr}${ran.stdout}`);
  return {
    seconds: Number(wall),
    cpu: Number(user) + Number(system),
    peakMiB: Number(kilobytes) / 1024,
    stdout: ran.stdout,
  };
}

/** Backs up the accounts of an org; the same rows as CSV are `bytes` long. */
async function backup(
  what: string,
  org: Practice,
  vault: string,
  bytes: number,
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
  await settled([program, 'init', '--no-prompt', '--no-config-file', '--keys-folder', keys, '--quiet'], env);
  const seen = await settled([program, 'backup', '--objects', 'Account', '--quiet', '--json'], env);
  figures.push({ what, bytes, seconds: seen.seconds, cpuSeconds: seen.cpu, peakMiB: seen.peakMiB });
}

/** As `measured`, without blocking this process, which may be the S3 server. */
async function settled(command: readonly string[], env: NodeJS.ProcessEnv): ReturnType<typeof measuredLater> {
  return measuredLater([process.execPath, ...command], env);
}
async function measuredLater(command: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn('/usr/bin/time', ['-f', 'measured %e %U %S %M', ...command], { cwd: folder, env });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdout.resume();
  const status = await new Promise((resolve) => child.on('close', resolve));
  const [, wall, user, system, kilobytes] = /measured (\S+) (\S+) (\S+) (\S+)/.exec(stderr) ?? [];
  if (status !== 0 || !wall) throw new Error(`${command.slice(1, 4).join(' ')} failed: ${stderr}`);
  return { seconds: Number(wall), cpu: Number(user) + Number(system), peakMiB: Number(kilobytes) / 1024 };
}

/** Downloads the accounts by Bulk API 2.0, all columns, as the practice org gives them: its own speed, and the rows as a file. */
async function download(org: Practice, file: string): Promise<number> {
  const root = `${org.url}/services/data/v67.0`;
  const headers = { authorization: `Bearer ${org.token}`, 'content-type': 'application/json' };
  const describe = (await (await fetch(`${root}/sobjects/Account/describe`, { headers })).json()) as {
    fields: { name: string; type: string }[];
  };
  const fields = describe.fields
    .filter(({ type }) => !['address', 'location', 'base64'].includes(type))
    .map(({ name }) => name);
  const body = JSON.stringify({ operation: 'query', query: `SELECT ${fields.join(',')} FROM Account` });
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
    execFileSync('sh', [
      '-c',
      `curl -s -D "$1" -H "authorization: Bearer $2" "$3" >> "$4"`,
      'sh',
      head,
      org.token,
      page,
      file,
    ]);
    locator = /sforce-locator: *(\S+)/i.exec(readFileSync(head, 'utf8'))?.[1] ?? 'null';
  }
  const bytes = statSync(file).size;
  figures.push({ what: 'practice org alone (curl to a file)', bytes, seconds: (performance.now() - began) / 1000 });
  return bytes;
}

function ceiling(file: string, bytes: number): void {
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const recipient = /public key: (\S+)/.exec(key)![1]!;
  const line = `cat "$1" | zstd -3 -q | age -r ${recipient} > "$1.age"`;
  const seen = measured(['sh', '-c', line, 'sh', file], { PATH: process.env.PATH });
  figures.push({ what: 'cat | zstd -3 | age', bytes, seconds: seen.seconds, cpuSeconds: seen.cpu });
}

function sf(org: Practice, bytes: number): void {
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
  measured([cli, 'org', 'login', 'access-token', '--instance-url', org.url, '--no-prompt', '--alias', 'bench'], env);
  const query = readFileSync(path.join(folder, 'query.txt'), 'utf8');
  const seen = measured(
    [
      cli,
      'data',
      'export',
      'bulk',
      '-o',
      'bench',
      '-q',
      query,
      '--output-file',
      'export.csv',
      '--result-format',
      'csv',
      '--wait',
      '10',
    ],
    env,
  );
  const note = 'a fixed poll of 5 s is in it; plain CSV, nothing else done';
  figures.push({
    what: 'sf data export bulk',
    bytes,
    seconds: seen.seconds,
    cpuSeconds: seen.cpu,
    peakMiB: seen.peakMiB,
    note,
  });
}

try {
  for (const order of ['ascending', 'shuffled']) {
    const org = await practice(given.rows, order);
    const file = path.join(folder, `rows-${order}.csv`);
    const bytes = await download(org, file);
    ceiling(file, bytes);
    const columns = readFileSync(file, 'utf8').slice(0, 20_000).split('\n')[0]!.replaceAll('"', '');
    writeFileSync(path.join(folder, 'query.txt'), `SELECT ${columns} FROM Account`);
    await backup(`salvor backup, ${order}, folder`, org, path.join(folder, `vault-${order}`), bytes);
    const s3 = await startS3Server();
    const keys = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    await backup(`salvor backup, ${order}, S3`, org, `s3://${s3.bucket}/bench?endpoint=${s3.url}`, bytes, keys);
    await s3.close();
    sf(org, bytes);
    rmSync(path.join(folder, 'sf'), { recursive: true, force: true });
  }
  const few = await practice(given.few, 'shuffled');
  const file = path.join(folder, 'rows-few.csv');
  const bytes = await download(few, file);
  await backup(`salvor backup, shuffled, ${given.few} rows`, few, path.join(folder, 'vault-few'), bytes);
} finally {
  for (const one of processes) one.kill();
  rmSync(folder, { recursive: true, force: true });
}

const titles = ['what', 'MB', 's', 'MB/s', 'CPU s/GB', 'peak MiB', 'note'];
const lines = figures.map(({ what, bytes, seconds, cpuSeconds, peakMiB, note }) => [
  what,
  (bytes / 1e6).toFixed(0),
  seconds.toFixed(1),
  (bytes / 1e6 / seconds).toFixed(0),
  cpuSeconds === undefined ? '' : (cpuSeconds / (bytes / 1e9)).toFixed(1),
  peakMiB === undefined ? '' : peakMiB.toFixed(0),
  note ?? '',
]);
const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
const text = [titles, ...lines].map((line) =>
  line
    .map((cell, i) => (i === 0 || i === 6 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
    .join('  ')
    .trimEnd(),
);
process.stdout.write(
  `Node ${process.version}, ${availableParallelism()} cores, ${given.rows} rows\n\n${text.join('\n')}\n`,
);
process.exit();
