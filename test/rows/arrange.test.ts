import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../src/errors.ts';
import { type ArrangeOptions, type ArrangeStats, arrange, RowsOverlap } from '../../src/rows/arrange.ts';
import { cells } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';

const tempDir = mkdtempSync(path.join(tmpdir(), 'salvor-arrange-'));
after(() => rmSync(tempDir, { recursive: true }));
const columns = ['Id', 'SystemModstamp', 'Name'];
const stamp = '2024-04-16T19:00:00.000Z';

function id(n: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let serial = '';
  for (let rest = n; serial.length < 9; rest = Math.floor(rest / 62)) serial = digits[rest % 62]! + serial;
  return `001000${serial}AAA`;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

async function* batchesOf(rows: readonly string[][], size: number) {
  for (let at = 0; at < rows.length; at += size) yield encodeRows(rows.slice(at, at + size));
}

async function run(rows: readonly string[][], options: Partial<ArrangeOptions> & { size?: number } = {}) {
  const { size = 100, ...rest } = options;
  const stretches: string[][][] = [];
  let stats: ArrangeStats | undefined;
  const all = { tempDir, ...rest, onStats: (s: ArrangeStats) => (stats = s) };
  for await (const { batch, cut } of arrange(columns, batchesOf(rows, size), all)) {
    if (cut) stretches.push([]);
    for (const i of batch.ends.keys()) stretches.at(-1)!.push(cells(batch, i));
  }
  assert.deepEqual(readdirSync(tempDir), []);
  return { stretches, stats: stats! };
}

/** What must hold for any result: ascending inside, disjoint outside, newest image of each Id. */
function holds(rows: readonly string[][], stretches: readonly string[][][]): void {
  const newest = new Map<string, string[]>();
  for (const row of rows) {
    const known = newest.get(row[0]!);
    if (!known || row[1]! >= known[1]!) newest.set(row[0]!, row);
  }
  for (const stretch of stretches) {
    for (let i = 1; i < stretch.length; i++) assert.ok(stretch[i - 1]![0]! < stretch[i]![0]!);
  }
  const inOrder = stretches.toSorted((a, b) => (a[0]![0]! < b[0]![0]! ? -1 : 1)).flat();
  assert.deepEqual(
    inOrder,
    [...newest.values()].sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
  );
}

const plain = (n: number) => [id(n), stamp, `name ${n}`];

test('rows in any order, with duplicates, come out in disjoint ascending stretches with the newest image of each Id', async () => {
  const row = fc.tuple(fc.nat(400), fc.nat(3)).map(([n, m]) => [id(n), `${stamp}${m}`, 'x'.repeat(m)]);
  let counter = 0;
  const natural = fc
    .tuple(fc.nat(380), fc.integer({ min: 1, max: 60 }))
    .map(([from, length]) => numbers(from, from + length).map((n) => [id(n), `${stamp}${n % 4}`, 'y']));
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          row.map((one) => [one]),
          natural,
        ),
        { maxLength: 40 },
      ),
      fc.boolean(),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 2, max: 4 }),
      async (runs, assumeOrder, size, fanIn) => {
        const rows = runs.flat().map(([a, b, c]) => [a!, b!, `${c}${counter++}`]);
        const options = { assumeOrder, size, fanIn, stretchBytes: 1500, runBytes: 2000 };
        try {
          const { stretches, stats } = await run(rows, options);
          holds(rows, stretches);
          assert.equal(stats.rows, rows.length);
          assert.equal(stats.rows - stats.duplicates, stretches.flat().length);
          assert.equal(stats.stretches, stretches.length);
        } catch (error) {
          if (!(error instanceof RowsOverlap) || !assumeOrder) throw error;
          holds(rows, (await run(rows, { ...options, assumeOrder: false })).stretches);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('ascending rows pass straight through, as one stretch and without a spill', async () => {
  const rows = numbers(0, 5000).map(plain);
  const { stretches, stats } = await run(rows, { stretchBytes: 10_000, runBytes: 20_000 });
  assert.deepEqual(stretches, [rows]);
  assert.deepEqual(stats, { rows: 5000, duplicates: 0, spilledBytes: 0, stretches: 1 });
});

test('chunks in any order, ascending inside, become stretches without a spill', async () => {
  const chunks = [3, 0, 4, 1, 2].map((n) => numbers(n * 300_000, n * 300_000 + 2000).map(plain));
  const { stretches, stats } = await run(chunks.flat(), { stretchBytes: 50_000 });
  holds(chunks.flat(), stretches);
  assert.equal(stats.spilledBytes, 0);
  assert.equal(stats.stretches, 5);
});

test('a few rows in any order are sorted in memory', async () => {
  const rows = numbers(0, 3000).map((n) => plain((n * 7919) % 3000));
  const { stretches, stats } = await run(rows);
  assert.equal(stretches.length, 1);
  holds(rows, stretches);
  assert.equal(stats.spilledBytes, 0);
});

test('many short runs never give many stretches', async () => {
  const rows = numbers(0, 200).flatMap((n) => numbers(0, 50).map((m) => plain(((n * 37) % 200) * 1000 + m)));
  const { stretches, stats } = await run(rows, { stretchBytes: 40_000, runBytes: 50_000, fanIn: 3 });
  holds(rows, stretches);
  assert.equal(stretches.length, 1);
  assert.ok(stats.spilledBytes > 0);
});

test('a row inside a range that was handed out is told as such, and sorting everything works', async () => {
  const rows = [...numbers(0, 2000), 1000].map(plain);
  await assert.rejects(run(rows, { stretchBytes: 10_000 }), RowsOverlap);
  assert.deepEqual(readdirSync(tempDir), []);
  const { stretches, stats } = await run(rows, { assumeOrder: false });
  holds(rows, stretches);
  assert.equal(stats.duplicates, 1);
});

test('of two rows with the same Id the newest stays, else the last to arrive', async () => {
  const rows = [
    [id(1), '2024-04-16T19:00:01.000Z', 'newest'],
    [id(1), '2024-04-16T19:00:00.000Z', 'older, later'],
    [id(2), stamp, 'first'],
    [id(2), stamp, 'last'],
  ];
  for (const runBytes of [1, 1_000_000]) {
    const { stretches } = await run(rows, { assumeOrder: false, size: 1, runBytes });
    assert.deepEqual(stretches, [[rows[0], rows[3]]]);
  }
});

test('rows without Id pass in the order in which they come', async () => {
  const rows = [
    ['b', 'y'],
    ['a', 'x'],
    ['b', 'y'],
  ];
  const found: string[][] = [];
  for await (const { batch } of arrange(['Account__c', 'Value__c'], batchesOf(rows, 2), { tempDir })) {
    for (const i of batch.ends.keys()) found.push(cells(batch, i));
  }
  assert.deepEqual(found, rows);
});

test('a row with an empty Id is an error', async () => {
  await assert.rejects(run([['', stamp, 'x']]), (error) => isFault(error, 'object-failed'));
});

test('a caller who leaves early or aborts leaves no file behind', async () => {
  const rows = numbers(0, 3000).map((n) => plain((n * 7919) % 3000));
  const options = { tempDir, runBytes: 20_000, fanIn: 3 };
  for await (const { cut } of arrange(columns, batchesOf(rows, 100), options)) {
    assert.equal(cut, true);
    break;
  }
  assert.deepEqual(readdirSync(tempDir), []);
  const stop = new AbortController();
  const aborting = (async function* () {
    yield* batchesOf(rows, 100);
    assert.ok(readdirSync(tempDir).length > 0);
    stop.abort(new Error('stopped'));
    yield encodeRows([plain(1)]);
  })();
  const flow = arrange(columns, aborting, { ...options, signal: stop.signal });
  await assert.rejects(flow.next(), /stopped/);
  assert.deepEqual(readdirSync(tempDir), []);
});
