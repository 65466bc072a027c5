import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { newAgeIdentity } from '../../src/age/keys.ts';
import { isFault } from '../../src/errors.ts';
import { listPoints } from '../../src/operations/points.ts';
import type { VerifyRequest, VerifyResult } from '../../src/operations/verify/request.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { openFolder } from '../../src/store/folder.ts';
import type { Store } from '../../src/store/store.ts';
import { readAttestation } from '../../src/vault/attest.ts';
import type { KeyTexts } from '../../src/vault/keyring.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import {
  accounts,
  attachments,
  contacts,
  id,
  recordingContext,
  type SmallObject,
  type SmallPoint,
  type SmallVault,
  smallVault,
} from '../support/small-vault.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'salvor-verify-'));
after(() => rmSync(folder, { recursive: true }));
const store = openFolder(path.join(folder, 'vault'));
const small = await smallVault(store);
const request: VerifyRequest = { noIdentity: false, attest: false, tool: 'test' };

async function look(
  from: Store,
  { rootFingerprint }: SmallVault,
  keys: KeyTexts,
  more: Partial<VerifyRequest> = {},
  ctx = recordingContext(),
): Promise<VerifyResult> {
  const vault = await Vault.open(from, { operation: 'verify', rootFingerprint, ...keys });
  return verify(ctx, vault, { ...request, ...more });
}

/** What the ladder says of a vault whose second point was written with a lie in it. */
async function lie(second: Partial<SmallPoint>): Promise<readonly string[]> {
  const lying = new MemoryStore();
  const made = await smallVault(lying, second);
  const result = await look(lying, made, { identities: [made.identity] });
  assert.equal(result.ok, false);
  return result.points[0]!.rungs.flatMap(({ rung, problems }) =>
    problems.map(({ problem }) => `${rung}: ${problem.replaceAll(/[0-9a-f]{64}/g, '#')}`),
  );
}

const point = '20261121T080000Z-00000b';
const changed = (object: SmallObject, change: Partial<SmallObject>): Partial<SmallPoint> => ({
  objects: [{ ...object, ...change }, attachments],
});

test('a whole point climbs all rungs, each with its figure', async () => {
  const ctx = recordingContext();
  const result = await look(store, small, { identities: [small.identity] }, { expectHead: small.head }, ctx);
  assert.equal(result.ok, true);
  assert.deepEqual(
    result.points.map(({ id, ok }) => ({ id, ok })),
    [{ id: point, ok: true }],
  );
  const figures = result.points[0]!.rungs.map(
    ({ rung, figure }) => `${rung}: ${figure.replace(/, [\d.]+ kB/, ', N kB')}`,
  );
  assert.deepEqual(figures, [
    'log: 3 records, 1 trust file, 2 wrapped keys, attestations and lists',
    'existence: 27 objects, N kB',
    'digests: 27 objects, N kB; 1 object beside them, which no point needs',
    'decrypt: 22 objects, N kB',
    'parse: 4 segments, 11 rows, 1 tombstone',
    'counts: 3 objects, 11 rows',
    'files: 3 files, 423 bytes',
    'references: 6 resolve, 1 dangling, 6 to objects outside the point',
  ]);
  assert.deepEqual(result.points[0]!.rungs.at(-1)!.dangling, [{ field: 'Contact.AccountId', count: 1 }]);
  assert.deepEqual(
    ctx.events.map((event) => event.type === 'rung' && `${event.point} ${event.rung} ${event.ok} ${event.problems}`),
    result.points[0]!.rungs.map(({ rung }) => `${point} ${rung} true 0`),
  );
  assert.deepEqual(result.head, { seq: small.head.seq, digest: small.head.digest });
  assert.deepEqual(
    result.notCovered.map((key) => key.replace(/-[0-9a-f]{64}/, '-#')),
    ['README.txt', 'runs/20261122T080000Z-00000c/00001-#.zst.age'],
  );
});

test('without an identity the ladder ends at the digests, and the writer key adds the counts', async () => {
  const rungs = async (keys: KeyTexts) => {
    const result = await look(store, small, keys, { noIdentity: true, points: 'all' });
    assert.equal(result.ok, true);
    return result.points.map((one) => one.rungs.map(({ rung }) => rung).join(' '));
  };
  assert.deepEqual(await rungs({}), Array(2).fill('log existence digests'));
  assert.deepEqual(await rungs({ writerKey: small.writerKey }), Array(2).fill('log existence digests counts'));
});

