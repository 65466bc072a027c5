import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { newAgeIdentity, parseWriterKey } from '../../src/age/keys.ts';
import { Fault, isFault } from '../../src/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { createVault } from '../../src/vault/create.ts';
import { restoreEntry, restoreLease, restorePrefix } from '../../src/vault/layout.ts';
import { readRefs } from '../../src/vault/refs.ts';
import { Restore } from '../../src/vault/restore.ts';
import { findRestores, type RestorePlace, readRestore, readTable, restorePlace } from '../../src/vault/restores.ts';
import { openBytes, sealBytes } from '../../src/vault/sealed.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';

const org = '00D000000000001EAA';
const point = '20261122T224100Z-0a1b2c';
const beginning = { org, point, planDigest: 'd'.repeat(64), tool: 'test' };
const now = () => new Date('2026-11-23T10:00:00Z');
const later = () => new Date('2026-11-23T11:00:00Z');

async function* plan(): AsyncGenerator<Buffer> {
  yield Buffer.from('{"v":1}\n');
  yield Buffer.from('["Account","001000000000001AAA"]\n');
}

async function newVault(): Promise<{ store: MemoryStore; vault: Vault; place: RestorePlace; writerKey: string }> {
  const store = new MemoryStore();
  const { identity, recipient } = await newAgeIdentity();
  const { writerKey, rootFingerprint } = await createVault(store, {
    recipients: [recipient],
    probe: { conditionalCreate: true },
    tool: 'test',
    now: now(),
  });
  const vault = await Vault.open(store, { operation: 'write', identities: [identity], writerKey, rootFingerprint });
  return { store, vault, place: await restorePlace(vault), writerKey };
}

const begin = (place: RestorePlace, clock = now) => Restore.begin(place, beginning, plan(), clock, randomBytes(3));

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString('utf8');
}

describe('the journal of a restore', () => {
  test('holds the plan, entries in order and tables, and ends', async () => {
    const { place } = await newVault();
    const restore = await begin(place);
    const part = await restore.putPart(Buffer.from('"Id","Name"\n"001000000000001AAA","Acme"\n'));
    const table = { name: 'before', object: 'Account', rows: 1, parts: [part] };
    await restore.append({ type: 'before', object: 'Account' }, [table]);
    const done = { Account: { updated: 1 } };
    await restore.end(
      { whole: true, done },
      [{ name: 'ids', rows: 0, parts: [], text: '"Object","Id","Target"\n' }],
      now,
    );

    const read = await readRestore(place, restore.restore, now());
    assert.equal(read.state, 'ended');
    assert.deepEqual(read.beginning, { type: 'begin', ...beginning, epoch: 1, started: now().toISOString() });
    assert.deepEqual(read.ending, { type: 'end', ended: now().toISOString(), whole: true, done });
    assert.deepEqual(
      read.entries.map(({ number, entry }) => [number, entry.type]),
      [
        [1, 'begin'],
        [2, 'before'],
        [3, 'end'],
      ],
    );
    assert.equal(
      await text(readTable(place, read.entries[0]!.tables[0]!)),
      '{"v":1}\n["Account","001000000000001AAA"]\n',
    );
    assert.match(await text(readTable(place, read.entries[1]!.tables[0]!)), /"Acme"/);
    assert.equal(await text(readTable(place, read.endTables[0]!)), '"Object","Id","Target"\n');
  });

  test('is reached from a signed record when it begins, with the plan, and when it ends, with everything', async () => {
    const { store, vault, place } = await newVault();
    const restore = await begin(place);
    const reached = async () => {
      const { entries } = await vault.state(true);
      const records = entries.filter(({ record }) => record.kind === 'restore');
      assert.ok(records.every(({ record }) => record.restore === restore.restore));
      const lists = records.map(async ({ record }) => {
        const refs = await readRefs(record.refs!.key, await vault.read(record.refs!));
        return refs.map(({ key, sha256: digest }) => {
          assert.equal(sha256(store.objects.get(key)!), digest);
          return key.slice(restorePrefix(restore.restore).length).replace(/-[0-9a-f]{64}/, '');
        });
      });
      return Promise.all(lists);
    };
    const first = ['000001.zst.age', 'part-000001.zst.age', 'part-000002.zst.age'];
    assert.deepEqual(await reached(), [first]);
    await restore.end({ whole: true, done: {} }, [], now);
    assert.deepEqual(await reached(), [first, ['000001.zst.age', '000002.zst.age', ...first.slice(1)]]);
  });

  test('is encrypted to the epoch alone: the writer key opens none of it', async () => {
    const { store, place, writerKey } = await newVault();
    await begin(place);
    for await (const { key } of store.list('restores/')) {
      if (key.includes('/refs-')) continue;
      const opened = openBytes(key, await store.get(key), [parseWriterKey(writerKey).identity]);
      await assert.rejects(opened, (error) => isFault(error, 'wrong-identity'), key);
    }
  });

  test('of a process that died is interrupted, and goes on behind what it has', async () => {
    const { vault, place } = await newVault();
    const restore = await begin(place);
    await restore.append({ type: 'planned' });
    // Its process lives on here, as if on another host: the lease has run out.
    const [found] = await findRestores(place, later());
    assert.equal(found?.state, 'interrupted');
    const again = await Restore.goOn(place, await readRestore(place, restore.restore, later()), later);
    await again.append({ type: 'closed' });
    await again.end({ whole: false, done: {} }, [], later);
    const read = await readRestore(place, restore.restore, later());
    assert.deepEqual(
      read.entries.map(({ entry }) => entry.type),
      ['begin', 'planned', 'closed', 'end'],
    );
    const { entries } = await vault.state(true);
    assert.equal(entries.filter(({ record }) => record.kind === 'restore').length, 2);
  });

  test('that died before its record is reached from one as soon as it goes on', async () => {
    const { store, vault, place } = await newVault();
    const failing: Store = {
      ...store,
      url: store.url,
      get: store.get.bind(store),
      getRange: store.getRange.bind(store),
      head: store.head.bind(store),
      list: store.list.bind(store),
      delete: store.delete.bind(store),
      close: store.close.bind(store),
      putIfAbsent: (key, body) => {
        if (key.includes('/refs-')) throw new Fault('store-unreachable', 'cut');
        return store.putIfAbsent(key, body);
      },
    };
    await assert.rejects(begin({ ...place, store: failing }), (error) => isFault(error, 'store-unreachable'));
    const [found] = await findRestores(place, later());
    await Restore.goOn(place, await readRestore(place, found!.restore, later()), later);
    const { entries } = await vault.state(true);
    assert.deepEqual(
      entries.flatMap(({ record }) => record.restore ?? []),
      [found!.restore],
    );
  });

  test('a second process that goes on with the same restore is stopped by the first number that is taken', async () => {
    const { place } = await newVault();
    const restore = await begin(place);
    const other = await Restore.goOn(place, await readRestore(place, restore.restore, later()), later);
    await other.append({ type: 'planned' });
    await assert.rejects(restore.append({ type: 'planned' }), (error) => isFault(error, 'lease-held'));
  });

  test('what nobody of the vault signed is ignored and reported, and numbering goes on behind it', async () => {
    const { store, place } = await newVault();
    const restore = await begin(place);
    const forged = await sealBytes(Buffer.from('{"type":"results"}\n'), [place.recipient]);
    await store.putIfAbsent(restoreEntry(restore.restore, 2), forged);
    await restore.append({ type: 'planned' });
    const read = await readRestore(place, restore.restore, now());
    assert.deepEqual(
      read.entries.map(({ number, entry }) => [number, entry.type]),
      [
        [1, 'begin'],
        [3, 'planned'],
      ],
    );
    assert.match(read.problems.join(), /000002\.zst\.age/);
  });

  test('a missing entry is damage, not a shorter journal', async () => {
    const { store, place } = await newVault();
    const restore = await begin(place);
    await restore.append({ type: 'planned' });
    await restore.append({ type: 'closed' });
    await store.delete(restoreEntry(restore.restore, 2));
    await assert.rejects(readRestore(place, restore.restore, now()), (error) => isFault(error, 'journal-damaged'));
  });

  test('an entry that was copied from another restore is none of this one', async () => {
    const { store, place } = await newVault();
    const one = await begin(place);
    await one.append({ type: 'planned' });
    const two = await Restore.begin(place, beginning, plan(), later, randomBytes(3));
    await store.putIfAbsent(restoreEntry(two.restore, 2), await store.get(restoreEntry(one.restore, 2)));
    const read = await readRestore(place, two.restore, later());
    assert.equal(read.entries.length, 1);
    assert.match(read.problems.join(), /another restore/);
  });
});

