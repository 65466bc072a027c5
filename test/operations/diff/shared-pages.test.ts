import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffPoints } from '../../../src/operations/diff/points.ts';
import type { DiffRequest, RecordDiff } from '../../../src/operations/diff/request.ts';
import { IdTable } from '../../../src/rows/id-table.ts';
import type { MapPage } from '../../../src/vault/manifest.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { countReads, LayeredObject, runId } from '../../support/layered-object.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { account, id, recordingContext, smallVault, writePoint } from '../../support/small-vault.ts';

const request: DiffRequest = {
  selection: { objects: ['Account'], exclude: [], ids: undefined, where: undefined },
  fields: [],
  allFields: false,
  changedBy: undefined,
  between: undefined,
  full: false,
  parallel: 2,
  withValues: true,
};
const columns = account.fields.map(({ name }) => name);
const row = (n: number, name: string) => [id('001', n), '2026-11-20T08:00:00.000Z', name, '', id('005', 1)];

async function open(): Promise<{ store: MemoryStore; vault: Vault }> {
  const store = new MemoryStore();
  const { identity, writerKey, rootFingerprint } = await smallVault(store);
  const vault = await Vault.open(store, { operation: 'write', rootFingerprint, writerKey, identities: [identity] });
  return { store, vault };
}

/** Two points whose pages of Account are changed in these ways. */
async function twoPoints(
  vault: Vault,
  pages: readonly [(page: MapPage) => MapPage, (page: MapPage) => MapPage],
  ids: readonly [string, string],
): Promise<[PointReader, PointReader]> {
  for (const [n, page] of pages.entries())
    await writePoint(vault, ids[n]!, { objects: [{ describe: account, stretches: [], page }] });
  const { points } = await vault.state(true);
  const readers = await Promise.all(points.slice(-2).map((entry) => PointReader.open(vault, entry)));
  return [readers[0]!, readers[1]!];
}

async function recordsOf(from: PointReader, to: PointReader, ids?: IdTable): Promise<string[]> {
  const records: RecordDiff[] = [];
  const asked = { ...request, selection: { ...request.selection, ids } };
  await diffPoints(recordingContext(), from, to, asked, (record) => records.push(record));
  return records
    .map(({ id, change, fields }) => {
      const { from, to } = (fields as Record<string, { from: string; to: string }>).Name!;
      return `${id} ${change} ${from} ${to}`;
    })
    .sort();
}

type State = ReadonlyMap<string, string>;

function expected(from: State, to: State, ids?: IdTable): string[] {
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((one) => (ids?.has(one) ?? true) && from.get(one) !== to.get(one))
    .map((one) => {
      const change = !from.has(one) ? 'added' : !to.has(one) ? 'deleted' : 'changed';
      return `${one} ${change} ${from.get(one) ?? ''} ${to.get(one) ?? ''}`;
    })
    .sort();
}

const change = fc.record({ n: fc.nat(14), name: fc.option(fc.constantFrom('a', 'b', 'c'), { freq: 3 }) });
/** What each run finds, and how it writes it down. */
const runs = fc.array(
  fc.record({
    changes: fc.uniqueArray(change, { selector: ({ n }) => n, minLength: 3, maxLength: 8 }),
    way: fc.constantFrom('delta', 'delta', 'delta', 'consolidated', 'base'),
  }),
  { minLength: 2, maxLength: 5 },
);

test('two points whose pages share segments differ in what their rows differ in, however runs wrote them down', async () => {
  const { vault } = await open();
  let pointsMade = 0;
  await fc.assert(
    fc.asyncProperty(runs, fc.nat(), fc.nat(), fc.array(fc.nat(14)), async (all, a, b, some) => {
      const object = new LayeredObject(vault, 'Account', columns);
      const state = new Map(Array.from({ length: 7 }, (_, n) => [id('001', 2 * n), 'a']));
      const rowsOf = (ids: Iterable<string>) =>
        [...ids].sort().map((one) => row(Number(one.slice(3, 15)), state.get(one)!));
      let page = {
        base: await object.rows(runId(0), rowsOf(state.keys())),
        deltas: [],
        gone: [],
        rows: state.size,
      } as Pick<MapPage, 'base' | 'deltas' | 'gone' | 'rows'>;
      const touched: string[][] = [];
      const seen = [{ page, state: new Map(state) }];
      for (const [n, { changes, way }] of all.entries()) {
        const run = runId(n + 1);
        const dead = changes.filter(({ name, n: number }) => name === null && state.delete(id('001', number)));
        for (const { n: number, name } of changes) if (name !== null) state.set(id('001', number), name);
        touched.push(changes.map(({ n: number }) => id('001', number)));
        const gone = [...page.gone, ...(await object.gone(run, dead.map(({ n: number }) => id('001', number)).sort()))];
        if (way === 'base')
          page = { base: await object.rows(run, rowsOf(state.keys())), deltas: [], gone, rows: state.size };
        else {
          const since = way === 'consolidated' ? touched.flat() : touched.at(-1)!;
          const delta = await object.rows(run, rowsOf(new Set(since.filter((one) => state.has(one)))));
          const deltas = way === 'consolidated' ? delta : [...page.deltas, ...delta];
          page = { base: page.base, deltas, gone, rows: state.size };
        }
        if (way === 'base') touched.length = 0;
        seen.push({ page, state: new Map(state) });
      }
      const [x, y] = [seen[a % seen.length]!, seen[b % seen.length]!];
      pointsMade += 2;
      const names = [runId(pointsMade + 100), runId(pointsMade + 101)] as const;
      const [from, to] = await twoPoints(vault, [object.page(x.page), object.page(y.page)], names);
      assert.deepEqual(await recordsOf(from, to), expected(x.state, y.state));
      const ids = IdTable.of(some.map((n) => id('001', n)));
      if (ids.size > 0) assert.deepEqual(await recordsOf(from, to, ids), expected(x.state, y.state, ids));
    }),
    { numRuns: 10 },
  );
});

