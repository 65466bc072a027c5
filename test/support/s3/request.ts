import { S3Error } from './answer.ts';
import type { Lock } from './bucket.ts';

export interface S3Request {
  method: string;
  /** Empty for a request to the bucket. */
  key: string;
  query: Map<string, string>;
  headers: Record<string, string | undefined>;
  /** Without the framing of aws-chunked. */
  body: Buffer;
  checksums: Record<string, string>;
  /** As a policy names it: `s3:PutObject`. */
  action: string;
  /** The name of the operation, which picks its handler. */
  operation: string;
}

/** Method, whether it names a key, the parameter that picks the operation: operation and action. */
const operations: [method: string, object: boolean, parameter: string, operation: string, action: string][] = [
  ['PUT', true, 'uploadId', 'UploadPart', 's3:PutObject'],
  ['POST', true, 'uploads', 'CreateMultipartUpload', 's3:PutObject'],
  ['POST', true, 'uploadId', 'CompleteMultipartUpload', 's3:PutObject'],
  ['DELETE', true, 'uploadId', 'AbortMultipartUpload', 's3:AbortMultipartUpload'],
  ['GET', true, 'retention', 'GetObjectRetention', 's3:GetObjectRetention'],
  ['PUT', true, 'retention', 'PutObjectRetention', 's3:PutObjectRetention'],
  ['GET', true, 'legal-hold', 'GetObjectLegalHold', 's3:GetObjectLegalHold'],
  ['PUT', true, 'legal-hold', 'PutObjectLegalHold', 's3:PutObjectLegalHold'],
  ['GET', true, 'versionId', 'GetObject', 's3:GetObjectVersion'],
  ['HEAD', true, 'versionId', 'HeadObject', 's3:GetObjectVersion'],
  ['DELETE', true, 'versionId', 'DeleteObject', 's3:DeleteObjectVersion'],
  ['PUT', true, '', 'PutObject', 's3:PutObject'],
  ['GET', true, '', 'GetObject', 's3:GetObject'],
  ['HEAD', true, '', 'HeadObject', 's3:GetObject'],
  ['DELETE', true, '', 'DeleteObject', 's3:DeleteObject'],
  ['GET', false, 'list-type', 'ListObjectsV2', 's3:ListBucket'],
  ['GET', false, 'versions', 'ListObjectVersions', 's3:ListBucketVersions'],
  ['GET', false, 'versioning', 'GetBucketVersioning', 's3:GetBucketVersioning'],
  ['GET', false, 'object-lock', 'GetObjectLockConfiguration', 's3:GetBucketObjectLockConfiguration'],
  ['POST', false, 'delete', 'DeleteObjects', 's3:DeleteObject'],
  ['HEAD', false, '', 'HeadBucket', 's3:ListBucket'],
];

const parameters = new Set(
  [
    'x-id partNumber prefix delimiter max-keys start-after continuation-token encoding-type fetch-owner',
    'key-marker version-id-marker',
    ...operations.map(([, , parameter]) => parameter),
  ].flatMap((names) => names.split(' ')),
);
const amzHeaders = new RegExp(
  `^x-amz-(${[
    'date|content-sha256|decoded-content-length|trailer|sdk-checksum-algorithm|user-agent|meta-.*',
    'checksum-(mode|type|algorithm|crc32|crc32c|sha1|sha256|crc64nvme)|mp-object-size',
    'server-side-encryption(-aws-kms-key-id)?|bypass-governance-retention',
    'object-lock-(mode|retain-until-date|legal-hold)',
  ].join('|')})$`,
);

/** Finds the operation; what the server does not know it refuses rather than guess. */
export function operationOf(method: string, key: string, query: Map<string, string>, headers: S3Request['headers']) {
  for (const name of query.keys()) {
    if (!parameters.has(name))
      throw new S3Error(501, 'NotImplemented', `This server does not know the parameter ${name}.`);
  }
  for (const name of Object.keys(headers)) {
    const known = !name.startsWith('x-amz-') || amzHeaders.test(name);
    if (!known)
      throw new S3Error(
        501,
        'NotImplemented',
        `A header you provided implies functionality that is not implemented: ${name}`,
      );
  }
  const found = operations.find(
    ([m, object, parameter]) => m === method && object === (key !== '') && (parameter === '' || query.has(parameter)),
  );
  if (found === undefined) throw new S3Error(501, 'NotImplemented', `This server does not know ${method} like this.`);
  return { operation: found[3], action: found[4] };
}

/** Retention and legal hold as the headers of a put ask for them. */
export function lockOf(
  { headers, checksums }: S3Request,
  bucketLocked: boolean,
  now: number,
): { lock?: Lock; hold: boolean } {
  const mode = headers['x-amz-object-lock-mode'];
  const date = headers['x-amz-object-lock-retain-until-date'];
  const hold = headers['x-amz-object-lock-legal-hold'] === 'ON';
  if (mode === undefined && date === undefined && !hold) return { hold };
  if (!bucketLocked) throw new S3Error(400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration');
  if (headers['content-md5'] === undefined && Object.keys(checksums).length === 0) {
    throw new S3Error(
      400,
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  }
  if (mode === undefined && date === undefined) return { hold };
  return { lock: lockFrom(mode, date, now), hold };
}

export function lockFrom(mode: string | undefined, date: string | undefined, now: number): Lock {
  const until = new Date(date ?? Number.NaN);
  if (mode !== 'COMPLIANCE' && mode !== 'GOVERNANCE')
    throw new S3Error(400, 'InvalidArgument', 'Unknown wormMode directive.');
  if (!(until.getTime() > now))
    throw new S3Error(400, 'InvalidArgument', 'The retain until date must be in the future!');
  return { mode, until };
}
