import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import { openFolder } from '../../src/store/folder.ts';
import { keys, storeContract } from '../contracts/store.ts';

const temporary = await mkdtemp(path.join(tmpdir(), 'salvor-folder-'));
after(async () => await rm(temporary, { recursive: true, force: true }));
const fresh = async (): Promise<string> => await mkdtemp(path.join(temporary, 'store-'));

async function open(options: { hardLinks?: boolean }) {
  const folder = await fresh();
  const close = async () => await rm(folder, { recursive: true, force: true });
  return { store: openFolder(path.join(folder, 'not', 'yet'), options), close };
}
storeContract('a folder', () => open({}));
storeContract('a folder without hard links', () => open({ hardLinks: false }));

const windows = process.platform === 'win32';

describe('a folder', () => {
  test('leaves one read-only file per object and nothing else', { skip: windows }, async () => {
    for (const hardLinks of [true, false]) {
      const folder = await fresh();
      const store = openFolder(folder, { hardLinks });
      await Promise.all(Array.from({ length: 16 }, (_, i) => store.putIfAbsent('log/0001', Buffer.from(`${i}`))));
      assert.deepEqual(await readdir(path.join(folder, 'log')), ['0001']);
      assert.equal((await stat(path.join(folder, 'log/0001'))).mode & 0o222, 0);
    }
  });

  test('does not see what crashed writers and other programs left', async () => {
    const folder = await fresh();
    const store = openFolder(folder);
    await store.putIfAbsent('log/0001', Buffer.from('x'));
    await writeFile(path.join(folder, 'log', '.tmp-0123456789abcdef'), 'cut');
    await mkdir(path.join(folder, '.tmp-0123456789abcdef.claim'));
    await writeFile(path.join(folder, '.DS_Store'), 'x');
    await mkdir(path.join(folder, 'lost+found'));
    await writeFile(path.join(folder, 'a name with spaces'), 'x');
    assert.deepEqual(await keys(store), ['log/0001']);
    await assert.rejects(store.get('log/.tmp-0123456789abcdef'), (error) => isFault(error, 'object-missing'));
    assert.equal(await store.head('.DS_Store'), undefined);
    assert.equal(await store.delete('log/.tmp-0123456789abcdef'), true);
    assert.equal(existsSync(path.join(folder, 'log', '.tmp-0123456789abcdef')), true);
  });

  test('a claim whose writer died does not hold the key for ever', async () => {
    const folder = await fresh();
    await mkdir(path.join(folder, '.claim-key'));
    await writeFile(path.join(folder, '.claim-key', '.tmp-of-the-dead'), 'never acknowledged');
    const store = openFolder(folder, { hardLinks: false });
    assert.equal(await store.putIfAbsent('key', Buffer.from('alive')), 'created');
    assert.equal((await store.get('key')).toString(), 'alive');
    assert.deepEqual(await readdir(folder), ['key']);
  });

  test('a claim that was made before the object was there cannot overwrite it', async () => {
    const folder = await fresh();
    await writeFile(path.join(folder, 'key'), 'first');
    await mkdir(path.join(folder, '.claim-key'));
    await writeFile(path.join(folder, '.claim-key', '.tmp-late'), 'late');
    const store = openFolder(folder, { hardLinks: false });
    assert.equal(await store.putIfAbsent('key', Buffer.from('later')), 'exists');
    assert.equal((await store.get('key')).toString(), 'first');
  });

  test('writers in several processes agree on one winner per key', async () => {
    for (const hardLinks of [true, false]) {
      const folder = await fresh();
      const module = path.resolve(import.meta.dirname, '../../src/store/folder.ts');
      const script = `
        const { openFolder } = await import(${JSON.stringify(module)});
        const store = openFolder(${JSON.stringify(folder)}, { hardLinks: ${hardLinks} });
        const won = [];
        for (let i = 0; i < 40; i++)
          if (await store.putIfAbsent('log/' + i, Buffer.from(process.argv[1].repeat(5000))) === 'created') won.push(i);
        console.log(JSON.stringify(won));`;
      const outputs = await Promise.all(
        ['a', 'b', 'c'].map(async (writer) => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', script, writer], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          return { writer, won: JSON.parse((await child.stdout.setEncoding('utf8').toArray()).join('')) as number[] };
        }),
      );
      const winners = outputs.flatMap(({ won }) => won).sort((a, b) => a - b);
      assert.deepEqual(
        winners,
        Array.from({ length: 40 }, (_, i) => i),
      );
      for (const { writer, won } of outputs) {
        for (const i of won)
          assert.equal(await readFile(path.join(folder, 'log', `${i}`), 'utf8'), writer.repeat(5000));
      }
    }
  });

  test('a name that belongs to a folder is an error, not an object', async () => {
    const store = openFolder(await fresh());
    await store.putIfAbsent('a/b', Buffer.from('x'));
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), (error) => isFault(error, 'disk-error'));
    await assert.rejects(store.putIfAbsent('a/b/c', Buffer.from('x')), (error) => isFault(error, 'disk-error'));
    assert.deepEqual(await keys(store), ['a/b']);
  });

  test('links to another disk are followed, and a loop of links ends', { skip: windows }, async () => {
    const folder = await fresh();
    const other = await fresh();
    await symlink(other, path.join(folder, 'data'));
    const store = openFolder(folder);
    await store.putIfAbsent('data/1', Buffer.from('x'));
    await symlink('nowhere', path.join(folder, 'dangling'));
    await symlink('itself', path.join(folder, 'itself'));
    assert.deepEqual(await keys(store), ['data/1']);
    assert.deepEqual(await readdir(other), ['1']);
  });

  test('goes on when another program removes its folders', async () => {
    const folder = await fresh();
    const store = openFolder(folder);
    await store.putIfAbsent('runs/1/a', Buffer.from('x'));
    await rm(path.join(folder, 'runs'), { recursive: true });
    assert.equal(await store.putIfAbsent('runs/1/b', Buffer.from('x')), 'created');
  });
});

