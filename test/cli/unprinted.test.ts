import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { project, type Ran, run, salvor, testFolder, toy } from './run.ts';

const folder = testFolder();
const skip = existsSync('/dev/full') ? false : 'there is no /dev/full here';

/** Runs a program whose standard output is a device that is full. */
async function intoFull(program: string, ...args: string[]): Promise<Ran> {
  const stdout = openSync('/dev/full', 'w');
  try {
    return await run(program, args, { cwd: folder, stdout });
  } finally {
    closeSync(stdout);
  }
}

function unprinted(exit: number): string {
  return (
    `disk-full: the result could not be printed: ENOSPC; the command itself ended with ${exit}\n` +
    '  try: see where standard output leads; what the command did is done\n'
  );
}

describe('a result that cannot be printed', { skip }, () => {
  test('is exit code 74 and said on standard error, in every form', async () => {
    for (const form of [[], ['--json'], ['--events', '-']]) {
      const { status, stderr } = await intoFull(toy, 'work', 'hard', '--quiet', ...form);
      assert.equal(status, 74, form.join(' '));
      assert.ok(stderr.endsWith(unprinted(0)), stderr);
      assert.doesNotMatch(stderr, /bug|at file:/);
    }
  });

  test('leaves the exit code of a command that failed by itself', async () => {
    const partly = await intoFull(toy, 'work', 'hard', '--quiet', '--json', '--fault', 'x');
    assert.equal(partly.status, 3);
    assert.match(partly.stderr, /^object-failed: 1 of 2 objects failed$/m);
    assert.ok(partly.stderr.endsWith(unprinted(3)), partly.stderr);
    const refused = await intoFull(toy, 'refuse', '--json');
    assert.equal(refused.status, 5);
    assert.ok(refused.stderr.endsWith(unprinted(5)), refused.stderr);
  });

  test('is nothing to a command that has nothing to print', async () => {
    const { status, stderr } = await intoFull(toy, 'refuse');
    assert.equal(status, 5);
    assert.doesNotMatch(stderr, /could not be printed/);
  });

  test('may be the help or the version', async () => {
    const help = await intoFull(salvor, 'backup', '--help');
    assert.equal(help.status, 74);
    assert.equal(help.stderr, unprinted(0));
    const version = await intoFull(salvor, '--version');
    assert.equal(version.status, 74);
    assert.equal(version.stderr, 'disk-error: the version could not be printed: ENOSPC\n');
  });

  test('does not keep a server from its work, and is told when that ends', async () => {
    const trace = path.join(folder, 'trace');
    const { status, stderr } = await intoFull(toy, 'print', trace);
    assert.ok(existsSync(trace));
    assert.equal(status, 74);
    assert.equal(stderr, unprinted(0));
  });
});

test('a file that takes only the beginning of the result is a result that was not printed', {
  skip: process.platform === 'win32',
}, () => {
  const file = path.join(folder, 'short');
  const line = 'ulimit -f 1; exec "$0" "$1" print "$2" --json > "$3"';
  const { status, stderr } = spawnSync('bash', ['-c', line, process.execPath, toy, path.join(folder, 'none'), file], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: '1' },
  });
  assert.equal(statSync(file).size, 1024);
  assert.equal(status, 74, stderr);
  assert.match(stderr, /^disk-error: the result could not be printed: EFBIG; the command itself ended with 0$/m);
});

test('a reader who goes away leaves the command its own exit code', async () => {
  const { status, stderr } = await run(salvor, ['--help'], {
    cwd: folder,
    meanwhile: (child) => child.stdout!.destroy(),
  });
  assert.equal(status, 0);
  assert.equal(stderr, '');
});
