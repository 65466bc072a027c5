import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FaultName, isFault } from '../../../src/errors.ts';
import { addIdsOfFile } from '../../../src/operations/select/id-file.ts';
import { addSelected, narrows, type SelectionRequest, select } from '../../../src/operations/select/selection.ts';
import { inWindow, parseWindow } from '../../../src/operations/select/window.ts';
import { IdTable } from '../../../src/rows/id-table.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { id, smallVault } from '../../support/small-vault.ts';

const is = (name: FaultName) => (error: unknown) => isFault(error, name);
const nothing: SelectionRequest = { objects: [], exclude: [], ids: undefined, where: undefined };
const now = new Date('2026-11-23T10:00:00Z');

describe('a selection from the small vault', () => {
  let point: PointReader;

  before(async () => {
    const store = new MemoryStore();
    const { identity, rootFingerprint } = await smallVault(store, {
      root: (root) => ({ ...root, notCovered: [{ object: 'Case', reason: 'excluded (--exclude)' }] }),
    });
    const vault = await Vault.open(store, { operation: 'read', rootFingerprint, identities: [identity] });
    point = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
  });

  /** By object, the Ids that are selected. */
  async function selected(request: Partial<SelectionRequest>): Promise<Record<string, string[]>> {
    const selection = await select(point, { ...nothing, ...request }, now);
    const found: Record<string, string[]> = {};
    for (const one of selection.values()) {
      const ids = new IdTable();
      await addSelected(point, one, ids);
      found[one.object] = [...ids];
    }
    return found;
  }

  const accounts = [1, 2, 3, 4, 5].map((n) => id('001', n));

  test('is all rows of all objects when nothing is said', async () => {
    assert.equal(narrows(nothing), false);
    const all = await selected({});
    assert.deepEqual(Object.keys(all), ['Account', 'Attachment', 'Contact']);
    assert.deepEqual(all.Account, accounts);
  });

  test('takes objects by name and pattern, whatever their case', async () => {
    assert.deepEqual(Object.keys(await selected({ objects: ['a*', 'contact'] })), ['Account', 'Attachment', 'Contact']);
    assert.deepEqual(Object.keys(await selected({ objects: ['A*'], exclude: ['*ment'] })), ['Account']);
  });

  test('gives Ids to their objects by key prefix, and only those that the point holds', async () => {
    const ids = IdTable.of([id('001', 2), id('003', 1).slice(0, 15), id('001', 99)]);
    assert.deepEqual(await selected({ ids }), { Account: [id('001', 2)], Contact: [id('003', 1)] });
  });

  test('takes the rows that meet a condition, and both it and Ids', async () => {
    assert.deepEqual(await selected({ objects: ['Account'], where: "Name LIKE 'g%' OR Name = 'null'" }), {
      Account: [id('001', 2), id('001', 5)],
    });
    const ids = IdTable.of([id('001', 1), id('001', 2)]);
    assert.deepEqual(await selected({ ids, where: `ParentId = '${id('001', 1)}'` }), { Account: [id('001', 2)] });
  });

  const refused: [Partial<SelectionRequest>, FaultName, RegExp][] = [
    [{ objects: ['Lead'] }, 'no-such-object', /does not hold Lead/],
    [{ objects: ['Case'] }, 'no-such-object', /excluded/],
    [{ objects: ['Acount*'] }, 'no-such-object', /Acount\*/],
    [{ ids: IdTable.of(['00Q000000000001']) }, 'no-such-object', /00Q000000000001/],
    [{ ids: IdTable.of([id('001', 1)]), objects: ['Contact'] }, 'usage', /is of Account, which is not selected/],
    [{ where: "Name = 'x'" }, 'usage', /Contact has no field Name/],
  ];
  for (const [request, name, message] of refused) {
    test(`is refused: ${message.source}`, async () => {
      await assert.rejects(selected(request), (error) => isFault(error, name) && message.test(error.message));
    });
  }
});

describe('a file of Ids', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-ids-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function idsOf(text: string): Promise<string[]> {
    const file = path.join(folder, 'ids');
    await writeFile(file, text);
    const ids = new IdTable();
    await addIdsOfFile(file, ids);
    return [...ids];
  }

  test('is one Id a line, or CSV with a column Id', async () => {
    const two = [id('001', 1), id('001', 2)];
    assert.deepEqual(await idsOf(`${two.join('\n')}\n`), two);
    assert.deepEqual(await idsOf(`${two[0]}\r\n\r\n${two[1]!.slice(0, 15)}\r\n${two[0]}`), two);
    assert.deepEqual(await idsOf(`"Error","Id"\n"a, ""b""","${two[0]}"\n"","${two[1]}"\n`), two);
  });

  test('that holds anything else, or is not there, is refused', async () => {
    await assert.rejects(idsOf(`${id('001', 1)}\nAcme\n`), is('usage'));
    await assert.rejects(addIdsOfFile(path.join(folder, 'none'), new IdTable()), is('usage'));
  });
});

test('a window has a time or a day on either side, or one side open', () => {
  const window = parseWindow('2026-11-22T09:00Z..2026-11-22T11:30:00+0100', 'between');
  assert.deepEqual(window, { from: Date.parse('2026-11-22T09:00:00Z'), to: Date.parse('2026-11-22T10:30:00Z') });
  const day = parseWindow('2026-11-22..2026-11-22', 'between');
  assert.equal(inWindow(day, Date.parse('2026-11-22T23:59:59Z')), true);
  assert.equal(inWindow(day, Date.parse('2026-11-23T00:00:00Z')), false);
  assert.equal(inWindow(parseWindow('2026-11-22..', 'between'), Date.parse('2030-01-01')), true);
  assert.equal(inWindow(parseWindow('..2026-11-22', 'between'), undefined), false);
  for (const wrong of ['..', '2026-11-22', 'yesterday..', '2026-11-22T09:00..', '2026-11-23..2026-11-22', 'a..b..c'])
    assert.throws(() => parseWindow(wrong, 'between'), is('usage'), wrong);
});
