import assert from 'node:assert/strict';
import type { BackupRequest } from '../../src/operations/backup/request.ts';
import { compact } from '../../src/operations/compact.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { InProcess } from './in-process.ts';
import { OrgRequests } from './org-snapshot.ts';

const family = ['Account', 'Contact', 'Project__c'];
const scale = { Account: 30, Contact: 1, Project__c: 1, Campaign: 1, Opportunity: 1 };

/** A day of an org in which time passes when it is told to. */
export class Day implements AsyncDisposable {
  readonly run: InProcess;
  readonly org: OrgRequests;
  readonly client: Org;
  #elapsed = 0;

  private constructor(run: InProcess, client: Org) {
    this.run = run;
    this.org = new OrgRequests(run.org);
    this.client = client;
  }

  static async start(): Promise<Day> {
    const run = await InProcess.start(sampleDatabase({ scale }));
    const ctx = {
      signal: AbortSignal.timeout(60_000),
      report: () => undefined,
      now: () => new Date(),
      tempDir: '/tmp',
    };
    const login = { kind: 'token', accessToken: run.org.accessToken, instanceUrl: run.org.url } as const;
    return new Day(run, await connect(ctx, login));
  }

  /** A parent account and an account under it, which refers to it. */
  async family(): Promise<{ parent: string; child: string }> {
    const [parent] = await this.org.create('Account', [{ Name: 'parent' }]);
    const [child] = await this.org.create('Account', [{ Name: 'child', ParentId: parent! }]);
    return { parent: parent!, child: child! };
  }

  /** Time passes in the org and on the host. */
  pass(milliseconds: number): void {
    this.#elapsed += milliseconds;
    this.run.org.settings.clockSkew = this.#elapsed;
    this.run.now = () => new Date(Date.now() + this.#elapsed);
  }

  /** An hour later a point of these objects. */
  async point(objects: readonly string[] = family, more: Partial<BackupRequest> = {}) {
    this.pass(3_600_000);
    return (await this.run.backup({ request: { policy: { objects, exclude: [] }, ...more } })).point;
  }

  /** Does something in the middle of the next run: behind the first object that is read. */
  behindFirstObject(action: () => Promise<void>): void {
    const { store } = this.run;
    const put = store.putIfAbsent.bind(store);
    store.putIfAbsent = async (key, ...rest) => {
      const stored = await put(key, ...rest);
      // The first entry of a run's journal begins it, the second finishes an object.
      if (/^runs\/[^/]+\/00002-/.test(key)) {
        store.putIfAbsent = put;
        await action();
      }
      return stored;
    };
  }

  async compact(): Promise<void> {
    const context = {
      signal: AbortSignal.timeout(60_000),
      report: () => undefined,
      now: this.run.now,
      tempDir: '/tmp',
    };
    await compact(context, await this.run.openVault(), { objects: [], tool: 'test' });
  }

  async delete(id: string): Promise<void> {
    const [done] = await this.client.writer.delete([id]);
    assert.deepEqual(done!.errors, []);
  }

  async undelete(id: string): Promise<void> {
    const [done] = await this.client.writer.undelete([id]);
    assert.deepEqual(done!.errors, []);
  }

  /** A lookup of a row in the newest point, and in the org. */
  async lookups(object: string, field: string, id: string): Promise<[inPoint: string | undefined, inOrg: string]> {
    const vault = await this.run.openVault();
    const reader = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
    const flow = await reader.rows(object, { columns: ['Id', field] });
    let found: string | undefined;
    for await (const { bytes } of flow.batches)
      found ??= new RegExp(`^"${id}","([^"]*)"`, 'm').exec(bytes.toString('utf8'))?.[1];
    const [row] = await this.org.query(`SELECT ${field} FROM ${object} WHERE Id = '${id}'`);
    return [found, String(row![field] ?? '')];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.run[Symbol.asyncDispose]();
  }
}
