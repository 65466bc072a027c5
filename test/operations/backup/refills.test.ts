import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { connect } from '../../../src/salesforce/connect.ts';
import type { Org } from '../../../src/salesforce/org.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { InProcess } from '../../support/in-process.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

const request = { policy: { objects: ['Account', 'Contact', 'Project__c'], exclude: [] } };

/** A day of an org in which time passes when it is told to. */
class Day implements AsyncDisposable {
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
    const run = await InProcess.start(sampleDatabase({ scale: { Account: 30, Contact: 1, Project__c: 1 } }));
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

  async point() {
    this.#elapsed += 3_600_000;
    this.run.org.settings.clockSkew = this.#elapsed;
    this.run.now = () => new Date(Date.now() + this.#elapsed);
    return (await this.run.backup({ request })).point;
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

test('a row that was read while its parent lay in the recycle bin has its lookup again when the parent comes back', async () => {
  await using day = await Day.start();
  const { parent, child } = await day.family();
  await day.point();
  await day.delete(parent);
  await day.org.update('Account', [{ Id: child, Name: 'changed meanwhile' }]);
  await day.point();
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), ['', '']);

  await day.undelete(parent);
  const { kind, status, objects } = await day.point();
  assert.deepEqual([kind, status], ['incremental', 'complete']);
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
  // The parent, and the child that was read again.
  assert.equal(objects.find(({ object }) => object === 'Account')!.changed, 2);

  // Nothing is left to tell: the next point lists the same page.
  const next = (await day.point()).objects.find(({ object }) => object === 'Account')!;
  assert.deepEqual([next.changed, next.deleted], [0, 0]);
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
});

test('so it is when the parent lay there already when everything was read', async () => {
  await using day = await Day.start();
  const { parent, child } = await day.family();
  await day.delete(parent);
  assert.equal((await day.point()).kind, 'full');
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), ['', '']);

  await day.undelete(parent);
  assert.equal((await day.point()).kind, 'incremental');
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
});

test('so it is for rows of an object that did not change, when their parent is one of another', async () => {
  await using day = await Day.start();
  const [account] = await day.org.create('Account', [{ Name: 'employer' }]);
  const [manager] = await day.org.create('Contact', [{ LastName: 'manager', AccountId: account! }]);
  const [report] = await day.org.create('Contact', [{ LastName: 'report', ReportsToId: manager! }]);
  await day.delete(manager!);
  await day.point();
  await day.undelete(manager!);
  await day.point();
  assert.deepEqual(await day.lookups('Contact', 'ReportsToId', report!), [manager, manager]);
});

test('so it is when the object of the parent is read anew in the run that finds it again', async () => {
  await using day = await Day.start();
  const others = await day.org.create(
    'Contact',
    Array.from({ length: 20 }, (_, n) => ({ LastName: `contact ${n}` })),
  );
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'bridge', Lead_Contact__c: leader! }]);
  await day.delete(leader!);
  await day.point();
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), ['', '']);
  // Deltas beyond half of the base's bytes: the next run reads a new base.
  await day.org.update(
    'Contact',
    others.map((Id) => ({ Id, Description: 'x'.repeat(900) })),
  );
  await day.point();
  await day.undelete(leader!);
  const { objects } = await day.point();
  const rows = (name: string) => objects.find(({ object }) => object === name)!;
  assert.equal(rows('Contact').changed, rows('Contact').rows);
  assert.equal(rows('Project__c').changed, 1);
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), [leader, leader]);
});

test('rows whose lookups come back survive a window that replaces all deltas', async () => {
  await using day = await Day.start();
  const { parent, child } = await day.family();
  await day.point();
  await day.delete(parent);
  await day.org.update('Account', [{ Id: child, Name: 'changed meanwhile' }]);
  await day.point();
  await day.undelete(parent);
  const [other] = await day.org.create('Account', [{ Name: 'busy' }]);
  for (let n = 0; n < 34; n++) {
    await day.org.update('Account', [{ Id: other!, Name: `busy ${n}` }]);
    await day.point();
  }
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
});
