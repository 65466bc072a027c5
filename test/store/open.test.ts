import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isFault } from '../../src/errors.ts';
import { openStore } from '../../src/store/open.ts';
import { parseS3Url } from '../../src/store/s3-url.ts';
import { keys } from '../contracts/store.ts';

test('a path and a file URL open a folder', async () => {
  const folder = path.resolve('some/where');
  assert.equal((await openStore('some/where')).url, folder);
  assert.equal((await openStore('./some/where/')).url, folder);
  assert.equal((await openStore(folder)).url, folder);
  assert.equal((await openStore(pathToFileURL(folder).href)).url, folder);
});

test('the signal that a folder was opened with ends its calls', async () => {
  const reason = new Error('enough');
  const store = await openStore('some/where', { signal: AbortSignal.abort(reason) });
  for (const signal of [undefined, new AbortController().signal]) {
    await assert.rejects(store.get('a', signal), (error) => error === reason);
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x'), signal), (error) => error === reason);
    await assert.rejects(keys(store), (error) => error === reason);
  }
});

test('what is no store is refused', async () => {
  const usage = (error: unknown) => isFault(error, 'usage');
  for (const url of [
    '',
    'https://bucket.s3.amazonaws.com/',
    'gs://bucket',
    'file://host/x%2f',
    's3://',
    's3:///x',
    's3:bucket',
  ]) {
    await assert.rejects(openStore(url), usage, url);
  }
});

test('a folder is opened without loading the SDK', () => {
  const open = path.resolve(import.meta.dirname, '../../src/store/open.ts');
  const script = `
    const { registerHooks } = await import('node:module');
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { openStore } = await import(${JSON.stringify(open)});
    await openStore('x');
    console.log(loaded.filter((url) => url.includes('aws-sdk')).length);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(output.trim(), '0');
});

test('every parameter of an S3 URL is read', () => {
  const url =
    's3://bucket/a/vault/?region=eu-central-1&endpoint=https://s3.example.com:9000&forcePathStyle=false&checksums=when_required' +
    '&sse=aws:kms&kmsKeyId=alias/k&objectLock=COMPLIANCE&retainDays=35';
  assert.deepEqual(parseS3Url(url, {}), {
    bucket: 'bucket',
    prefix: 'a/vault/',
    region: 'eu-central-1',
    endpoint: 'https://s3.example.com:9000',
    forcePathStyle: false,
    checksums: 'when_required',
    sse: 'aws:kms',
    kmsKeyId: 'alias/k',
    retention: { mode: 'COMPLIANCE', days: 35 },
    url: url.replace('vault/?', 'vault?'),
  });
  assert.equal(parseS3Url('s3://bucket', {}).prefix, '');
});

test('path style is for endpoints outside Amazon, wherever they are named', () => {
  const style = (url: string, env: NodeJS.ProcessEnv = {}) => parseS3Url(url, env).forcePathStyle;
  assert.equal(style('s3://bucket/x'), false);
  assert.equal(style('s3://bucket/x?endpoint=https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com'), false);
  assert.equal(style('s3://bucket/x?endpoint=http://localhost:9000'), true);
  assert.equal(style('s3://bucket/x', { AWS_ENDPOINT_URL: 'https://minio.example.com' }), true);
  assert.equal(style('s3://bucket/x', { AWS_ENDPOINT_URL_S3: 'https://minio.example.com' }), true);
  assert.equal(style('s3://bucket/x?forcePathStyle=false', { AWS_ENDPOINT_URL: 'https://minio.example.com' }), false);
});

test('an S3 URL that is wrong is refused, and credentials in it are not repeated', () => {
  for (const url of [
    's3://key:hunter2@bucket/x',
    's3://bucket/x?endpoint=https://key:hunter2@host',
    's3://bucket/x?endpoint=host:9000',
    's3://bucket/../x y',
    's3://bucket/x?regoin=eu',
    's3://bucket/x?region=a&region=b',
    's3://bucket/x?checksums=sometimes',
    's3://bucket/x?forcePathStyle=yes',
    's3://bucket/x?objectLock=COMPLIANCE',
    's3://bucket/x?retainDays=3',
    's3://bucket/x?objectLock=COMPLIANCE&retainDays=0',
    's3://bucket/x?kmsKeyId=k',
    's3://b',
  ]) {
    assert.throws(
      () => parseS3Url(url, {}),
      (error) => isFault(error, 'usage') && !error.message.includes('hunter2'),
      url,
    );
  }
});