describe('restores of an org', () => {
  async function heldByAnother(place: RestorePlace, restore: string, orgId: string, clock = now): Promise<void> {
    const lease = { v: 1, host: `not-${hostname()}`, pid: 1, at: clock().toISOString(), org: orgId };
    const expires = new Date(clock().getTime() + 60_000).toISOString();
    const body = await sealBytes(Buffer.from(JSON.stringify({ ...lease, expires })), [place.recipient]);
    await place.store.putIfAbsent(restoreLease(restore, clock().getTime() * 1000 + 5, sha256(body)), body);
  }

  test('are found newest first, with their states', async () => {
    const { place } = await newVault();
    const one = await begin(place);
    await one.end({ whole: true, done: {} }, [], now);
    const two = await begin(place, later);
    await heldByAnother(place, two.restore, org, later);
    const found = await findRestores(place, later());
    assert.deepEqual(
      found.map(({ restore, state }) => [restore, state]),
      [
        [two.restore, 'running'],
        [one.restore, 'ended'],
      ],
    );
  });

  test('one at a time: a restore makes way for another that holds the lease of the org', async () => {
    const { place } = await newVault();
    await heldByAnother(place, 'R20261123T095900Z-000001', org);
    await assert.rejects(begin(place), (error) => isFault(error, 'lease-held') && error.exit === 69);
  });

  test('a restore into another org is in nobody’s way', async () => {
    const { place } = await newVault();
    await heldByAnother(place, 'R20261123T095900Z-000001', '00D000000000002EAA');
    assert.equal((await begin(place)).beginning.org, org);
  });

  test('are kept in another folder when the vault takes no writes, with no log record', async () => {
    const { store, vault } = await newVault();
    const elsewhere = new MemoryStore();
    const place = await restorePlace(vault, elsewhere);
    store.denyWrites = true;
    const restore = await begin(place);
    await restore.end({ whole: true, done: {} }, [], now);
    const [found] = await findRestores(place, now());
    assert.equal(found?.restore, restore.restore);
    assert.equal([...store.objects.keys()].filter((key) => key.startsWith('restores/')).length, 0);
  });
});
