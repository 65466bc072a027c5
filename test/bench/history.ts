/*
 * What it takes to see a change in points of very many rows: what `diff` and `find` read of a vault whose object has so many rows, beside the stored
 * blocks that hold a changed row and beside all of it. Nothing here is asserted.
 *
 *   node test/bench/history.ts [--rows 10000000] [--readme]     needs GNU time; 1.2 GB of disk for each 10,000,000 rows
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { newAgeIdentity } from '../../src/age/keys.ts';
import { diffPoints } from '../../src/operations/diff/points.ts';
import { find } from '../../src/operations/find/find.ts';
import { openStore } from '../../src/store/open.ts';
import { createVault } from '../../src/vault/create.ts';
import type { SegmentRef } from '../../src/vault/manifest.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { SegmentNotes } from '../../src/vault/row-images.ts';
import { Vault } from '../../src/vault/vault.ts';
import { countReads, LayeredObject, runId } from '../support/layered-object.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { account, id, recordingContext, writePoint } from '../support/small-vault.ts';
import { publish } from './figures.ts';
import { cleanUp, folder, measured, program, vaultEnvironment } from './measure.ts';

const { values: given } = parseArgs({
  options: { rows: { type: 'string', default: '10000000' }, readme: { type: 'boolean', default: false } },
});
const rows = Number(given.rows);
const texts = 6;
const more = Array.from({ length: texts }, (_, i) => ({ ...account.fields[2]!, name: `Text_${i}__c`, length: 80 }));
const describe = { ...account, fields: [...account.fields, ...more] };

const words = Array.from({ length: 2000 }, (_, i) =>
  createHash('sha1')
    .update(String(i))
    .digest('base64')
    .slice(0, 4 + (i % 9)),
);
const word = (n: number) => words[(n >>> 0) % words.length]!;

function row(n: number, version: number): string[] {
  const own = Array.from(
    { length: texts },
    (_, k) =>
      `${word(n * 31 + k * 977 + (n >> 5))} ${word((n >> 3) * 17 + k)} ${((n * 2_654_435_761) % 2 ** 32) >>> 0}`,
  );
  const stamp = `2026-11-20T08:0${version}:00.000Z`;
  return [id('001', n), stamp, `${word(n * 7919 + version)} ${word(n * 104_729)}`, '', id('005', n % 50), ...own];
}

function* rowsOf(numbers: Iterable<number>, version: number): Generator<string[]> {
  for (const n of numbers) yield row(n, version);
}

function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

/** Ten stretches of a thousand rows, one behind the other. */
const clustered = Array.from({ length: 10 }, (_, c) => Math.floor((((c * 10 + 1) * 0.618034) % 1) * (rows - 2000)))
  .flatMap((start) => Array.from({ length: 1000 }, (_, n) => start + n))
  .sort((a, b) => a - b);
/** Two hundred rows, far from each other. */
const scattered = Array.from({ length: 200 }, (_, n) => Math.floor((n * rows) / 200) + 7);

interface Made {
  readonly vault: Vault;
  readonly store: MemoryStore;
  readonly env: Record<string, string>;
}

/** A vault with three points: all rows, the clustered ones changed, the scattered ones changed too. */
async function made(): Promise<Made> {
  const place = path.join(folder, 'vault');
  const store = await openStore(place);
  const { identity, recipient } = await newAgeIdentity();
  const { writerKey, rootFingerprint } = await createVault(store, {
    recipients: [recipient],
    probe: { conditionalCreate: true },
    tool: 'bench',
    now: new Date('2026-11-20T00:00:00Z'),
  });
  const options = { operation: 'write', rootFingerprint, writerKey, identities: [identity] } as const;
  const vault = await Vault.open(store, options);
  const object = new LayeredObject(
    vault,
    'Account',
    describe.fields.map(({ name }) => name),
  );
  const segment = 16 * 1024 * 1024;
  const base = await object.rows(runId(0), rowsOf(upTo(rows), 0), segment);
  const deltas: SegmentRef[] = [];
  for (const [n, changed] of [[], clustered, scattered].entries()) {
    if (changed.length > 0) deltas.push(...(await object.rows(runId(n), rowsOf(changed, n), segment)));
    const page = object.page({ base, deltas: [...deltas], gone: [], rows });
    await writePoint(vault, runId(100 + n), { objects: [{ describe, stretches: [], page }] });
  }
  await vault.state(true);
  const env = vaultEnvironment(place, identity, rootFingerprint);
  return { vault, store: store as unknown as MemoryStore, env };
}

