import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { type FieldSpec, table } from '../practice-org/small-database.ts';
import { differences, OrgRequests } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';

interface RecordDiff {
  object: string;
  id: string;
  change: 'added' | 'changed' | 'deleted';
  fields: Record<string, { from: string; to: string }>;
}

/** Compound names, whose parts are compared instead. */
const compounds = new Set(['Contact Name', 'Lead Name', 'User Name']);

/** What the independent look at the org says, as `salvor diff --records` would. */
function expectedRecords(seen: readonly string[]): string[] {
  return seen
    .flatMap((line) => {
      const [, object, id, missing, field] = /^(\S+) (\S+) (?:is (missing|too many)|(\S+): )/s.exec(line)!;
      if (missing) return [`${missing === 'missing' ? 'deleted' : 'added'} ${object} ${id}`];
      return compounds.has(`${object} ${field}`) ? [] : [`changed ${object} ${id} ${field}`];
    })
    .sort();
}

function records(ran: Ran): string[] {
  const found = (ran.json.result.records as RecordDiff[]).flatMap(({ object, id, change, fields }) =>
    change === 'changed'
      ? Object.keys(fields).map((field) => `${change} ${object} ${id} ${field}`)
      : [`${change} ${object} ${id}`],
  );
  return found.sort();
}

