import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newAgeIdentity } from '../../src/age/keys.ts';
import type { Context } from '../../src/context.ts';
import { addRecipient, addWriter, listKeys, rotate, testKeys } from '../../src/operations/keys.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { createVault } from '../../src/vault/create.ts';
import { logRecord, pointRoot } from '../../src/vault/layout.ts';
import { Vault } from '../../src/vault/vault.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { smallVault } from '../support/small-vault.ts';

const ctx: Context = {
  signal: new AbortController().signal,
  report: () => {},
  now: () => new Date(),
  tempDir: '/nowhere',
};

/** A store that stops taking objects at the first key of `from`, as when the program dies there. */
class DyingStore extends MemoryStore {
  dies: string | undefined;
  override async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    if (this.dies !== undefined && key.startsWith(this.dies)) throw new Error('killed');
    return super.putIfAbsent(key, body, signal);
  }
}

/** A store that loses the answer to its first put of each object: the second attempt finds its own object. */
class ForgetfulStore extends MemoryStore {
  override async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    await super.putIfAbsent(key, body, signal);
    return super.putIfAbsent(key, body, signal);
  }
}

async function newVault(store = new DyingStore()) {
  const first = await newAgeIdentity();
  const made = await createVault(store, {
    recipients: [first.recipient],
    probe: {},
    tool: 'test',
    now: new Date(),
  });
  const openWith = (identity: string) =>
    Vault.open(store, { operation: 'write', identities: [identity], rootFingerprint: made.rootFingerprint });
  return { store, first, made, openWith };
}

test('who was left out of a rotation cannot bring the old epoch back', async () => {
  const { first, openWith } = await newVault();
  const second = await newAgeIdentity();
  await rotate(ctx, await openWith(first.identity), [second.recipient], 'test');
  const friend = await newAgeIdentity();
  await assert.rejects(addRecipient(ctx, await openWith(first.identity), friend.recipient, 'test'), {
    name: 'wrong-identity',
  });
  const vault = await openWith(second.identity);
  assert.equal((await vault.epoch()).epoch, 2);
  assert.deepEqual(vault.trust.recipients, [second.recipient]);
});

test('each epoch is listed once, with when it began, although a further recipient can open it', async () => {
  const { first, openWith } = await newVault();
  await rotate(ctx, await openWith(first.identity), [first.recipient], 'test');
  const { epochs } = await listKeys(await openWith(first.identity));
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [1, 2],
  );
  const later = { ...ctx, now: () => new Date('2999-12-31') };
  await addRecipient(later, await openWith(first.identity), (await newAgeIdentity()).recipient, 'test');
  const listed = await listKeys(await openWith(first.identity));
  assert.deepEqual([listed.recipients.length, listed.epochs], [2, epochs]);
});

test('a recipient who is added between two epochs does not bring the old one back when the program dies there', async () => {
  const { store, first, openWith } = await newVault();
  await rotate(ctx, await openWith(first.identity), [first.recipient], 'test');
  const friend = await newAgeIdentity();
  // Epoch 1 is wrapped to the friend and recorded, epoch 2 is not.
  store.dies = 'keys/e0002/';
  await assert.rejects(addRecipient(ctx, await openWith(first.identity), friend.recipient, 'test'), /killed/);
  assert.equal((await (await openWith(first.identity)).epoch()).epoch, 2);
});

for (const dies of ['keys/e0001/', 'log/', 'trust/']) {
  test(`adding a recipient can be done again after the program died before it wrote to ${dies}`, async () => {
    const { store, first, openWith } = await newVault();
    const friend = await newAgeIdentity();
    store.dies = dies;
    await assert.rejects(addRecipient(ctx, await openWith(first.identity), friend.recipient, 'test'), /killed/);
    store.dies = undefined;
    await addRecipient(ctx, await openWith(first.identity), friend.recipient, 'test');
    const vault = await openWith(friend.identity);
    assert.equal((await vault.rowIdentities()).length, 1);
    assert.deepEqual(vault.trust.recipients, [first.recipient, friend.recipient]);
  });
}