/** Stored bytes of the blocks that hold one of these rows, in the segments given. */
async function blocksWith(
  vault: Vault,
  reader: PointReader,
  segments: readonly SegmentRef[],
  numbers: Iterable<number>,
) {
  const noteOf = await new SegmentNotes(vault).of(await reader.map('Account'));
  const blocks = segments.flatMap(({ key }) =>
    noteOf(key)!.blocks.map(([, length, , , firstId]) => ({ length, firstId: firstId! })),
  );
  blocks.sort((a, b) => (a.firstId < b.firstId ? -1 : 1));
  const held = new Set<number>();
  for (const n of numbers) {
    const wanted = id('001', n);
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (blocks[middle]!.firstId <= wanted) low = middle + 1;
      else high = middle;
    }
    held.add(low - 1);
  }
  return [...held].reduce((sum, at) => sum + blocks[at]!.length, 0);
}

const total = (reads: ReadonlyMap<string, number>) => [...reads.values()].reduce((sum, bytes) => sum + bytes, 0);
const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 2 : 0);

async function diffed({ vault, store, env }: Made, what: string, to: number, changed: readonly number[]) {
  const { points } = await vault.state();
  const [a, b] = [await PointReader.open(vault, points[to - 1]!), await PointReader.open(vault, points[to]!)];
  const [before, after] = [await a.map('Account'), await b.map('Account')];
  const added = after.deltas.slice(before.deltas.length);
  const needed = (await blocksWith(vault, a, before.base, changed)) + added.reduce((sum, { size }) => sum + size, 0);
  const all = after.base.reduce((sum, { size }) => sum + size, 0);
  const reads = countReads(vault, store);
  const selection = { objects: ['Account'], exclude: [], ids: undefined, where: undefined };
  const request = {
    ...{ selection, fields: [], allFields: false, changedBy: undefined, between: undefined },
    ...{ full: false, parallel: 4, withValues: false },
  };
  const found = await diffPoints(recordingContext(), a, b, request, () => undefined);
  if (found.objects[0]?.changed !== changed.length) throw new Error(`${JSON.stringify(found.objects)} was found`);
  Object.defineProperty(vault, 'store', { value: store, configurable: true });
  const range = `${points[to - 1]!.record.point}..${points[to]!.record.point}`;
  const run = await measured([process.execPath, program, 'diff', range, '--stat', '--json'], env);
  const read = total(reads);
  const shares = [(read / needed).toFixed(2), `${((100 * read) / all).toFixed(1)} %`];
  return [what, mib(read), ...shares, run.seconds.toFixed(1), run.peakMiB.toFixed(0)];
}

async function foundOf({ vault, store, env }: Made, what: string, n: number) {
  const all = (await vault.state()).points.at(-1)!;
  const { base } = await (await PointReader.open(vault, all)).map('Account');
  const reads = countReads(vault, store);
  const request = { find: id('001', n), asText: false, objects: [], fields: [], limit: 20, allFields: false };
  const found = await find(recordingContext(), vault, { ...request, withValues: false }, () => undefined);
  Object.defineProperty(vault, 'store', { value: store, configurable: true });
  const states = found.versions.length;
  const run = await measured([process.execPath, program, 'find', id('001', n), '--json'], env);
  const read = total(reads);
  const share = `${((100 * read) / base.reduce((sum, { size }) => sum + size, 0)).toFixed(1)} %`;
  return [
    `${what}, ${states} ${states === 1 ? 'state' : 'states'}`,
    mib(read),
    '',
    share,
    run.seconds.toFixed(1),
    run.peakMiB.toFixed(0),
  ];
}

try {
  const vault = await made();
  const lines = [
    await diffed(vault, `diff, ${clustered.length.toLocaleString('en')} clustered changes`, 1, clustered),
    await diffed(vault, 'diff, 200 changes far apart', 2, scattered),
    await foundOf(vault, 'find <Id>', clustered[5]!),
    await foundOf(vault, 'find <Id>', 1),
  ];
  const titles = ['what', 'MiB read', '× the blocks with a change', 'of all rows', 's', 'peak MiB'];
  publish('history', `Points of ${rows.toLocaleString('en')} rows in a folder`, titles, lines);
} finally {
  cleanUp();
}
process.exit(0);