describe('an org that was damaged after its point was taken', () => {
  let rig: Rig;
  let org: OrgRequests;
  let seen: string[];
  /** Ids of what was done by hand. */
  const done = { renamed: '', same: '', made: '', purged: [] as string[], deleted: '' };

  before(async () => {
    rig = await Rig.start();
    await rig.init();
    const backup = await rig.salvor('backup', '--json', '--no-files', '--tag', 'before');
    assert.equal(backup.status, 0, backup.stderr);
    org = new OrgRequests(rig.org);
    const listed = backup.json.result.point.objects as { object: string; path: string }[];
    // Those that answer only about a parent are asked by nobody's plain query.
    const plain = listed.filter(({ object, path }) => !object.endsWith('__b') && path !== 'sliced');
    const objects = plain.map(({ object }) => object);
    const whole = await org.snapshot(objects);
    await damage();
    seen = differences(whole, await org.snapshot(objects));
  });
  after(() => rig[Symbol.asyncDispose]());

  async function damage(): Promise<void> {
    const accounts = await org.query('SELECT Id, Name, AnnualRevenue FROM Account WHERE AnnualRevenue > 0 LIMIT 3');
    const [first, second, third] = accounts.map((record) => String(record.Id)) as [string, string, string];
    done.renamed = first;
    done.same = second;
    await org.update('Account', [
      { Id: first, Name: 'Renamed "Ltd"\n& Sons', AnnualRevenue: 17 },
      // Stamped, and the same as before.
      { Id: second, Name: accounts[1]!.Name as string },
      { Id: third, Phone: null, Website: 'https://example.com/changed' },
    ]);
    [done.made] = (await org.create('Account', [{ Name: 'Made after the point' }])) as [string];
    // Contacts that others report to: what hangs on them goes too, and lookups to them are blanked without a stamp.
    let deleted = 0;
    for (const { ReportsToId } of await org.query('SELECT ReportsToId FROM Contact WHERE ReportsToId != null')) {
      const answer = await org.send('DELETE', `/services/data/v67.0/sobjects/Contact/${ReportsToId}`);
      if (answer.status !== 204) continue;
      done.deleted = String(ReportsToId);
      if (++deleted === 3) break;
    }
    assert.equal(deleted, 3);
    // Gone without a trace.
    const tasks = await org.query('SELECT Id FROM Task WHERE IsClosed = false LIMIT 2');
    done.purged = tasks.map(({ Id }) => String(Id));
    await org.delete(done.purged);
    await org.emptyRecycleBin(done.purged);
  }

  const diff = (...args: string[]) => rig.salvor('diff', 'before', ...args);

  test('is told record by record and field by field, exactly, with the values before and now', async () => {
    const ran = await diff('--json', '--with-values');
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(records(ran), expectedRecords(seen));
    assert.ok(seen.length >= 20, `${seen.length} differences`);
    const { result } = ran.json;
    assert.match(result.from, /^\d{8}T/);
    assert.equal(result.to, 'live');
    const renamed = (result.records as RecordDiff[]).find(({ id }) => id === done.renamed)!;
    const before = seen.find((line) => line.startsWith(`Account ${done.renamed} Name: `))!;
    assert.equal(renamed.fields.Name!.to, 'Renamed "Ltd"\n& Sons');
    assert.ok(before.includes(JSON.stringify(renamed.fields.Name!.from)), before);
    assert.equal(Number(renamed.fields.AnnualRevenue!.to), 17);
    const purged = (result.records as RecordDiff[]).find(({ id }) => id === done.purged[0])!;
    assert.equal(purged.change, 'deleted');
    assert.notEqual(purged.fields.Subject!.from, '');
    assert.equal(purged.fields.Subject!.to, '');
  });

  test('is told the same when every row is read, and when it is a second point', async () => {
    const full = await diff('--json', '--with-values', '--compare', 'full');
    assert.deepEqual(records(full), expectedRecords(seen));
    const backup = await rig.salvor('backup', '--json', '--no-files', '--tag', 'after');
    assert.equal(backup.status, 0, backup.stderr);
    const points = await rig.salvor('diff', 'before..after', '--json', '--with-values');
    assert.equal(points.status, 0, points.stderr);
    assert.deepEqual(records(points), expectedRecords(seen));
    assert.match(points.json.result.to, /^\d{8}T/);
    const back = await rig.salvor('diff', 'after..before', '--json', '--records', '--ids', done.made);
    assert.deepEqual(
      back.json.result.records.map(({ id, change }: RecordDiff) => [id, change]),
      [[done.made, 'deleted']],
    );
    const same = await rig.salvor('diff', 'after..after', '--exit-code');
    assert.equal(same.status, 0);
    assert.match(same.stdout, /no differences in \d+ objects/);
  });

  test('is counted per object and field, and the counts are those of the records', async () => {
    const { json } = await diff('--json', '--records', '--compare', 'full');
    for (const { object, added, changed, deleted, fields } of json.result.objects) {
      const own = (json.result.records as { object: string; change: string; fields: string[] }[]).filter(
        (record) => record.object === object,
      );
      const count = (change: string) => own.filter((record) => record.change === change).length;
      assert.deepEqual([added, changed, deleted], [count('added'), count('changed'), count('deleted')], object);
      for (const [field, rows] of Object.entries(fields))
        assert.equal(own.filter((record) => record.fields.includes(field)).length, rows, `${object}.${field}`);
    }
  });

  test('shows no value unless asked, in whatever format', async () => {
    for (const format of ['human', 'json', 'csv', 'html']) {
      const without = await diff('--records', '--format', format, '--objects', 'Account');
      assert.doesNotMatch(without.stdout + without.stderr, /Renamed|Sons|example\.com/, format);
      assert.match(without.stdout, new RegExp(done.renamed), format);
      const shown = await diff('--with-values', '--format', format, '--ids', done.renamed);
      assert.match(shown.stdout, /Renamed/, format);
    }
  });

  test('is shown to people in a table that ends with the next command', async () => {
    const { stdout } = await diff();
    assert.match(stdout, /^object +added +changed +deleted +fields$/m);
    assert.match(stdout, /^Account +1 +2 +0 +\S/m);
    assert.match(stdout, /^\d+ objects of \d+ differ: 1 added, \d+ changed, \d+ deleted$/m);
    assert.match(stdout, /^ {2}Meter_Reading__b: its rows have no Id/m);
    assert.match(stdout, /next: salvor restore \S+ --all --dry-run {3}what would be put back\n$/);
    const stat = await diff('--stat', '--objects', 'Account');
    assert.match(stat.stdout, /^object +added +changed +deleted$/m);
    assert.match(stat.stdout, /next: salvor restore \S+ --objects Account --dry-run/);
    assert.equal((await diff('--name-only', '--objects', 'Account,User')).stdout, 'Account\n');
  });

  test('is CSV with a line for each field, or for each object', async () => {
    const fields = await diff('--with-values', '--format', 'csv', '--ids', done.renamed);
    const lines = fields.stdout.split('\n');
    assert.equal(lines[0], '"object","id","change","field","from","to"');
    assert.ok(lines.some((line) => line.startsWith(`"Account","${done.renamed}","changed","Name",`)));
    const objects = await diff('--format', 'csv', '--objects', 'Account');
    assert.equal(objects.stdout, '"object","added","changed","deleted"\n"Account","1","2","0"\n');
  });

  test('is a patch that a restore of the point takes as its selection, and only of that point', async () => {
    const file = path.join(rig.folder, 'what-happened.patch');
    const ran = await diff('--patch', file, '--json', '--objects', 'Account,Contact,Task,User');
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.json.result.records, undefined);
    assert.doesNotMatch(await readFile(file, 'utf8'), /Renamed|example\.com/);
    const plan = await rig.salvor('restore', 'before', '--patch', file, '--dry-run', '--overwrite', '--json');
    assert.equal(plan.status, 0, plan.stdout);
    const rows = new Map<string, number>();
    for (const { object, rows: some } of plan.json.result.plan.steps as { object: string; rows: number }[])
      rows.set(object, (rows.get(object) ?? 0) + some);
    const differing = ran.json.result.objects as { object: string; changed: number; deleted: number }[];
    for (const { object, changed, deleted } of differing)
      assert.ok(rows.get(object)! >= changed + deleted, `${object}: ${rows.get(object)} of ${changed + deleted}`);
    const one = await rig.salvor('restore', 'before', '--patch', file, '--objects', 'Task', '--dry-run', '--json');
    assert.deepEqual(
      (one.json.result.plan.steps as { object: string; action: string; rows: number }[]).map(({ object, rows }) => [
        object,
        rows,
      ]),
      [['Task', done.purged.length]],
    );
    const refused: [string[], number, string][] = [
      [['latest', '--patch', file, '--ids', done.renamed], 2, 'usage'],
      [['before', '--patch', path.join(rig.folder, 'none.patch')], 2, 'usage'],
      // Made from another point.
      [['after', '--patch', file], 5, 'patch-mismatch'],
    ];
    for (const [args, status, name] of refused) {
      const { json } = await rig.salvor('restore', ...args, '--dry-run', '--json');
      assert.deepEqual([json.status, json.name], [status, name]);
    }
    const values = path.join(rig.folder, 'values.patch');
    const told = await diff('--patch', values, '--with-values', '--ids', done.renamed);
    assert.doesNotMatch(told.stdout, /Renamed/);
    assert.match(told.stdout, /1 record in the patch .*\nnext: salvor restore \S+ --patch \S+ --dry-run/);
    assert.match(await readFile(values, 'utf8'), /Renamed/);
  });

  test('is a page for a browser, in a file that only its owner may read', async () => {
    const file = path.join(rig.folder, 'report.html');
    const ran = await diff('--format', 'html', '--with-values', '--output', file, '--objects', 'Account', '--json');
    assert.deepEqual([ran.status, ran.json.result.output], [0, file]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const page = await readFile(file, 'utf8');
    assert.match(page, /^<!doctype html>/);
    assert.match(page, /Renamed &quot;Ltd&quot;\n&amp; Sons/);
    assert.match(page, new RegExp(`<a href="${rig.org.url}/${done.renamed}"`));
    assert.equal((await diff('--format', 'html', '--output', file)).status, 2);
  });

  test('is narrowed by objects, Ids, a condition and fields', async () => {
    const ids = async (...args: string[]) =>
      [
        ...new Set(
          ((await diff('--json', '--records', ...args)).json.result.records as RecordDiff[]).map(({ id }) => id),
        ),
      ].sort();
    const accounts = seen.filter((line) => line.startsWith('Account ')).map((line) => line.split(' ')[1]!);
    assert.deepEqual(await ids('--objects', 'acc*', '--exclude', '*Relation'), [...new Set(accounts)].sort());
    assert.deepEqual(
      await ids('--ids', `${done.renamed},${done.same},${done.purged[1]}`),
      [done.renamed, done.purged[1]].sort(),
    );
    const file = path.join(rig.folder, 'ids.csv');
    await writeFile(file, `Id,Error\r\n${done.deleted.slice(0, 15)},x\r\n${done.made},y\r\n`);
    assert.deepEqual(await ids('--ids-file', file), [done.made, done.deleted].sort());
    // A row is selected by what it was or by what it is.
    assert.deepEqual(await ids('--objects', 'Account', '--where', "Name LIKE 'renamed%'"), [done.renamed]);
    assert.deepEqual(
      await ids('--objects', 'Account', '--where', 'AnnualRevenue = 17.0 OR AnnualRevenue = null'),
      [done.renamed, done.made].sort(),
    );
    const fields = await diff('--json', '--records', '--objects', 'Account', '--fields', 'name');
    assert.deepEqual(fields.json.result.objects[0].fields, { Name: 1 });
  });

  test('is narrowed by who changed a row last and when', async () => {
    const changed = async (...args: string[]) => {
      const ran = await diff('--json', '--records', '--objects', 'Account,Contact,Task', ...args);
      assert.equal(ran.status, 0, ran.stdout);
      return ran.json.result as { records: RecordDiff[]; unattributed: number };
    };
    const all = await changed();
    const today = await changed('--between', `${new Date(Date.now() - 3600_000).toISOString()}..`);
    // Lookups that were blanked on the side, and rows that are gone without a trace, say nothing of themselves.
    const said = all.records.filter(({ fields }) => !(fields as unknown as string[]).includes('ReportsToId'));
    assert.deepEqual(
      today.records.map(({ id }) => id),
      said.map(({ id }) => id).filter((id) => !done.purged.includes(id)),
    );
    assert.equal(today.unattributed, done.purged.length);
    assert.deepEqual((await changed('--between', '2020-01-01..2020-12-31')).records, []);
    const { userId, username } = rig.database.facts;
    const mine = await changed('--changed-by', username, '--objects', 'Account');
    assert.ok(mine.records.some(({ id }) => id === done.renamed));
    assert.deepEqual(await changed('--changed-by', userId, '--objects', 'Account'), mine);
    const [other] = await org.query(`SELECT Id FROM User WHERE Id != '${userId}' LIMIT 1`);
    assert.deepEqual((await changed('--changed-by', String(other!.Id), '--objects', 'Account')).records, []);
  });

  test('with --all-fields tells derived fields and stamps too', async () => {
    const { json } = await diff('--json', '--records', '--all-fields', '--ids', `${done.renamed},${done.same}`);
    const fields = new Map(
      (json.result.records as { id: string; fields: string[] }[]).map(({ id, fields }) => [id, fields]),
    );
    assert.ok(fields.get(done.renamed)!.includes('LastModifiedDate'));
    assert.ok(fields.get(done.same)!.includes('SystemModstamp'));
    assert.ok(!fields.get(done.same)!.includes('Name'));
  });

  test('with --exit-code ends with 6 when there are differences, and with 0 when there are none', async () => {
    const some = await diff('--exit-code', '--json', '--objects', 'Account');
    assert.equal(some.status, 6);
    assert.deepEqual([some.json.status, some.json.name], [6, 'differences']);
    assert.equal(some.json.result.objects.length, 1);
    assert.equal((await diff('--exit-code', '--objects', 'Product2')).status, 0);
  });

  test('is refused with a sentence when the states, the selection or the key are wrong', async () => {
    const refused: [string[], number, RegExp][] = [
      [['diff', 'live..before'], 2, /names no two states/],
      [['diff', 'before..after..live'], 2, /names no two states/],
      [['diff', 'nonsense'], 2, /no point with the id or the tag nonsense/],
      [['diff', 'before', '--objects', 'Nonsense'], 2, /does not hold Nonsense/],
      [['diff', 'before', '--fields', 'Nonsense'], 2, /has a field Nonsense/],
      [['diff', 'before', '--objects', 'Account', '--where', 'Nonsense = 1'], 2, /has no field Nonsense/],
      [['diff', 'before', '--ids', 'Nonsense'], 2, /is no Id/],
      [['diff', 'before', '--between', 'yesterday'], 2, /--between/],
      [['diff', 'before', '--objects', 'Account', '--exclude', 'Acc*'], 5, /leaves nothing to compare/],
      [['diff', 'before..after', '--exclude', '*'], 5, /leaves nothing to compare/],
      [['diff', 'before', '--changed-by', 'nobody@example.com'], 2, /no user nobody@example.com/],
    ];
    for (const [args, status, message] of refused) {
      const ran = await rig.salvor(...args);
      assert.equal(ran.status, status, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, message, args.join(' '));
    }
    const { SALVOR_IDENTITY_FILE: _, ...without } = rig.env;
    rig.env = without;
    assert.equal((await diff()).status, 68);
    rig.env = { ...without, SALVOR_IDENTITY_FILE: _! };
  });

  test('an object that cannot be read does not stop the others, and the exit code says so', async () => {
    for (const endpoint of ['query', 'queryAll', 'bulk.create'] as const)
      rig.org.failNext(endpoint, { name: '500-unknown-exception' }, { object: 'Lead', times: 99 });
    const ran = await diff('--json', '--objects', 'Lead,Account', '--compare', 'full');
    rig.org.clearFaults();
    assert.equal(ran.status, 3);
    assert.equal(ran.json.name, 'object-failed');
    assert.deepEqual(
      ran.json.result.objects.map(({ object }: { object: string }) => object),
      ['Account'],
    );
    assert.partialDeepStrictEqual(ran.json.result.notCompared, [{ object: 'Lead', failed: true }]);
  });
});

