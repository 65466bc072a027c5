import { execFileSync, spawnSync } from 'node:child_process';

/** Reason to skip a test that needs these programs, or false. In CI nothing may be missing. */
export function without(...programs: string[]): string | false {
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (missing.length === 0) return false;
  if (process.env.CI) throw new Error(`missing in CI: ${missing.join(', ')}`);
  return `needs ${missing.join(', ')}`;
}

/** Runs a program with input and returns what it printed; throws when it fails. */
export function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'pipe'] });
}
