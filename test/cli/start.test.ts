import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { project, run, salvor, testFolder } from './run.ts';

const folder = testFolder();
const { version } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8'));

/** Modules that a run loads, told by a hook in the process itself. */
async function loadedBy(args: string[]): Promise<string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    import { appendFileSync } from 'node:fs';
    registerHooks({ load(url, context, next) {
      appendFileSync(process.env.LOADED, url + '\\n');
      return next(url, context);
    } });
  `)}`;
  const list = path.join(folder, `loaded-${args.join('-')}`);
  const ran = await run(salvor, args, { cwd: folder, node: ['--import', hook], env: { LOADED: list } });
  assert.equal(ran.status, 0, ran.stderr);
  return readFileSync(list, 'utf8').trim().split('\n');
}

test('--version prints the version and loads nothing', async () => {
  const { status, stdout } = await run(salvor, ['--version']);
  assert.equal(status, 0);
  assert.equal(stdout, `${version}\n`);
  const loaded = (await loadedBy(['--version'])).filter((url) => !url.startsWith('node:'));
  assert.deepEqual(
    loaded.map((url) => path.basename(url)),
    ['salvor.js'],
  );
});

test('what a start compiled is kept in the cache folder of the user alone; without such a folder it is compiled again', async () => {
  const cache = path.join(folder, 'cache');
  const env = { NODE_COMPILE_CACHE: '', XDG_CACHE_HOME: cache };
  const first = await run(salvor, ['list-points', '--help'], { env });
  assert.equal(first.status, 0, first.stderr);
  const kept = path.join(cache, 'salvor/compiled');
  assert.equal(statSync(kept).mode & 0o777, 0o700);
  assert.notEqual(readdirSync(kept, { recursive: true }).length, 0);

  writeFileSync(path.join(folder, 'no-folder'), '');
  // Below /proc nothing can be made, and nothing says so in a way that Node's own folders end at.
  for (const XDG_CACHE_HOME of [path.join(folder, 'no-folder'), '/proc']) {
    const nowhere = await run(salvor, ['list-points', '--help'], { env: { ...env, XDG_CACHE_HOME } });
    assert.deepEqual(nowhere, first);
  }
});

const heavy =
  /@aws-sdk|@smithy|jsforce|undici|age-encryption|keytar|inquirer|ora|zod|src\/(salesforce|practice-org|operations|vault|store|age)\//;

for (const args of [['--help'], ...commands.map(({ name }) => [...name.split(' '), '--help'])]) {
  test(`salvor ${args.join(' ')} loads neither a client, nor a store, nor the practice org`, async () => {
    const loaded = await loadedBy(args);
    assert.ok(loaded.some((url) => url.endsWith('src/cli/main.ts')));
    const beyond = loaded
      .map((url) => url.replaceAll('%20', ' '))
      .filter((url) => heavy.test(url.replace(/^.*node_modules\/([^/]+\/[^/]+).*$/, '$1')));
    assert.deepEqual(beyond, []);
  });
}

test('without a command the help is shown', async () => {
  const { status, stdout } = await run(salvor, []);
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: salvor <command> \[flags\]/);
  for (const { name, summary } of commands)
    if (!name.includes(' ')) assert.ok(stdout.replace(/\s+/g, ' ').includes(summary), name);
});

test('a Node that is too old hears what is missing', async () => {
  const old = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.11.1"}})';
  const { status, stdout, stderr } = await run(salvor, ['--help'], {
    node: ['--import', `data:text/javascript,${old}`],
  });
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /salvor needs Node 22\.19 or newer/);
  assert.match(stderr, /try: install a newer Node/);
});

test('a command ends by itself with its exit code, since process.exit() may hang; what still keeps it is cut off', async () => {
  const before = (code: string) => ({ node: ['--import', `data:text/javascript,${code}`] });
  const ended = await run(salvor, ['bakcup'], before('process.exit=()=>process.abort()'));
  assert.deepEqual([ended.status, ended.stderr.split(':')[0]], [2, 'usage']);
  const kept = await run(salvor, ['bakcup'], before('setInterval(()=>{},9999)'));
  assert.deepEqual(kept, ended);
});

test('every command is declared as the product page wants: lower case summaries, no full stop, no short flag of its own', () => {
  for (const command of commands) {
    for (const text of [command.summary, ...Object.values(command.flags).map(({ summary }) => summary)]) {
      assert.doesNotMatch(text, /\.$/, `${command.name}: ${text}`);
    }
    for (const [name, flag] of Object.entries(command.flags)) {
      assert.match(name, /^[a-z][a-z0-9-]*$/);
      assert.equal(flag.short, undefined, `${command.name} --${name}`);
    }
  }
});
