import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import type { Store, StoredObject } from '../../src/store/store.ts';

export interface OpenedStore {
  store: Store;
  /** Ends what serves the store, and removes what it holds. */
  close(): Promise<void>;
}

async function all(objects: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of objects) found.push(object);
  return found;
}

/** The keys that a store lists, in its order. */
export async function keys(store: Store, prefix = '', after?: string): Promise<string[]> {
  return (await all(store.list(prefix, { after }))).map(({ key }) => key);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Every sentence of the interface's docstrings, held against one implementation. `open` gives an empty store. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let opened: OpenedStore;
    let store: Store;
    before(async () => {
      opened = await open();
      store = opened.store;
    });
    after(async () => await opened?.close());

    test('an empty store lists nothing and misses everything', async () => {
      assert.deepEqual(await keys(store, ''), []);
      assert.equal(await store.head('empty/nothing'), undefined);
    });

    test('what was put is read back, whole, with its size and time', async () => {
      const body = randomBytes(70_000);
      assert.equal(await store.putIfAbsent('whole/a', body), 'created');
      const read = await store.get('whole/a');
      assert.ok(Buffer.isBuffer(read));
      assert.ok(read.equals(body));
      const head = await store.head('whole/a');
      assert.equal(head?.key, 'whole/a');
      assert.equal(head?.size, 70_000);
      assert.ok(Math.abs(head.modified.getTime() - Date.now()) < 3_600_000);
    });

    test('a second put of a key says that it exists and changes nothing', async () => {
      assert.equal(await store.putIfAbsent('once', Buffer.from('first')), 'created');
      assert.equal(await store.putIfAbsent('once', Buffer.from('second, and longer')), 'exists');
      assert.equal(await store.putIfAbsent('once', Buffer.from('first')), 'exists');
      assert.equal((await store.get('once')).toString(), 'first');
    });

    test('an empty object is an object', async () => {
      assert.equal(await store.putIfAbsent('empty/object', new Uint8Array()), 'created');
      assert.equal(await store.putIfAbsent('empty/object', Buffer.from('x')), 'exists');
      assert.equal((await store.get('empty/object')).length, 0);
      assert.equal((await store.head('empty/object'))?.size, 0);
      assert.equal((await store.getRange('empty/object', 0, 10)).length, 0);
    });

    test('an object of 20 MiB comes back byte for byte', async () => {
      const body = randomBytes(20 * 1024 * 1024);
      assert.equal(await store.putIfAbsent('large', body), 'created');
      assert.equal(sha256(await store.get('large')), sha256(body));
      assert.ok((await store.getRange('large', 20 * 1024 * 1024 - 5, 100)).equals(body.subarray(-5)));
      assert.equal((await store.get('large', undefined, body.length)).length, body.length);
      await assert.rejects(store.get('large', undefined, body.length - 1), (error) => isFault(error, 'size-mismatch'));
      assert.ok(
        (await store.getRange('large', 9_999_999, 65_536)).equals(body.subarray(9_999_999, 9_999_999 + 65_536)),
      );
    });

    test('a body that is a view into a larger buffer is stored as the view', async () => {
      const larger = new Uint8Array(Buffer.from('before-inside-behind'));
      assert.equal(await store.putIfAbsent('view', larger.subarray(7, 13)), 'created');
      assert.equal((await store.get('view')).toString(), 'inside');
    });

    test('a range gives the bytes from its start, fewer at the end, none behind it', async () => {
      await store.putIfAbsent('range', Buffer.from('0123456789'));
      const range = async (start: number, length: number) => (await store.getRange('range', start, length)).toString();
      assert.equal(await range(0, 1), '0');
      assert.equal(await range(3, 4), '3456');
      assert.equal(await range(0, 10), '0123456789');
      assert.equal(await range(8, 10), '89');
      assert.equal(await range(9, 1), '9');
      assert.equal(await range(10, 1), '');
      assert.equal(await range(1000, 5), '');
      assert.equal(await range(4, 0), '');
    });

    test('reading a key that is not there is an object-missing, also within and around keys that are', async () => {
      await store.putIfAbsent('missing/there', Buffer.from('x'));
      for (const key of [
        'missing',
        'missing/not',
        'missing/there/inside',
        'missing/ther',
        'none',
        '../none',
        '',
        'a//b',
      ]) {
        await assert.rejects(store.get(key), (error) => isFault(error, 'object-missing'), key);
        await assert.rejects(store.getRange(key, 0, 1), (error) => isFault(error, 'object-missing'), key);
        await assert.rejects(store.getRange(key, 0, 0), (error) => isFault(error, 'object-missing'), key);
        assert.equal(await store.head(key), undefined, key);
      }
    });

    for (const writers of [8, 32]) {
      test(`of ${writers} writers of one key exactly one wins, and its bytes stay`, async () => {
        for (let round = 0; round < 3; round++) {
          const key = `race/${writers}/${round}`;
          const bodies = Array.from({ length: writers }, (_, i) => Buffer.from(`writer ${i} `.repeat(1000 + i)));
          const outcomes = await Promise.all(bodies.map((body) => store.putIfAbsent(key, body)));
          const winners = outcomes.flatMap((outcome, i) => (outcome === 'created' ? [i] : []));
          assert.equal(winners.length, 1, outcomes.join());
          assert.ok((await store.get(key)).equals(bodies[winners[0]!]!));
        }
      });
    }

    const odd = [
      '0',
      'A.b_c=d@e~f-g',
      'UPPER',
      `${'n'.repeat(200)}/${'m'.repeat(200)}`,
      '20261231T235959Z-0a1b2c/x.csv.zst.age',
    ];
    test('keys of all permitted characters and lengths are kept as they are', async () => {
      for (const key of odd) assert.equal(await store.putIfAbsent(`odd/${key}`, Buffer.from(key)), 'created');
      assert.deepEqual(
        await keys(store, 'odd/'),
        odd.map((key) => `odd/${key}`).sort((a, b) => (a < b ? -1 : 1)),
      );
      for (const key of odd) assert.equal((await store.get(`odd/${key}`)).toString(), key);
    });

    test('what is no key is never written', async () => {
      const wrong = [
        '',
        '/',
        'a/',
        '/a',
        'a//b',
        '.',
        '..',
        '../a',
        'a/../b',
        'a/./b',
        '.hidden',
        'a\\b',
        'a:b',
        'a b',
        'ä',
      ];
      for (const key of [...wrong, 'a\n', 'a\0', 'con', 'a/NUL.txt', 'dot.', 'x'.repeat(201), 'ab/'.repeat(300)]) {
        await assert.rejects(store.putIfAbsent(key, Buffer.from('x')), TypeError, JSON.stringify(key));
      }
    });

    test('a list is ascending by the bytes of the whole key, across folders', async () => {
      const made = ['a-b', 'a.b', 'a/b', 'a/c/d', 'a/c.d', 'a0', 'B', 'a=b', 'a_b', 'aa/a', 'a/c-d/e'];
      for (const key of made) await store.putIfAbsent(`order/${key}`, Buffer.from(key));
      const expected = made.map((key) => `order/${key}`).sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(await keys(store, 'order/'), expected);
      for (const key of expected) {
        const behind = expected.filter((other) => other > key);
        assert.deepEqual(await keys(store, 'order/', key), behind, `after ${key}`);
      }
      assert.deepEqual(
        await keys(store, 'order/', 'order/a/c'),
        expected.filter((key) => key > 'order/a/c'),
      );
      assert.deepEqual(await keys(store, 'order/', 'order/'), expected);
      assert.deepEqual(await keys(store, 'order/', 'p'), []);
      assert.deepEqual(await keys(store, 'order/', 'a'), expected);
      for (const object of await all(store.list('order/')))
        assert.equal(object.size, object.key.length - 'order/'.length);
    });

    test('a prefix is text, not a folder', async () => {
      for (const key of ['log/01', 'log/02', 'log/12', 'logs/01', 'log2'])
        await store.putIfAbsent(`text/${key}`, Buffer.from(key));
      assert.deepEqual(await keys(store, 'text/log/0'), ['text/log/01', 'text/log/02']);
      assert.deepEqual(await keys(store, 'text/log'), [
        'text/log/01',
        'text/log/02',
        'text/log/12',
        'text/log2',
        'text/logs/01',
      ]);
      assert.deepEqual(await keys(store, 'text/log/01'), ['text/log/01']);
      assert.deepEqual(await keys(store, 'text/log/01/'), []);
      assert.deepEqual(await keys(store, 'text/nothing/'), []);
      assert.deepEqual(await keys(store, '../'), []);
    });

    test('1,100 keys are listed whole and in order, from any key on', async () => {
      const made = Array.from(
        { length: 1100 },
        (_, i) => `many/${String(i % 11).padStart(2, '0')}/${String(i).padStart(5, '0')}`,
      );
      made.sort();
      for (let at = 0; at < made.length; at += 32) {
        await Promise.all(made.slice(at, at + 32).map((key) => store.putIfAbsent(key, Buffer.from(key))));
      }
      assert.deepEqual(await keys(store, 'many/'), made);
      assert.deepEqual(await keys(store, 'many/', made[1040]), made.slice(1041));
      const some: string[] = [];
      for await (const { key } of store.list('many/', { after: made[9] })) if (some.push(key) === 5) break;
      assert.deepEqual(some, made.slice(10, 15));
    });

    test('an object is listed as soon as its put has resolved', async () => {
      for (let i = 0; i < 20; i++) {
        await store.putIfAbsent(`now/${i}`, Buffer.from('x'));
        assert.ok((await keys(store, 'now/')).includes(`now/${i}`));
      }
    });

    test('a deleted object is gone to every verb, and its key is free', async () => {
      await store.putIfAbsent('delete/me', Buffer.from('old'));
      assert.equal(await store.delete('delete/me'), true);
      assert.equal(await store.head('delete/me'), undefined);
      await assert.rejects(store.get('delete/me'), (error) => isFault(error, 'object-missing'));
      assert.deepEqual(await keys(store, 'delete/'), []);
      assert.equal(await store.delete('delete/me'), true);
      assert.equal(await store.delete('delete/never/was'), true);
      assert.equal(await store.putIfAbsent('delete/me', Buffer.from('new')), 'created');
      assert.equal((await store.get('delete/me')).toString(), 'new');
    });

    test('an aborted signal ends every verb with its reason', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      const same = (error: unknown) => error === reason;
      await store.putIfAbsent('abort/there', Buffer.from('x'));
      await assert.rejects(store.putIfAbsent('abort/put', Buffer.from('x'), signal), same);
      await assert.rejects(store.get('abort/there', signal), same);
      await assert.rejects(store.getRange('abort/there', 0, 1, signal), same);
      await assert.rejects(store.head('abort/there', signal), same);
      await assert.rejects(all(store.list('abort/', { signal })), same);
      await assert.rejects(store.delete('abort/there', signal), same);
      assert.deepEqual(await keys(store, 'abort/'), ['abort/there']);
    });

    test('a put that is aborted on its way stores all of it or nothing', async () => {
      const body = randomBytes(20 * 1024 * 1024);
      const stop = new AbortController();
      const reason = new Error('enough');
      const put = store.putIfAbsent('abort/midway', body, stop.signal);
      setTimeout(() => stop.abort(reason), 5);
      const outcome = await put.catch((error: unknown) => error);
      if (outcome !== 'created') assert.equal(outcome, reason);
      const found = await store.get('abort/midway').catch((error: unknown) => error);
      if (Buffer.isBuffer(found)) assert.equal(sha256(found), sha256(body));
      else assert.ok(isFault(found, 'object-missing'));
    });

    test('its name holds no credentials', () => {
      assert.ok(store.url.length > 0);
      assert.ok(!/secret|password|\S+:\S+@/i.test(store.url), store.url);
    });
  });
}
