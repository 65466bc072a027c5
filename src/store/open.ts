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

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new Fault('usage', `${JSON.stringify(url)} names no folder: write file:///absolute/path`, { cause });
  }
}
