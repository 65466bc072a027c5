import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../errors.ts';
import type { Event } from '../events.ts';
import { openFolder } from './folder.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** Takes `retry` and `warning` events. */
  report?: (event: Event) => void;
  /** Ends every call on the store, besides the call's own signal. */
  signal?: AbortSignal;
  /** Instead of what the SDK finds in the environment, the profiles and around. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** How often S3 is asked for one thing before `store-unreachable`; 8 unless told. */
  attempts?: number;
  /** The first wait between attempts, in milliseconds; it doubles up to 10 s, with jitter. 250 unless told. */
  backoffMs?: number;
  /** How long a connection to S3 may be silent, in milliseconds; 60,000 unless told. */
  timeoutMs?: number;
}

/**
 * The store at a URL: `s3://bucket/prefix?region=…` (see `parseS3Url`), `file:///path`, or a path, relative to the working
 * folder. Nothing is written, and nothing has to exist yet. Faults: `usage` for another scheme or a malformed URL.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  if (/^s3:/i.test(url)) {
    const { openS3 } = await import('./s3.ts');
    return await openS3(url, options);
  }
  if (/^file:/i.test(url)) return openFolder(filePath(url), { signal: options.signal });
  // One letter before the colon is a drive of Windows.
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(url)?.[1];
  if (scheme !== undefined) {
    throw new Fault('usage', `${scheme}: is no kind of store: name s3://bucket/prefix, file:///path or a path`);
  }
  if (url === '') throw new Fault('usage', 'the name of the store is empty');
  return openFolder(url, { signal: options.signal });
}

/**
 * Throws `region-refused` unless the store at a URL is where `allowed` permits: the region that the bucket says it is in, the host of an endpoint
 * that is not Amazon's, or `local` for a folder. Reads nothing but where the bucket is; what does not say it is refused.
 */
export async function assertRegion(
  url: string,
  allowed: readonly string[],
  options: OpenStoreOptions = {},
): Promise<void> {
  const refused = (place: string) =>
    new Fault('region-refused', `${place}, and allowedRegions permits ${allowed.join(', ') || 'nothing'}`, {
      data: { allowed },
    });
  if (!/^s3:/i.test(url)) {
    if (allowed.includes('local')) return;
    throw refused(`${url} is a folder of this machine`);
  }
  const { parseS3Url } = await import('./s3-url.ts');
  const { bucket, endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL } = parseS3Url(url);
  const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.hostname;
  if (host !== undefined && allowed.includes(host)) return;
  const { bucketRegion } = await import('./s3-bucket.ts');
  const region = await bucketRegion(url, options);
  if (region === undefined) throw refused(`the bucket ${bucket} does not say in which region it is`);
  if (!allowed.includes(region)) throw refused(`the bucket ${bucket} is in ${region}`);
}

/** Whether one store lies at the place of another, inside of it or around it. */
export async function shareAPlace(one: string, other: string): Promise<boolean> {
  const [a, b] = [await placeOf(one), await placeOf(other)];
  return a.startsWith(b) || b.startsWith(a);
}

/** Ends with a slash, so that what lies inside begins with it. */
async function placeOf(url: string): Promise<string> {
  if (/^s3:/i.test(url)) {
    const { parseS3Url } = await import('./s3-url.ts');
    const { bucket, prefix, endpoint } = parseS3Url(url);
    return `s3 ${endpoint === undefined ? '' : URL.parse(endpoint)?.host} ${bucket}/${prefix}`;
  }
  const folder = path.resolve(/^file:/i.test(url) ? filePath(url) : url);
  return `folder ${(await realFolder(folder)).split(path.sep).join('/').replace(/\/$/, '')}/`;
}

/** With every link on the way followed, as far as there is a way: a folder that is still to be made lies where the one above it does. */
async function realFolder(folder: string): Promise<string> {
  const above = path.dirname(folder);
  try {
    return await realpath(folder);
  } catch {
    return above === folder ? folder : path.join(await realFolder(above), path.basename(folder));
  }
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new Fault('usage', `${JSON.stringify(url)} names no folder: write file:///absolute/path`, { cause });
  }
}
