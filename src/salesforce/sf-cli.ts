import { execFile } from 'node:child_process';
import { Fault, systemCode } from '../errors.ts';
import { checkedOrigin } from './hosts.ts';
import type { Grant } from './session.ts';

/** Runs `sf` with these arguments; resolves with what it printed, whatever its exit code. Rejects when it cannot be started. */
export type RunSf = (args: readonly string[], signal: AbortSignal) => Promise<string>;

const runSf: RunSf = (args, signal) =>
  new Promise((resolve, reject) => {
    // On Windows `sf` is a .cmd file, which only a shell can start.
    const shell = process.platform === 'win32';
    const options = { signal, shell, timeout: 120_000, maxBuffer: 16 * 1024 * 1024, windowsHide: true };
    execFile('sf', [...args], options, (error, stdout) => {
      if (error && (systemCode(error) === 'ENOENT' || signal.aborted || stdout.trim() === '')) reject(error);
      else resolve(stdout);
    });
  });

interface SfAnswer {
  readonly status?: number;
  readonly name?: string;
  readonly message?: string;
  readonly result?: Record<string, unknown>;
}

/**
 * The login that the `sf` CLI holds for an alias or username. The CLI renews the token itself each time it is asked.
 * Newer CLIs show the token only through `org auth show-access-token`; older ones only through `org display` (field guide,
 * extract 1.7). Throws `login-failed`.
 */
export async function grantOfSf(alias: string, signal: AbortSignal, run: RunSf = runSf): Promise<Grant> {
  if (!/^[\w.@+-]+$/.test(alias) || alias.startsWith('-')) {
    throw new Fault('login-failed', 'The name of the org is not an alias or username of the sf CLI.');
  }
  const display = await ask(run, ['org', 'display', '--target-org', alias, '--json'], signal);
  if (!display.result) {
    throw new Fault('login-failed', `The sf CLI does not know a usable org ${alias}.`, {
      actions: ['see `sf org list`, and log in again with `sf org login`'],
      data: { name: display.name },
    });
  }
  const shown = await ask(run, ['org', 'auth', 'show-access-token', '--target-org', alias, '--json'], signal);
  const accessToken = [shown.result?.accessToken, display.result.accessToken].find(isToken);
  if (!accessToken) {
    throw new Fault('login-failed', `The sf CLI does not show the access token of ${alias}.`, {
      actions: ['update the CLI with `sf update`, and see `sf org auth show-access-token`'],
    });
  }
  const { instanceUrl, id } = display.result;
  if (typeof instanceUrl !== 'string') {
    throw new Fault('login-failed', `The sf CLI does not show the instance URL of ${alias}.`);
  }
  return { accessToken, instanceUrl: checkedOrigin(instanceUrl), orgId: typeof id === 'string' ? id : undefined };
}

/** The CLI writes a sentence that begins with `[REDACTED]` where the token was. */
function isToken(text: unknown): text is string {
  return typeof text === 'string' && /^(00D[^\s]*!|eyJ)[^\s]+$/.test(text);
}

async function ask(run: RunSf, args: readonly string[], signal: AbortSignal): Promise<SfAnswer> {
  let printed: string;
  try {
    printed = await run(args, signal);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return {};
    throw new Fault('login-failed', 'The sf CLI is not installed, or not in PATH.', {
      actions: ['install it with `npm install --global @salesforce/cli`, or use another way to log in'],
    });
  }
  try {
    // Warnings may stand before the JSON.
    return JSON.parse(printed.slice(printed.indexOf('{'))) as SfAnswer;
  } catch {
    return {};
  }
}
