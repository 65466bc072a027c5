import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { runProgram } from '../support/program.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'salvor-keys-'));
after(() => rm(folder, { recursive: true, force: true }));
const place = (name: string) => path.join(folder, name);
const salvor = (env: Record<string, string>, ...args: string[]) => runProgram(folder, env, ...args, '-p', '--json');

test('a key that cannot be kept is none of the vault: the command says which file, and done again it makes the same one', async () => {
  const vault = await AgedVault.of(await openStore(place('vault')), ['2025-11-01']);
  const env = { SALVOR_ROOT_FINGERPRINT: vault.keys.rootFingerprint, SALVOR_IDENTITY: vault.keys.identity };
  const on = (...args: string[]) => salvor({ ...env, SALVOR_VAULT: place('vault') }, ...args);
  await writeFile(place('taken'), 'no folder');
  for (const [command, id] of [
    [['keys', 'add', '--writer'], 'writer-2'],
    [['keys', 'export-admin'], 'pruner-1'],
  ] as const) {
    const before = await readdir(place('vault/trust'));
    const keys = (name: string) => on(...command, '--keys-folder', place(name));
    for (const taken of ['taken', 'taken/keys']) {
      const ran = await keys(taken);
      assert.deepEqual([ran.status, ran.json.name], [74, 'disk-error'], ran.stdout);
      assert.match(ran.json.message, new RegExp(`${taken}/${id}\\.key cannot be written: `));
    }
    await writeFile(place(`${id}.key`), 'of another vault');
    const refused = await keys('.');
    assert.deepEqual([refused.status, refused.json.name], [2, 'usage'], refused.stdout);
    assert.deepEqual(await readdir(place('vault/trust')), before);
    assert.equal((await keys('keys')).json.result.id, id);
  }
});

test('a vault whose keys cannot be kept is not made; one whose configuration cannot be written is, and says how to name it', async () => {
  await writeFile(place('file'), 'no folder');
  const init = (...args: string[]) => salvor({}, 'init', '--vault', 'made', ...args);
  const refused = await init('--keys-folder', 'file/keys');
  assert.deepEqual([refused.status, refused.json.name], [74, 'disk-error'], refused.stdout);
  assert.deepEqual(await readdir(place('made')).then((names) => names.filter((name) => name !== 'probe')), []);
  await symlink(place('nowhere/salvor.config.json'), place('salvor.config.json'));
  const made = await init('--keys-folder', 'made-keys');
  assert.equal(made.status, 0, made.stdout);
  const { rootFingerprint, configFile } = made.json.result;
  assert.equal(configFile, undefined);
  const [{ name, message }] = made.json.warnings;
  assert.equal(name, 'disk-error');
  assert.ok(
    message.endsWith(
      `give --vault made --root-fingerprint ${rootFingerprint} with each command, or write them into a configuration file`,
    ),
  );
});
