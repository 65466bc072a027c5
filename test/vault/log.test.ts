import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newAgeIdentity, parseWriterKey } from '../../src/age/keys.ts';
import { Fault } from '../../src/errors.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createVault } from '../../src/vault/create.ts';
import { logRecord } from '../../src/vault/layout.ts';
import { Log } from '../../src/vault/log.ts';
import type { NewRecord } from '../../src/vault/record.ts';
import { readTrust, type Trust } from '../../src/vault/trust.ts';

const digest = 'ab'.repeat(32);
const point = (id: string): NewRecord => ({
  kind: 'point',
  point: id,
  refs: { key: `points/${id}/refs.zst`, size: 1, sha256: digest },
  epoch: 1,
  started: '2026-11-22T22:41:00.000Z',
  ended: '2026-11-22T22:42:00.000Z',
  tool: 'salvor test',
});

describe('the log of a vault', () => {
  let folder: string;
  let made: Awaited<ReturnType<typeof createVault>>;
  let number = 0;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-log-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function newVault(): Promise<{
    store: Store;
    signer: { id: string; key: ReturnType<typeof parseWriterKey>['signing'] };
    log: (store?: Store) => Promise<Log>;
    trust: Trust;
  }> {
    const store = await openStore(path.join(folder, `vault-${++number}`));
    const recipients = [(await newAgeIdentity()).recipient, (await newAgeIdentity()).recipient];
    made = await createVault(store, { recipients, probe: {}, tool: 'salvor test', now: new Date() });
    const trust = await readTrust(store, made.vault);
    return {
      store,
      signer: { id: 'writer-1', key: parseWriterKey(made.writerKey).signing },
      log: async (other = store) => new Log(other, trust, made.vault),
      trust,
    };
  }

  test('begins with the epoch, and each record carries the digest of the one before', async () => {
    const { log, signer } = await newVault();
    const first = await (await log()).append(signer, point('20261122T224100Z-000001'));
    const second = await (await log()).append(signer, point('20261122T224200Z-000002'));
    assert.deepEqual([first.seq, second.seq], [2, 3]);
    const { entries, problems, head } = await (await log()).read();
    assert.deepEqual(problems, []);
    assert.deepEqual(
      entries.map(({ record }) => record.kind),
      ['epoch', 'point', 'point'],
    );
    assert.equal(entries[2]!.record.prev, first.digest);
    assert.deepEqual(head, { seq: 3, digest: second.digest, taken: 3 });
  });

  test('gives racing writers a number each, in one chain', async () => {
    const { log, signer } = await newVault();
    const heads = await Promise.all(
      Array.from({ length: 12 }, async (_, i) =>
        (await log()).append(signer, point(`20261122T224100Z-${String(i).padStart(6, '0')}`)),
      ),
    );
    assert.deepEqual(
      heads.map(({ seq }) => seq).sort((a, b) => a - b),
      [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    );
    const { entries, problems } = await (await log()).read();
    assert.deepEqual(problems, []);
    assert.equal(new Set(entries.flatMap(({ record }) => record.point ?? [])).size, 12);
  });

  test('takes a record whose answer was lost for its own, and writes it once', async () => {
    const { store, log, signer } = await newVault();
    let lost = 0;
    const lossy = wrap(store, {
      putIfAbsent: async (key, body) => {
        const outcome = await store.putIfAbsent(key, body);
        if (lost++ === 0) throw new Fault('store-unreachable', 'the answer was lost');
        return outcome;
      },
    });
    const head = await (await log(lossy)).append(signer, point('20261122T224100Z-000001'));
    assert.equal(head.seq, 2);
    assert.equal((await (await log()).read()).entries.length, 2);
  });

  test('puts the same bytes again when the first attempt never arrived', async () => {
    const { store, log, signer } = await newVault();
    let attempts = 0;
    const lossy = wrap(store, {
      putIfAbsent: async (key, body) => {
        if (attempts++ === 0) throw new Fault('store-unreachable', 'never arrived');
        return store.putIfAbsent(key, body);
      },
    });
    assert.equal((await (await log(lossy)).append(signer, point('20261122T224100Z-000001'))).seq, 2);
    assert.equal(attempts, 2);
  });

  test('skips and reports a number that somebody without a key has taken', async () => {
    const { store, log, signer } = await newVault();
    await store.putIfAbsent(logRecord(2), Buffer.from('rubbish'));
    const head = await (await log()).append(signer, point('20261122T224100Z-000001'));
    assert.equal(head.seq, 3);
    const { entries, problems } = await (await log()).read();
    assert.deepEqual(
      problems.map(({ seq, fault }) => [seq, fault.name]),
      [[2, 'signature-invalid']],
    );
    assert.equal(entries.at(-1)!.record.prev, entries[0]!.digest);
  });

  test('ignores a number far ahead', async () => {
    const { store, log, signer } = await newVault();
    await store.putIfAbsent(logRecord(5_000_000), Buffer.from('rubbish'));
    assert.equal((await (await log()).append(signer, point('20261122T224100Z-000001'))).seq, 2);
  });

  test('goes on behind a number that somebody without a key has taken further ahead', async () => {
    const { store, log, signer } = await newVault();
    await store.putIfAbsent(logRecord(7), Buffer.from('rubbish'));
    const head = await (await log()).append(signer, point('20261122T224100Z-000001'));
    assert.equal(head.seq, 8);
    const { entries } = await (await log()).read();
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      [1, 8],
    );
    assert.equal(entries[1]!.record.prev, entries[0]!.digest);
  });

  test('reports a record that was copied to another number, and a gap', async () => {
    const { store, log, signer } = await newVault();
    await (await log()).append(signer, point('20261122T224100Z-000001'));
    await (await log()).append(signer, point('20261122T224200Z-000002'));
    await store.putIfAbsent(logRecord(4), await store.get(logRecord(2)));
    await store.delete(logRecord(2));
    const { problems } = await (await log()).read();
    assert.deepEqual(
      problems.map(({ seq, fault }) => [seq, fault.name]),
      [
        [2, 'chain-broken'],
        [3, 'chain-broken'],
        [4, 'signature-invalid'],
      ],
    );
  });

  /** Three points, of which the second was damaged when the third was written, and is whole again. */
  async function healed() {
    const vault = await newVault();
    const { store, log, signer } = vault;
    const appended = async (id: string) => (await log()).append(signer, point(id));
    const first = await appended('20261122T224100Z-000001');
    await appended('20261122T224200Z-000002');
    const good = await store.get(logRecord(3));
    await store.delete(logRecord(3));
    await store.putIfAbsent(logRecord(3), good.subarray(1));
    await appended('20261122T224300Z-000003');
    const damaged = (await (await log()).read()).problems.map(({ seq }) => seq);
    await store.delete(logRecord(3));
    await store.putIfAbsent(logRecord(3), good);
    return { ...vault, first, appended, damaged };
  }

  test('lets a record pass over one that was damaged when it was written, and goes on behind it', async () => {
    const { log, first, appended, damaged } = await healed();
    assert.deepEqual(damaged, [3]);
    const last = await appended('20261122T224400Z-000004');
    const { entries, problems, head } = await (await log()).read();
    assert.deepEqual([problems, head.seq, head.digest], [[], 5, last.digest]);
    assert.equal(entries.find(({ seq }) => seq === 4)?.record.prev, first.digest);
  });

  test('reports a record that passes over one of a key that is revoked by now: a thief may have put it there since', async () => {
    const { log, trust } = await healed();
    const revoked = [{ id: 'writer-1', since: '2026-11-23T00:00:00Z', from: 5, to: 5 }];
    trust.files.push({ ...trust.files[0]!, number: 2, keys: [], revoked });
    const { problems } = await (await log()).read();
    assert.deepEqual(
      problems.map(({ seq, fault }) => [seq, fault.name]),
      [[4, 'chain-broken']],
    );
  });

  test('reports a record that follows one which is no more in the log, also where another has its number', async () => {
    const { store, log, signer } = await newVault();
    const appended = async (id: string) => (await log()).append(signer, point(id));
    await appended('20261122T224100Z-000001');
    await appended('20261122T224200Z-000002');
    await appended('20261122T224300Z-000003');
    const fourth = await store.get(logRecord(4));
    for (const seq of [3, 4]) await store.delete(logRecord(seq));
    await appended('20261122T224250Z-000004');
    await store.putIfAbsent(logRecord(4), fourth);
    const { problems } = await (await log()).read();
    assert.deepEqual(
      problems.map(({ seq, fault }) => [seq, fault.name]),
      [[4, 'chain-broken']],
    );
  });

  test('refuses a record of a kind that the signer may not sign', async () => {
    const { log, signer } = await newVault();
    await (await log()).append(signer, { ...point('20261122T224100Z-000001'), kind: 'retire' });
    const { entries, problems } = await (await log()).read();
    assert.equal(entries.length, 1);
    assert.match(problems[0]!.fault.message, /role writer, which may not sign this/);
  });
});

function wrap(store: Store, over: Partial<Store>): Store {
  return {
    url: store.url,
    putIfAbsent: (...given) => store.putIfAbsent(...given),
    get: (...given) => store.get(...given),
    getRange: (...given) => store.getRange(...given),
    head: (...given) => store.head(...given),
    list: (...given) => store.list(...given),
    delete: (...given) => store.delete(...given),
    close: () => store.close(),
    ...over,
  };
}