test('an identity that is missing or of another vault is refused', async () => {
  await assert.rejects(look(store, small, { writerKey: small.writerKey }), (error) => isFault(error, 'no-identity'));
  const { identity } = await newAgeIdentity();
  await assert.rejects(look(store, small, { identities: [identity] }), (error) => isFault(error, 'wrong-identity'));
});

test('the parts of a sample together read every segment and file once', async () => {
  const read = [0, 0];
  for (const part of [1, 2, 3]) {
    const result = await look(store, small, { identities: [small.identity] }, { sample: { part, of: 3 } });
    assert.equal(result.ok, true);
    const figure = (rung: string) => result.points[0]!.rungs.find((one) => one.rung === rung)!.figure;
    read[0]! += Number(/^\d+/.exec(figure('parse'))![0]);
    read[1]! += Number(/^\d+/.exec(figure('files'))![0]);
  }
  assert.deepEqual(read, [4, 3]);
});

test('a sample is kept as one: it neither stands for the whole nor hides that the whole was verified', async () => {
  const kept = new MemoryStore();
  const made = await smallVault(kept);
  const attested = async (sample?: VerifyRequest['sample']) => {
    await look(kept, made, { identities: [made.identity] }, { attest: true, ...(sample ? { sample } : {}) });
    const vault = await Vault.open(kept, { operation: 'read', identities: [made.identity] });
    const [newest] = (await listPoints(vault)).points;
    return [newest!.verified?.rung, newest!.verified?.sample];
  };
  assert.deepEqual(await attested({ part: 1, of: 7 }), ['references', '1/7']);
  assert.deepEqual(await attested({ part: 2, of: 7 }), ['references', '2/7']);
  assert.deepEqual(await attested(), ['references', undefined]);
  assert.deepEqual(await attested({ part: 3, of: 7 }), ['references', undefined]);
});

test('a point that is not the newest is verified when it is asked for', async () => {
  const vault = await Vault.open(store, { operation: 'verify', identities: [small.identity] });
  const [oldest] = (await vault.state()).points;
  const result = await verify(recordingContext(), vault, { ...request, points: [oldest!] });
  assert.equal(result.ok, true);
  assert.deepEqual(
    result.points.map(({ id }) => id),
    [small.points[0]],
  );
});

test('a head that was noted and is no longer in the log is a problem of the log', async () => {
  const digest = 'f'.repeat(64);
  const at = async (seq: number) =>
    (await look(store, small, {}, { noIdentity: true, expectHead: { seq, digest } })).log.problems;
  const third = 'log/00000000000000000003';
  const ninth = 'log/00000000000000000009';
  assert.deepEqual(await at(3), [
    { key: third, problem: `head-mismatch: ${third} is another record than the one that was noted` },
  ]);
  assert.deepEqual(await at(9), [
    {
      key: ninth,
      problem: 'head-mismatch: the log ends at 3, and the head that was noted is 9: it was rolled back',
    },
  ]);
});

test('the result is signed and kept, and then covered by the log', async () => {
  const copy = await MemoryStore.copyOf(store);
  const keys = { identities: [small.identity], writerKey: small.writerKey };
  const { attested } = await look(copy, small, keys, { attest: true });
  assert.equal(attested?.seq, 4);
  const vault = await Vault.open(copy, { operation: 'verify', identities: [small.identity] });
  const kept = await readAttestation(vault, (await vault.state()).entries.at(-1)!);
  assert.deepEqual(
    kept.points.map(({ point, rung, ok, problems }) => ({ point, rung, ok, problems })),
    [{ point, rung: 'references', ok: true, problems: 0 }],
  );
  const clear = [...copy.objects].flatMap(([key, body]) => (key.startsWith('attest/') ? [body.toString()] : []));
  assert.equal(clear.length, 1);
  assert.doesNotMatch(clear[0]!, /\d (rows?|objects?|files?|tombstones?|lookups?)/);
  const again = await look(copy, small, keys, { expectHead: attested });
  assert.equal(again.ok, true);
  assert.equal(
    again.notCovered.some((key) => key.startsWith('attest/')),
    false,
  );
});

test('with an identity and no writer key the admin key that it unwraps signs the result', async () => {
  const copy = await MemoryStore.copyOf(store);
  assert.equal((await look(copy, small, { identities: [small.identity] }, { attest: true })).attested?.seq, 4);
  assert.equal((await look(copy, small, {}, { attest: true, noIdentity: true })).attested, undefined);
});

