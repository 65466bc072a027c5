import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PracticeOrg } from '../../src/practice-org/server.ts';

const installed = path.join(import.meta.dirname, 'node_modules');

/** The folders in front of PATH, so that `sf` is the CLI of this folder and its `node` is the one that runs the tests. */
export const searchPath = [path.join(installed, '.bin'), path.dirname(process.execPath), process.env.PATH].join(
  path.delimiter,
);

/**
 * What keeps the CLI to itself and the machine off the network: no telemetry, no DNS, no update. An installation by npm heeds
 * SF_DISABLE_AUTOUPDATE and not the documented SF_AUTOUPDATE_DISABLE.
 */
export const offline: Readonly<Record<string, string>> = {
  SF_DISABLE_TELEMETRY: 'true',
  SF_DISABLE_AUTOUPDATE: 'true',
  SF_SKIP_NEW_VERSION_CHECK: 'true',
  SF_USE_GENERIC_UNIX_KEYCHAIN: 'true',
  SF_DISABLE_LOG_FILE: 'true',
  SFDX_DISABLE_DNS_CHECK: 'true',
  SF_CONTAINER_MODE: 'true',
  CI: 'true',
  NO_COLOR: '1',
};

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `result` of `--json`; undefined when the command failed or printed no JSON. */
  readonly result: ReturnType<typeof JSON.parse>;
  /** `name` of `--json` when the command failed. */
  readonly failure: string | undefined;
}

/** The sf CLI with a home of its own. `await using` removes it. */
export class Sf implements AsyncDisposable {
  readonly home: string;

  private constructor(home: string) {
    this.home = home;
  }

  static async start(): Promise<Sf> {
    return new Sf(await mkdtemp(path.join(tmpdir(), 'salvor-sf-')));
  }

  /** A CLI that is logged in to this org with an access token, under the alias `practice`. */
  static async loggedIn(org: PracticeOrg): Promise<Sf> {
    const sf = await Sf.start();
    const ran = await sf.run(['org', 'login', 'access-token', '--instance-url', org.url, '--alias', 'practice'], {
      SF_ACCESS_TOKEN: org.accessToken,
    });
    if (ran.status !== 0) throw new Error(`the login failed: ${ran.stdout}${ran.stderr}`);
    return sf;
  }

  get environment(): Record<string, string> {
    return { ...offline, PATH: searchPath, HOME: this.home, TMPDIR: this.home };
  }

  path(...names: string[]): string {
    return path.join(this.home, ...names);
  }

  /** Runs a command for the org `practice` with `--json`. */
  async practice(...args: string[]): Promise<Ran> {
    return this.run([...args, '--target-org', 'practice', '--json']);
  }

  /** Runs the CLI to its end, in its home, without input. */
  async run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const program = path.join(installed, '@salesforce/cli/bin/run.js');
    if (!existsSync(program)) throw new Error('the sf CLI is not installed: npm run test:clients installs it');
    const child = spawn(process.execPath, ['--no-deprecation', program, ...args], {
      cwd: this.home,
      env: { ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const status = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? -1));
    });
    const document = args.includes('--json') ? JSON.parse(stdout) : undefined;
    return { status, stdout, stderr, result: document?.result, failure: document?.name };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}
