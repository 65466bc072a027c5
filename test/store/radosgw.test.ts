import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import { openStore } from '../../src/store/open.ts';
import { probeStore } from '../../src/store/probe.ts';
import { storeContract } from '../contracts/store.ts';
import { type Radosgw, startRadosgw, withoutRadosgw } from '../support/radosgw.ts';

describe('on radosgw', { skip: withoutRadosgw() }, () => {
  let gateway: Radosgw;
  before(async () => {
    gateway = await startRadosgw();
  });
  after(async () => await gateway?.close());

  const open = async (query: string, bucket: { objectLock?: boolean } = {}) => {
    const url = `s3://${await gateway.makeBucket(bucket)}/vault?endpoint=${gateway.url}${query}`;
    const store = await openStore(url, { credentials: gateway });
    return { store, close: async () => await store.close() };
  };
  storeContract('S3', () => open(''));
  storeContract('S3 with checksums when_required', () => open('&checksums=when_required'));

  test('a versioned bucket, where radosgw 16 ignores If-None-Match, is judged by what it does', async () => {
    const { store, close } = await open('&objectLock=COMPLIANCE&retainDays=1', { objectLock: true });
    assert.equal(await store.putIfAbsent('log/1', Buffer.from('x')), 'created');
    const result = await probeStore(store);
    const again = await store.putIfAbsent('log/1', Buffer.from('y'));
    assert.equal(result.conditionalCreate, again === 'exists');
    assert.equal(result.deleteAllowed, true);
    await close();
  });

  test('an ordinary bucket stands the probe', async () => {
    const { store, close } = await open('');
    const { problems, left, clockDriftMs, ...result } = await probeStore(store);
    assert.deepEqual({ problems, left }, { problems: [], left: [] });
    assert.equal(result.conditionalCreate, true);
    assert.equal(result.parallelWinners, 1);
    assert.ok(Math.abs(clockDriftMs!) < 60_000);
    await close();
  });

  test('wrong credentials and a bucket that is not there are told apart', async () => {
    const url = `s3://${await gateway.makeBucket()}?endpoint=${gateway.url}`;
    const stranger = await openStore(url, { credentials: { ...gateway, secretAccessKey: 'wrong' } });
    await assert.rejects(stranger.get('a'), (error) => isFault(error, 'store-denied'));
    await assert.rejects(stranger.putIfAbsent('a', Buffer.from('x')), (error) => isFault(error, 'store-denied'));
    await assert.rejects(stranger.delete('a'), (error) => isFault(error, 'store-denied'));
    const nowhere = await openStore(`s3://no-such-bucket?endpoint=${gateway.url}`, { credentials: gateway });
    await assert.rejects(nowhere.putIfAbsent('a', Buffer.from('x')), (error) => isFault(error, 'no-vault'));
  });
});
