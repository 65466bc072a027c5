import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { logRecord, pointRefs, pointRoot } from '../../src/vault/layout.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { runProgram } from '../support/program.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { type SmallVault, smallVault } from '../support/small-vault.ts';

describe('list-points of a bucket', () => {
  let server: S3Server;
  let folder: string;
  let made: SmallVault;

  const urlOf = (prefix: string) => `s3://${server.bucket}/${prefix}?endpoint=${encodeURIComponent(server.url)}`;

  async function vaultAt(prefix: string): Promise<SmallVault> {
    const { accessKeyId, secretAccessKey } = server;
    const memory = new MemoryStore();
    const small = await smallVault(memory);
    const store = await openStore(urlOf(prefix), { credentials: { accessKeyId, secretAccessKey } });
    for (const [key, body] of memory.objects) await store.putIfAbsent(key, body);
    await store.close();
    return small;
  }

  /** What is listed, and the keys that were fetched for it. */
  async function listed(prefix: string, { writerKey, rootFingerprint }: SmallVault, more: Record<string, string> = {}) {
    const from = server.requests.length;
    const env = {
      SALVOR_VAULT: urlOf(prefix),
      SALVOR_WRITER_KEY: writerKey,
      SALVOR_ROOT_FINGERPRINT: rootFingerprint,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: '1',
      ...more,
    };
    const { status, json } = await runProgram(folder, env, 'list-points', '--json');
    const keys = server.requests.slice(from).flatMap(({ operation, key }) => (operation === 'GetObject' ? key : []));
    const fetched = keys.map((key) => key.slice(prefix.length + 1)).filter((key) => /^(log|points)\//.test(key));
    return { status, result: json.result, warnings: json.warnings.map(({ name }: { name: string }) => name), fetched };
  }

  const anew = (prefix: string, small: SmallVault) => listed(prefix, small, { SALVOR_NO_CACHE: '1' });

  /** Lists with the cache as it is; the same comes out without it. */
  async function same(prefix: string, small: SmallVault) {
    const cached = await listed(prefix, small);
    const { fetched: _, ...without } = await anew(prefix, small);
    const { fetched, ...outcome } = cached;
    assert.deepEqual(outcome, without);
    return { ...outcome, fetched };
  }

  const caches = () => {
    const place = path.join(folder, '.cache', 'salvor');
    return readdirSync(place).map((name) => path.join(place, name));
  };

  before(async () => {
    server = await startS3Server();
    folder = mkdtempSync(path.join(tmpdir(), 'salvor-list-'));
    made = await vaultAt('one');
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('reads nothing again that it has read, and shows the same', async () => {
    const first = await same('one', made);
    assert.equal(first.status, 0);
    assert.deepEqual(
      first.result.points.map(({ id, rows }: { id: string; rows: number }) => [id, rows]),
      [
        [made.points[1], 11],
        [made.points[0], 11],
      ],
    );
    assert.equal(first.fetched.filter((key) => key.startsWith('log/')).length, made.head.seq);
    const second = await same('one', made);
    assert.deepEqual(second.result, first.result);
    assert.deepEqual(second.fetched, []);
  });

  test('reads all anew where the cache is damaged, cut, or of another vault', async () => {
    const other = await vaultAt('two');
    await same('one', made);
    const [mine] = caches();
    await same('two', other);
    const theirs = caches().find((file) => file !== mine)!;
    const whole = readFileSync(mine!);
    const damaged = Buffer.from(whole);
    damaged[100]! ^= 1;
    for (const spoil of [
      () => writeFileSync(mine!, damaged),
      () => truncateSync(mine!, 1000),
      () => writeFileSync(mine!, ''),
      () => copyFileSync(theirs, mine!),
    ]) {
      spoil();
      const { status, fetched } = await same('one', made);
      assert.equal(status, 0);
      assert.equal(fetched.length, made.head.seq + 4);
      assert.deepEqual((await same('one', made)).fetched, []);
    }
  });

  test('tells that the bucket was rolled back, shows what is left, and goes on telling it', async () => {
    const small = await vaultAt('three');
    await same('three', small);
    const [, newest] = small.points;
    for (const key of [logRecord(small.head.seq), pointRoot(newest!), pointRefs(newest!)])
      server.state.keys.delete(`three/${key}`);
    for (let times = 0; times < 2; times++) {
      const { result, warnings } = await same('three', small);
      assert.deepEqual(
        result.points.map(({ id }: { id: string }) => id),
        [small.points[0]],
      );
      assert.deepEqual(warnings, ['head-mismatch']);
    }
  });

  test('shows what was damaged or lost in the bucket since', async () => {
    const small = await vaultAt('four');
    await same('four', small);
    const newer = small.points[1]!;
    const root = server.state.current(`four/${pointRoot(newer)}`)!;
    const body = Buffer.from(root.body);
    body[body.length - 1]! ^= 1;
    server.state.put(`four/${pointRoot(newer)}`, { body, headers: {}, checksums: {}, hold: false });
    server.state.keys.delete(`four/${logRecord(2)}`);
    const { status, result, warnings } = await same('four', small);
    assert.equal(status, 4);
    assert.deepEqual(
      result.points.map(({ id, status }: { id: string; status: string }) => [id, status]),
      [[newer, 'unreadable']],
    );
    assert.ok(warnings.includes('chain-broken') && warnings.includes('digest-mismatch'), String(warnings));
  });
});
