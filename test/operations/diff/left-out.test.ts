import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOutOfOrg } from '../../../src/operations/diff/left-out.ts';
import { diffPoints } from '../../../src/operations/diff/points.ts';
import type { DiffRequest, DiffResult, RecordDiff } from '../../../src/operations/diff/request.ts';
import type { Root } from '../../../src/vault/manifest.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { accounts, recordingContext, smallVault } from '../../support/small-vault.ts';

const request: DiffRequest = {
  selection: { objects: ['Account', 'Contact'], exclude: [], ids: undefined, where: undefined },
  fields: [],
  allFields: false,
  changedBy: undefined,
  between: undefined,
  full: false,
  parallel: 2,
  withValues: false,
};

const [first, second] = ['20261120T080000Z-00000a', '20261121T080000Z-00000b'];

/** What differs between a point with three contacts and a later one without the object, either way round. */
async function compared(root: (root: Root) => Root): Promise<[DiffResult, DiffResult, RecordDiff[]]> {
  const store = new MemoryStore();
  const shared = new Map();
  const { identity, rootFingerprint } = await smallVault(store, { objects: [accounts], shared, files: false, root });
  const vault = await Vault.open(store, { operation: 'read', rootFingerprint, identities: [identity] });
  const { points } = await vault.state();
  const [a, b] = await Promise.all(points.map((entry) => PointReader.open(vault, entry)));
  const records: RecordDiff[] = [];
  const take = (record: RecordDiff) => void records.push(record);
  const ctx = recordingContext();
  return [await diffPoints(ctx, a!, b!, request, take), await diffPoints(ctx, b!, a!, request, take), records];
}

const owner = 'crm@example.com';
const leavingOut: readonly [why: string, reason: string, root: (root: Root) => Root][] = [
  [
    'that a point names as not covered',
    'kept elsewhere (crm@example.com)',
    (root) => ({ ...root, notCovered: [{ object: 'Contact', reason: 'kept elsewhere', owner }] }),
  ],
  [
    'that a point was not asked for, and that the org did not list any more',
    'not selected (--objects)',
    (root) => ({ ...root, policy: { objects: ['Account'], exclude: [] } }),
  ],
  [
    'that a point was to be without',
    'excluded (--exclude)',
    (root) => ({ ...root, policy: { objects: [], exclude: ['Con*'] } }),
  ],
  [
    'that an exclusion of a point takes in',
    'noise (crm@example.com)',
    (root) => ({
      ...root,
      policy: { objects: [], exclude: [], exclusions: [{ objects: ['Contact'], reason: 'noise', owner }] },
    }),
  ],
];
for (const [why, reason, root] of leavingOut) {
  test(`an object ${why} is not compared, whichever point is the older one`, async () => {
    const [forwards, back, records] = await compared(root);
    for (const result of [forwards, back]) {
      assert.deepEqual([result.objects, result.compared], [[], 1]);
      const told = [{ object: 'Contact', reason: `point ${second} leaves it out: ${reason}`, failed: false }];
      assert.deepEqual(result.notCompared, told);
    }
    assert.deepEqual(records, []);
  });
}

test('an object that nothing left out is gone from the org, or new in it', async () => {
  const some: Root['notCovered'] = [
    { object: 'Contact', field: 'Phone', reason: 'nobody needs it' },
    { object: 'Contact', where: "LastName = 'x'", reason: 'noise' },
  ];
  const [forwards, back, records] = await compared((root) => ({ ...root, notCovered: some }));
  const reason = `point ${second} knows no such object`;
  assert.deepEqual([forwards.from, forwards.to, forwards.notCompared, back.notCompared], [first, second, [], []]);
  assert.partialDeepStrictEqual(forwards.objects, [
    { object: 'Contact', added: 0, deleted: 3, only: { side: 'from', reason } },
  ]);
  assert.partialDeepStrictEqual(back.objects, [
    { object: 'Contact', added: 3, deleted: 0, only: { side: 'to', reason } },
  ]);
  assert.equal(records.length, 6);
});

test('of what the org shows now a point leaves out what its policy or its user kept from it, not what nobody can read', () => {
  const notCovered = [
    { object: 'Secret__c', reason: 'the user does not see this object' },
    { object: 'Order__x', reason: 'external objects: their data is kept in another system' },
    { object: 'Lead', reason: 'noise', owner },
  ];
  const exclusions = [{ objects: ['Lead'], reason: 'noise', owner }];
  const root = { point: 'p', notCovered, policy: { objects: [], exclude: ['Ca*'], exclusions } } as unknown as Root;
  const told = ['Secret__c', 'Order__x', 'Lead', 'Case', 'New__c'].map((object) => leftOutOfOrg(root, object));
  assert.deepEqual(told, [
    'point p leaves it out: the user does not see this object',
    undefined,
    `point p leaves it out: noise (${owner})`,
    'point p leaves it out: excluded (--exclude)',
    undefined,
  ]);
});
