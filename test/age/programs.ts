import { spawnSync } from 'node:child_process';

/**
 * Options for a test that needs a program of a Debian package: it is skipped when the program is missing,
 * except under CI, where it runs and fails.
 */
export function needs(program: string, debianPackage: string): { skip?: string } {
  const missing = spawnSync(program, ['--version']).error !== undefined;
  if (!missing || process.env.CI) return {};
  return { skip: `${program} is missing: apt-get install ${debianPackage}` };
}
