import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { compiled } from './compiled.ts';

export const project = path.resolve(import.meta.dirname, '../..');

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

export interface RigOptions {
  readonly database?: Database;
  readonly settings?: Parameters<typeof startPracticeOrg>[1];
  /** Default: a folder of the rig. */
  readonly vault?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A practice org, a vault and a home of their own, and `salvor` run as a program against them. `await using` cleans up. */
export class Rig implements AsyncDisposable {
  readonly folder: string;
  readonly org: PracticeOrg;
  readonly database: Database;
  readonly vault: string;
  env: Record<string, string>;

  private constructor(folder: string, org: PracticeOrg, database: Database, options: RigOptions) {
    this.folder = folder;
    this.org = org;
    this.database = database;
    this.vault = options.vault ?? path.join(folder, 'vault');
    this.env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      USERPROFILE: folder,
      TMPDIR: folder,
      XDG_STATE_HOME: path.join(folder, 'state'),
      XDG_CONFIG_HOME: path.join(folder, 'config'),
      ...compiled,
      SALVOR_NO_KEYCHAIN: '1',
      NO_COLOR: '1',
      SF_ACCESS_TOKEN: org.accessToken,
      SF_ORG_INSTANCE_URL: org.url,
      SALVOR_VAULT: this.vault,
      ...options.env,
    };
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const folder = await mkdtemp(path.join(tmpdir(), 'salvor-rig-'));
    // The largest file is stored in two pieces.
    const database = options.database ?? sampleDatabase({ largestFile: 17 << 20 });
    const org = await startPracticeOrg(database, options.settings);
    return new Rig(folder, org, database, options);
  }

  /** Makes the vault; afterwards the writer key and an identity are in the environment of further runs. */
  async init(...args: string[]): Promise<Ran> {
    const ran = await this.salvor(
      'init',
      '--json',
      '--no-prompt',
      '--keys-folder',
      path.join(this.folder, 'keys'),
      ...args,
    );
    if (ran.status !== 0) throw new Error(`init failed: ${ran.stderr}${ran.stdout}`);
    this.env.SALVOR_WRITER_KEY_FILE = ran.json.result.writerKeyFile;
    this.env.SALVOR_IDENTITY_FILE = ran.json.result.recoveryKeyFile;
    return ran;
  }

  /** Runs the program to its end. */
  async salvor(...args: string[]): Promise<Ran> {
    const { child, ended } = this.start(...args);
    child.stdin?.end();
    return ended;
  }

  /** Starts the program; `ended` resolves with what it printed. */
  start(...args: string[]): { child: ChildProcess; ended: Promise<Ran> } {
    const child = spawn(process.execPath, [path.join(project, 'bin/salvor.js'), ...args], {
      cwd: this.folder,
      env: this.env,
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise<Ran>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ status: code ?? (signal === 'SIGKILL' ? 137 : 130), stdout, stderr, json: jsonOf(stdout) });
      });
    });
    return { child, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.org.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
