import {
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { OpenStoreOptions } from './open.ts';
import { connect } from './s3.ts';
import { readS3Error, type S3Answer, s3Fault } from './s3-errors.ts';
import { parseS3Url } from './s3-url.ts';

/** Called with what S3 refused; undefined: nobody knows. */
type Asked = <T>(asking: Promise<T>) => Promise<T | S3Answer['kind']>;

/**
 * Where a bucket is, as the store says by HeadBucket, which the right to list is enough for, or else by GetBucketLocation. Undefined: it does not
 * say. Throws `no-vault` when there is no such bucket, `store-unreachable`.
 */
export async function bucketRegion(url: string, options: OpenStoreOptions = {}): Promise<string | undefined> {
  return withClient(url, options, async (client, ask, { bucket: Bucket }) => {
    const head = await ask(client.send(new HeadBucketCommand({ Bucket }), { abortSignal: options.signal }));
    if (typeof head !== 'string' && head.BucketRegion) return head.BucketRegion;
    const location = await ask(client.send(new GetBucketLocationCommand({ Bucket }), { abortSignal: options.signal }));
    if (typeof location === 'string') return undefined;
    // The two oldest regions go by other names here.
    const named: string = location.LocationConstraint ?? 'us-east-1';
    return named === 'EU' ? 'eu-west-1' : named;
  });
}

/** What a bucket keeps; undefined where it does not tell these credentials. */
export interface BucketFacts {
  readonly region: string | undefined;
  readonly versioning: boolean | undefined;
  readonly objectLock: boolean | undefined;
  /** How long objects are locked that are put without a word on it. */
  readonly defaultDays: number | undefined;
  /** What the URL of the store asks for each object. */
  readonly retainDays: number | undefined;
}

/** Asks a bucket for what it keeps. Throws as `bucketRegion`. */
export async function bucketFacts(url: string, options: OpenStoreOptions = {}): Promise<BucketFacts> {
  const region = await bucketRegion(url, options);
  return withClient(url, options, async (client, ask, { bucket: Bucket, retention }) => {
    const abortSignal = options.signal;
    const versions = await ask(client.send(new GetBucketVersioningCommand({ Bucket }), { abortSignal }));
    const lock = await ask(client.send(new GetObjectLockConfigurationCommand({ Bucket }), { abortSignal }));
    const kept = typeof lock === 'string' ? undefined : lock.ObjectLockConfiguration;
    const { Days, Years } = kept?.Rule?.DefaultRetention ?? {};
    return {
      region,
      versioning: typeof versions === 'string' ? undefined : versions.Status === 'Enabled',
      objectLock: kept ? kept.ObjectLockEnabled === 'Enabled' : lock === 'missing' ? false : undefined,
      defaultDays: Days ?? (Years === undefined ? undefined : Years * 365),
      retainDays: retention?.days,
    };
  });
}

/** Puts an object as a client would that salvor is not: without asking that there is none. True: it is there now. */
export async function putAnyway(
  url: string,
  key: string,
  body: Uint8Array,
  options: OpenStoreOptions = {},
): Promise<boolean> {
  return withClient(url, options, async (client, ask, { bucket: Bucket, prefix }) => {
    const put = new PutObjectCommand({ Bucket, Key: prefix + key, Body: body });
    return typeof (await ask(client.send(put, { abortSignal: options.signal }))) !== 'string';
  });
}

async function withClient<T>(
  url: string,
  options: OpenStoreOptions,
  work: (client: Awaited<ReturnType<typeof connect>>, ask: Asked, place: ReturnType<typeof parseS3Url>) => Promise<T>,
): Promise<T> {
  const place = parseS3Url(url);
  const client = await connect(place, options);
  const ask: Asked = async (asking) => {
    try {
      return await asking;
    } catch (error) {
      const answer = readS3Error(error);
      if (answer.kind === 'bug') throw error;
      if (answer.kind === 'no-bucket' || answer.kind === 'retry' || answer.kind === 'final')
        throw s3Fault(answer, 'a question about the bucket', place.bucket, error);
      return answer.kind;
    }
  };
  try {
    return await work(client, ask, place);
  } finally {
    client.destroy();
  }
}
