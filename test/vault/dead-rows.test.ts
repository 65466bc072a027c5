import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRows } from '../../src/rows/csv.ts';
import { DeadRows } from '../../src/vault/dead-rows.ts';
import type { MapPage } from '../../src/vault/manifest.ts';
import { Vault } from '../../src/vault/vault.ts';
import { LayeredObject, runId } from '../support/layered-object.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { id, smallVault } from '../support/small-vault.ts';

const columns = ['Id', 'SystemModstamp', 'Name'];
const stamp = '2026-11-20T00:00:00.000Z';
const parent = (n: number) => id('001', n);

async function parents() {
  const store = new MemoryStore();
  const { identity, writerKey, rootFingerprint } = await smallVault(store);
  const vault = await Vault.open(store, { operation: 'write', rootFingerprint, writerKey, identities: [identity] });
  const object = new LayeredObject(vault, 'Account', columns);
  const rows = (run: number, ...numbers: number[]) =>
    object.rows(
      runId(run),
      numbers.map((n) => [parent(n), stamp, `Row ${n}`]),
    );
  const gone = (run: number, date: string, ...numbers: number[]) => object.gone(runId(run), numbers.map(parent), date);
  /** What became of lookups to these parents in rows that each run read. */
  const lookups = async (page: Pick<MapPage, 'base' | 'gone'> & Partial<MapPage>, ...numbers: number[]) => {
    const dead = new DeadRows();
    await dead.add(vault, { deltas: [], ...page } as unknown as MapPage);
    const children = encodeRows(numbers.map((n) => [id('003', n), parent(n)]));
    return [1, 2, 3, 4, 5, 6].map((run) => {
      const blank = dead.blanking(['Id', 'AccountId'], ['AccountId'], { run: runId(run) });
      const text = blank(children).bytes.toString('utf8').trimEnd();
      return text
        .split('\n')
        .map((line) => (line.endsWith(',""') ? '' : Number(line.slice(-16, -4))))
        .join();
    });
  };
  return { rows, gone, lookups };
}

/** Half an hour before a run, by the org's clock. */
const before = (run: number) => `2026-11-20T${String(run - 1).padStart(2, '0')}:30:00.000Z`;

test('a lookup is emptied in rows that were read before its row was found deleted, and in none read later', async () => {
  const { rows, gone, lookups } = await parents();
  const page = { base: await rows(1, 1, 2), gone: await gone(3, before(3), 2) };
  assert.deepEqual(await lookups(page, 1, 2), ['1,', '1,', '1,2', '1,2', '1,2', '1,2']);
});

test('the same deletion told again by a later run empties nothing more; another deletion does', async () => {
  const { rows, gone, lookups } = await parents();
  const base = await rows(1, 2);
  const first = await gone(3, before(3), 2);
  const again = { base, gone: [...first, ...(await gone(5, before(3), 2))] };
  assert.deepEqual(await lookups(again, 2), ['', '', '2', '2', '2', '2']);
  const another = { base, gone: [...first, ...(await gone(5, before(5), 2))] };
  assert.deepEqual(await lookups(another, 2), ['', '', '', '', '2', '2']);
  // Nobody knows when: it may be another one.
  const unknown = { base, gone: [...(await gone(3, '', 2)), ...(await gone(5, '', 2))] };
  assert.deepEqual(await lookups(unknown, 2), ['', '', '', '', '2', '2']);
});

test('a tombstone that a later run carries on empties nothing of rows that were read behind the deletion', async () => {
  const { rows, gone, lookups } = await parents();
  const page = { base: await rows(1, 2), gone: await gone(5, before(3), 2) };
  assert.deepEqual(await lookups(page, 2), ['', '', '2', '2', '2', '2']);
  // Ten minutes are not long: the deletion may have been committed after the row was read.
  const late = { base: await rows(1, 3), gone: await gone(5, '2026-11-20T02:50:00.000Z', 3) };
  assert.deepEqual(await lookups(late, 3), ['', '', '', '3', '3', '3']);
});

test('a row that came back has emptied the lookups of rows that were read before it went', async () => {
  const { rows, gone, lookups } = await parents();
  const page = { base: await rows(1, 2), gone: await gone(3, before(3), 2), deltas: await rows(4, 2), spent: [] };
  assert.deepEqual(await lookups(page, 2), ['', '', '2', '2', '2', '2']);
});

test('a row that is deleted while rows are read leaves no lookup in rows of the same run', async () => {
  const { rows, gone, lookups } = await parents();
  const page = { base: await rows(1, 2, 3), spent: [] };
  const during = [...(await gone(3, '2026-11-20T03:05:00.000Z', 2)), ...(await gone(3, before(3), 3))];
  assert.deepEqual(await lookups({ ...page, gone: during }, 2, 3), [',', ',', ',3', '2,3', '2,3', '2,3']);
});

test('in points of older versions a row that came back is named by its lookups again', async () => {
  const { rows, gone, lookups } = await parents();
  const page = { base: await rows(1, 2), gone: await gone(3, before(3), 2), deltas: await rows(4, 2) };
  assert.deepEqual(await lookups(page, 2), ['2', '2', '2', '2', '2', '2']);
});
