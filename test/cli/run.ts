import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { compiled } from '../support/compiled.ts';

export const project = path.resolve(import.meta.dirname, '../..');
export const salvor = path.join(project, 'bin/salvor.js');
/** A program with commands made for these tests. */
export const toy = path.join(import.meta.dirname, 'toy-program.ts');

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Arguments of Node itself. */
  readonly node?: readonly string[];
  /** The file descriptor that standard output goes to; what is printed is not returned then. */
  readonly stdout?: number;
  /** Is handed the process once it runs. */
  readonly meanwhile?: (child: ChildProcess) => void;
}

/** A folder for the tests of one file, removed at the end. */
export function testFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'salvor-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Runs a program of ours as a process, in an environment that holds nothing of the person who runs the tests. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: options.cwd ?? tmpdir(),
    TMPDIR: process.env.TMPDIR ?? tmpdir(),
    ...compiled,
    SALVOR_NO_KEYCHAIN: '1',
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.node ?? []), program, ...args], {
    env,
    cwd: options.cwd ?? tmpdir(),
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk) => out.push(chunk));
  child.stderr?.on('data', (chunk) => err.push(chunk));
  options.meanwhile?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}
