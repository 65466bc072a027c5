import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run, testFolder, toy } from './run.ts';

const folder = testFolder();

async function json(args: string[], options: Parameters<typeof run>[2] = {}) {
  const ran = await run(toy, [...args, '--json'], { cwd: folder, ...options });
  return { status: ran.status, document: JSON.parse(ran.stdout), stderr: ran.stderr };
}

test('flags reach a command with their types, wherever they stand', async () => {
  const args = [
    '-o',
    'prod',
    'work',
    'hard',
    '--objects',
    'Account, Contact',
    '--tag',
    'a',
    '--tag=b',
    '--order',
    'up',
  ];
  const { status, document } = await json([
    ...args,
    '--no-files',
    '--max-calls',
    '7',
    '--identity',
    'k1',
    '--identity',
    'k2',
  ]);
  assert.equal(status, 0);
  assert.equal(document.status, 0);
  assert.deepEqual(document.result.flags, {
    objects: ['Account', 'Contact'],
    tag: ['a', 'b'],
    maxCalls: 7,
    order: 'up',
    noFiles: true,
  });
  assert.deepEqual(document.result.global, { targetOrg: 'prod', identity: ['k1', 'k2'] });
  assert.equal(document.result.what, 'hard');
  assert.equal('name' in document, false);
});

test('without a flag, its default stands, lists are empty and switches off', async () => {
  const { document } = await json(['work', 'hard', 'more']);
  assert.deepEqual(document.result.flags, { objects: [], tag: [], maxCalls: 5, noFiles: false });
  assert.equal(document.result.more, 'more');
});

test('the command line wins over the environment, which wins over the config file', async () => {
  const home = path.join(folder, 'salvor.config.json');
  writeFileSync(
    home,
    JSON.stringify({ vault: './v', work: { maxCalls: 1, order: 'up', objects: ['A'], folder: 'f' } }),
  );
  try {
    const env = { SALVOR_MAX_CALLS: '2', SALVOR_OBJECTS: 'B,C', SALVOR_NO_FILES: 'true', SF_TARGET_ORG: 'uat' };
    const { document } = await json(['work', 'hard', '--max-calls', '3'], { env });
    assert.deepEqual(document.result.flags, {
      objects: ['B', 'C'],
      tag: [],
      maxCalls: 3,
      order: 'up',
      folder: path.join(folder, 'f'),
      noFiles: true,
    });
    assert.deepEqual(document.result.global, { targetOrg: 'uat', vault: path.join(folder, 'v'), identity: [] });
  } finally {
    writeFileSync(home, '{}');
  }
});

test('a secret comes from the environment and is refused on the command line', async () => {
  const { document } = await json(['work', 'hard'], { env: { SALVOR_PASSWORD: 'twelve chars' } });
  assert.equal(document.result.password, 12);
  const refused = await json(['work', 'hard', '--password', 'hunter2']);
  assert.equal(refused.status, 2);
  assert.equal(refused.document.name, 'usage');
  assert.deepEqual(refused.document.actions, ['set SALVOR_PASSWORD']);
  assert.doesNotMatch(JSON.stringify(refused.document) + refused.stderr, /hunter2/);
});