test('a store that takes no writes is a warning, and the result stands', async () => {
  const copy = await MemoryStore.copyOf(store);
  copy.denyWrites = true;
  const ctx = recordingContext();
  const result = await look(copy, small, { identities: [small.identity] }, { attest: true }, ctx);
  assert.equal(result.ok, true);
  assert.equal(result.attested, undefined);
  assert.deepEqual(ctx.events.at(-1), {
    type: 'warning',
    name: 'store-denied',
    message: 'the result is not kept in the vault: memory://vault takes no writes',
  });
});

test('a damaged page leaves out its object, and the others are still read', async () => {
  const copy = await MemoryStore.copyOf(store);
  const vault = await Vault.open(copy, { operation: 'verify', identities: [small.identity] });
  const root = await vault.root((await vault.state()).points.at(-1)!);
  const page = root.objects.find(({ object }) => object === 'Contact')!.page!;
  copy.objects.delete(page.key);
  const result = await look(copy, small, { identities: [small.identity] });
  const [found] = result.points;
  assert.deepEqual(
    found!.rungs.filter(({ ok }) => !ok).map(({ rung, problems }) => [rung, problems]),
    [['existence', [{ key: page.key, problem: `${page.key} is not in the vault` }]]],
  );
  assert.equal(found!.rungs.find(({ rung }) => rung === 'parse')!.figure, '3 segments, 8 rows, 0 tombstones');
});

test('damage of lists of other points and of leftovers is told with the point that was asked for, or with the log', async () => {
  const copy = await MemoryStore.copyOf(store);
  const list = `points/${small.points[0]}/refs.zst`;
  copy.objects.delete(list);
  const result = await look(copy, small, {}, { noIdentity: true });
  assert.deepEqual(result.points[0]!.rungs[1]!.problems, [{ key: list, problem: `${list} is not in memory://vault` }]);

  const empty = new MemoryStore([...copy.objects].filter(([key]) => !/^log\/0*[23]$/.test(key)));
  const run = [...empty.objects.keys()].find((key) => key.startsWith('runs/'))!;
  empty.objects.set(run, Buffer.from('changed'));
  const nothing = await look(empty, small, {}, { noIdentity: true });
  assert.equal(nothing.ok, false);
  assert.deepEqual(nothing.points, []);
  assert.deepEqual(nothing.log.problems, [{ key: run, problem: `${run} does not have the digest that its name says` }]);
});

test('a stopped verification throws what the signal says', async () => {
  const abort = new AbortController();
  abort.abort(new Error('stop'));
  const ctx = recordingContext(abort.signal);
  await assert.rejects(look(store, small, { identities: [small.identity] }, {}, ctx), { message: 'stop' });
});

test('a page whose numbers are not those of its segments and of the root is found', async () => {
  const found = await lie(changed(contacts('A'), { page: (page) => ({ ...page, rows: 4 }) }));
  assert.deepEqual(found, ['counts: pages/#.map.zst.age (Contact) says 4 rows, the root says 3']);
  assert.deepEqual(await lie(changed(contacts('A'), { page: (page) => ({ ...page, complete: false }) })), [
    'counts: pages/#.map.zst.age (Contact) says that it is not complete, the root says that it is',
  ]);
  assert.deepEqual(await lie(changed(contacts('A'), { page: (page) => ({ ...page, gone: [] }) })), [
    'counts: pages/#.map.zst.age (Contact) says 1 deleted rows, its tombstones are 0',
  ]);
});

test('a segment with another number of rows than its page says is found', async () => {
  const found = await lie({
    ...changed(contacts('A'), {
      page: (page) => ({ ...page, rows: 4, base: page.base.map((one) => ({ ...one, rows: 4 })) }),
    }),
    root: (root) => ({
      ...root,
      rows: root.rows + 1,
      objects: root.objects.map((one) => (one.object === 'Contact' ? { ...one, rows: 4 } : one)),
    }),
  });
  assert.deepEqual(found, [
    `counts: data/${point}/00001-#.csv.zst.age has 3 rows, its page says 4`,
    'counts: A segment has 3 rows in place of 4.',
  ]);
});

