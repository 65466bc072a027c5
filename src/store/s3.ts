import { Fault } from '../errors.ts';
import type { OpenStoreOptions } from './open.ts';
import type { Store } from './store.ts';

export async function openS3(_url: string, _options: OpenStoreOptions = {}): Promise<Store> {
  throw new Fault('usage', 'S3 is not yet a kind of store');
}