test('a rotation can be done again after the program died in it', async () => {
  const { store, first, openWith } = await newVault();
  const second = await newAgeIdentity();
  store.dies = 'log/';
  await assert.rejects(rotate(ctx, await openWith(first.identity), [second.recipient], 'test'), /killed/);
  store.dies = undefined;
  await rotate(ctx, await openWith(first.identity), [second.recipient], 'test');
  // The first one took a number.
  assert.equal((await (await openWith(second.identity)).epoch()).epoch, 3);
});

test('a lost answer to a put is not taken for somebody else who is at work', async () => {
  const { first, openWith } = await newVault(new ForgetfulStore() as DyingStore);
  const friend = await newAgeIdentity();
  await addRecipient(ctx, await openWith(first.identity), friend.recipient, 'test');
  assert.equal((await (await openWith(friend.identity)).rowIdentities()).length, 1);
});

test('a writer who is added after the first point knows the org of the vault, and no other', async () => {
  const store = new MemoryStore();
  const { identity, rootFingerprint } = await smallVault(store);
  const admin = await Vault.open(store, { operation: 'write', identities: [identity], rootFingerprint });
  const { writerKey } = await addWriter(ctx, admin);
  const vault = await Vault.open(store, { operation: 'write', writerKey, rootFingerprint });
  await vault.assertOrg('00D000000000001AAA');
  await assert.rejects(vault.assertOrg('00D000000000002AAA'), { name: 'foreign-vault' });
});

test('keys are tested, and a writer is added, by the newest point that reads', async () => {
  const store = new MemoryStore();
  const { identity, writerKey, rootFingerprint, points } = await smallVault(store);
  const [older, newest] = points as [string, string];
  const open = (key: string) =>
    Vault.open(store, { operation: 'write', rootFingerprint, identities: [identity], writerKey: key });
  const figures = async (key: string) => (await testKeys(await open(key))).map(({ figure }) => figure);
  const flip = (point: string) => {
    const name = pointRoot(point);
    const body = Buffer.from(store.objects.get(name)!);
    body[body.length - 1]! ^= 1;
    store.objects.set(name, body);
  };
  const [byIdentity, byWriter] = await figures(writerKey);
  assert.match(byIdentity!, / and rows of the newest point$/);
  assert.equal(byWriter, 'is writer-1; opens the manifest of the newest point');

  flip(newest);
  const passedOver = await figures(writerKey);
  assert.match(passedOver[0]!, new RegExp(` and rows of point ${older}, the newest that reads$`));
  assert.equal(passedOver[1], `is writer-1; opens the manifest of point ${older}, the newest that reads`);
  const added = await addWriter(ctx, await open(writerKey));
  assert.equal(added.id, 'writer-2');
  assert.equal((await open(added.writerKey)).boundOrg?.length, 64);

  flip(older);
  await assert.rejects(figures(writerKey), { name: 'digest-mismatch', data: { key: pointRoot(newest) } });
});

test('a writer that was added has no point to try before it takes one', async () => {
  const store = new MemoryStore();
  const { identity, writerKey, rootFingerprint } = await smallVault(store);
  const opened = await Vault.open(store, { operation: 'write', rootFingerprint, identities: [identity], writerKey });
  const added = await addWriter(ctx, opened);
  const own = await Vault.open(store, { operation: 'read', rootFingerprint, writerKey: added.writerKey });
  const [tested] = await testKeys(own);
  assert.equal(tested!.figure, 'is writer-2; there is no point to try yet');
});

test('an epoch that begins while the record of the last one is damaged takes no number twice: healed, both open', async () => {
  const store = new MemoryStore();
  const vault = await AgedVault.of(store, ['2026-11-01']);
  const begin = async () => {
    const open = await vault.open();
    return (await rotate(ctx, open, open.trust.recipients, 'test')).epoch;
  };
  assert.equal(await begin(), 2);
  await vault.add('2026-11-02');
  const key = logRecord(3);
  const good = store.objects.get(key)!;
  store.objects.set(key, Buffer.from('rubbish'));
  assert.equal(await begin(), 3);
  store.objects.delete(key);
  await vault.add('2026-11-03');
  store.objects.set(key, good);
  const request = { points: 'all', noIdentity: false, attest: false, tool: 'test' } as const;
  const { ok, points } = await verify(ctx, await vault.open(), request);
  assert.deepEqual([ok, points.length], [true, 3]);
  assert.equal((await (await vault.open()).epoch()).epoch, 3);
});
