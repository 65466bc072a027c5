import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { S3Error } from '../support/s3/answer.ts';
import { verifySignature } from '../support/s3/signature.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

// The SDK, which others wrote, judges the server by its own requests.
describe('the strict server', () => {
  let server: S3Server;
  let client: S3Client;
  let Key: string;
  let serial = 0;
  const Bucket = 'vault';
  const connect = () =>
    new S3Client({
      endpoint: server.url,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: server,
    });
  before(async () => {
    server = await startS3Server({ objectLock: true });
    client = connect();
  });
  after(async () => {
    client.destroy();
    await server.close();
  });
  beforeEach(() => {
    Key = `test/${serial++}`;
  });
  const named = (name: string) => (error: unknown) => {
    assert.equal((error as Error).name, name, String(error));
    return true;
  };
  const read = async (VersionId?: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return Buffer.from(await Body!.transformToByteArray()).toString();
  };

  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] satisfies ChecksumAlgorithm[]) {
    test(`verifies ${ChecksumAlgorithm} in a header and behind a body in chunks`, async () => {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'in one piece', ChecksumAlgorithm }));
      assert.equal(await read(), 'in one piece');
      const Body = Readable.from([Buffer.from('in '), Buffer.from('chunks')]);
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: 9, ChecksumAlgorithm }));
      assert.equal(server.requests.at(-1)?.headers['x-amz-content-sha256'], 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      assert.equal(await read(), 'in chunks');
      const wrong = { [`Checksum${ChecksumAlgorithm}`]: createHash('sha1').update('x').digest('base64') };
      await assert.rejects(
        client.send(new PutObjectCommand({ Bucket, Key, Body: 'other', ...wrong })),
        named('BadDigest'),
      );
      assert.equal(await read(), 'in chunks');
    });
  }

  test('refuses a body that is not what was signed, and a wrong MD5', async () => {
    const changed = connect();
    changed.middlewareStack.add(
      (next) => async (args) => {
        (args.request as { body: unknown }).body = Buffer.from('changed');
        (args.request as { headers: Record<string, string> }).headers['content-length'] = '7';
        return await next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'onTheWay' },
    );
    await assert.rejects(
      changed.send(new PutObjectCommand({ Bucket, Key, Body: 'as sent' })),
      named('XAmzContentSHA256Mismatch'),
    );
    const ContentMD5 = createHash('md5').update('other').digest('base64');
    await assert.rejects(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ContentMD5 })), named('BadDigest'));
    assert.equal(server.objects().has(Key), false);
  });

  test('refuses requests without signature, unknown parameters and unknown headers', async () => {
    assert.equal((await fetch(`${server.url}/vault/x`)).status, 403);
    assert.equal((await fetch(`${server.url}/vault/x?torrent`)).status, 501);
    assert.equal((await fetch(`${server.url}/vault/x`, { headers: { 'x-amz-copy-source': '/vault/y' } })).status, 501);
  });

  test('keeps conditions on single and multipart puts', async () => {
    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'one', IfNoneMatch: '*' }));
    await assert.rejects(
      client.send(new PutObjectCommand({ Bucket, Key, Body: 'two', IfNoneMatch: '*' })),
      named('PreconditionFailed'),
    );
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'two', IfMatch: ETag }));
    await assert.rejects(
      client.send(new PutObjectCommand({ Bucket, Key, Body: 'three', IfMatch: ETag })),
      named('PreconditionFailed'),
    );
    assert.equal(await read(), 'two');

    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = async (PartNumber: number, size: number) => {
      const { ETag } = await client.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: Buffer.alloc(size, PartNumber) }),
      );
      return { PartNumber, ETag };
    };
    const complete = async (Parts: { PartNumber: number; ETag?: string }[], IfNoneMatch?: string) =>
      await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, IfNoneMatch }),
      );
    const small = [await part(1, 1000), await part(2, 10)];
    await assert.rejects(complete(small), named('EntityTooSmall'));
    const parts = [await part(1, 5 << 20), await part(2, 10)];
    await assert.rejects(complete(parts.toReversed()), named('InvalidPartOrder'));
    await assert.rejects(complete(parts, '*'), named('PreconditionFailed'));
    const done = await complete(parts);
    assert.match(done.ETag!, /^"[0-9a-f]{32}-2"$/);
    assert.equal(server.objects().get(Key)?.length, (5 << 20) + 10);
    await assert.rejects(
      client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
      named('NoSuchUpload'),
    );
  });

  test('gives ranges from the start, the middle and the end', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }));
    const range = async (Range: string) => {
      const { Body, ContentRange } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
      return [await Body!.transformToString(), ContentRange];
    };
    assert.deepEqual(await range('bytes=2-4'), ['234', 'bytes 2-4/10']);
    assert.deepEqual(await range('bytes=7-'), ['789', 'bytes 7-9/10']);
    assert.deepEqual(await range('bytes=-2'), ['89', 'bytes 8-9/10']);
    await assert.rejects(range('bytes=10-11'), named('InvalidRange'));
  });

  test('keeps versions, markers and locks', async () => {
    const until = (days: number) => new Date(Date.now() + days * 86_400_000);
    const put = async (ObjectLockMode?: 'COMPLIANCE' | 'GOVERNANCE') => {
      const ObjectLockRetainUntilDate = ObjectLockMode && until(1);
      const command = new PutObjectCommand({
        Bucket,
        Key,
        Body: ObjectLockMode ?? 'free',
        ObjectLockMode,
        ObjectLockRetainUntilDate,
      });
      return (await client.send(command)).VersionId!;
    };
    const remove = async (VersionId: string, BypassGovernanceRetention = false) =>
      await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
    const [free, governed, compliant] = [await put(), await put('GOVERNANCE'), await put('COMPLIANCE')];
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    await assert.rejects(read(), named('NoSuchKey'));
    assert.equal(await read(free), 'free');
    const listed = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
    assert.deepEqual(
      listed.Versions?.map(({ VersionId }) => VersionId),
      [compliant, governed, free],
    );
    assert.equal(listed.DeleteMarkers?.length, 1);

    await assert.rejects(remove(governed), named('AccessDenied'));
    await assert.rejects(remove(compliant, true), named('AccessDenied'));
    const retain = async (Mode: 'COMPLIANCE' | 'GOVERNANCE', days: number) =>
      await client.send(
        new PutObjectRetentionCommand({
          Bucket,
          Key,
          VersionId: compliant,
          Retention: { Mode, RetainUntilDate: until(days) },
        }),
      );
    await assert.rejects(retain('COMPLIANCE', 0.5), named('AccessDenied'));
    await assert.rejects(retain('GOVERNANCE', 2), named('AccessDenied'));
    await retain('COMPLIANCE', 2);
    const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key, VersionId: compliant }));
    assert.ok(Retention!.RetainUntilDate! > until(1.9));
    await remove(governed, true);

    await client.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId: free, LegalHold: { Status: 'ON' } }));
    const both = {
      Objects: [
        { Key, VersionId: free },
        { Key, VersionId: compliant },
      ],
    };
    const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: both }));
    assert.deepEqual(
      Errors?.map(({ Code }) => Code),
      ['AccessDenied', 'AccessDenied'],
    );
    await client.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId: free, LegalHold: { Status: 'OFF' } }));
    await remove(free);
  });
});

test('the signed chunks of the example in the S3 API reference are verified', () => {
  const line = (size: string, signature: string) => `${size};chunk-signature=${signature}\r\n`;
  const a = (count: number) => `${'a'.repeat(count)}\r\n`;
  const body = (first: string) =>
    Buffer.from(
      line('10000', 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648') +
        first +
        line('400', '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497') +
        a(1024) +
        line('0', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9') +
        '\r\n',
    );
  const headers = {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': '66560',
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;' +
      'content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,' +
      'Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  };
  const verify = (bytes: Buffer) =>
    verifySignature(
      { method: 'PUT', target: '/examplebucket/chunkObject.txt', headers, body: bytes },
      () => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      Date.UTC(2013, 4, 24),
    );
  assert.equal(verify(body(a(65_536))).body.toString(), 'a'.repeat(66_560));
  const changed = `b${a(65_535)}`;
  assert.throws(
    () => verify(body(changed)),
    (error) => error instanceof S3Error && error.code === 'SignatureDoesNotMatch',
  );
});
