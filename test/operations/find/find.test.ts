import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { find } from '../../../src/operations/find/find.ts';
import type { FindRequest, Version } from '../../../src/operations/find/request.ts';
import type { MapPage } from '../../../src/vault/manifest.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { countReads, LayeredObject, runId } from '../../support/layered-object.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { account, contacts, id, recordingContext, smallVault, writePoint } from '../../support/small-vault.ts';

const request: FindRequest = {
  find: '',
  asText: false,
  objects: [],
  fields: [],
  limit: 20,
  allFields: false,
  withValues: false,
};
const noise = (n: number) => createHash('sha512').update(String(n)).digest('base64').repeat(3);
const row = (n: number, name: string, parent = '') => [
  id('001', n),
  '2026-11-20T08:00:00.000Z',
  name,
  parent,
  id('005', 1),
];

/** Points of a base and later runs, of which the third has an incomplete page without the row, and the fifth found it deleted. */
async function layered() {
  const store = new MemoryStore();
  const { identity, writerKey, rootFingerprint } = await smallVault(store);
  const vault = await Vault.open(store, { operation: 'write', rootFingerprint, writerKey, identities: [identity] });
  const object = new LayeredObject(
    vault,
    'Account',
    account.fields.map(({ name }) => name),
  );
  const rows = 20_000;
  const base = await object.rows(
    runId(0),
    Array.from({ length: rows }, (_, n) => row(n, n === 7000 ? 'Acme' : noise(n))),
  );
  const renamed = await object.rows(runId(1), [row(7000, 'Acme "Ltd"'), row(7001, noise(1))]);
  const touched = await object.rows(runId(2), [row(7000, 'Acme "Ltd"')]);
  const gone = await object.gone(runId(4), [id('001', 7000)]);
  const back = await object.rows(runId(5), [row(7000, 'Acme again', id('001', 1))]);
  const pages: Partial<MapPage>[] = [
    { base, deltas: [], gone: [], rows },
    { base, deltas: renamed, gone: [], rows },
    { base, deltas: [...renamed, ...touched], gone: [], rows },
    { base: [], deltas: [], gone: [], rows: 0, complete: false },
    { base, deltas: [...renamed, ...touched], gone, rows: rows - 1 },
    { base, deltas: [...renamed, ...touched, ...back], gone, rows },
  ];
  const points: string[] = [];
  for (const [n, page] of pages.entries()) {
    points.push(runId(100 + n));
    const change = object.page(page as MapPage);
    await writePoint(vault, points[n]!, {
      objects: [
        { describe: account, stretches: [], page: (one) => ({ ...change(one), complete: page.complete ?? true }) },
        contacts(`Smith ${n}`),
      ],
    });
  }
  await vault.state(true);
  return { vault, store, points, block: base.reduce((sum, { size }) => sum + size, 0) / 5 };
}

const short = ({ change, from, to, lastPoint, points, fields }: Version) => [
  change,
  from,
  to,
  lastPoint,
  points,
  fields,
];

test('a record is told version by version, and each segment that can hold it is read once', async () => {
  const { vault, store, points: p, block } = await layered();
  const older = (await vault.state()).points.slice(0, 2).map(({ record }) => record.point!);
  const reads = countReads(vault, store);
  const found = await find(recordingContext(), vault, { ...request, find: id('001', 7000).slice(0, 15) }, assert.fail);
  assert.deepEqual(found.versions.map(short), [
    // The point that says less of its object says nothing of the record.
    ['seen', older[1], p[0], p[0], 1, []],
    ['changed', p[0], p[1], p[2], 2, ['Name']],
    ['deleted', p[2], p[4], p[4], 1, []],
    ['returned', p[4], p[5], p[5], 1, ['Name', 'ParentId']],
  ]);
  assert.equal(found.points, 8);
  assert.equal(found.versions[0]!.id, id('001', 7000));
  assert.ok(reads.get('data')! < block + 2 * 65_536 + 4 * 4096, `${reads.get('data')} bytes, a block has ${block}`);
  const { versions } = await find(
    recordingContext(),
    vault,
    { ...request, find: id('001', 7000), withValues: true },
    assert.fail,
  );
  assert.deepEqual(versions[1]!.fields, { Name: { from: 'Acme', to: 'Acme "Ltd"' } });
  assert.deepEqual((versions[0]!.fields as Record<string, unknown>).Name, { from: '', to: 'Acme' });
  assert.deepEqual((versions[2]!.fields as Record<string, unknown>).Name, { from: 'Acme "Ltd"', to: '' });
});

test('a text is found whatever its case, in states of the past too, and only where it is looked for', async () => {
  const { vault } = await layered();
  const said: [number, number][] = [];
  const look = (more: Partial<FindRequest>) =>
    find(recordingContext(), vault, { ...request, ...more }, (...of) => said.push(of));
  const ids = ({ versions }: { versions: readonly Version[] }) => [...new Set(versions.map((one) => one.id))];
  assert.deepEqual(ids(await look({ find: 'acme "ltd', objects: ['Acc*'] })), [id('001', 7000)]);
  assert.ok(said[0]![0] >= 4 && said[0]![1] > 1_000_000, `${said[0]}`);
  assert.deepEqual(ids(await look({ find: 'ÅNGSTRÖM', fields: ['lastname'] })), [id('003', 2)]);
  const limited = await look({ find: 'smith', fields: ['LastName'], limit: 1 });
  assert.deepEqual([ids(limited), limited.more], [[id('003', 1)], false]);
  assert.deepEqual((await look({ find: 'n', fields: ['LastName'], limit: 1 })).more, true);
  await assert.rejects(look({ find: 'acme', objects: ['Account'], fields: ['ParentId'] }), { name: 'no-such-record' });
  await assert.rejects(look({ find: 'acme' }), { name: 'usage' });
  await assert.rejects(look({ find: 'acme', objects: ['Lead'] }), { name: 'no-such-object' });
  await assert.rejects(look({ find: id('00Q', 1) }), { name: 'no-such-object' });
  await assert.rejects(look({ find: id('001', 77_000) }), { name: 'no-such-record' });
});