describe('another org at the same address', () => {
  const tables = sampleDatabase().tables;
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
    await rig.init();
    const backup = await rig.salvor('backup', '--json', '--objects', 'Account,*__c', '--no-files');
    assert.equal(backup.status, 0, backup.stderr);
  });
  after(() => rig[Symbol.asyncDispose]());

  async function diffAgainst(database: Database, ...args: string[]): Promise<Ran> {
    await using org = await startPracticeOrg(database);
    rig.env = { ...rig.env, SF_ORG_INSTANCE_URL: org.url, SF_ACCESS_TOKEN: org.accessToken };
    return await rig.salvor('diff', 'latest', '--json', ...args);
  }

  test('whose schema changed: objects and fields that are gone or new are told', async () => {
    const changed = new Map(tables);
    const assignments = changed.get('Assignment__c')!.source.size;
    changed.delete('Assignment__c');
    const account = changed.get('Account')!;
    const fields = account.describe.fields.filter(({ name }) => name !== 'Website');
    changed.set('Account', { ...account, describe: { ...account.describe, fields } });
    changed.set('New__c', table('New__c', 'a09', ['Name'], [{ Id: 'a095e0000000001AAA', Name: 'first' }]));
    const { facts } = sampleDatabase();
    const { status, json, stdout } = await diffAgainst({ facts, tables: changed });
    assert.equal(status, 0, stdout);
    const objects = new Map((json.result.objects as { object: string }[]).map((one) => [one.object, one]));
    assert.partialDeepStrictEqual(objects.get('Assignment__c'), { added: 0, changed: 0, only: { side: 'from' } });
    assert.ok((objects.get('Assignment__c') as unknown as { deleted: number }).deleted > assignments / 2);
    assert.partialDeepStrictEqual(objects.get('New__c'), { added: 1, deleted: 0, only: { side: 'to' } });
    assert.partialDeepStrictEqual(objects.get('Account'), { changed: 0, fieldsGone: ['Website'], fieldsNew: [] });
  });

  test('of another Id: nothing is compared', async () => {
    const { facts } = sampleDatabase();
    const other = '00D5e0000000009EAA';
    const fields = [
      ['IsSandbox', 'boolean'],
      'Name',
      'NamespacePrefix',
      'OrganizationType',
      'InstanceName',
    ] as FieldSpec[];
    const rows = [{ Id: other, Name: 'Another Org', IsSandbox: false }];
    const changed = new Map(tables).set('Organization', table('Organization', '00D', fields, rows));
    const ran = await diffAgainst({ facts: { ...facts, organizationId: other }, tables: changed });
    assert.deepEqual([ran.status, ran.json.name], [5, 'foreign-vault']);
  });
});
