/**
 * `npm run test:clients`: installs what package-lock.json of this folder names when it is not there, runs the tests of this
 * folder and prints which calls of the clients work.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import reporter from '../support/reporter.ts';
import { refusedMark } from './refused.ts';

const folder = import.meta.dirname;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

function readLock(name: string): Lock | undefined {
  const file = path.join(folder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Lock) : undefined;
}

function install(): void {
  const installed = readLock('node_modules/.package-lock.json')?.packages;
  const wanted = readLock('package-lock.json')!.packages;
  if (installed && Object.entries(installed).every(([name, { version }]) => wanted[name]?.version === version)) return;
  const args = ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(1);
}

interface Call {
  readonly file: string;
  readonly call: string;
  readonly worked: boolean;
  readonly why: string;
}

const calls: Call[] = [];

function record(file: string | undefined, title: string, passed: boolean): void {
  if (!/^(?:sf|jsforce|salvor) /.test(title)) return;
  const [call, why] = title.split(refusedMark);
  calls.push({
    file: path.basename(file ?? ''),
    call: call!,
    worked: passed && why === undefined,
    why: passed ? (why ?? '') : `the test failed${why === undefined ? '' : ` (${why})`}`,
  });
}

function table(): string {
  const sorted = calls.toSorted((a, b) => a.file.localeCompare(b.file));
  const width = Math.max(...sorted.map(({ call }) => call.length));
  const lines = sorted.map(({ call, worked, why }) => `${worked ? 'yes' : 'NO '}  ${call.padEnd(width)}  ${why}`);
  const working = calls.filter(({ worked }) => worked).length;
  const total = `${working} of ${calls.length} calls of the sf CLI, SFDMU and jsforce work`;
  return ['', ...lines.map((line) => line.trimEnd()), '', total, ''].join('\n');
}

install();
const files = globSync('*.test.ts', { cwd: folder }).map((file) => path.join(folder, file));
// A child with NODE_TEST_CONTEXT would think that it is a test of another run.
delete process.env.NODE_TEST_CONTEXT;
const results = run({ files, concurrency: 2 });
results.on('test:pass', ({ file, name, nesting }) => {
  if (nesting === 0) record(file, name, true);
});
results.on('test:fail', ({ file, name, nesting }) => {
  process.exitCode = 1;
  if (nesting === 0) record(file, name, false);
});
for await (const text of results.compose(reporter)) process.stdout.write(text);
process.stdout.write(table());
