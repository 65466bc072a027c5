import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CacheOwner, PointCache } from '../../src/cli/point-cache.ts';

describe('the cache of points', () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const owner: CacheOwner = { url: 's3://bucket/vault', tool: 'salvor 1', secrets: ['one', 'two'] };
  const body = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
  const fileOf = async () => path.join(folder, 'salvor', (await readdir(path.join(folder, 'salvor')))[0]!);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-cache-'));
    environment = { XDG_CACHE_HOME: folder };
    const cache = await PointCache.read(environment, owner);
    cache.objects.set('log/1', { etag: '"tag"', body });
    await cache.write();
  });
  after(() => rm(folder, { recursive: true }));

  test('gives back what was written, to the same keys in any order, and is for its owner alone', async () => {
    const { objects, points } = await PointCache.read(environment, { ...owner, secrets: ['two', 'one'] });
    assert.deepEqual([...objects], [['log/1', { etag: '"tag"', body }]]);
    assert.equal(points.size, 0);
    if (process.platform !== 'win32') assert.equal((await stat(await fileOf())).mode & 0o777, 0o600);
  });

  test('shows nothing of what it holds', async () => {
    const bytes = await readFile(await fileOf());
    assert.ok(!bytes.includes('log/1'));
  });

  for (const [what, change] of [
    ['another key', { secrets: ['one'] }],
    ['another program', { tool: 'salvor 2' }],
    ['another store', { url: 's3://bucket/other' }],
  ] as const) {
    test(`is empty to ${what}, also under the name that it would have there`, async () => {
      const other = { ...owner, ...change };
      const elsewhere = await mkdtemp(path.join(tmpdir(), 'salvor-cache-'));
      const place = { XDG_CACHE_HOME: elsewhere };
      const cache = await PointCache.read(place, other);
      cache.objects.set('log/2', { etag: '"tag"', body });
      await cache.write();
      const [name] = await readdir(path.join(elsewhere, 'salvor'));
      await writeFile(path.join(elsewhere, 'salvor', name!), await readFile(await fileOf()));
      assert.equal((await PointCache.read(place, other)).objects.size, 0);
      await rm(elsewhere, { recursive: true });
    });
  }

  test('is empty when any byte of it is another, or it was cut', async () => {
    const file = await fileOf();
    const whole = await readFile(file);
    for (let at = 0; at < whole.length; at += 37) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      for (const bytes of [changed, whole.subarray(0, at)]) {
        await writeFile(file, bytes);
        assert.equal((await PointCache.read(environment, owner)).objects.size, 0, String(at));
      }
    }
    await writeFile(file, whole);
    assert.equal((await PointCache.read(environment, owner)).objects.size, 1);
  });

  test('is whole after many have written it at once, and leaves nothing beside it', async () => {
    const caches = await Promise.all(Array.from({ length: 8 }, () => PointCache.read(environment, owner)));
    await Promise.all(
      caches.map((cache, n) => {
        cache.objects.set('log/3', { etag: `"${n}"`, body });
        return cache.write();
      }),
    );
    assert.deepEqual([...(await PointCache.read(environment, owner)).objects.keys()], ['log/1', 'log/3']);
    assert.equal((await readdir(path.join(folder, 'salvor'))).length, 1);
  });

  test('that has no place to be is no error', async () => {
    const nowhere = path.join(folder, 'a-file');
    await writeFile(nowhere, '');
    const cache = await PointCache.read({ XDG_CACHE_HOME: nowhere }, owner);
    cache.objects.set('log/1', { etag: '"tag"', body });
    await cache.write();
    assert.equal((await PointCache.read({ XDG_CACHE_HOME: nowhere }, owner)).objects.size, 0);
  });
});
