import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Fault } from '../../src/errors.ts';
import { type KeptObjects, keeping } from '../../src/store/kept.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** Lists tags as S3 does, and notes what is fetched. */
class TaggingStore extends MemoryStore {
  readonly fetched: string[] = [];
  denyLists = false;
  override async get(key: string, signal?: AbortSignal) {
    this.fetched.push(key);
    return super.get(key, signal);
  }
  override async *list(prefix: string, options?: { after?: string; signal?: AbortSignal }) {
    if (this.denyLists) throw new Fault('store-denied', 'no lists');
    for await (const object of super.list(prefix, options))
      yield { ...object, etag: createHash('md5').update(this.objects.get(object.key)!).digest('hex') };
  }
}

function filled(): TaggingStore {
  return new TaggingStore(['log/1', 'log/2', 'points/1'].map((key) => [key, Buffer.from(`body of ${key}`)] as const));
}

async function bodies(store: MemoryStore, kept: KeptObjects, keys: readonly string[]): Promise<string[]> {
  const reading = keeping(store, ['log/'], kept);
  const found: string[] = [];
  for (const key of keys) found.push(String(await reading.get(key).catch(({ name }) => name)));
  return found;
}

describe('what is kept of a store', () => {
  const all = ['log/1', 'log/2', 'points/1'];
  const whole = all.map((key) => `body of ${key}`);

  test('is taken again, of the folders that are named', async () => {
    const store = filled();
    const kept: KeptObjects = new Map();
    assert.deepEqual(await bodies(store, kept, all), whole);
    assert.deepEqual([...kept.keys()], ['log/1', 'log/2']);
    store.fetched.length = 0;
    assert.deepEqual(await bodies(store, kept, all), whole);
    assert.deepEqual(store.fetched, ['points/1']);
  });

  test('is dropped when the object is gone or another one', async () => {
    const store = filled();
    const kept: KeptObjects = new Map();
    await bodies(store, kept, all);
    store.objects.delete('log/1');
    store.objects.set('log/2', Buffer.from('body of log/9'));
    assert.deepEqual(await bodies(store, kept, all), ['object-missing', 'body of log/9', 'body of points/1']);
    assert.deepEqual([...kept.keys()], ['log/2']);
  });

  test('is nothing where the store lists no tags, or may not be listed', async () => {
    const kept: KeptObjects = new Map();
    await bodies(new MemoryStore(filled().objects), kept, all);
    assert.equal(kept.size, 0);
    const store = filled();
    await bodies(store, kept, all);
    store.denyLists = true;
    store.fetched.length = 0;
    assert.deepEqual(await bodies(store, kept, all), whole);
    assert.deepEqual(store.fetched, all);
  });

  test('does not change with what a caller does to its bytes', async () => {
    const store = filled();
    const kept: KeptObjects = new Map();
    const reading = keeping(store, ['log/'], kept);
    for (let times = 0; times < 3; times++) (await reading.get('log/1')).fill(0);
    assert.equal(String(await reading.get('log/1')), 'body of log/1');
  });

  test('is not an object that is large', async () => {
    const store = filled();
    store.objects.set('log/3', Buffer.alloc(64 * 1024 + 1));
    const kept: KeptObjects = new Map();
    await bodies(store, kept, ['log/3']);
    assert.equal(kept.size, 0);
  });
});
