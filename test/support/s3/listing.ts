import { element, S3Error, xml } from './answer.ts';
import type { Bucket } from './bucket.ts';
import type { Handler } from './objects.ts';

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function pageSize(query: Map<string, string>): number {
  const size = Number(query.get('max-keys') ?? 1000);
  if (!Number.isInteger(size) || size < 0) throw new S3Error(400, 'InvalidArgument', 'max-keys is not a number.');
  return Math.min(size, 1000);
}

/** `hidden`: a key that a weak store does not list yet. */
export function listObjects(bucket: Bucket, query: Map<string, string>, hidden?: string) {
  if (query.get('list-type') !== '2') throw new S3Error(501, 'NotImplemented', 'This server knows list-type 2.');
  if (query.has('delimiter')) throw new S3Error(501, 'NotImplemented', 'This server lists without delimiter.');
  const url = query.get('encoding-type') === 'url';
  const name = (key: string): string => (url ? encodeURIComponent(key).replaceAll('%2F', '/') : key);
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const after = token === undefined ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const size = pageSize(query);
  const keys = [...bucket.keys.keys()]
    .filter((key) => key.startsWith(prefix) && byBytes(key, after) > 0 && key !== hidden && bucket.current(key))
    .sort(byBytes);
  const page = keys.slice(0, size);
  const contents = page.map((key) => {
    const { etag, modified, body } = bucket.current(key)!;
    const times = element('LastModified', modified.toISOString());
    return `<Contents>${element('Key', name(key))}${times}${element('ETag', etag)}${element('Size', body.length)}</Contents>`;
  });
  const truncated = keys.length > page.length;
  return xml(
    200,
    'ListBucketResult',
    [
      element('Name', bucket.name),
      element('Prefix', name(prefix)),
      element('KeyCount', page.length),
      element('MaxKeys', size),
      element('IsTruncated', truncated),
      element('EncodingType', url ? 'url' : undefined),
      element('NextContinuationToken', truncated ? Buffer.from(page.at(-1) ?? '').toString('base64url') : undefined),
      ...contents,
    ].join(''),
  );
}

const ListObjectVersions: Handler = ({ query }, { bucket }) => {
  if (query.has('key-marker')) throw new S3Error(501, 'NotImplemented', 'This server lists versions in one page.');
  const prefix = query.get('prefix') ?? '';
  const keys = [...bucket.keys.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
  const versions = keys.flatMap((key) =>
    bucket.keys
      .get(key)!
      .toReversed()
      .map((version, i) => {
        const kind = version.marker ? 'DeleteMarker' : 'Version';
        const inside = [
          element('Key', key),
          element('VersionId', version.id),
          element('IsLatest', i === 0),
          element('LastModified', version.modified.toISOString()),
          version.marker ? '' : element('ETag', version.etag) + element('Size', version.body.length),
        ];
        return `<${kind}>${inside.join('')}</${kind}>`;
      }),
  );
  return xml(
    200,
    'ListVersionsResult',
    element('Name', bucket.name) + element('IsTruncated', false) + versions.join(''),
  );
};

const GetBucketVersioning: Handler = (_, { bucket }) =>
  xml(200, 'VersioningConfiguration', element('Status', bucket.versioned ? 'Enabled' : undefined));

const GetObjectLockConfiguration: Handler = (_, { bucket }) => {
  if (!bucket.locked) {
    throw new S3Error(
      404,
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    );
  }
  const { mode, days } = bucket.defaultRetention ?? {};
  const rule =
    mode && `<Rule><DefaultRetention>${element('Mode', mode)}${element('Days', days)}</DefaultRetention></Rule>`;
  return xml(200, 'ObjectLockConfiguration', element('ObjectLockEnabled', 'Enabled') + (rule ?? ''));
};

const HeadBucket: Handler = () => ({
  status: 200,
  headers: { 'x-amz-bucket-region': 'us-east-1' },
  body: Buffer.alloc(0),
});

export const bucketHandlers: Record<string, Handler> = {
  ListObjectsV2: ({ query }, { bucket }) => listObjects(bucket, query),
  ListObjectVersions,
  GetBucketVersioning,
  GetObjectLockConfiguration,
  HeadBucket,
};