test('columns, digest, Id range and blocks that a page or detail says wrongly are found', async () => {
  const detail = (change: object): Partial<SmallPoint> =>
    changed(contacts('A'), {
      detail: (whole) => ({ ...whole, segments: whole.segments.map((one) => ({ ...one, ...change })) }),
    });
  const key = `data/${point}/00001-#.csv.zst.age (Contact)`;
  assert.deepEqual(await lie(detail({ plainSha256: '0'.repeat(64) })), [
    `parse: ${key} holds other rows than were digested when it was written`,
  ]);
  assert.deepEqual(await lie(detail({ maxId: id('003', 4) })), [
    `parse: ${key} has another Id range than its detail says`,
  ]);
  assert.deepEqual(await lie(detail({ blocks: [] })), [`parse: ${key} has other blocks than its block index says`]);
  assert.deepEqual(await lie(detail({ key: 'data/another' })), [`parse: ${key} is not described in any detail`]);
  assert.deepEqual(
    await lie(changed(contacts('A'), { page: (page) => ({ ...page, columns: [...page.columns].reverse() }) })),
    [`counts: pages/#.map.zst.age (Contact) has other columns than data/${point}/00001-#.csv.zst.age`],
  );
});

test('an index that is not of its segment, and base segments that overlap, are found', async () => {
  const [first, second] = accounts.stretches as [string[][], string[][]];
  const swapped = await lie({
    shared: new Map(),
    objects: [
      {
        ...accounts,
        stretches: [first, second.slice(0, 2)],
        page: (page) => ({ ...page, base: page.base.map((one, i) => ({ ...one, index: page.base[1 - i]!.index! })) }),
      },
      attachments,
    ],
  });
  assert.deepEqual(swapped, [
    `parse: data/${point}/00001-#.csv.zst.age (Account) holds other Ids or stamps than its index says`,
    `parse: data/${point}/00002-#.csv.zst.age (Account) holds other Ids or stamps than its index says`,
  ]);
  const overlapping = await lie({
    shared: new Map(),
    objects: [
      {
        ...accounts,
        stretches: [
          [...first, second[1]!],
          [second[0]!, second[2]!],
        ],
      },
      attachments,
    ],
  });
  assert.deepEqual(overlapping, [
    `parse: data/${point}/00002-#.csv.zst.age holds Ids of the range of data/${point}/00001-#.csv.zst.age`,
  ]);
});

test('a schema that is not the one the rows were read with is found', async () => {
  const found = await lie(
    changed(contacts('A'), { page: (page) => ({ ...page, schema: { ...page.schema, print: '0'.repeat(64) } }) }),
  );
  assert.deepEqual(found, [
    'counts: pages/#.map.zst.age (Contact) was read with another schema than pages/#.schema.zst.age holds',
  ]);
});

test('files that are not what their page says are found, packed or in parts', async () => {
  const files = (n: number, change: object): Partial<SmallPoint> => ({
    filesPage: (entries) => entries.map((entry, i) => (i === n ? { ...entry, ...change } : entry)),
  });
  const page = 'pages/#.files.zst.age';
  assert.deepEqual(await lie(files(0, { sha256: '0'.repeat(64) })), [
    `files: Attachment ${id('00P', 1)} Body has another SHA-256 than ${page} says`,
  ]);
  assert.deepEqual(await lie(files(1, { entry: '7' })), [
    `files: the pack has no entry for Attachment ${id('00P', 2)} Body, which ${page} says is in it`,
  ]);
  assert.deepEqual(await lie(files(2, { size: 399 })), [
    `files: Attachment ${id('00P', 3)} Body has 400 bytes, ${page} says 399`,
  ]);
  const [cut] = await lie({
    filesPage: (entries) =>
      entries.map((entry, i) => (i === 2 ? { ...entry, stored: entry.stored.slice(0, 1) } : entry)),
  });
  assert.match(cut!, /^decrypt: /);
});

test('a root that does not count what it names is found', async () => {
  assert.deepEqual(await lie({ root: (root) => ({ ...root, rows: 1 }) }), [
    `counts: points/${point}/root.json.zst.age says 1 rows, there are 11`,
  ]);
  assert.deepEqual(await lie({ root: (root) => ({ ...root, files: { ...root.files, count: 5 } }) }), [
    `counts: points/${point}/root.json.zst.age says 5 files of 423 bytes, their pages name 3 of 423`,
  ]);
  assert.deepEqual(await lie({ root: (root) => ({ ...root, vault: 'another' }) }), [
    `counts: points/${point}/root.json.zst.age describes another point than its record`,
  ]);
});
