import { spawn } from 'node:child_process';
import path from 'node:path';
import { compiled } from './compiled.ts';
import type { Ran } from './rig.ts';

const program = path.resolve(import.meta.dirname, '../../bin/salvor.js');

/** Runs `salvor` to its end in a folder, which is its home too, with nothing in the environment but `env`. */
export function runProgram(folder: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const home = { PATH: process.env.PATH ?? '', HOME: folder, XDG_STATE_HOME: path.join(folder, 'state') };
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...home, ...compiled, SALVOR_NO_KEYCHAIN: '1', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, error]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (piece) => out.push(piece));
  child.stderr.on('data', (piece) => error.push(piece));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const stdout = Buffer.concat(out).toString();
      const json = args.includes('--json') && stdout !== '' ? JSON.parse(stdout) : undefined;
      resolve({ status: code ?? 137, stdout, stderr: Buffer.concat(error).toString(), json });
    });
  });
}
