import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rememberHead, seenHead } from '../../src/cli/heads.ts';

describe('the heads that this client remembers', () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const digest = 'ab'.repeat(32);
  const file = () => path.join(folder, 'salvor', 'heads.json');

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-heads-'));
    environment = { XDG_STATE_HOME: folder };
  });
  after(() => rm(folder, { recursive: true }));

  test('only move forwards, each vault on its own', async () => {
    await rememberHead(environment, 'one', { seq: 7, digest });
    await rememberHead(environment, 'one', { seq: 3, digest });
    await rememberHead(environment, 'two', { seq: 2, digest });
    assert.deepEqual(await seenHead(environment, 'one'), { seq: 7, digest });
    assert.deepEqual(await seenHead(environment, 'two'), { seq: 2, digest });
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file(), 'utf8'))), ['one', 'two']);
  });

  test('a home that is no folder is no error', async () => {
    const nowhere = path.join(folder, 'a-file');
    await writeFile(nowhere, '');
    assert.equal(await seenHead({ XDG_STATE_HOME: nowhere }, 'one'), undefined);
    await rememberHead({ XDG_STATE_HOME: nowhere }, 'one', { seq: 1, digest });
  });

  for (const text of ['', 'null', '[]', '{"one":null}', '{"one":{"seq":"7"}}', '{"one":{"seq":7,"dig']) {
    test(`a file that holds ${text || 'nothing'} remembers nothing and takes the next head`, async () => {
      await mkdir(path.dirname(file()), { recursive: true });
      await writeFile(file(), text);
      assert.equal(await seenHead(environment, 'one'), undefined);
      await rememberHead(environment, 'one', { seq: 1, digest });
      assert.deepEqual(await seenHead(environment, 'one'), { seq: 1, digest });
    });
  }
});
