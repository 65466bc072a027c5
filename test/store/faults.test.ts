import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FaultName, isFault } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { keys } from '../contracts/store.ts';
import { type S3Fault, type S3Server, startS3Server } from '../support/s3-server.ts';

const attempts = 4;
const html = '<!DOCTYPE html><html><body>Please log in to the guest network</body></html>';

describe('every fault of S3 ends in a right answer or the right Fault', () => {
  let server: S3Server;
  let store: Store;
  const events: Event[] = [];
  let serial = 0;
  /** A key of this test alone, and a body. */
  let key: string;
  const body = randomBytes(50_000);

  before(async () => {
    server = await startS3Server();
    const options = {
      credentials: server,
      attempts,
      backoffMs: 1,
      timeoutMs: 400,
      report: (event: Event) => void events.push(event),
    };
    store = await openStore(`s3://${server.bucket}/v?endpoint=${server.url}`, options);
  });
  after(async () => {
    await store.close();
    await server.close();
  });
  beforeEach(() => {
    key = `faults/${String(serial++).padStart(4, '0')}`;
    events.length = 0;
    server.requests.length = 0;
  });

  const fails = (name: FaultName) => (error: unknown) => {
    assert.ok(isFault(error, name), `${name} was expected: ${error}`);
    return true;
  };

  /** What goes wrong before the request takes effect and is worth the same bytes again. */
  const passing: [string, S3Fault][] = [
    ['a 500', { kind: 'answer', status: 500, code: 'InternalError' }],
    ['a 502 with a page', { kind: 'page', status: 502, text: html }],
    ['a 503 SlowDown', { kind: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '0' } }],
    ['a 429', { kind: 'answer', status: 429, code: 'TooManyRequests' }],
    ['a 400 RequestTimeout', { kind: 'answer', status: 400, code: 'RequestTimeout' }],
    ['a 200 with an error inside', { kind: 'answer', status: 200, code: 'InternalError' }],
    ['a 200 with the page of a proxy', { kind: 'page', status: 200, text: html }],
    ['a cut connection', { kind: 'reset' }],
    ['silence', { kind: 'hang' }],
  ];

  for (const [name, fault] of passing) {
    test(`${name} is tried again by every verb`, async () => {
      server.failNext({ ...fault, on: 'PutObject' });
      assert.equal(await store.putIfAbsent(key, body), 'created');
      server.failNext({ ...fault, on: 'GetObject' });
      assert.ok((await store.get(key)).equals(body));
      server.failNext({ ...fault, on: 'GetObject' });
      assert.ok((await store.getRange(key, 100, 50)).equals(body.subarray(100, 150)));
      server.failNext({ ...fault, on: 'ListObjectsV2' });
      assert.deepEqual(await keys(store, key), [key]);
      server.failNext({ ...fault, on: 'DeleteObject' });
      assert.equal(await store.delete(key), true);
      assert.equal(events.filter(({ type }) => type === 'retry').length, 5);
      assert.equal(await store.head(key), undefined);
      assert.equal(server.pendingFaults(), 0);
    });

    test(`${name} that stays is a store-unreachable after ${attempts} attempts`, async () => {
      await store.putIfAbsent(key, body);
      server.requests.length = 0;
      const verbs: [string, () => Promise<unknown>][] = [
        ['PutObject', () => store.putIfAbsent(`${key}-new`, body)],
        ['GetObject', () => store.get(key)],
        ['ListObjectsV2', () => keys(store, key)],
        ['DeleteObject', () => store.delete(key)],
      ];
      for (const [on, verb] of verbs) {
        server.failNext({ ...fault, on, times: attempts });
        await assert.rejects(verb(), fails('store-unreachable'));
      }
      assert.equal(server.pendingFaults(), 0);
      assert.equal(server.requests.length, 4 * attempts);
      assert.equal(await store.head(`${key}-new`), undefined);
    });
  }

  for (const status of [500, 503]) {
    test(`HEAD tries a ${status} without a body again`, async () => {
      await store.putIfAbsent(key, body);
      server.failNext({ kind: 'answer', status, code: 'InternalError', on: 'HeadObject' });
      assert.equal((await store.head(key))?.size, body.length);
    });
  }

  test('a 409 of a put that races is tried again, with the same bytes', async () => {
    server.failNext({ kind: 'answer', status: 409, code: 'ConditionalRequestConflict', on: 'PutObject', times: 2 });
    assert.equal(await store.putIfAbsent(key, body), 'created');
    const hashes = server.requests.map(({ headers }) => headers['x-amz-content-sha256']);
    assert.equal(hashes.length, 3);
    assert.equal(new Set(hashes).size, 1);
    assert.ok((await store.get(key)).equals(body));
  });

  const lost: [string, S3Fault][] = [
    ['silence', { kind: 'hang', applied: true }],
    ['a cut connection', { kind: 'reset', applied: true }],
    ['a 500', { kind: 'answer', status: 500, code: 'InternalError', applied: true }],
    ['a 200 with an error inside', { kind: 'answer', status: 200, code: 'InternalError', applied: true }],
  ];
  for (const [name, fault] of lost) {
    test(`a put that took effect and ended in ${name} says exists, and reading shows whose it is`, async () => {
      server.failNext({ ...fault, on: 'PutObject' });
      assert.equal(await store.putIfAbsent(key, body), 'exists');
      assert.ok((await store.get(key)).equals(body));
    });

    test(`a delete that took effect and ended in ${name} is done`, async () => {
      await store.putIfAbsent(key, body);
      server.failNext({ ...fault, on: 'DeleteObject' });
      assert.equal(await store.delete(key), true);
    });
  }

  test('a precondition that failed inside a 200 is an exists', async () => {
    server.failNext({ kind: 'answer', status: 200, code: 'PreconditionFailed', on: 'PutObject' });
    assert.equal(await store.putIfAbsent(key, body), 'exists');
  });

  test('a body that is cut, short or changed on its way is read again', async () => {
    await store.putIfAbsent(key, body);
    server.failNext({ kind: 'reset', afterBytes: 20_000, on: 'GetObject' });
    server.failNext({ kind: 'short-body', bytes: 20_000, on: 'GetObject' });
    server.failNext({ kind: 'wrong-bytes', on: 'GetObject' });
    assert.ok((await store.get(key)).equals(body));
    assert.equal(server.requests.filter(({ operation }) => operation === 'GetObject').length, 4);
  });

  test('a range that is cut or short is read again', async () => {
    await store.putIfAbsent(key, body);
    server.failNext({ kind: 'reset', afterBytes: 2_000, on: 'GetObject' });
    server.failNext({ kind: 'short-body', bytes: 2_000, on: 'GetObject' });
    assert.ok((await store.getRange(key, 10, 30_000)).equals(body.subarray(10, 30_010)));
  });

  test('an object whose bytes never match the checksum that the store holds is a digest-mismatch', async () => {
    await store.putIfAbsent(key, body);
    server.failNext({ kind: 'wrong-bytes', on: 'GetObject', times: attempts });
    await assert.rejects(store.get(key), fails('digest-mismatch'));
  });

  test('a list that misses the newest is what the store says; salvor asks for the key itself where that counts', async () => {
    await store.putIfAbsent(key, body);
    server.failNext({ kind: 'stale-list', on: 'ListObjectsV2' });
    assert.deepEqual(await keys(store, key), []);
    assert.equal((await store.head(key))?.size, body.length);
  });

  test('a store that does not know conditions is an unproven-store at once', async () => {
    server.failNext({ kind: 'answer', status: 501, code: 'NotImplemented', on: 'PutObject' });
    await assert.rejects(store.putIfAbsent(key, body), fails('unproven-store'));
    assert.equal(server.requests.length, 1);
  });

  for (const [status, code] of [
    [403, 'AccessDenied'],
    [403, 'InvalidAccessKeyId'],
    [400, 'ExpiredToken'],
    [400, 'InvalidRequest'],
  ] as const) {
    test(`a ${code} is a store-denied at once`, async () => {
      await store.putIfAbsent(key, body);
      server.requests.length = 0;
      server.failNext({ kind: 'answer', status, code, times: 3 });
      await assert.rejects(store.putIfAbsent(`${key}-new`, body), fails('store-denied'));
      await assert.rejects(store.get(key), fails('store-denied'));
      await assert.rejects(keys(store, key), fails('store-denied'));
      assert.equal(server.requests.length, 3);
    });
  }

  test('a clock that is wrong by an hour is made up for', async () => {
    server.clockSkew = 3_600_000;
    try {
      const late = await openStore(store.url, { credentials: server, attempts, backoffMs: 1 });
      assert.equal(await late.putIfAbsent(key, body), 'created');
      assert.ok((await late.get(key)).equals(body));
      await late.close();
    } finally {
      server.clockSkew = 0;
    }
  });

  test('a clock that the store never accepts is a store-denied that says so', async () => {
    server.failNext({ kind: 'answer', status: 403, code: 'RequestTimeTooSkewed', on: 'PutObject', times: attempts });
    await assert.rejects(
      store.putIfAbsent(key, body),
      (error) => fails('store-denied')(error) && /clock/.test(String(error)),
    );
  });

  test('a signal ends a request that hangs and a wait between attempts, and nothing follows', async () => {
    const reason = new Error('enough');
    for (const fault of [
      { kind: 'hang' },
      { kind: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '60' } },
    ] satisfies S3Fault[]) {
      const stop = new AbortController();
      server.failNext({ ...fault, on: 'PutObject' });
      server.requests.length = 0;
      const put = store.putIfAbsent(key, body, stop.signal);
      while (server.requests[0]?.fault === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort(reason);
      await assert.rejects(put, (error) => error === reason);
      assert.equal(server.requests.length, 1);
    }
  });

  test('no retry event and no Fault holds a secret', async () => {
    server.failNext({ kind: 'answer', status: 500, code: 'InternalError', times: attempts });
    const error = await store.get(key).catch((error: unknown) => error);
    const said = JSON.stringify([events, String(error), (error as { data: unknown }).data]);
    assert.ok(events.length > 0);
    assert.ok(!said.includes(server.secretAccessKey) && !said.includes(server.accessKeyId), said);
  });
});

test('a server that is not there is a store-unreachable', async () => {
  const server = await startS3Server();
  await server.close();
  const store = await openStore(`s3://vault?endpoint=${server.url}`, {
    credentials: server,
    attempts: 2,
    backoffMs: 1,
  });
  await assert.rejects(
    store.get('a'),
    (error) => isFault(error, 'store-unreachable') && /ECONNREFUSED/.test(error.message),
  );
});
