import { Fault } from '../errors.ts';
import { isKey } from './key.ts';

export interface S3Place {
  bucket: string;
  /** Empty, or ending with a slash. */
  prefix: string;
  region?: string;
  endpoint?: string;
  forcePathStyle: boolean;
  checksums: 'when_supported' | 'when_required';
  sse?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  kmsKeyId?: string;
  retention?: { mode: 'COMPLIANCE' | 'GOVERNANCE'; days: number };
  /** The URL again, tidied. */
  url: string;
}

const choices: Record<string, readonly string[]> = {
  forcePathStyle: ['true', 'false'],
  checksums: ['when_supported', 'when_required'],
  sse: ['AES256', 'aws:kms', 'aws:kms:dsse'],
  objectLock: ['COMPLIANCE', 'GOVERNANCE'],
};
const names = [...Object.keys(choices), 'region', 'endpoint', 'kmsKeyId', 'retainDays'];

/**
 * Reads `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true&checksums=when_required&sse=aws:kms&kmsKeyId=…&
 * objectLock=COMPLIANCE&retainDays=35`, all parameters optional. Path style is the default at endpoints outside
 * amazonaws.com, named here or in `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. Faults: `usage`, also for credentials in the
 * URL, which end up in logs and shell histories.
 */
export function parseS3Url(text: string, env: NodeJS.ProcessEnv = process.env): S3Place {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new Fault('usage', 'the URL of the store is malformed: write s3://bucket/prefix', { cause });
  }
  if (url.username !== '' || url.password !== '') {
    const actions = ['give credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as AWS_PROFILE'];
    throw new Fault('usage', 'the URL of the store holds credentials', { actions });
  }
  const bucket = url.host;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    throw wrong(`${JSON.stringify(bucket)} is no name of a bucket`);
  const folder = url.pathname.replace(/^\/|\/$/g, '');
  if (folder !== '' && !isKey(folder))
    throw wrong(`the prefix ${JSON.stringify(folder)} has characters that salvor does not use`);

  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!names.includes(name))
      throw wrong(`there is no parameter ${JSON.stringify(name)}; there are ${names.join(', ')}`);
    if (given.has(name)) throw wrong(`the parameter ${name} is given twice`);
    const permitted = choices[name];
    if (permitted && !permitted.includes(value)) throw wrong(`${name} is one of ${permitted.join(', ')}`);
    if (value !== '') given.set(name, value);
  }
  const endpoint = given.get('endpoint');
  if (endpoint !== undefined) checkEndpoint(endpoint);
  const place: S3Place = {
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    region: given.get('region'),
    endpoint,
    forcePathStyle:
      (given.get('forcePathStyle') ?? `${!isAmazon(endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL)}`) ===
      'true',
    checksums: (given.get('checksums') as S3Place['checksums']) ?? 'when_supported',
    sse: given.get('sse') as S3Place['sse'],
    kmsKeyId: given.get('kmsKeyId'),
    retention: retention(given.get('objectLock'), given.get('retainDays')),
    url: `s3://${bucket}${folder === '' ? '' : `/${folder}`}${url.search}`,
  };
  if (place.kmsKeyId !== undefined && !place.sse?.startsWith('aws:kms')) throw wrong('kmsKeyId goes with sse=aws:kms');
  return place;
}

function retention(mode: string | undefined, days: string | undefined): S3Place['retention'] {
  if (mode === undefined && days === undefined) return undefined;
  if (mode === undefined || days === undefined) throw wrong('objectLock and retainDays go together');
  if (!/^[1-9]\d{0,4}$/.test(days)) throw wrong('retainDays is a whole number of days from 1 on');
  return { mode: mode as 'COMPLIANCE' | 'GOVERNANCE', days: Number(days) };
}

function checkEndpoint(endpoint: string): void {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong('endpoint is a URL with https:// or http://');
  if (url.username !== '' || url.password !== '') throw wrong('the endpoint holds credentials');
}

function isAmazon(endpoint: string | undefined): boolean {
  return !endpoint || /(^|\.)amazonaws\.com(\.cn)?$/.test(URL.parse(endpoint)?.hostname ?? '');
}

function wrong(message: string): Fault {
  return new Fault('usage', `the URL of the store: ${message}`);
}
