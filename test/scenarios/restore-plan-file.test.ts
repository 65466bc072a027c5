import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';

/** The same, under another Id. */
function anotherOrg({ facts, tables }: Database): Database {
  const organizationId = '00D5e0000000009EAA';
  const organization = tables.get('Organization')!;
  const { size, row } = organization.source;
  const source = { size, row: (number: number) => ({ ...row(number), Id: organizationId }), find: () => 0 };
  return {
    facts: { ...facts, organizationId },
    tables: new Map(tables).set('Organization', { ...organization, source }),
  };
}

describe('a plan that was saved', () => {
  let rig: Rig;
  let restores: Restores;
  let leads: string[];
  /** Where the newest plan stands. */
  let file: string;
  let plans = 0;

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, ['Lead']);
    leads = [...(await restores.before()).rows.get('Lead')!.keys()];
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Leads that nobody touched yet. */
  const some = (count: number) => leads.splice(0, count);

  async function planned(...args: string[]): Promise<Ran> {
    file = path.join(rig.folder, `plan-${++plans}.json`);
    const ran = await rig.salvor('restore', 'before', ...args, '--plan-out', file, '--json', '--no-prompt');
    assert.equal(ran.status, 0, ran.stderr);
    return ran;
  }

  const apply = (...args: string[]) => rig.salvor('restore', '--plan', file, '--json', '--no-prompt', ...args);

  test('is applied exactly as it is: what was damaged since stays as it is', async () => {
    const [gone, later] = [some(5), some(3)];
    const whole = await restores.before();
    await restores.org.delete(gone);
    const saved = await planned('--objects', 'Lead');
    await restores.org.delete(later);
    const damaged = new Map(whole.rows);
    const left = [...whole.rows.get('Lead')!].filter(([id]) => !later.includes(id));
    damaged.set('Lead', new Map(left));
    const restored = await restores.restore({ ...whole, rows: damaged }, '--plan', file);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { plan, done } = restored.ran.json.result;
    assert.equal(plan.digest, saved.json.result.plan.digest);
    assert.equal(done.Lead.undeleted, 5);
  });

  test('holds Ids and no values of records', async () => {
    const [id] = some(1);
    const [lead] = await restores.org.query(`SELECT Email, LastName FROM Lead WHERE Id = '${id}'`);
    await restores.org.update('Lead', [{ Id: id!, Email: 'changed@example.com' }]);
    await planned('--ids', id!, '--overwrite');
    const content = readFileSync(file, 'utf8');
    assert.ok(content.includes(id!));
    for (const value of [String(lead!.Email), 'changed@example.com']) assert.ok(!content.includes(value), value);
    assert.equal((await apply()).status, 0);
    const [back] = await restores.org.query(`SELECT Email FROM Lead WHERE Id = '${id}'`);
    assert.equal(back!.Email, lead!.Email);
  });

  test('is not applied twice: what was purged is made again once', async () => {
    const gone = some(3);
    await restores.org.delete(gone);
    await restores.org.emptyRecycleBin(gone);
    await planned('--ids', gone.join());
    const count = async () => (await restores.org.query('SELECT Id FROM Lead')).length;
    const before = await count();
    assert.equal((await apply()).json.result.done.Lead.inserted, 3);
    const again = await apply();
    assert.deepEqual([again.status, again.json.name], [5, 'plan-stale']);
    assert.equal(await count(), before + 3);
  });

  test('keeps, as a conflict, a row that somebody changed since', async () => {
    const [moved, still] = some(2) as [string, string];
    const whole = await restores.before();
    await restores.org.update(
      'Lead',
      [moved, still].map((Id) => ({ Id, Title: 'Damaged' })),
    );
    await planned('--ids', `${moved},${still}`, '--overwrite', '--write-nulls');
    await restores.org.update('Lead', [{ Id: moved, Title: 'By hand' }]);
    const restored = await restores.restore(whole, '--plan', file);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 3, restored.ran.stderr);
    const { conflicts, done } = restored.ran.json.result;
    assert.deepEqual(
      conflicts.map(({ id, fields }: Record<string, unknown>) => [id, fields]),
      [[moved, ['Title']]],
    );
    assert.equal(done.Lead.updated, 1);
  });

  test('is refused when it was edited', async () => {
    const [one, another] = some(2) as [string, string];
    await restores.org.delete([one, another]);
    await planned('--ids', one);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(one, another));
    const ran = await apply();
    assert.deepEqual([ran.status, ran.json.name], [5, 'plan-edited']);
    const deleted = await restores.org.query(`SELECT Id FROM Lead WHERE Id IN ('${one}','${another}')`);
    assert.deepEqual(deleted, []);
  });

  test('is refused when an object that it touches has changed since, and in another org', async () => {
    const ids = some(1);
    await restores.org.delete(ids);
    await planned('--ids', ids[0]!);
    const { facts, tables } = rig.database;
    const lead = tables.get('Lead')!;
    const fields = lead.describe.fields.map((field) => (field.name === 'Title' ? { ...field, length: 64 } : field));
    const changed = new Map(tables).set('Lead', { ...lead, describe: { ...lead.describe, fields } });
    const orgs = [
      { database: { facts, tables: changed }, name: 'plan-stale' },
      { database: anotherOrg(rig.database), name: 'wrong-target' },
    ];
    const own = rig.env;
    for (const { database, name } of orgs) {
      await using org = await startPracticeOrg(database);
      rig.env = { ...own, SF_ORG_INSTANCE_URL: org.url, SF_ACCESS_TOKEN: org.accessToken };
      const ran = await apply();
      rig.env = own;
      assert.deepEqual([ran.status, ran.json.name], [5, name], ran.stderr);
    }
    assert.equal((await apply()).status, 0);
  });
});
