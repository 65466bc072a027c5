import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { newAgeIdentity, newWriterKey, parseWriterKey } from '../../src/age/keys.ts';
import type { FaultName } from '../../src/errors.ts';
import { isFault } from '../../src/errors.ts';
import type { BackupRequest } from '../../src/operations/backup/request.ts';
import { rotate } from '../../src/operations/keys.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Run } from '../../src/vault/run.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { contentsOf, InProcess, liveIds, ofAnotherOrg } from '../support/in-process.ts';
import type { MemoryStore } from '../support/memory-store.ts';

const objects = ['Campaign', 'Folder', 'Group', 'Pricebook2', 'Product2', 'Profile', 'RecordType', 'UserRole'];
const request: Partial<BackupRequest> = { policy: { objects, exclude: [] }, parallel: 1 };
const database = sampleDatabase();
const hour = 3_600_000;

/** A run that ends behind its first group of objects. */
async function stop(at: InProcess, name: FaultName = 'api-budget'): Promise<void> {
  at.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'RecordType', skip: 1 });
  await fails(at, name);
  at.org.clearFaults();
}

async function fails(at: InProcess, name: FaultName): Promise<void> {
  await assert.rejects(at.backup({ request }), (error) => isFault(error, name));
  const vault = await at.openVault();
  assert.deepEqual((await vault.state()).points, []);
}

/** A whole point; resolves with how many objects an earlier run gave, undefined when there was none to go on with. */
async function whole(at: InProcess): Promise<number | undefined> {
  at.events.length = 0;
  const { point } = await at.backup({ request });
  assert.equal(point.status, 'complete');
  const vault = await at.openVault();
  const held = await contentsOf(vault, (await vault.state()).points.at(-1)!);
  assert.deepEqual([...held.keys()].sort(), objects);
  for (const [name, { ids }] of held) assert.deepEqual(ids, liveIds(database, name), name);
  return at.events.find((event) => event.type === 'resumed')?.objects;
}

function warnings({ events }: InProcess): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [`${event.name}: ${event.message}`] : []));
}

const inMemory = ({ store }: InProcess) => (store as MemoryStore).objects;
const journal = (at: InProcess) => [...inMemory(at).keys()].filter((key) => /^runs\/.*\/\d{5}-/.test(key)).sort();

