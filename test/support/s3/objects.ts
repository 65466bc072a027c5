import { createHash, randomBytes } from 'node:crypto';
import { type Answer, answer, element, S3Error, texts, xml } from './answer.ts';
import type { Bucket, Version } from './bucket.ts';
import { lockFrom, lockOf, type S3Request } from './request.ts';

export interface Handling {
  bucket: Bucket;
  now: number;
  /** As a store that does not know conditional writes. */
  ignoreConditions: boolean;
}
export type Handler = (request: S3Request, handling: Handling) => Answer;

const kept = ['content-type', 'x-amz-server-side-encryption', 'x-amz-server-side-encryption-aws-kms-key-id'];

function keptHeaders(headers: S3Request['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => kept.includes(name) || name.startsWith('x-amz-meta-'));
  return Object.fromEntries(entries) as Record<string, string>;
}

function conditions({ headers }: S3Request, { ignoreConditions }: Handling) {
  return ignoreConditions ? {} : { ifNoneMatch: headers['if-none-match'], ifMatch: headers['if-match'] };
}

function versionHeader(bucket: Bucket, version: Version): Record<string, string> {
  return bucket.versioned ? { 'x-amz-version-id': version.id } : {};
}

const PutObject: Handler = (request, handling) => {
  const { bucket, now } = handling;
  const { key, body, headers, checksums } = request;
  if (Buffer.byteLength(key) > 1024) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
  const lock = lockOf(request, bucket.locked, now);
  bucket.check(key, conditions(request, handling));
  const version = bucket.put(key, { body, headers: keptHeaders(headers), checksums, ...lock });
  return answer(200, { etag: version.etag, ...checksums, ...versionHeader(bucket, version) });
};

const GetObject: Handler = ({ key, query, headers }, { bucket }) => {
  const version = bucket.find(key, query.get('versionId'));
  if (headers['if-match'] !== undefined && headers['if-match'] !== version.etag) {
    throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
  const size = version.body.length;
  const common = {
    etag: version.etag,
    'last-modified': version.modified.toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': 'binary/octet-stream',
    ...version.headers,
    ...versionHeader(bucket, version),
    ...(version.lock && {
      'x-amz-object-lock-mode': version.lock.mode,
      'x-amz-object-lock-retain-until-date': version.lock.until.toISOString(),
    }),
  };
  const range = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  if (range === null || (range[1] === '' && range[2] === '')) {
    const checksums = headers['x-amz-checksum-mode'] === 'ENABLED' ? version.checksums : {};
    return answer(200, { ...common, ...checksums, 'content-length': String(size) }, version.body);
  }
  const start = range[1] === '' ? Math.max(0, size - Number(range[2])) : Number(range[1]);
  const end = range[1] === '' || range[2] === '' ? size - 1 : Math.min(size - 1, Number(range[2]));
  if (start > end) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  const body = version.body.subarray(start, end + 1);
  const partial = { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': String(body.length) };
  return answer(206, { ...common, ...partial }, body);
};

const HeadObject: Handler = (request, handling) => ({ ...GetObject(request, handling), body: Buffer.alloc(0) });

const DeleteObject: Handler = ({ key, query, headers }, { bucket }) => {
  const { marker } = bucket.delete(
    key,
    query.get('versionId'),
    headers['x-amz-bypass-governance-retention'] === 'true',
  );
  return answer(204, marker ? { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.id } : {});
};

const DeleteObjects: Handler = ({ body, headers, checksums }, { bucket }) => {
  if (headers['content-md5'] === undefined && Object.keys(checksums).length === 0) {
    throw new S3Error(
      400,
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const results = texts(body.toString(), 'Object').map((object) => {
    const key = texts(object, 'Key')[0] ?? '';
    try {
      bucket.delete(key, texts(object, 'VersionId')[0], headers['x-amz-bypass-governance-retention'] === 'true');
      return `<Deleted>${element('Key', key)}</Deleted>`;
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return `<Error>${element('Key', key)}${element('Code', error.code)}${element('Message', error.message)}</Error>`;
    }
  });
  return xml(200, 'DeleteResult', results.join(''));
};

const PutObjectRetention: Handler = ({ key, query, headers, body }, { bucket, now }) => {
  const text = body.toString();
  const lock = lockFrom(texts(text, 'Mode')[0], texts(text, 'RetainUntilDate')[0], now);
  bucket.retain(
    bucket.find(key, query.get('versionId')),
    lock,
    headers['x-amz-bypass-governance-retention'] === 'true',
  );
  return answer(200);
};

const GetObjectRetention: Handler = ({ key, query }, { bucket }) => {
  const { lock } = bucket.find(key, query.get('versionId'));
  if (lock === undefined)
    throw new S3Error(
      404,
      'NoSuchObjectLockConfiguration',
      'The specified object does not have a ObjectLock configuration',
    );
  return xml(200, 'Retention', element('Mode', lock.mode) + element('RetainUntilDate', lock.until.toISOString()));
};

const PutObjectLegalHold: Handler = ({ key, query, body }, { bucket }) => {
  bucket.find(key, query.get('versionId')).hold = texts(body.toString(), 'Status')[0] === 'ON';
  return answer(200);
};

const GetObjectLegalHold: Handler = ({ key, query }, { bucket }) =>
  xml(200, 'LegalHold', element('Status', bucket.find(key, query.get('versionId')).hold ? 'ON' : 'OFF'));

const CreateMultipartUpload: Handler = (request, { bucket, now }) => {
  const id = randomBytes(12).toString('hex');
  const { key, headers } = request;
  const withChecksum = { ...request, checksums: { ...request.checksums, 'of-parts': '' } };
  bucket.uploads.set(id, {
    key,
    headers: keptHeaders(headers),
    parts: new Map(),
    ...lockOf(withChecksum, bucket.locked, now),
  });
  return xml(
    200,
    'InitiateMultipartUploadResult',
    element('Bucket', bucket.name) + element('Key', key) + element('UploadId', id),
  );
};

function uploadOf({ key, query }: S3Request, { bucket }: Handling) {
  const upload = bucket.uploads.get(query.get('uploadId') ?? '');
  if (upload?.key !== key) throw new S3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
  return upload;
}

const UploadPart: Handler = (request, handling) => {
  const number = Number(request.query.get('partNumber'));
  if (!(number >= 1 && number <= 10_000))
    throw new S3Error(400, 'InvalidArgument', 'Part number must be from 1 to 10000.');
  const etag = `"${createHash('md5').update(request.body).digest('hex')}"`;
  uploadOf(request, handling).parts.set(number, { body: request.body, etag });
  return answer(200, { etag, ...request.checksums });
};

const CompleteMultipartUpload: Handler = (request, handling) => {
  const { bucket } = handling;
  const upload = uploadOf(request, handling);
  const listed = texts(request.body.toString(), 'Part').map((part) => ({
    number: Number(texts(part, 'PartNumber')[0]),
    etag: texts(part, 'ETag')[0],
  }));
  if (listed.length === 0) throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed.');
  if (listed.some(({ number }, i) => i > 0 && number <= listed[i - 1]!.number)) {
    throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  const parts = listed.map(({ number, etag }, i) => {
    const part = upload.parts.get(number);
    if (part === undefined || part.etag !== etag)
      throw new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
    if (part.body.length < 5 * 1024 * 1024 && i < listed.length - 1) {
      throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed object size.');
    }
    return part;
  });
  bucket.check(upload.key, conditions(request, handling));
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
  const etag = `"${createHash('md5').update(digests).digest('hex')}-${parts.length}"`;
  const body = Buffer.concat(parts.map((part) => part.body));
  const { headers, hold, lock } = upload;
  const version = bucket.put(upload.key, { body, etag, headers, checksums: {}, hold, lock });
  bucket.uploads.delete(request.query.get('uploadId')!);
  const inside = element('Bucket', bucket.name) + element('Key', upload.key) + element('ETag', etag);
  return xml(200, 'CompleteMultipartUploadResult', inside, versionHeader(bucket, version));
};

const AbortMultipartUpload: Handler = (request, handling) => {
  uploadOf(request, handling);
  handling.bucket.uploads.delete(request.query.get('uploadId')!);
  return answer(204);
};

export const objectHandlers: Record<string, Handler> = {
  PutObject,
  GetObject,
  HeadObject,
  DeleteObject,
  DeleteObjects,
  PutObjectRetention,
  GetObjectRetention,
  PutObjectLegalHold,
  GetObjectLegalHold,
  CreateMultipartUpload,
  UploadPart,
  CompleteMultipartUpload,
  AbortMultipartUpload,
};
