import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { without } from '../support/tools.ts';
import { testFolder, toy } from './run.ts';

const folder = testFolder();
const skip = process.platform === 'linux' ? without('script', 'stty') : 'script(1) of Linux is needed';

/** Runs the toy program on a terminal of this width; 0: one that has none, as some containers give. Types `keys` when `prompt` shows. */
function onTerminal(width: number, args: string, typed?: { prompt: RegExp; keys: string }) {
  const { CI: _, NO_COLOR: __, ...env } = process.env;
  const command = `stty cols ${width}; '${process.execPath}' '${toy}' ${args}`;
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    cwd: folder,
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh', HOME: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let answered = false;
  child.stdout.on('data', (chunk) => {
    shown += chunk;
    if (!typed || answered || !typed.prompt.test(shown)) return;
    answered = true;
    child.stdin.write(typed.keys);
  });
  return new Promise<{ status: number | null; shown: string; plain: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, shown, plain: stripVTControlCharacters(shown).replaceAll('\r', '') });
    });
  });
}

test('on a terminal a bar moves, and the stage leaves its figures', { skip }, async () => {
  const { status, shown, plain } = await onTerminal(100, 'work hard');
  assert.equal(status, 0);
  assert.match(plain, /working {2}░{20} 0\/1/);
  assert.match(plain, /✔ working {2}1 object, 1,234 rows, 56 kB/);
  assert.ok(shown.includes('\u001b[32mdone\u001b[39m with hard'));
  assert.equal(shown.lastIndexOf('\u001b[?25h') > shown.lastIndexOf('\u001b[?25l'), true, 'the cursor is back');
});

test('a terminal without a width gets quiet lines', { skip }, async () => {
  const { status, plain } = await onTerminal(0, 'work hard');
  assert.equal(status, 0);
  assert.match(plain, /^Account: 1,234 rows, 56 kB$/m);
});

test('--no-color leaves the colours away', { skip }, async () => {
  const { shown } = await onTerminal(0, 'work hard --no-color');
  assert.ok(!shown.includes('\u001b['));
});

test('a person on a terminal is asked', { skip }, async () => {
  const yes = await onTerminal(100, 'ask confirm --json', { prompt: /delete all\?/, keys: 'y\r' });
  assert.equal(yes.status, 0);
  assert.match(yes.plain, /"answer": true/);
  const name = await onTerminal(100, 'ask text --json', { prompt: /your name/, keys: 'Ada\r' });
  assert.match(name.plain, /"answer": "Ada"/);
});

test('Ctrl-C at a question is an interruption', { skip }, async () => {
  const { status, plain } = await onTerminal(100, 'ask text', { prompt: /your name/, keys: '\u0003' });
  assert.equal(status, 130);
  assert.match(plain, /interrupted: stopped at a question/);
});

test('Ctrl-C while work goes on stops it', { skip }, async () => {
  const { status, plain } = await onTerminal(100, 'wait trace', { prompt: /waiting/, keys: '\u0003' });
  assert.equal(status, 130);
  assert.match(plain, /interrupted: stopped by SIGINT/);
});

test('with --no-prompt nobody is asked, on a terminal either', { skip }, async () => {
  const { status, plain } = await onTerminal(100, 'ask text --no-prompt');
  assert.equal(status, 2);
  assert.match(plain, /--name is needed/);
});
