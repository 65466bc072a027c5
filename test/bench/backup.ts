/*
 * How fast `salvor backup` is, and what it takes, beside the ceiling on the same bytes and beside the sf CLI. Nothing here is asserted.
 *
 *   node test/bench/backup.ts [--rows 200000] [--few 50000]     needs age, zstd and GNU time
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startS3Server } from '../support/s3-server.ts';
import {
  cleanUp,
  download,
  fieldsOf,
  folder,
  measured,
  needs,
  type Practice,
  practice,
  SfCli,
  salvorEnvironment,
  table,
  takePoint,
} from './measure.ts';

const { values: given } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, few: { type: 'string', default: '50000' } },
});

interface Figures {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpu?: number;
  readonly peakMiB?: number;
  readonly note?: string;
}
const figures: Figures[] = [];

/** Backs up the accounts of an org; the same rows as CSV are `bytes` long. */
async function backup(
  what: string,
  org: Practice,
  vault: string,
  bytes: number,
  more: Record<string, string> = {},
): Promise<void> {
  const keys = path.join(folder, `keys-${figures.length}`);
  const seen = await takePoint({ ...salvorEnvironment(org, vault, keys), ...more }, keys, ['Account']);
  figures.push({ ...seen, what, bytes });
}

async function ceiling(file: string, bytes: number): Promise<void> {
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const recipient = /public key: (\S+)/.exec(key)![1]!;
  const line = `cat "$1" | zstd -3 -q | age -r ${recipient} > "$1.age"`;
  const seen = await measured(['sh', '-c', line, 'sh', file], { PATH: process.env.PATH });
  figures.push({ what: 'cat | zstd -3 | age', bytes, seconds: seen.seconds, cpu: seen.cpu });
}

async function sf(org: Practice, query: string, bytes: number): Promise<void> {
  const cli = await SfCli.loggedIn(org);
  if (!cli) return;
  const seen = await cli.run([
    ...['data', 'export', 'bulk', '-o', 'bench', '-q', query],
    ...['--output-file', 'export.csv', '--result-format', 'csv', '--wait', '10'],
  ]);
  const note = 'a fixed poll of 5 s is in it; plain CSV, nothing else done';
  figures.push({ ...seen, what: 'sf data export bulk', bytes, note });
  cli.remove();
}

/** All accounts as a file: the practice org's own speed. */
async function alone(org: Practice, file: string): Promise<{ query: string; bytes: number }> {
  const names = (await fieldsOf(org, 'Account')).map(({ name }) => name);
  const query = `SELECT ${names.join()} FROM Account`;
  const { bytes, seconds } = await download(org, query, file);
  figures.push({ what: 'practice org alone (to a file)', bytes, seconds });
  return { query, bytes };
}

needs('age', 'zstd', '/usr/bin/time');
try {
  for (const order of ['ascending', 'shuffled']) {
    const org = await practice({ Account: Number(given.rows) }, order);
    const file = path.join(folder, `rows-${order}.csv`);
    const { query, bytes } = await alone(org, file);
    await ceiling(file, bytes);
    await backup(`salvor backup, ${order}, folder`, org, path.join(folder, `vault-${order}`), bytes);
    const s3 = await startS3Server();
    const keys = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    await backup(`salvor backup, ${order}, S3`, org, `s3://${s3.bucket}/bench?endpoint=${s3.url}`, bytes, keys);
    await s3.close();
    await sf(org, query, bytes);
  }
  const few = await practice({ Account: Number(given.few) }, 'shuffled');
  const { bytes } = await alone(few, path.join(folder, 'rows-few.csv'));
  await backup(`salvor backup, shuffled, ${given.few} rows`, few, path.join(folder, 'vault-few'), bytes);
} finally {
  cleanUp();
}

const titles = ['what', 'MB', 's', 'MB/s', 'CPU s/GB', 'peak MiB', 'note'];
const lines = figures.map(({ what, bytes, seconds, cpu, peakMiB, note }) => [
  what,
  (bytes / 1e6).toFixed(0),
  seconds.toFixed(1),
  (bytes / 1e6 / seconds).toFixed(0),
  cpu === undefined ? '' : (cpu / (bytes / 1e9)).toFixed(1),
  peakMiB === undefined ? '' : peakMiB.toFixed(0),
  note ?? '',
]);
process.stdout.write(
  `backup: Node ${process.version}, ${availableParallelism()} cores, ${given.rows} rows\n\n${table(titles, lines)}\n`,
);
process.exit();