test('what cannot be understood is a usage error that says what would be right', async () => {
  const cases: [string[], RegExp, RegExp?][] = [
    [['wrok', 'hard'], /unknown command 'wrok'/, /Did you mean work/],
    [['work', 'hard', '--tga', 'x'], /unknown option '--tga'/, /Did you mean --tag/],
    [['work'], /missing required argument 'what'/],
    [['work', 'a', 'b', 'c'], /too many arguments/],
    [['work', 'a', '--max-calls', 'few'], /--max-calls has to be a whole number, not "few"/],
    [['work', 'a', '--max-calls', '-1'], /--max-calls has to be a whole number/],
    [['work', 'a', '--max-calls', '0'], /--max-calls has to be 1 at least/],
    [['work', 'a', '--order', 'upp'], /--order cannot be "upp"/, /did you mean up/],
    [['keys'], /keys wants one of list/],
    [[], /^no command is given$/, /salvor --help/],
    [['work', 'a', '--config', 'nowhere.json'], /there is no configuration file nowhere.json/],
    [['work', 'a', '--config', '.'], /there is no configuration file \./],
  ];
  for (const [args, message, action] of cases) {
    const { status, document, stderr } = await json(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(document.status, 2);
    assert.equal(document.name, 'usage');
    assert.match(document.message, message);
    assert.match(document.actions.join('\n'), action ?? /./);
    assert.equal('result' in document, false);
    assert.match(stderr, /^usage: /);
  }
  const variable = await json(['work', 'hard'], { env: { SALVOR_NO_FILES: 'perhaps' } });
  assert.match(variable.document.message, /SALVOR_NO_FILES has to be true or false, not "perhaps"/);
});

test('a command of a group is two words', async () => {
  assert.deepEqual((await json(['keys', 'list'])).document, { status: 0, result: { keys: [] }, warnings: [] });
});

test('standard output holds the result alone, progress and warnings go to standard error', async () => {
  const { status, stdout, stderr } = await run(toy, ['work', 'hard'], { cwd: folder });
  assert.equal(status, 0);
  assert.equal(stdout, 'done with hard\nnext: toy rest   rest\n');
  assert.equal(stderr, 'working (1)\nAccount: 1,234 rows, 56 kB\nwarning: something is odd [31m\n');
});

test('--quiet leaves warnings only', async () => {
  const { stderr } = await run(toy, ['work', 'hard', '--quiet'], { cwd: folder });
  assert.equal(stderr, 'warning: something is odd [31m\n');
});

test('work that was done in part has a result and a fault', async () => {
  const { status, document, stderr } = await json(['work', 'hard', '--fault', 'x']);
  assert.equal(status, 3);
  assert.equal(document.status, 3);
  assert.equal(document.name, 'object-failed');
  assert.equal(document.message, '1 of 2 objects failed');
  assert.equal(document.actions.length, 1);
  assert.deepEqual(document.data, { objects: ['Lead'] });
  assert.equal(document.result.what, 'hard');
  assert.deepEqual(document.warnings, [{ name: 'odd', message: 'something is odd\u001b[31m' }]);
  assert.match(stderr, /object-failed: 1 of 2 objects failed\n {2}try: /);
});

test('a fault is one sentence with its actions, and --verbose tells the causes', async () => {
  const { status, stdout, stderr } = await run(toy, ['refuse'], { cwd: folder });
  assert.equal(status, 5);
  assert.equal(stdout, '');
  assert.equal(
    stderr,
    'foreign-vault: the vault is of another org\n' +
      '  try: this vault belongs to another org; choose another --vault or --target-org\n',
  );
  assert.match((await run(toy, ['refuse', '--verbose'], { cwd: folder })).stderr, /\n {2}because ids differ\n/);
});

test('a bug exits 1 with stack, versions and where to report it, and without secrets', async () => {
  const { status, document, stderr } = await json(['crash']);
  assert.equal(status, 1);
  assert.equal(document.name, 'bug');
  assert.match(document.stack, /toy-program\.ts/);
  assert.match(document.versions.join(' '), /salvor \d+\.\d+\.\d+ node v\d+/);
  assert.match(document.actions[0], /report this/);
  assert.match(stderr, /^bug: /);
  assert.doesNotMatch(JSON.stringify(document) + stderr, /NotASession|1QQQQ/);
});

test('an error outside of every promise is a bug too, and leaves no temp folder', async () => {
  const { status, document } = await json(['crash-later'], { env: { TMPDIR: folder } });
  assert.equal(status, 1);
  assert.equal(document.message, 'thrown from a timer');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`the first ${signal} stops the work with exit code 130 and removes the temp folder`, async () => {
    const trace = path.join(folder, `trace-${signal}`);
    const { status, document, stderr } = await json(['wait', trace], {
      meanwhile: (child) => child.stderr!.once('data', () => child.kill(signal)),
    });
    assert.equal(status, 130);
    assert.equal(document.name, 'interrupted');
    assert.equal(document.message, `stopped by ${signal}`);
    assert.match(stderr, new RegExp(`${signal}: stopping; once more ends at once`));
    const [temp, existed] = readFileSync(trace, 'utf8').split(' ');
    assert.equal(existed, 'true');
    assert.equal(existsSync(temp!), false);
  });
}

test('a second signal ends the process at once, temp folder removed', async () => {
  const trace = path.join(folder, 'trace-second');
  const { status } = await run(toy, ['wait', trace, '--stubborn'], {
    cwd: folder,
    meanwhile: (child) => {
      let heard = '';
      child.stderr!.on('data', (chunk) => {
        heard += chunk;
        child.kill(heard.includes('stopping') ? 'SIGTERM' : 'SIGINT');
      });
    },
  });
  assert.equal(status, 130);
  assert.equal(existsSync(readFileSync(trace, 'utf8').split(' ')[0]!), false);
});

test('the temp folder of a run is private and gone afterwards', async () => {
  const { document } = await json(['work', 'hard']);
  if (process.platform !== 'win32') assert.equal(document.result.temp.mode, '700');
  assert.equal(existsSync(document.result.temp.path), false);
});

test('where nobody can be asked, a question names the flag that answers it', async () => {
  const text = await json(['ask', 'text']);
  assert.equal(text.status, 2);
  assert.equal(text.document.message, '--name is needed: there is nobody to ask');
  const confirm = await json(['ask', 'confirm']);
  assert.equal(confirm.status, 5);
  assert.equal(confirm.document.name, 'confirmation-missing');
  assert.match(confirm.document.actions[0], /confirm with --confirm; --json alone never approves a write/);
});

test('a reader who goes away does not stop the work', async () => {
  const trace = path.join(folder, 'trace-pipe');
  const { status, stderr } = await run(toy, ['print', trace], {
    cwd: folder,
    meanwhile: (child) => child.stdout!.once('data', () => child.stdout!.destroy()),
  });
  assert.equal(readFileSync(trace, 'utf8'), 'worked to the end, aborted: false');
  assert.equal(status, 0);
  assert.equal(stderr, '');
});

test('--events writes a line of JSON for each event and ends with the document', async () => {
  const file = path.join(folder, 'events.ndjson');
  const { document } = await json(['work', 'hard', '--events', file]);
  const events = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type }) => type),
    ['stage', 'object-started', 'object-finished', 'warning', 'result'],
  );
  assert.ok(events.every(({ time }) => !Number.isNaN(Date.parse(time))));
  const { time: _, type: __, ...last } = events.at(-1);
  assert.deepEqual(last, document);
});

