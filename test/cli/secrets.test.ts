import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { type Keytar, openKeychain, readSecret, readSecretFile, service } from '../../src/cli/secrets.ts';
import { type Fault, isFault } from '../../src/errors.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'salvor-secrets-'));
after(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string, mode = 0o600): string {
  const at = path.join(dir, name);
  writeFileSync(at, text);
  chmodSync(at, mode);
  return at;
}

/** A keychain in memory, which counts how often it was loaded. */
function memory(secrets: Record<string, string> = {}) {
  const stored = new Map(Object.entries(secrets));
  const keychain = { loads: 0, stored, load };
  const keytar: Keytar = {
    getPassword: async (_, account) => stored.get(account) ?? null,
    setPassword: async (_, account, secret) => void stored.set(account, secret),
    deletePassword: async (_, account) => stored.delete(account),
    findCredentials: async () => [...stored].map(([account, password]) => ({ account, password })),
  };
  async function load() {
    keychain.loads += 1;
    return keytar;
  }
  return keychain;
}

const posix = process.platform === 'win32' ? { skip: 'file modes are a POSIX matter' } : {};

test('a secret is taken from the flag, then the environment, then its file, then the keychain', async () => {
  const flag = file('flag', 'from flag\n');
  const named = file('named', 'from env file\r\n');
  const keychain = memory({ writer: 'from keychain' });
  const places = { file: flag, env: 'KEY', fileEnv: 'KEY_FILE', account: 'writer' };
  const environment = { KEY: 'from env', KEY_FILE: named };
  const read = async (without: string[]) => {
    const left = Object.fromEntries(Object.entries(places).filter(([name]) => !without.includes(name)));
    const { value, source } = await readSecret(left, environment, keychain.load);
    return { value, source };
  };
  assert.deepEqual(await read([]), { value: 'from flag', source: flag });
  assert.deepEqual(await read(['file']), { value: 'from env', source: '$KEY' });
  assert.deepEqual(await read(['file', 'env']), { value: 'from env file', source: named });
  assert.equal(keychain.loads, 0, 'the keychain is not touched while another place has the secret');
  assert.deepEqual(await read(['file', 'env', 'fileEnv']), { value: 'from keychain', source: 'keychain' });
  assert.equal(keychain.loads, 1);
  assert.deepEqual(await read(['file', 'env', 'fileEnv', 'account']), { value: undefined, source: undefined });
});

test('an empty variable counts as unset, and nothing anywhere is no fault', async () => {
  const keychain = memory({ writer: 'from keychain' });
  const places = { env: 'KEY', fileEnv: 'KEY_FILE', account: 'writer' };
  assert.equal((await readSecret(places, { KEY: '', KEY_FILE: '' }, keychain.load)).value, 'from keychain');
  const nothing = await readSecret({ ...places, account: 'other' }, {}, keychain.load);
  assert.deepEqual(nothing, { value: undefined, source: undefined, warnings: [] });
});

test('a file that others may read is read with a warning', posix, async () => {
  const open = file('open', 'secret', 0o644);
  assert.deepEqual(await readSecret({ file: open }, {}), {
    value: 'secret',
    source: open,
    warnings: [`${open} can be read by others (0644); run: chmod 600 ${open}`],
  });
  assert.deepEqual((await readSecretFile(file('closed', 'secret', 0o400))).warnings, []);
  assert.equal((await readSecretFile(file('group', 'secret', 0o640))).warnings.length, 1);
});

test('a file that is missing, a folder or too long is a fault that names it', async () => {
  mkdirSync(path.join(dir, 'folder'));
  const cases = [
    ['missing', /^there is no file .*missing$/],
    ['folder', /folder is a folder: a file with a key was expected$/],
    ['long', /long is too long: a file with a key was expected$/],
  ] as const;
  file('long', 'x'.repeat(1024 * 1024 + 1));
  for (const [name, message] of cases) {
    await assert.rejects(readSecret({ fileEnv: 'F' }, { F: path.join(dir, name) }), (error) => {
      assert.ok(isFault(error, 'usage'));
      assert.match((error as Fault).message, message);
      return true;
    });
  }
});

test('opening the keychain proves it and leaves no probe behind', async () => {
  const keychain = memory({ b: '2' });
  const opened = await openKeychain(keychain.load);
  await opened.set('a', '1');
  assert.deepEqual(await opened.list(), ['a', 'b']);
  assert.equal(await opened.get('a'), '1');
  assert.equal(await opened.delete('a'), true);
  assert.equal(await opened.delete('a'), false);
  assert.equal(await opened.get('a'), undefined);
  assert.deepEqual([...keychain.stored.keys()], ['b']);
  assert.equal(service, 'salvor');
});

test('a keychain that forgets what was stored is refused', async () => {
  const forgetful: Keytar = {
    getPassword: async () => null,
    setPassword: async () => {},
    deletePassword: async () => false,
    findCredentials: async () => [],
  };
  await assert.rejects(
    openKeychain(async () => forgetful),
    (error) => {
      assert.ok(isFault(error, 'keychain-unavailable'));
      const expected = 'the keychain of this system cannot be used: it does not give back what was stored in it';
      assert.equal((error as Fault).message, expected);
      return true;
    },
  );
});

test('a keychain that fails is told and not thrown when a secret is looked up', async () => {
  const broken = async (): Promise<Keytar> => {
    throw new Error('Cannot autolaunch D-Bus without X11 $DISPLAY');
  };
  const { value, keychain } = await readSecret({ env: 'KEY', account: 'writer' }, {}, broken);
  assert.equal(value, undefined);
  assert.ok(isFault(keychain, 'keychain-unavailable'));
  assert.match(keychain.message, /Cannot autolaunch D-Bus/);
  assert.match(keychain.actions.join(), /file or an environment variable/);
});

test('without keytar installed, environment and files work and the keychain says what is missing', async () => {
  // away from the project, so that no node_modules is found
  const src = path.resolve(import.meta.dirname, '../../src');
  mkdirSync(path.join(dir, 'src/cli'), { recursive: true });
  for (const name of ['errors.ts', 'cli/secrets.ts']) cpSync(path.join(src, name), path.join(dir, 'src', name));
  writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  const script = `
    import { openKeychain, readSecret } from './src/cli/secrets.ts';
    const found = await readSecret({ env: 'KEY', account: 'writer' });
    const missing = await readSecret({ env: 'NOT_SET', account: 'writer' });
    const opened = await openKeychain().catch((fault) => fault);
    console.log(JSON.stringify([found.value, missing.keychain.name, opened.name, opened.message, opened.actions]));
  `;
  writeFileSync(path.join(dir, 'script.ts'), script);
  const env = { ...process.env, KEY: 'secret', NODE_PATH: '' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', 'script.ts'], { cwd: dir, env });
  assert.deepEqual(JSON.parse(stdout), [
    'secret',
    'keychain-unavailable',
    'keychain-unavailable',
    'the keychain of this system cannot be used: the optional package keytar is not installed or was not built here',
    [
      'use a file or an environment variable instead: for every secret there is one, see `salvor --help`',
      'or install keytar; on Debian it needs libsecret-1-dev to build and libsecret-1-0 to run',
    ],
  ]);
  assert.equal(readFileSync(path.join(dir, 'src/cli/secrets.ts'), 'utf8').includes("from 'keytar'"), false);
});
