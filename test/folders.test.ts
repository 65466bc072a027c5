import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolders } from '../src/folders.ts';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'salvor-folders-'));
});
after(() => rm(root, { recursive: true, force: true }));

test('a folder is made with all that are missing above it, and the topmost of those is told', async () => {
  const name = path.join(root, 'a', 'b', 'c');
  assert.equal(await makeFolders(name, 0o700), path.join(root, 'a'));
  assert.equal((await stat(name)).isDirectory(), true);
  assert.equal(await makeFolders(name), undefined);
  assert.equal(await makeFolders(path.join(name, 'd')), path.join(name, 'd'));
});

test('two that make the same folder both have it', async () => {
  const name = path.join(root, 'twice', 'deep', 'down');
  await Promise.all([makeFolders(name), makeFolders(name), makeFolders(path.dirname(name))]);
  assert.equal((await stat(name)).isDirectory(), true);
});

test('what is no folder, or leads nowhere, is refused as the system refuses it', async () => {
  await writeFile(path.join(root, 'file'), '');
  await symlink(path.join(root, 'nowhere'), path.join(root, 'link'));
  await assert.rejects(makeFolders(path.join(root, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolders(path.join(root, 'file', 'below')), { code: 'ENOTDIR' });
  await assert.rejects(makeFolders(path.join(root, 'link', 'below')), { code: 'ENOENT' });
});

test('a folder in which the system makes none ends too', { skip: process.platform !== 'linux' }, async () => {
  await assert.rejects(makeFolders('/proc/salvor/deep'), { code: 'ENOENT' });
});