/** Mounts `type` on a new folder, or says why not. */
async function mount(type: string, ...options: string[]): Promise<{ folder: string; unmount(): void } | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux to mount a file system';
  const folder = await fresh();
  try {
    execFileSync('mount', ['-t', type, ...options, folder], { stdio: 'pipe' });
  } catch (error) {
    return `cannot mount ${type}: ${error instanceof Error ? error.message.split('\n').at(-2) : error}`;
  }
  return { folder, unmount: () => execFileSync('umount', [folder]) };
}

test('a full disk is a disk-full that leaves nothing behind, and the store goes on when there is space', async (t) => {
  const mounted = await mount('tmpfs', '-o', 'size=1m,nr_inodes=40', 'tmpfs');
  if (typeof mounted === 'string') return t.skip(mounted);
  try {
    for (const hardLinks of [true, false]) {
      const store = openFolder(path.join(mounted.folder, `links-${hardLinks}`), { hardLinks });
      await store.putIfAbsent('data/small', Buffer.alloc(1000));
      await assert.rejects(store.putIfAbsent('data/big', Buffer.alloc(2 << 20)), (error) =>
        isFault(error, 'disk-full'),
      );
      assert.deepEqual(await readdir(path.join(mounted.folder, `links-${hardLinks}`, 'data')), ['small']);
      let stored = 0;
      const fault = await (async () => {
        for (; ; stored++) await store.putIfAbsent(`data/n${stored}`, Buffer.from('x'));
      })().catch((error: unknown) => error);
      assert.ok(isFault(fault, 'disk-full'), String(fault));
      const left: string[] = await readdir(path.join(mounted.folder, `links-${hardLinks}`, 'data'));
      assert.equal(left.filter((name) => name.startsWith('.')).length, 0);
      assert.equal(left.length, 1 + stored);
      for (let i = 0; i < stored; i++) await store.delete(`data/n${i}`);
      assert.equal(await store.putIfAbsent('data/again', Buffer.alloc(1000)), 'created');
    }
  } finally {
    mounted.unmount();
  }
});

test('a disk that may not be written is a disk-error, and a delete there is refused', async (t) => {
  const mounted = process.getuid?.() === 0 ? await mount('tmpfs', '-o', 'size=1m', 'tmpfs') : undefined;
  if (typeof mounted === 'string') return t.skip(mounted);
  if (windows) return t.skip('Windows has no folders that may not be written');
  const folder = mounted?.folder ?? (await fresh());
  const store = openFolder(folder);
  await store.putIfAbsent('b', Buffer.from('x'));
  if (mounted) execFileSync('mount', ['-o', 'remount,ro', folder]);
  else await chmod(folder, 0o500);
  try {
    await assert.rejects(store.putIfAbsent('c', Buffer.from('x')), (error) => isFault(error, 'disk-error'));
    assert.equal(await store.delete('b'), false);
    assert.equal((await store.get('b')).toString(), 'x');
    assert.deepEqual(await keys(store), ['b']);
  } finally {
    if (mounted) mounted.unmount();
    else await chmod(folder, 0o700);
  }
});