const noise = (n: number, salt = '') => createHash('sha512').update(`${n}${salt}`).digest('base64').repeat(3);

test('a comparison of points that share their base reads the blocks of what changed, and not more', async () => {
  const { store, vault } = await open();
  const object = new LayeredObject(vault, 'Account', columns);
  const rows = 60_000;
  const base = await object.rows(
    runId(0),
    Array.from({ length: rows }, (_, n) => row(n, noise(n))),
  );
  const first = await object.rows(
    runId(1),
    Array.from({ length: 20 }, (_, n) => row(100 * n, noise(n, 'once'))),
  );
  // Rows of two blocks, some that are new, one that is gone.
  const changed = [...Array.from({ length: 50 }, (_, n) => 30_000 + n), ...[300, 59_000]];
  const second = await object.rows(
    runId(2),
    [...changed, rows, rows + 1].sort((a, b) => a - b).map((n) => row(n, noise(n, 'twice'))),
  );
  const gone = await object.gone(runId(2), [id('001', 59_001)]);
  const [from, to] = await twoPoints(
    vault,
    [
      object.page({ base, deltas: first, gone: [], rows }),
      object.page({ base, deltas: [...first, ...second], gone, rows: rows + 1 }),
    ],
    [runId(50), runId(51)],
  );
  const reads = countReads(vault, store);
  const records = await recordsOf(from, to);
  assert.equal(records.length, changed.length + 3);
  assert.equal(records.filter((line) => line.includes(' changed ')).length, changed.length);
  const stored = base.reduce((sum, { size }) => sum + size, 0);
  const block = stored / 16;
  // Blocks of the base with rows 30,000 and 59,000; the two deltas, each of less than one. Chunks of 64 KiB are read whole.
  const most = 2 * (block + 2 * 65_536) + first[0]!.size + second[0]!.size + 4 * 4096;
  assert.ok(reads.get('data')! <= most, `${reads.get('data')} of ${stored}, ${most} at most`);
  assert.ok(reads.get('index')! < 20_000, `${reads.get('index')} of index twins`);
});

test('a page whose count is not that of its rows is found out although its base is not read', async () => {
  const { vault } = await open();
  const object = new LayeredObject(vault, 'Account', columns);
  const base = await object.rows(runId(0), [row(1, 'a'), row(2, 'b')]);
  const deltas = await object.rows(runId(1), [row(3, 'c')]);
  const pages = [
    { base, deltas: [], gone: [], rows: 2 },
    { base, deltas, gone: [], rows: 4 },
  ].map((one) => object.page(one));
  const [from, to] = await twoPoints(vault, [pages[0]!, pages[1]!], [runId(50), runId(51)]);
  await assert.rejects(recordsOf(from, to), { name: 'count-mismatch' });
});

test('rows whose keys are no Ids are compared too, in full from the first of them on', async () => {
  const { vault } = await open();
  const object = new LayeredObject(vault, 'Account', columns);
  const keyed = (key: string, name: string) => [key, ...row(1, name).slice(1)];
  const base = await object.rows(runId(0), [row(1, 'a'), row(2, 'b'), keyed('x-1', 'c'), keyed('x-2', 'd')]);
  const deltas = await object.rows(runId(1), [row(2, 'B'), keyed('x-1', 'C'), keyed('x-3', 'E')]);
  const pages = [
    { base, deltas: [], gone: [], rows: 4 },
    { base, deltas, gone: [], rows: 5 },
  ].map((one) => object.page(one));
  const [from, to] = await twoPoints(vault, [pages[0]!, pages[1]!], [runId(50), runId(51)]);
  assert.deepEqual(await recordsOf(from, to), [`${id('001', 2)} changed b B`, 'x-1 changed c C', 'x-3 added  E']);
});