test('--events - makes standard output one stream of events, text goes to standard error', async () => {
  const { stdout, stderr } = await run(toy, ['work', 'hard', '--events', '-', '--quiet'], { cwd: folder });
  const types = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).type);
  assert.deepEqual(types, ['stage', 'object-started', 'object-finished', 'warning', 'result']);
  assert.match(stderr, /done with hard/);
  const both = await run(toy, ['work', 'hard', '--events', '-', '--json'], { cwd: folder });
  assert.equal(both.status, 2);
  assert.match(both.stderr, /--json and --events - both want standard output/);
});

test('events that cannot be written are told before the work begins', async () => {
  const { status, document } = await json(['work', 'hard', '--events', path.join(folder, 'no', 'where')]);
  assert.equal(status, 74);
  assert.equal(document.name, 'disk-error');
});

test('help explains a command from its declaration', async () => {
  const { status, stdout, stderr } = await run(toy, ['work', '--help'], { cwd: folder });
  assert.equal(status, 0);
  assert.equal(stderr, '');
  for (const part of [
    'Usage: salvor work <what> [more] [flags]',
    'does work that goes as the flags say',
    '--max-calls <number>',
    'default 5',
    'one of up, down',
    'SALVOR_PASSWORD  a secret',
    'toy work hard',
    'Exit codes: 0 ok, 1 bug, 2 usage, 3 partial, 74 unavailable, 130 interrupted',
    '-o, --target-org <alias or username>',
  ]) {
    assert.ok(stdout.includes(part), part);
  }
  assert.doesNotMatch(stdout, /--password/);
});
