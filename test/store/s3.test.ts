import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { isFault } from '../../src/errors.ts';
import { type OpenStoreOptions, openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { keys, storeContract } from '../contracts/store.ts';
import { S3Error } from '../support/s3/answer.ts';
import { type S3Server, type S3ServerOptions, startS3Server, writerPolicy } from '../support/s3-server.ts';

for (const checksums of ['when_supported', 'when_required']) {
  storeContract(`S3 on the strict server with checksums ${checksums}`, async () => {
    const server = await startS3Server();
    const url = `s3://${server.bucket}/a/vault?endpoint=${server.url}&checksums=${checksums}`;
    const store = await openStore(url, { credentials: server });
    return {
      store,
      async close() {
        await store.close();
        await server.close();
      },
    };
  });
}

const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const thing of opened.reverse()) await thing.close();
});

async function serve(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await startS3Server(options);
  opened.push(server);
  return server;
}

async function openOn(server: S3Server, query = '', options: OpenStoreOptions = {}): Promise<Store> {
  const url = `s3://${server.bucket}/v?endpoint=${server.url}${query}`;
  const store = await openStore(url, { credentials: server, attempts: 2, backoffMs: 1, ...options });
  opened.push(store);
  return store;
}

describe('a store in S3', () => {
  test('sends each object as one signed put of a buffer, with checksum and condition', async () => {
    const server = await serve();
    for (const [query, header] of [
      ['', 'x-amz-checksum-crc32'],
      ['&checksums=when_required', 'content-md5'],
    ] as const) {
      const store = await openOn(server, query);
      server.requests.length = 0;
      await store.putIfAbsent(`one/${header}`, Buffer.alloc(9 << 20, 1));
      assert.equal(server.requests.length, 1);
      const { headers } = server.requests[0]!;
      assert.equal(headers['if-none-match'], '*');
      assert.match(headers['x-amz-content-sha256']!, /^[0-9a-f]{64}$/);
      assert.ok(headers[header]);
      assert.equal(headers['content-encoding'], undefined);
      assert.equal(headers['transfer-encoding'], undefined);
    }
  });

  test('keeps to its prefix, and does not list what cannot be its own', async () => {
    const server = await serve();
    const put = (key: string) =>
      server.state.put(key, { body: Buffer.from('x'), headers: {}, checksums: {}, hold: false });
    for (const key of ['v/', 'v/a', 'v/b c', 'v/ä/%41+', 'v/z/', 'v2/a', 'u', 'v', 'v/\u0001']) put(key);
    const store = await openOn(server);
    assert.deepEqual(await keys(store), ['a']);
    await store.putIfAbsent('b', Buffer.from('x'));
    assert.ok(server.objects().has('v/b'));
  });

  test('asks for encryption by the store as the URL says', async () => {
    const server = await serve();
    const store = await openOn(server, '&sse=aws:kms&kmsKeyId=arn:aws:kms:eu-central-1:1:key/2');
    await store.putIfAbsent('a', Buffer.from('x'));
    const { headers } = server.requests.at(-1)!;
    assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
    assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'arn:aws:kms:eu-central-1:1:key/2');
  });

  for (const checksums of ['when_supported', 'when_required']) {
    test(`locks what it puts when the URL says so, with checksums ${checksums}`, async () => {
      const server = await serve({ objectLock: true });
      const store = await openOn(server, `&objectLock=COMPLIANCE&retainDays=35&checksums=${checksums}`);
      assert.equal(await store.putIfAbsent('a', Buffer.from('x')), 'created');
      assert.equal(await store.putIfAbsent('a', Buffer.from('y')), 'exists');
      const version = server.state.current('v/a')!;
      assert.equal(version.lock?.mode, 'COMPLIANCE');
      const days = (version.lock.until.getTime() - Date.now()) / 86_400_000;
      assert.ok(days > 34.9 && days <= 35, String(days));
      // Without naming a version a delete only hides the object.
      assert.equal(await store.delete('a'), true);
      assert.equal(await store.head('a'), undefined);
      assert.equal(server.state.keys.get('v/a')?.length, 2);
      assert.throws(() => server.state.delete('v/a', version.id, true), S3Error);
    });
  }

  test('lengthens a lock of which less than half is left, and asks about none that is younger', async () => {
    const server = await serve({ objectLock: true });
    const store = await openOn(server, '&objectLock=COMPLIANCE&retainDays=40');
    await store.putIfAbsent('log/1', Buffer.from('one'));
    const [version] = server.state.keys.get('v/log/1')!;
    const { until } = version!.lock!;
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    server.requests.length = 0;
    assert.equal(await store.extendLock!({ key: 'log/1', modified: inDays(-19) }), false);
    assert.equal(server.requests.length, 0);
    // It was put long ago, and somebody lengthened it since.
    assert.equal(await store.extendLock!({ key: 'log/1', modified: inDays(-60) }), false);
    assert.deepEqual(version!.lock!.until, until);
    version!.lock!.until = inDays(19);
    assert.equal(await store.extendLock!({ key: 'log/1', modified: inDays(-60) }), true);
    assert.equal(version!.lock!.mode, 'COMPLIANCE');
    assert.ok(Math.abs(version!.lock!.until.getTime() - inDays(40).getTime()) < 60_000);
    await assert.rejects(store.extendLock!({ key: 'log/2', modified: inDays(-60) }), { name: 'object-missing' });
    assert.equal((await openOn(await serve())).extendLock, undefined);
  });

  test('a lock that the bucket does not know is a store-denied with the words of S3', async () => {
    const store = await openOn(await serve(), '&objectLock=GOVERNANCE&retainDays=1');
    const words = /Bucket is missing Object Lock Configuration/;
    const denied = (error: unknown) => isFault(error, 'store-denied') && words.test(error.message);
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), denied);
  });

  test("with the writer's policy: creates, lists, reads what it may, deletes nothing", async () => {
    const server = await serve();
    const store = await openOn(server, '', { credentials: server.addUser(writerPolicy('v/')) });
    const denied = (error: unknown) => isFault(error, 'store-denied');
    assert.equal(await store.putIfAbsent('data/p/1', Buffer.from('row')), 'created');
    assert.equal(await store.putIfAbsent('log/1', Buffer.from('record')), 'created');
    assert.equal(await store.putIfAbsent('data/p/1', Buffer.from('other')), 'exists');
    assert.deepEqual(await keys(store), ['data/p/1', 'log/1']);
    assert.equal((await store.get('log/1')).toString(), 'record');
    await assert.rejects(store.get('data/p/1'), denied);
    await assert.rejects(store.getRange('data/p/1', 0, 1), denied);
    await assert.rejects(store.head('data/p/1'), denied);
    assert.equal(await store.delete('log/1'), false);
    assert.equal((await store.get('log/1')).toString(), 'record');
  });

  test('wrong credentials are a store-denied for every verb', async () => {
    const server = await serve();
    const { accessKeyId, secretAccessKey } = server;
    for (const credentials of [
      { accessKeyId, secretAccessKey: 'wrong' },
      { accessKeyId: 'NOBODY', secretAccessKey },
    ]) {
      const store = await openOn(server, '', { credentials });
      const denied = (error: unknown) => isFault(error, 'store-denied') && !error.message.includes(secretAccessKey);
      await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), denied);
      await assert.rejects(store.get('a'), denied);
      await assert.rejects(store.getRange('a', 0, 1), denied);
      await assert.rejects(store.head('a'), denied);
      await assert.rejects(keys(store), denied);
      await assert.rejects(store.delete('a'), denied);
    }
    assert.equal(server.objects().size, 0);
  });

  test('a bucket that is not there is a no-vault that names it', async () => {
    const server = await serve();
    const store = await openStore(`s3://other/v?endpoint=${server.url}`, { credentials: server });
    const named = (error: unknown) => isFault(error, 'no-vault') && /no bucket "other"/.test(error.message);
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), named);
    await assert.rejects(store.get('a'), named);
    await assert.rejects(keys(store), named);
    await store.close();
  });

  test('the signal that the store was opened with ends its calls', async () => {
    const server = await serve();
    const stop = new AbortController();
    const store = await openOn(server, '', { signal: stop.signal });
    await store.putIfAbsent('a', Buffer.from('x'));
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(store.get('a'), (error) => error === reason);
    await assert.rejects(store.get('a', new AbortController().signal), (error) => error === reason);
  });

  test('goes through the proxy that the environment names, except where NO_PROXY says', async () => {
    const server = await serve();
    const seen: string[] = [];
    const proxy = createServer((message, response) => {
      seen.push(message.url!);
      const { method, headers } = message;
      const onward = request(message.url!, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      message.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const open = path.resolve(import.meta.dirname, '../../src/store/open.ts');
    const script = `
      const { openStore } = await import(${JSON.stringify(open)});
      const store = await openStore('s3://${server.bucket}/v?endpoint=${server.url}');
      console.log(await store.putIfAbsent(process.argv[1], Buffer.from('x')));
      await store.close();`;
    const child = async (key: string, env: NodeJS.ProcessEnv): Promise<string> => {
      const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = server;
      const given = { PATH: process.env.PATH, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env };
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, key], {
        env: given,
      });
      return stdout.trim();
    };
    const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    assert.equal(await child('direct', {}), 'created');
    assert.equal(await child('exempt', { HTTP_PROXY, NO_PROXY: '127.0.0.1' }), 'created');
    assert.deepEqual(seen, []);
    assert.equal(await child('by-proxy', { HTTP_PROXY }), 'created');
    assert.equal(seen.length, 1);
    assert.match(seen[0]!, /^http:\/\/127\.0\.0\.1:\d+\/vault\/v\/by-proxy\?/);
    await new Promise((resolve) => proxy.close(resolve));
  });
});
