import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { sampleDatabase } from '../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../src/practice-org/server.ts';
import { project, salvor, testFolder } from './cli/run.ts';
import { compiled } from './support/compiled.ts';
import { generatedFiles } from './support/generated.ts';

for (const { file, expected, actual } of generatedFiles()) {
  test(`${file} says what the code says (npm run readme writes it)`, () => {
    assert.equal(actual, expected);
  });
}

interface Line {
  readonly command: string;
  /** From a comment at its end: `# exit 3`. */
  readonly exit: number;
}

/** Lines after `$ ` in the shell blocks that are marked: a comment `<!-- runnable -->` stands above the block. */
function runnableLines(): Line[] {
  const readme = readFileSync(path.join(project, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/<!-- runnable -->\n+```\w*\n([\s\S]*?)```/g)].map(([, text]) => text!);
  return blocks.flatMap((block) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.startsWith('$ '))
      .map((line) => ({ command: line.slice(2), exit: Number(/#.*\bexit (\d+)/.exec(line)?.[1] ?? 0) })),
  );
}

const folder = testFolder();
let org: PracticeOrg;
before(async () => {
  org = await startPracticeOrg(sampleDatabase());
});
after(() => org.close());

interface Shell {
  run(command: string): Promise<number>;
  /** What was printed since the last call. */
  said(): string;
  end(): void;
}

/** One shell for all lines, so that what one line exports the next one has. */
function openShell(): Shell {
  const programs = path.join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(path.join(programs, 'salvor'), `#!/bin/sh\nexec '${process.execPath}' '${salvor}' "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    PATH: `${programs}${path.delimiter}${process.env.PATH}`,
    HOME: folder,
    ...compiled,
    SALVOR_NO_KEYCHAIN: '1',
    SF_ACCESS_TOKEN: org.accessToken,
    SF_ORG_INSTANCE_URL: org.url,
    ...(process.env.CI && { CI: process.env.CI }),
  };
  const cwd = path.join(folder, 'work');
  mkdirSync(cwd);
  const shell = spawn('bash', ['--noprofile', '--norc'], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk) => (printed += chunk));
  return {
    run(command) {
      return new Promise((resolve, reject) => {
        shell.once('error', reject);
        const look = () => {
          const status = /\nexit code of the line: (\d+)\n/.exec(printed)?.[1];
          if (status === undefined) return;
          shell.stdout.off('data', look);
          shell.off('error', reject);
          resolve(Number(status));
        };
        shell.stdout.on('data', look);
        shell.stdin.write(`${command}\nprintf '\\nexit code of the line: %s\\n' $?\n`);
      });
    },
    said() {
      const text = printed;
      printed = '';
      return text;
    },
    end: () => void shell.kill(),
  };
}

test('the shell lines of the README do what it says, in order, against the practice org', async (t) => {
  const lines = runnableLines();
  assert.ok(lines.length > 0);
  const shell = openShell();
  t.after(() => shell.end());
  for (const { command, exit } of lines) {
    const status = await shell.run(command);
    assert.equal(status, exit, `$ ${command}\n${shell.said()}`);
    shell.said();
  }
});

test('what the README points to is there', () => {
  const readme = readFileSync(path.join(project, 'README.md'), 'utf8');
  for (const [, target] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
    assert.doesNotThrow(() => readFileSync(path.join(project, target!)), target);
  }
});
