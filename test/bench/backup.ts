/*
 * How fast `salvor backup` is, and what it takes, beside the ceiling on the same bytes and beside the sf CLI. Nothing here is asserted.
 *
 *   node test/bench/backup.ts [--rows 200000] [--large] [--readme]     needs age, zstd and GNU time; --large: 2,000,000 rows as well
 *
 * The rows are orders of about 500 bytes. The ceiling is measured anew before each backup, since a machine is not equally fast at all
 * times; the columns with × are multiples of it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startS3Server } from '../support/s3-server.ts';
import { publish } from './figures.ts';
import {
  cleanUp,
  download,
  fieldsOf,
  folder,
  type Measured,
  measured,
  needs,
  type Practice,
  practice,
  SfCli,
  salvorEnvironment,
  takePoint,
} from './measure.ts';

const object = 'Order';
const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    large: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
});

interface Figures {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpu?: number;
  readonly peakMiB?: number;
  /** The ceiling just before. */
  readonly ceiling?: Measured;
  readonly note?: string;
}
const figures: Figures[] = [];

/** The rows of an object as one CSV file. */
interface Rows {
  readonly file: string;
  readonly query: string;
  readonly bytes: number;
}

async function backup(
  what: string,
  org: Practice,
  vault: string,
  rows: Rows,
  more: Record<string, string> = {},
): Promise<void> {
  const keys = path.join(folder, `keys-${figures.length}`);
  const before = await ceiling(rows.file);
  const seen = await takePoint({ ...salvorEnvironment(org, vault, keys), ...more }, keys, [object]);
  figures.push({ ...seen, what, bytes: rows.bytes, ceiling: before });
}

/** What every run takes, however few rows there are. */
async function fixedPart(): Promise<void> {
  const org = await practice({}, 'ascending');
  const keys = path.join(folder, 'keys-few');
  const seen = await takePoint(salvorEnvironment(org, path.join(folder, 'vault-few'), keys), keys, ['Profile']);
  const note = `${seen.cpu.toFixed(1)} CPU s, which every run takes`;
  figures.push({ ...seen, what: 'salvor backup, next to no rows', bytes: 0, note });
  org.end();
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

async function sf(org: Practice, { query, bytes }: Rows): Promise<void> {
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

/** All rows as a file: the practice org's own speed. */
async function alone(what: string, org: Practice, file: string): Promise<Rows> {
  const names = (await fieldsOf(org, object)).map(({ name }) => name);
  const query = `SELECT ${names.join()} FROM ${object}`;
  const { bytes, seconds } = await download(org, query, file);
  figures.push({ what: `${what}: practice org alone`, bytes, seconds });
  return { file, query, bytes };
}

/** Everything about one number of rows. */
async function compare(count: number): Promise<void> {
  for (const order of ['ascending', 'shuffled']) {
    const org = await practice({ [object]: count }, order);
    const file = path.join(folder, `rows-${order}.csv`);
    const rows = await alone(`${count} rows, ${order}`, org, file);
    figures.push({ ...(await ceiling(file)), what: 'cat | zstd -3 | age', bytes: rows.bytes, peakMiB: undefined });
    const vault = path.join(folder, 'vault');
    await backup('salvor backup, folder', org, vault, rows);
    rmSync(vault, { recursive: true });
    const s3 = await startS3Server();
    const keys = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    await backup('salvor backup, S3', org, `s3://${s3.bucket}/bench?endpoint=${s3.url}`, rows, keys);
    await s3.close();
    await sf(org, rows);
    rmSync(file);
    org.end();
  }
}

needs('age', 'zstd', '/usr/bin/time');
try {
  await fixedPart();
  await compare(Number(given.rows));
  if (given.large) await compare(2_000_000);
} finally {
  cleanUp();
}

const times = (part: number | undefined, whole: number | undefined) =>
  part === undefined || whole === undefined ? '' : `${(part / whole).toFixed(1)}×`;
const titles = ['what', 'MB', 's', '×', 'MB/s', 'CPU s/GB', '×', 'peak MiB', 'note'];
const lines = figures.map(({ what, bytes, seconds, cpu, peakMiB, ceiling: shell, note }) => [
  what,
  bytes === 0 ? '' : (bytes / 1e6).toFixed(0),
  seconds.toFixed(1),
  times(seconds, shell?.seconds),
  bytes === 0 ? '' : (bytes / 1e6 / seconds).toFixed(0),
  bytes === 0 || cpu === undefined ? '' : (cpu / (bytes / 1e9)).toFixed(1),
  times(cpu, shell?.cpu),
  peakMiB === undefined ? '' : peakMiB.toFixed(0),
  note ?? '',
]);
publish(
  'backup',
  `Rows of ${object}, about 500 bytes each; × is of the ceiling, ${'`cat | zstd -3 | age`'}`,
  titles,
  lines,
);
process.exit();
