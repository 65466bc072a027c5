import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { databaseFromSchema } from '../../src/practice-org/from-schema.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { withSuffix } from '../../src/practice-org/record-ids.ts';
import { differing, OrgRequests, type RecordSeen, type Snapshot } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';

const objects = ['Account', 'Contact', 'Opportunity', 'Case', 'Task', 'Project__c', 'Assignment__c'];
const setup = ['User', 'RecordType', 'Profile', 'UserRole', 'Group'];

/** The Id of a row of setup in the sandbox: another one than in the org that was backed up, as after a refresh. */
function sandboxId(id: string): string {
  return withSuffix(`${id.slice(0, 8)}9${id.slice(9, 15)}`);
}

/** An empty sandbox of the sample org: its schema and its setup, under other Ids and with sandbox usernames. */
async function emptySandbox() {
  const { facts, tables } = sampleDatabase();
  const rows = setup.map((object) => {
    const { source, describe } = tables.get(object)!;
    const columns = describe.fields.map(({ name }) => name).filter((name) => name in source.row(0));
    const references = new Set(
      describe.fields.flatMap(({ name, type }) => (/^(id|reference)$/.test(type) ? [name] : [])),
    );
    // One user of production has no login in the sandbox.
    const size = object === 'User' ? source.size - 5 : source.size;
    const batch = Array.from({ length: size }, (_, n) => {
      const row = source.row(n);
      return columns.map((name) => {
        const value = row[name];
        if (value === null || value === undefined) return '';
        if (name === 'Username') return `${value}.uat`;
        return references.has(name) ? sandboxId(String(value)) : String(value);
      });
    });
    return { object, columns, batches: [batch] };
  });
  return databaseFromSchema({
    facts: {
      ...facts,
      organizationId: withSuffix('00D5e0000099999'),
      userId: sandboxId(facts.userId),
      username: `${facts.username}.uat`,
    },
    describes: [...tables.values()].map(({ describe }) => ({
      ...describe,
      recordTypeInfos: (describe.recordTypeInfos as { recordTypeId: string }[]).map((info) => ({
        ...info,
        recordTypeId: info.recordTypeId.startsWith('012000') ? info.recordTypeId : sandboxId(info.recordTypeId),
      })),
    })),
    rows,
  });
}

describe('a point of production, restored into an empty sandbox', () => {
  let production: Rig;
  let sandbox: Rig;
  let whole: Snapshot;
  let ran: Ran;
  let ids: Map<string, string>;

  before(async () => {
    production = await Rig.start();
    await production.init();
    const backup = await production.salvor('backup', '--objects', [...objects, ...setup].join(), '--json');
    assert.equal(backup.status, 0, backup.stderr);
    whole = await new OrgRequests(production.org).snapshot(objects);
    sandbox = await Rig.start({ database: await emptySandbox(), vault: production.vault });
    Object.assign(production.env, { SF_ACCESS_TOKEN: sandbox.org.accessToken, SF_ORG_INSTANCE_URL: sandbox.org.url });
  });
  after(async () => {
    await sandbox[Symbol.asyncDispose]();
    await production[Symbol.asyncDispose]();
  });

  test('is refused while what records refer to is not there and nothing was said about it', async () => {
    const refused = await production.salvor('restore', 'latest', '--objects', objects.join(), '--json', '--no-prompt');
    assert.equal(refused.status, 5, refused.stdout);
    assert.equal(refused.json.name, 'unmapped-reference');
    assert.match(refused.json.message, /User|RecordType|Group/);
  });

  test('finds users, queues and record types by name, and every record comes with its parents', async () => {
    const args = ['restore', 'latest', '--objects', objects.join(), '--unmapped', 'default', '--json', '--no-prompt'];
    ran = await production.salvor(...args);
    assert.ok([0, 3].includes(ran.status), ran.stderr);
    for (const object of objects) {
      const { inserted, failed } = ran.json.result.done[object];
      const withheld = ran.json.result.withheld.filter((one: { object: string }) => one.object === object).length;
      assert.equal(inserted + failed + withheld, whole.rows.get(object)!.size, object);
      assert.equal(failed, 0, object);
    }
  });

  test('is the same record for record, through the map of Ids, but for what the result lists', async () => {
    const lines = readFileSync(path.resolve(production.folder, ran.json.result.idMapFile), 'utf8')
      .trimEnd()
      .split('\n');
    ids = new Map(lines.slice(1).map((line) => line.slice(1, -1).split('","').slice(1) as [string, string]));
    const { tables } = sampleDatabase();
    for (const object of setup) {
      const { source } = tables.get(object)!;
      for (let n = 0; n < source.size; n++) ids.set(String(source.row(n).Id), sandboxId(String(source.row(n).Id)));
    }
    const there = await new OrgRequests(sandbox.org).snapshot(objects);
    const listed = new Set(
      ran.json.result.leftOut.map((one: { object: string; field: string }) => `${one.object}.${one.field}`),
    );
    const withheld = new Set(ran.json.result.withheld.map((one: { id: string }) => one.id));
    const silent = differing(whole, there, ids).filter(
      ({ object, id, field, byPlatform }) => !byPlatform && !withheld.has(id) && !listed.has(`${object}.${field}`),
    );
    assert.deepEqual(silent.map(({ text }) => text).slice(0, 10), []);
  });

  test('takes whom a mapping file names, and refuses one that fits nobody', async () => {
    const org = new OrgRequests(sandbox.org);
    const file = path.join(production.folder, 'mapping.json');
    const [owner] = (await org.query(
      "SELECT Username FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id",
    )) as RecordSeen[];
    const people = await new OrgRequests(production.org).query('SELECT Id, Username FROM User');
    const rules = Object.fromEntries(
      people.map(({ Username }) => [`username ${Username}`, `username ${owner!.Username}`]),
    );
    writeFileSync(file, JSON.stringify({ User: rules }));
    const one = [...whole.rows.get('Account')!.keys()][0]!;
    const args = [
      'restore',
      'latest',
      '--ids',
      one,
      '--mapping',
      file,
      '--unmapped',
      'default',
      '--json',
      '--no-prompt',
    ];
    const mapped = await production.salvor(...args, '--dry-run');
    assert.equal(mapped.status, 0, mapped.stderr);
    writeFileSync(file, JSON.stringify({ User: { 'username nobody@example.com': 'username a@example.com' } }));
    const refused = await production.salvor(...args);
    assert.equal(refused.status, 2, refused.stdout);
    assert.match(refused.json.message, /mapping rule/);
  });
});
