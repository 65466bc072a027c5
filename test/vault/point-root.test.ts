import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seal } from '../../src/age/file.ts';
import { listPoints } from '../../src/operations/points.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { pointRefs, pointRoot, pointRoots } from '../../src/vault/layout.ts';
import type { Root } from '../../src/vault/manifest.ts';
import type { Ref } from '../../src/vault/record.ts';
import { writeRefs } from '../../src/vault/refs.ts';
import { openBytes, sealBytes } from '../../src/vault/sealed.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext, type SmallVault, smallVault } from '../support/small-vault.ts';

const point = '20261123T080000Z-00000d';
const [compressed, plain] = pointRoots(point) as [string, string];

describe('the root of a point', () => {
  let store: MemoryStore;
  let small: SmallVault;
  before(async () => {
    store = new MemoryStore();
    small = await smallVault(store);
  });

  const open = (at: MemoryStore) =>
    Vault.open(at, { operation: 'verify', identities: [small.identity], writerKey: small.writerKey });

  /** A copy of the vault with one more point, of what the newest one holds, that lists these roots. */
  async function listing(...names: readonly string[]): Promise<MemoryStore> {
    const copy = await MemoryStore.copyOf(store);
    const vault = await open(copy);
    const newest = (await vault.state()).points.at(-1)!;
    const root: Root = { ...(await vault.root(newest)), point };
    const { epoch, recipient } = await vault.epoch();
    const recipients = [recipient, ...vault.manifestRecipients];
    const json = Buffer.from(JSON.stringify(root));
    const roots: Ref[] = [];
    for (const key of names) {
      const body = key === compressed ? await sealBytes(json, recipients) : await seal(recipients, json);
      await copy.putIfAbsent(key, body);
      roots.push({ key, size: body.length, sha256: sha256(body) });
    }
    const others = (await vault.refs(newest)).filter(({ key }) => key !== pointRoot(newest.record.point!));
    const list = await writeRefs([...others, ...roots]);
    await copy.putIfAbsent(pointRefs(point), list);
    const refs = { key: pointRefs(point), size: list.length, sha256: sha256(list) };
    const { started, ended } = root;
    await vault.log.append(vault.keyring.writerSigner(), {
      kind: 'point',
      point,
      refs,
      epoch,
      started,
      ended,
      tool: 'test',
    });
    return copy;
  }

  async function found(copy: MemoryStore) {
    const vault = await open(copy);
    const { points, problems } = await listPoints(vault);
    const entry = (await vault.state()).points.at(-1)!;
    const verified = await verify(recordingContext(), await open(copy), {
      points: [entry],
      noIdentity: false,
      attest: false,
      tool: 'test',
    });
    return { rows: points[0]!.rows, status: points[0]!.status, faults: problems.map(({ name }) => name), verified };
  }

  for (const name of [compressed, plain]) {
    test(`is read as ${name.split('/').at(-1)}`, async () => {
      const { rows, status, faults, verified } = await found(await listing(name));
      assert.deepEqual([rows, status, faults], [11, 'complete', []]);
      assert.equal(verified.ok, true, JSON.stringify(verified.points));
    });
  }

  for (const [title, names, fault, rung] of [
    ['both names', [compressed, plain], 'segment-invalid', 'parse'],
    ['neither', [], 'object-missing', 'existence'],
  ] as const) {
    test(`is refused where the list has ${title}`, async () => {
      const { status, faults, verified } = await found(await listing(...names));
      assert.deepEqual([status, faults], ['unreadable', [fault]]);
      const failed = verified.points[0]!.rungs.filter(({ ok }) => !ok).map(({ rung }) => rung);
      assert.deepEqual(failed, [rung]);
    });
  }

  test('is written compressed, and by zstd', async () => {
    const vault = await open(store);
    const key = pointRoot(small.points[1]!);
    const identities = await vault.rowIdentities();
    const json = await openBytes(key, store.objects.get(key)!, identities);
    assert.equal(JSON.parse(json.toString('utf8')).point, small.points[1]);
    await assert.rejects(
      openBytes(key, await seal(vault.manifestRecipients, gzipSync(json)), await vault.manifestIdentities()),
      {
        name: 'segment-invalid',
      },
    );
  });
});
