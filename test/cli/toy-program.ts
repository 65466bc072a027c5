import { existsSync, statSync, writeFileSync } from 'node:fs';
import { defineCommand } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';
import { Fault } from '../../src/errors.ts';

const work = defineCommand({
  name: 'work',
  summary: 'does work that goes as the flags say',
  arguments: { what: { summary: 'what to work on', required: true }, more: { summary: 'more of it' } },
  flags: {
    objects: { value: 'names', kind: 'list', summary: 'a list' },
    tag: { value: 'name', repeatable: true, summary: 'a label', config: false },
    'max-calls': { value: 'number', kind: 'integer', least: 1, default: 5, summary: 'a number' },
    order: { value: 'order', choices: ['up', 'down'], summary: 'a choice' },
    folder: { value: 'folder', kind: 'path', summary: 'a place' },
    'no-files': { summary: 'a switch that begins with no' },
    password: { secret: true, summary: 'a secret' },
    fault: { value: 'name', summary: 'end with this fault beside the result' },
  },
  examples: [{ command: 'toy work hard', summary: 'works hard' }],
  exits: [3],
  async run(ctx, given) {
    ctx.report({ type: 'stage', stage: 'working', total: 1 });
    ctx.report({ type: 'object-started', object: 'Account', way: 'bulk' });
    ctx.report({ type: 'object-finished', object: 'Account', rows: 1234, bytes: 56_000, segments: 1, complete: true });
    ctx.report({ type: 'warning', name: 'odd', message: 'something is odd\u001b[31m' });
    const { password, ...flags } = given.flags;
    const { targetOrg, vault, identity } = ctx.global;
    const temp = { mode: (statSync(ctx.tempDir).mode & 0o777).toString(8), path: ctx.tempDir };
    return {
      result: { ...given.arguments, flags, password: password?.length, global: { targetOrg, vault, identity }, temp },
      human: (paint) => `${paint.good('done')} with ${given.arguments.what}\n${paint.next('toy rest', 'rest')}`,
      ...(flags.fault && {
        fault: new Fault('object-failed', '1 of 2 objects failed', { data: { objects: ['Lead'] } }),
      }),
    };
  },
});

const refuse = defineCommand({
  name: 'refuse',
  summary: 'refuses',
  async run() {
    throw new Fault('foreign-vault', 'the vault is of another org', { cause: new Error('ids differ') });
  },
});

const crash = defineCommand({
  name: 'crash',
  summary: 'has a bug',
  async run() {
    throw new TypeError('no property of 00D000000000001!AQ0AQNotASessionOfAnybody and AGE-SECRET-KEY-1QQQQ');
  },
});

const crashLater = defineCommand({
  name: 'crash-later',
  summary: 'has a bug outside of every promise',
  async run() {
    setTimeout(() => {
      throw new TypeError('thrown from a timer');
    });
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return { result: {} };
  },
});

const wait = defineCommand({
  name: 'wait',
  summary: 'waits for a signal',
  arguments: { trace: { summary: 'file that is told the temp folder', required: true } },
  flags: { stubborn: { summary: 'does not heed it' } },
  async run(ctx, given) {
    writeFileSync(given.arguments.trace, `${ctx.tempDir} ${existsSync(ctx.tempDir)}`);
    ctx.report({ type: 'note', message: 'waiting' });
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, 60_000);
      if (given.flags.stubborn) return;
      ctx.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        // as Node's own functions do
        reject(new DOMException('This operation was aborted', 'AbortError'));
      });
    });
    return { result: {} };
  },
});

const ask = defineCommand({
  name: 'ask',
  summary: 'asks',
  arguments: { how: { summary: 'text or confirm', required: true } },
  async run(ctx, given) {
    if (given.arguments.how === 'text') return { result: { answer: await ctx.prompt.text('your name', '--name') } };
    return { result: { answer: await ctx.prompt.confirm('delete all?', '--confirm') } };
  },
});

const print = defineCommand({
  name: 'print',
  summary: 'prints a lot, then goes on working',
  arguments: { trace: { summary: 'file that is written at the end', required: true } },
  async run(ctx, given) {
    return {
      result: { lines: Array.from({ length: 100_000 }, (_, number) => `line ${number}`) },
      async serve() {
        await new Promise((resolve) => setTimeout(resolve, 50));
        writeFileSync(given.arguments.trace, `worked to the end, aborted: ${ctx.signal.aborted}`);
      },
    };
  },
});

const list = defineCommand({
  name: 'keys list',
  summary: 'a command of a group',
  run: async () => ({ result: { keys: [] } }),
});

process.stdout.on('error', () => {});
process.exit(await main(process.argv.slice(2), process.env, [work, refuse, crash, crashLater, wait, ask, print, list]));
