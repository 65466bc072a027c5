import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run, salvor, testFolder } from './run.ts';

const folder = testFolder();

/** Starts the command, looks at its document, and ends it with a signal. */
async function withOrg(args: string[], look: (result: Record<string, string>) => Promise<void>) {
  let told: Promise<void> | undefined;
  const meanwhile = (child: ChildProcess) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (!text.endsWith('\n}\n')) return;
      told = look(JSON.parse(text).result).finally(() => child.kill('SIGINT'));
    });
  };
  const ran = await run(salvor, ['practice-org', '--json', ...args], { cwd: folder, meanwhile });
  assert.ok(told, ran.stderr);
  await told;
  return ran;
}

async function query(org: Record<string, string>, soql: string) {
  const url = `${org.url}/services/data/v67.0/query?q=${encodeURIComponent(soql)}`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${org.accessToken}` } });
  assert.equal(answer.status, 200);
  return (await answer.json()) as { totalSize: number; records: Record<string, unknown>[] };
}

test('the practice org runs until a signal ends it, and that is no failure', async () => {
  const ran = await withOrg(['--scale', 'Account=30000', '--scale', 'Lead=7'], async (org) => {
    assert.equal((await query(org, 'SELECT COUNT() FROM Account')).totalSize > 25_000, true);
    assert.deepEqual(org.environment, { SF_ORG_INSTANCE_URL: org.url, SF_ACCESS_TOKEN: org.accessToken });
  });
  assert.equal(ran.status, 0);
});

test('the same seed gives the same org, another seed another', async () => {
  const names: string[] = [];
  for (const seed of ['5', '5', '6']) {
    await withOrg(['--seed', seed], async (org) => {
      const { records } = await query(org, 'SELECT Name FROM Account ORDER BY Id LIMIT 20');
      names.push(records.map(({ Name }) => Name).join());
    });
  }
  assert.equal(names[0], names[1]);
  assert.notEqual(names[0], names[2]);
});

test('it prints the lines to paste', async () => {
  const { stdout } = await run(salvor, ['practice-org'], {
    cwd: folder,
    meanwhile: (child) => child.stdout!.once('data', () => child.kill('SIGTERM')),
  });
  assert.match(stdout, /practice org at http:\/\/127\.0\.0\.1:\d+: \d+ objects, [\d,]+ rows/);
  if (process.platform !== 'win32') assert.match(stdout, /^export SF_ACCESS_TOKEN='00D[^']+'$/m);
});

test('what it cannot do is refused by name', async () => {
  mkdirSync(path.join(folder, 'empty'), { recursive: true });
  const cases: [string[], RegExp][] = [
    [['--scale', 'Account'], /--scale wants Object=rows/],
    [['--describes', 'nowhere'], /there is no folder nowhere/],
    [['--describes', 'empty', '--scale', 'Account=1'], /belong to the sample org/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = await run(salvor, ['practice-org', ...args], { cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
});
