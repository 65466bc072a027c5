import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import { openFolder } from '../../src/store/folder.ts';
import { openStore } from '../../src/store/open.ts';
import { probeStore } from '../../src/store/probe.ts';
import { keys } from '../contracts/store.ts';
import { type S3ServerOptions, startS3Server, writerPolicy } from '../support/s3-server.ts';

async function serve(options: S3ServerOptions = {}, query = '') {
  const server = await startS3Server(options);
  const url = `s3://${server.bucket}?endpoint=${server.url}${query}`;
  const store = await openStore(url, { credentials: server, attempts: 2, backoffMs: 1 });
  const close = async () => {
    await store.close();
    await server.close();
  };
  return { server, store, close };
}

test('a folder stands the probe, and nothing is left in it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'salvor-probe-'));
  const store = openFolder(folder);
  const { clockDriftMs, ...result } = await probeStore(store);
  assert.ok(Math.abs(clockDriftMs!) < 60_000);
  assert.deepEqual(result, {
    conditionalCreate: true,
    parallelWinners: 1,
    readBack: true,
    range: true,
    listAfterPut: true,
    missingKey: true,
    deleteAllowed: true,
    versioning: 'unknown',
    lock: 'unknown',
    problems: [],
    left: [],
  });
  assert.deepEqual(await keys(store), []);
  await rm(folder, { recursive: true });
});

test('a store that takes If-None-Match and does not look at it is found out', async () => {
  const { server, store, close } = await serve();
  server.ignoreConditions = true;
  const result = await probeStore(store);
  assert.equal(result.conditionalCreate, false);
  assert.equal(result.parallelWinners, 20);
  assert.deepEqual(result.problems, [
    'a second create of a key is not refused',
    'of 20 creates of one key at once 20 were told that they had won',
  ]);
  assert.equal(server.objects().size, 0);
  await close();
});

test('a store that does not know conditional creates is found out', async () => {
  const { server, store, close } = await serve();
  server.failNext({ kind: 'answer', status: 501, code: 'NotImplemented', on: 'PutObject' });
  const result = await probeStore(store);
  assert.equal(result.conditionalCreate, false);
  assert.match(result.problems.join(), /NotImplemented/);
  await close();
});

test("with the writer's policy the probe holds, and cannot clean up", async () => {
  const { server, store, close } = await serve({ policy: writerPolicy() });
  const result = await probeStore(store);
  assert.equal(result.conditionalCreate, true);
  assert.equal(result.deleteAllowed, false);
  assert.deepEqual(result.problems, []);
  assert.deepEqual([...server.objects().keys()].sort(), result.left.toSorted());
  assert.equal(result.left.length, 2);
  await close();
});

test('in a bucket with Object Lock the probe locks nothing', async () => {
  const { server, store, close } = await serve({ objectLock: true }, '&objectLock=COMPLIANCE&retainDays=30');
  const result = await probeStore(store);
  assert.equal(result.conditionalCreate, true);
  assert.equal(result.deleteAllowed, true);
  const locks = [...server.state.keys.values()].flat().filter(({ lock }) => lock !== undefined);
  assert.deepEqual(locks, []);
  await close();
});

test("the drift of the store's clock is measured", async () => {
  const { server, store, close } = await serve();
  server.clockSkew = -600_000;
  const { clockDriftMs } = await probeStore(store);
  assert.ok(Math.abs(clockDriftMs! + 600_000) < 30_000, String(clockDriftMs));
  await close();
});

test('a list that misses the newest object is found out', async () => {
  const { server, store, close } = await serve();
  server.failNext({ kind: 'stale-list', on: 'ListObjectsV2' });
  const result = await probeStore(store);
  assert.equal(result.listAfterPut, false);
  assert.deepEqual(result.problems, ['an object is not listed right after it was put']);
  await close();
});

test('a store that refuses everything is its own Fault', async () => {
  const { store, close } = await serve({ policy: () => false });
  await assert.rejects(probeStore(store), (error) => isFault(error, 'store-denied'));
  await close();
});
