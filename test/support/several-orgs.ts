import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { ofAnotherOrg } from './in-process.ts';
import { Rig } from './rig.ts';

/** Two practice orgs with a vault each and one identity for both, and a config file that names them. `await using` cleans up. */
export class SeveralOrgs implements AsyncDisposable {
  readonly rig: Rig;
  readonly uat: PracticeOrg;
  /** What the config file says of each. */
  readonly prodEntry: Entry;
  readonly uatEntry: Entry;

  private constructor(rig: Rig, uat: PracticeOrg, prodKey: string) {
    this.rig = rig;
    this.uat = uat;
    this.prodEntry = { vault: 'vault', login: this.#loginOf(rig.org), writerKeyFile: prodKey };
    this.uatEntry = { vault: 'vault-uat', login: this.#loginOf(uat), writerKeyFile: 'keys-uat/writer.key' };
  }

  static async start(): Promise<SeveralOrgs> {
    const rig = await Rig.start();
    const uat = await startPracticeOrg(ofAnotherOrg(sampleDatabase({ seed: 9 })));
    await rig.init();
    const recipients = readFileSync(rig.env.SALVOR_IDENTITY_FILE!, 'utf8').match(/age1\w+/g)!;
    const at = (name: string) => path.join(rig.folder, name);
    const made = await rig.salvor(
      ...['init', '--json', '--no-prompt', '--vault', at('vault-uat'), '--keys-folder', at('keys-uat')],
      ...['--recipient', recipients[0]!, '--accept-one-key'],
    );
    assert.equal(made.status, 0, made.stdout);
    const { SALVOR_VAULT: _, SF_ACCESS_TOKEN: __, SALVOR_WRITER_KEY_FILE: prodKey, ...env } = rig.env;
    rig.env = env;
    return new SeveralOrgs(rig, uat, prodKey!);
  }

  file(name: string): string {
    return path.join(this.rig.folder, name);
  }

  /** Writes the config file. */
  configure(orgs: Readonly<Record<string, object>>, more: object = {}): void {
    writeFileSync(this.file('salvor.config.json'), JSON.stringify({ orgs, ...more }));
  }

  #loginOf({ clientId, clientSecret, url }: PracticeOrg): object {
    const secret = `secret-${clientId}`;
    writeFileSync(this.file(secret), clientSecret, { mode: 0o600 });
    return { clientId, clientSecretFile: secret, instanceUrl: url };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uat.close();
    await this.rig[Symbol.asyncDispose]();
  }
}

interface Entry {
  readonly vault: string;
  readonly login: object;
  readonly writerKeyFile: string;
}
