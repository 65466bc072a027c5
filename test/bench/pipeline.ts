/*
 * How fast rows become segments: split, arrange, compress, encrypt, into nothing; beside `cat | zstd -3 | age` on the
 * same bytes. Each case is a process of its own.
 *
 *   node test/bench/pipeline.ts [megabytes, default 256]      needs age and zstd
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type ArrangeStats, arrange } from '../../src/rows/arrange.ts';
import { encodeHeader, encodeRow } from '../../src/rows/csv.ts';
import { rowFlow } from '../../src/rows/split.ts';
import { writeSegments } from '../../src/vault/segment.ts';

interface Figures {
  case: string;
  seconds: number;
  cpuSeconds: number;
  peakRssMiB?: number;
  note?: string;
}

const columns = [
  ...[
    'Id',
    'SystemModstamp',
    'IsDeleted',
    'Name',
    'Type',
    'Industry',
    'BillingStreet',
    'BillingCity',
    'BillingCountry',
  ],
  ...['Phone', 'Website', 'AnnualRevenue', 'NumberOfEmployees', 'OwnerId', 'CreatedDate', 'Rating', 'Description'],
];

/** A small generator with a fixed seed, so that every run measures the same bytes. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Account-like rows of about 500 bytes, of Zipf-distributed words; with `shuffled` the Ids come in no order. */
function* rows(megabytes: number, shuffled: boolean): Generator<Buffer> {
  const next = random(1);
  const letters = () =>
    Array.from({ length: 3 + Math.floor(next() * 7) }, () => String.fromCharCode(97 + next() * 26)).join('');
  const vocabulary = Array.from({ length: 4000 }, letters);
  const words = (count: number) =>
    Array.from({ length: count }, () => vocabulary[Math.floor(4000 ** next()) - 1]).join(' ');
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const id = (prefix: string, n: number) => {
    let serial = '';
    for (let rest = n; serial.length < 6; rest = Math.floor(rest / 62)) serial = digits[rest % 62] + serial;
    return `${prefix}Kj0000${serial.slice(0, 6)}AAA`;
  };
  const total = Math.round((megabytes * 1e6) / 500);
  yield encodeHeader(columns);
  for (let n = 0; n < total; ) {
    let text = '';
    for (const end = Math.min(n + 1000, total); n < end; n++) {
      const time = new Date(1.6e12 + next() * 1e11).toISOString();
      text += encodeRow([
        ...[id('001', shuffled ? (n * 1_000_003) % total : n), time, 'false', words(2), words(1), words(1)],
        ...[`${Math.floor(next() * 999)} ${words(2)}`, words(1), words(1), `+1${Math.floor(next() * 1e9)}`],
        ...[`https://${words(1)}.example`, `${Math.floor(next() * 1e7)}.0`, `${Math.floor(next() * 5000)}`],
        ...[id('005', Math.floor(next() * 300)), time, words(1), words(Math.floor(next() * 62))],
      ]);
    }
    yield Buffer.from(text);
  }
}

/** One case in this process. */
async function run(name: string, file: string, recipient: string, tempDir: string): Promise<Figures> {
  // Buffers are what fills the memory here; with a small young generation they are collected early.
  setFlagsFromString('--semi-space-growth-factor=1');
  const begun = performance.now();
  const { columns: found, batches } = await rowFlow(createReadStream(file, { highWaterMark: 64 * 1024 }));
  let stats: ArrangeStats | undefined;
  const arranged = arrange(found, batches, {
    tempDir,
    onStats: (all) => {
      stats = all;
    },
  });
  let segments = 0;
  let stored = 0;
  let index = 0;
  for await (const made of writeSegments(found, arranged, { recipients: [recipient], indexRecipients: [recipient] })) {
    segments++;
    stored += made.size;
    index += made.index?.size ?? 0;
  }
  const { user, system } = process.cpuUsage();
  return {
    case: name,
    seconds: (performance.now() - begun) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    note: `${segments} segments, ratio ${(statSync(file).size / stored).toFixed(2)}, index ${(index / 1e6).toFixed(1)} MB, spilled ${(stats!.spilledBytes / 1e6).toFixed(0)} MB`,
  };
}

function shell(name: string, command: string, file: string, recipient: string): Figures {
  const script = `TIMEFORMAT='%R %U %S'; time (${command})`;
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', file, recipient], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [real, user, system] = stderr.trim().split(' ').map(Number);
  return { case: name, seconds: real!, cpuSeconds: user! + system! };
}

function line(figures: Figures, bytes: number): string {
  const megabytes = bytes / 1e6;
  return [
    figures.case.padEnd(26),
    `${(megabytes / figures.seconds).toFixed(0).padStart(4)} MB/s`,
    `${((figures.cpuSeconds / megabytes) * 1000).toFixed(1).padStart(5)} CPU s/GB`,
    figures.peakRssMiB === undefined ? '' : `${figures.peakRssMiB.toFixed(0).padStart(4)} MiB peak`,
    figures.note ?? '',
  ].join('  ');
}

const [, script, first = '256', ...rest] = process.argv;
if (first === 'run') {
  const [name, file, recipient, tempDir] = rest as [string, string, string, string];
  process.stdout.write(JSON.stringify(await run(name, file, recipient, tempDir)));
} else {
  const folder = mkdtempSync(path.join(tmpdir(), 'salvor-bench-'));
  try {
    const recipient = await identityToRecipient(await generateX25519Identity());
    for (const name of ['ordered', 'shuffled']) {
      const file = path.join(folder, `${name}.csv`);
      await pipeline(Readable.from(rows(Number(first), name === 'shuffled')), createWriteStream(file));
      const bytes = statSync(file).size;
      const ours = execFileSync(process.execPath, [script!, 'run', `salvor, ${name}`, file, recipient, folder], {
        encoding: 'utf8',
      });
      process.stdout.write(`${line(JSON.parse(ours), bytes)}\n`);
      const theirs = shell('cat | zstd -3 | age', 'cat "$1" | zstd -3 -q | age -r "$2" > /dev/null', file, recipient);
      process.stdout.write(`${line(theirs, bytes)}\n`);
      rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
