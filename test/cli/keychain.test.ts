import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** Why the keychain of a desktop cannot be started here; under CI the tests run and fail instead. */
function missing(): { skip?: string } {
  if (process.platform !== 'linux') return { skip: 'the Secret Service is of Linux' };
  if (process.env.CI) return {};
  for (const [program, debianPackage] of [
    ['dbus-run-session', 'dbus'],
    ['gnome-keyring-daemon', 'gnome-keyring'],
  ] as const) {
    const { error } = spawnSync(program, ['--version']);
    if (error) return { skip: `${program} is missing: apt-get install ${debianPackage}` };
  }
  try {
    const keytar = createRequire(import.meta.url).resolve('keytar/package.json');
    if (existsSync(path.join(path.dirname(keytar), 'build/Release/keytar.node'))) return {};
  } catch {
    // the same advice as for a package that is there and was not built
  }
  return { skip: 'keytar is not built: apt-get install libsecret-1-dev && npm rebuild keytar' };
}

const homes: string[] = [];
let home = newHome();
after(() => {
  for (const one of homes) rmSync(one, { recursive: true, force: true, maxRetries: 3 });
});

function newHome(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'salvor-keychain-'));
  homes.push(made);
  return made;
}

/** Runs a module with the exports of secrets.ts in scope, and gives back what its function returns. */
async function run(body: string, session: 'unlocked' | 'locked' | 'none'): Promise<unknown> {
  const secrets = pathToFileURL(path.resolve(import.meta.dirname, '../../src/cli/secrets.ts')).href;
  const script = `
    import { openKeychain, readSecret } from '${secrets}';
    const result = await (async () => { ${body} })();
    console.log(JSON.stringify(result));
  `;
  const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', script];
  const unlock = 'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@"';
  const command = {
    unlocked: ['dbus-run-session', '--', 'bash', '-c', unlock, 'bash', ...node],
    locked: ['dbus-run-session', '--', ...node],
    none: node,
  }[session];
  // a home of its own: no keyring of the person who runs the tests is read or written
  const { DBUS_SESSION_BUS_ADDRESS: _, DISPLAY: __, ...rest } = process.env;
  const env = { ...rest, HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: path.join(home, 'share') };
  const { stdout } = await promisify(execFile)(command[0]!, command.slice(1), { env });
  return JSON.parse(stdout);
}

test('the Secret Service keeps, gives back, lists and deletes secrets', missing(), async () => {
  const body = `
    const keychain = await openKeychain();
    const before = await keychain.list();
    await keychain.set('writer:vault', 'SALVOR-WRITER-KEY-1ÄÖ€');
    await keychain.set('login:org', 'x'.repeat(5000));
    await keychain.set('writer:vault', 'SALVOR-WRITER-KEY-1ÄÖ€2');
    const read = await readSecret({ env: 'NOT_SET', account: 'writer:vault' });
    const long = await keychain.get('login:org');
    const list = await keychain.list();
    const deleted = [await keychain.delete('login:org'), await keychain.delete('login:org')];
    return { before, read, long: long.length, list, deleted, gone: (await keychain.get('login:org')) === undefined };
  `;
  assert.deepEqual(await run(body, 'unlocked'), {
    before: [],
    read: { value: 'SALVOR-WRITER-KEY-1ÄÖ€2', source: 'keychain', warnings: [] },
    long: 5000,
    list: ['login:org', 'writer:vault'],
    deleted: [true, false],
    gone: true,
  });
});

test('a secret is still there in the next session', missing(), async () => {
  const read = (account: string) => `return (await readSecret({ account: '${account}' })).value ?? null;`;
  await run(`await (await openKeychain()).set('kept', 'as it was'); return true;`, 'unlocked');
  assert.equal(await run(read('kept'), 'unlocked'), 'as it was');
  assert.equal(await run(read('never stored'), 'unlocked'), null);
});

const failing = `
  const fault = await openKeychain().then(() => 'no fault', (error) => error.name);
  const told = await readSecret({ account: 'writer' });
  process.env.KEY = 'from env';
  const other = await readSecret({ env: 'KEY', account: 'writer' });
  return { fault, told: told.keychain?.name, other: other.value };
`;
const told = { fault: 'keychain-unavailable', told: 'keychain-unavailable', other: 'from env' };

test('without a session bus the keychain is unavailable and other places work', missing(), async () => {
  assert.deepEqual(await run(failing, 'none'), told);
});

test('a locked keyring is unavailable, not empty, and other places work', missing(), async () => {
  await run(`await (await openKeychain()).set('writer', 'as it was'); return true;`, 'unlocked');
  assert.deepEqual(await run(failing, 'locked'), told);
  assert.equal(await run(`return (await readSecret({ account: 'writer' })).value;`, 'unlocked'), 'as it was');
});

test('a session without any keyring is unavailable and other places work', missing(), async () => {
  // the daemon of the session before may still be writing into the old home
  home = newHome();
  assert.deepEqual(await run(failing, 'locked'), told);
});