describe('a run goes on with an earlier one', () => {
  let at: InProcess;

  beforeEach(async (context) => {
    at = await InProcess.start(database);
    if ('after' in context) context.after(() => at[Symbol.asyncDispose]());
  });

  test('when the org was gone for a while', async () => {
    at.onEvent = ({ type }) => {
      if (type === 'object-finished') void at.org.close();
    };
    await fails(at, 'org-unreachable');
    await using later = await InProcess.start(database);
    later.store = at.store;
    later.keys = at.keys;
    assert.ok((await whole(later))! > 0);
  });

  test('that is 71 hours old, and not with one of 73', async () => {
    for (const [hours, resumed] of [
      [71, 5],
      [73, undefined],
    ] as const) {
      await at.renewVault();
      at.now = () => new Date(Date.now() - hours * hour);
      await stop(at);
      at.now = () => new Date();
      assert.equal(await whole(at), resumed, `${hours} hours`);
    }
  });

  test('whose host had a clock that is ten hours ahead', async () => {
    at.now = () => new Date(Date.now() + 10 * hour);
    await stop(at);
    at.now = () => new Date();
    assert.equal(await whole(at), 5);
  });

  test('and reads again what failed in it', async () => {
    at.org.failNext('queryAll', { name: '500-unknown-exception' }, { object: 'Folder', skip: 1, times: 3 });
    await stop(at);
    assert.ok(
      at.events.some((event) => event.type === 'object-finished' && event.object === 'Folder' && !event.complete),
    );
    await whole(at);
  });

  test('but not when a point of the same request was taken since', async () => {
    await stop(at);
    const unfinished = new Map([...inMemory(at)].filter(([key]) => key.startsWith('runs/')));
    for (const key of unfinished.keys()) inMemory(at).delete(key);
    assert.equal(await whole(at), undefined);
    // as if the two had run side by side
    for (const [key, body] of unfinished) inMemory(at).set(key, body);
    assert.equal(await whole(at), undefined);
  });

  test('but reads again what points of other requests hold by now, and begins anew when they hold it all', async () => {
    const take = async (more: Partial<BackupRequest>) => {
      at.events.length = 0;
      const { point } = await at.backup({ request: { ...request, ...more } });
      return { point, resumed: at.events.find((event) => event.type === 'resumed')?.objects };
    };
    await stop(at);
    await take({ policy: { objects: ['Campaign', 'RecordType'], exclude: [] } });
    assert.equal(await whole(at), 4, 'all but RecordType, which is newer in the point of few');
    await at.renewVault();
    await stop(at);
    await take({ full: true });
    assert.equal((await take({})).resumed, undefined);
  });

  test('but not when it was of another org', async () => {
    await using elsewhere = await InProcess.start(ofAnotherOrg(database));
    elsewhere.store = at.store;
    elsewhere.keys = at.keys;
    await stop(at);
    elsewhere.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'RecordType', skip: 1 });
    await fails(elsewhere, 'api-budget');
    assert.ok(!elsewhere.events.some(({ type }) => type === 'resumed'));
  });

  test('but not when a new epoch has begun since, which lets in others than the old one', async () => {
    await stop(at);
    const ctx = { signal: new AbortController().signal, report: () => undefined, now: at.now, tempDir: '' };
    const vault = await at.openVault();
    await rotate(ctx, vault, vault.trust.recipients, 'test');
    assert.equal(await whole(at), undefined);
  });

  test('and does again what a damaged entry told', async () => {
    await stop(at);
    const [, second] = journal(at);
    const body = Buffer.from(inMemory(at).get(second!)!);
    body[body.length - 3]! ^= 1;
    inMemory(at).set(second!, body);
    assert.equal(await whole(at), 4);
    assert.match(warnings(at).join(), /journal: .*00002-/);
  });

  test('and begins anew when its first entry or all of them are gone', async () => {
    await stop(at);
    inMemory(at).delete(journal(at)[0]!);
    assert.equal(await whole(at), undefined);
  });

  test('and believes no entry that a writer of this vault has not signed', async () => {
    await stop(at);
    const [start] = journal(at);
    const point = start!.split('/')[1]!;
    const vault = await at.openVault();
    const { recipient } = await vault.epoch();
    // Everything that it takes to encrypt stands in trust/ for each reader of the bucket.
    const recipients = [recipient, ...vault.writerRecipients];
    const thief = { id: 'writer-1', key: parseWriterKey(newWriterKey()).signing };
    const nothing = {
      object: 'RecordType',
      rows: 0,
      changed: 0,
      deleted: 0,
      segments: 0,
      bytes: 0,
      path: 'rest',
      complete: true,
    };
    const entry = { type: 'object', object: nothing, written: [], hidden: [], numbers: {} };
    await new Run({ store: at.store, vault: vault.info.vault, recipients, signer: thief }, point, 900).append(entry);
    const bare = await sealBytes(Buffer.from(JSON.stringify(entry)), recipients);
    await at.store.putIfAbsent(`runs/${point}/00950-${'0'.repeat(64)}.zst.age`, bare);
    assert.equal(await whole(at), 5);
    assert.equal(warnings(at).filter((text) => text.startsWith('journal')).length, 2);
  });

  test('and an entry of it that was copied to another run counts for nothing', async () => {
    await stop(at);
    const [, second] = journal(at);
    const copied = inMemory(at).get(second!)!;
    for (const key of [...inMemory(at).keys()]) if (key.startsWith('runs/')) inMemory(at).delete(key);
    await stop(at);
    const point = journal(at)[0]!.split('/')[1]!;
    inMemory(at).set(`runs/${point}/00990-${second!.split('-').at(-1)}`, copied);
    assert.equal(await whole(at), 5);
    assert.match(warnings(at).join(), /of another run/);
  });

  test('even when somebody else left what nobody can read under its name', async () => {
    await stop(at);
    const point = journal(at)[0]!.split('/')[1]!;
    const { recipient } = await newAgeIdentity();
    const sealed = await sealBytes(Buffer.from('{}'), [recipient]);
    await at.store.putIfAbsent(`runs/${point}/lease-9999999999999999-${'0'.repeat(64)}`, sealed);
    await at.store.putIfAbsent(`runs/${point}/00980-${'0'.repeat(64)}.zst.age`, Buffer.from('rubbish'));
    assert.equal(await whole(at), 5);
  });

  test('and two that go on with it at once give one point of its name, and never a record that does not hold', async () => {
    await stop(at);
    const both = await Promise.allSettled([at.backup({ request }), at.backup({ request })]);
    const points = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.point.id] : []));
    for (const one of both)
      if (one.status === 'rejected') assert.ok(isFault(one.reason, 'lease-held'), String(one.reason));
    assert.ok(points.length > 0);
    const vault = await at.openVault();
    const { points: records } = await vault.state();
    assert.equal(new Set(records.map(({ record }) => record.point)).size, records.length);
    for (const entry of records) {
      const held = await contentsOf(vault, entry);
      for (const [name, { ids }] of held) assert.deepEqual(ids, liveIds(database, name), name);
    }
  });
});
