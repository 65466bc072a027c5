import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

type Told = ReturnType<typeof JSON.parse>;

const owner = 'crm@example.com';

/** Puts these keys into the configuration that `init` wrote. */
function configure(rig: Rig, more: object): void {
  const file = path.join(rig.folder, 'salvor.config.json');
  const values = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...values, ...more }));
}

async function point(rig: Rig, ...args: string[]): Promise<Told> {
  const ran = await rig.salvor('backup', '--json', '--no-prompt', '--objects', 'Account,Contact,Lead,Case*', ...args);
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  return { ...ran.json.result.point, warnings: ran.json.warnings };
}

function objectIn(point: Told, name: string): Told {
  return point.objects.find(({ object }: Told) => object === name);
}

async function result(rig: Rig, ...args: string[]): Promise<Told> {
  const ran = await rig.salvor(...args, '--json');
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  return ran.json.result;
}

/** Ids of the rows of an object in a point. */
async function idsIn(rig: Rig, name: string, object: string): Promise<string[]> {
  const { rows } = await result(rig, 'show', name, object, '--limit', '10000');
  return rows.map((row: Told) => row.Id).sort();
}

test('objects and fields that the policy leaves out are named with reason and owner, and the rest goes on', async () => {
  await using rig = await Rig.start();
  await rig.init();
  await point(rig);
  configure(rig, {
    exclusions: [
      { objects: ['Case*'], reason: 'kept in another system', owner },
      { fields: ['Contact.Ph*', '*.Fax'], reason: 'nobody needs it', owner, until: '2999-12-31' },
      { objects: ['Lead'], reason: 'a trial', owner, until: '2020-01-01' },
      { objects: ['Leed'], reason: 'misspelt', owner },
    ],
  });
  const second = await point(rig);
  assert.equal(second.kind, 'incremental');
  assert.deepEqual(
    second.objects.map(({ object }: Told) => object),
    ['Account', 'Contact', 'Lead'],
  );
  const told = second.notCovered.filter((one: Told) => one.owner);
  assert.deepEqual(
    told.filter(({ object }: Told) => object === 'Case'),
    [{ object: 'Case', reason: 'kept in another system', owner }],
  );
  assert.deepEqual(
    told.filter(({ field }: Told) => field).map(({ object, field }: Told) => `${object}.${field}`),
    ['Account.Fax', 'Contact.Phone'],
  );
  const warned = second.warnings.map((one: Told) => one.name ?? one);
  assert.ok(JSON.stringify(second.warnings).includes('ended on 2020-01-01'), JSON.stringify(warned));
  assert.ok(JSON.stringify(second.warnings).includes('Leed'), JSON.stringify(warned));
  const shown = await rig.salvor('show', 'latest');
  assert.match(shown.stdout, /Account\.Fax, Contact\.Phone: nobody needs it \(crm@example\.com\)/);
  const { fields } = await result(rig, 'show', 'latest', 'Contact');
  assert.equal(fields.find(({ name }: Told) => name === 'Phone').inPoint, false);
  // Nothing is new, and nothing is compared that the policy left out.
  const diff = await result(rig, 'diff', 'latest', '--compare', 'full', '--objects', 'Account,Contact,Lead');
  assert.deepEqual(diff.objects, []);
  await result(rig, 'verify', '--no-attest', '--against-org');
  // A field that is wanted again is read anew.
  configure(rig, { exclusions: [] });
  const third = await point(rig);
  const contact = objectIn(third, 'Contact');
  assert.equal(contact.changed, contact.rows);
  assert.deepEqual((await result(rig, 'diff', 'latest', '--compare', 'full', '--objects', 'Contact')).objects, []);
});

test('a field that the policy leaves out and the user does not see is left out by the policy, and lacks nowhere', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const reason = 'must not leave the org';
  const exclusions = [{ fields: ['Contact.Social_Number__c', 'Account.Credit_*'], reason, owner }];
  configure(rig, { exclusions });
  const told = ({ notCovered }: Told) =>
    notCovered.flatMap((one: Told) =>
      /^(Social_Number|Credit_Limit)__c$/.test(one.field)
        ? [[`${one.object}.${one.field}`, one.reason, one.owner]]
        : [],
    );
  const byPolicy = [
    ['Account.Credit_Limit__c', reason, owner],
    ['Contact.Social_Number__c', reason, owner],
  ];
  const dry = await result(rig, 'backup', '--dry-run', '--min-coverage', '100');
  assert.deepEqual([dry.coverage, dry.blindSpots, told(dry)], [100, [], byPolicy]);
  for (const kind of ['full', 'incremental']) {
    const taken = await point(rig);
    assert.deepEqual([taken.kind, taken.blindSpots, told(taken), taken.warnings], [kind, [], byPolicy, []]);
  }
  // What was known of the fields holds for a day, and the policy of today says what it means.
  configure(rig, { exclusions: [] });
  const hidden = 'hidden from the user by field-level security';
  const after = await point(rig);
  assert.deepEqual(
    told(after),
    byPolicy.map(([field]) => [field, hidden, undefined]),
  );
  assert.equal(after.blindSpots[0].count, 2);
});

test('names of --exclude and --priorities that fit nothing are warned of', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const taken = await point(rig, '--exclude', 'Laed,Case', '--priorities', 'Acount,Con*');
  assert.deepEqual(
    taken.warnings.map(({ name, message }: Told) => [name, message]),
    [
      ['exclude-unused', '--exclude names what fits no object that the org tells of: check how Laed is written'],
      [
        'priorities-unused',
        '--priorities names what fits no object that the org tells of: check how Acount is written',
      ],
    ],
  );
  assert.ok(objectIn(taken, 'Lead') && !objectIn(taken, 'Case'));
});

test('a field that fits nothing is warned of, beside others that do, and not by runs that do not look at its object', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const fields = ['Contact.Email', 'Contact.Emial', 'Case.Nothing', '*.Temp_*'];
  configure(rig, { exclusions: [{ fields, reason: 'private', owner }] });
  const warned = async (...args: string[]) => {
    const ran = await rig.salvor('backup', '--dry-run', '--json', ...args);
    return ran.json.warnings.filter((one: Told) => one.name === 'exclusion-unused').map((one: Told) => one.message);
  };
  const message = (names: string) =>
    `the exclusion of ${fields.join(', ')} (private) fits nothing that the org tells of: check how ${names} is written`;
  assert.deepEqual(await warned(), [message('Contact.Emial, Case.Nothing')]);
  assert.deepEqual(await warned('--objects', 'Contact'), [message('Contact.Emial')]);
  assert.deepEqual(await warned('--objects', 'Account'), []);
  configure(rig, { exclusions: [{ fields: ['*.Temp_*'], reason: 'private', owner }] });
  assert.match((await warned())[0], /check how \*\.Temp_\* is written$/);
});

test('an object that a point leaves out is not compared, with another point or the org, in whatever format', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const [{ Id: contact }] = (await new OrgRequests(rig.org).query('SELECT Id FROM Contact LIMIT 1')) as [Told];
  await point(rig);
  configure(rig, { exclusions: [{ objects: ['Lead'], reason: 'a <trial>', owner }] });
  await new OrgRequests(rig.org).update('Contact', [{ Id: contact, Department: 'Moved' }]);
  await point(rig);
  await result(rig, 'backup', '--objects', 'Account');
  const told = await result(rig, 'diff', 'latest~2..latest~1', '--records', '--patch', 'some.patch');
  assert.deepEqual(
    told.records.map(({ object, change }: Told) => [object, change]),
    [['Contact', 'changed']],
  );
  assert.equal(told.patch.records, 1);
  assert.deepEqual(
    told.notCompared.map(({ object, reason, failed }: Told) => [object, reason, failed]),
    [['Lead', `point ${told.to} leaves it out: a <trial> (${owner})`, false]],
  );
  const human = await rig.salvor('diff', 'latest~2..latest~1');
  assert.match(human.stdout, /not compared:\n {2}Lead: point \S+ leaves it out: a <trial> \(crm@example\.com\)/);
  assert.match(human.stdout, /next: +salvor restore \S+ --objects Contact --dry-run/);
  const html = await rig.salvor('diff', 'latest~2..latest~1', '--format', 'html');
  assert.match(html.stdout, /<b>Lead<\/b> was not compared: point \S+ leaves it out: a &lt;trial&gt;/);
  const csv = await rig.salvor('diff', 'latest~2..latest~1', '--format', 'csv');
  assert.equal(csv.stdout.trimEnd().replaceAll('"', ''), 'object,added,changed,deleted\nContact,0,1,0');
  const unsaid =
    /warning: .*1 object was not compared: Lead \(point \S+ leaves it out: a <trial> \(crm@example\.com\)\)/;
  assert.match(csv.stderr, unsaid);
  const names = await rig.salvor('diff', 'latest~2..latest~1', '--name-only');
  assert.equal(names.stdout, 'Contact\n');
  assert.match(names.stderr, unsaid);
  assert.doesNotMatch(human.stderr, /not compared/);
  const asked = await rig.salvor('diff', 'latest~2..latest~1', '--objects', 'Lead,Contact', '--exit-code', '--json');
  assert.deepEqual([asked.status, asked.json.name], [3, 'not-compared'], asked.stdout);
  // A point of one object beside those of all: nothing differs, either way round.
  for (const points of ['latest~1..latest', 'latest..latest~1']) {
    const narrow = await rig.salvor('diff', points, '--exit-code');
    assert.equal(narrow.status, 0, narrow.stdout);
    assert.match(narrow.stdout, /no differences in 1 object\n/);
    assert.match(narrow.stderr, /4 objects were not compared: Case \(.*\) and 3 more/);
    assert.match(
      narrow.stdout,
      /\n {2}Case, CaseComment, CaseStatus, Contact: point \S+ leaves it out: not selected \(--objects\)$/m,
    );
    assert.doesNotMatch(narrow.stdout, /salvor restore/);
  }
  const live = await result(rig, 'diff', 'latest', '--exclude', 'Contact*');
  const reasons = new Map(live.notCompared.map(({ object, reason }: Told) => [object, reason]));
  assert.equal(reasons.get('Lead'), `point ${live.from} leaves it out: a <trial> (${owner})`);
  assert.equal(reasons.get('Task'), `point ${live.from} leaves it out: not selected (--objects)`);
  assert.deepEqual(
    ['Account', 'Contact'].map((object) => reasons.has(object)),
    [false, false],
  );
});

test('rows that a condition leaves out are neither missing nor deleted, whichever way they move', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const org = new OrgRequests(rig.org);
  const all = (await org.query('SELECT Id, Industry FROM Account')).map((row) => ({
    id: String(row.Id),
    industry: row.Industry as string | null,
  }));
  const out = all.filter(({ industry }) => industry === all.find((one) => one.industry)!.industry);
  const value = out[0]!.industry!;
  const kept = all.filter(({ industry }) => industry !== value);
  assert.ok(out.length > 5 && kept.some(({ industry }) => industry === null), 'the sample has what is needed');
  await point(rig);
  const where = `Industry = '${value}'`;
  configure(rig, { exclusions: [{ objects: ['Account'], where, reason: 'test data', owner }] });

  // The condition is new: the object is read in full, and fewer rows are no mass deletion.
  const first = await point(rig);
  assert.equal(first.suspect, false);
  const account = objectIn(first, 'Account');
  assert.deepEqual([account.rows, account.changed, account.complete], [kept.length, kept.length, true]);
  assert.deepEqual(
    first.notCovered.filter((one: Told) => one.where),
    [{ object: 'Account', where, reason: 'test data', owner, rows: out.length }],
  );
  assert.deepEqual(await idsIn(rig, 'latest', 'Account'), kept.map(({ id }) => id).sort());

  // Nothing changed: nothing is read.
  assert.deepEqual([objectIn(await point(rig), 'Account').changed], [0]);

  // One begins to meet the condition, one ceases to, one that is left out is deleted, one that is kept is deleted, one is made that is left out.
  const leaving = kept.find(({ industry }) => industry === null)!.id;
  const coming = out[0]!.id;
  const path = '/services/data/v67.0/sobjects/Account';
  assert.equal((await org.send('PATCH', `${path}/${leaving}`, { Industry: value })).status, 204);
  assert.equal((await org.send('PATCH', `${path}/${coming}`, { Industry: null })).status, 204);
  assert.equal((await org.send('POST', path, { Name: 'Left out', Industry: value })).status, 201);
  const moved = await point(rig);
  const after = objectIn(moved, 'Account');
  assert.deepEqual([after.rows, after.changed, after.deleted, after.complete], [kept.length, 1, 0, true]);
  const there = [...kept.filter(({ id }) => id !== leaving).map(({ id }) => id), coming].sort();
  assert.deepEqual(await idsIn(rig, 'latest', 'Account'), there);

  const between = await result(rig, 'diff', 'latest~1..latest', '--objects', 'Account');
  assert.deepEqual(
    between.objects.map(({ added, deleted }: Told) => [added, deleted]),
    [[1, 0]],
  );
  const now = await result(rig, 'diff', 'latest', '--objects', 'Account');
  assert.deepEqual(now.objects, []);
  for (const compare of ['stamps', 'full']) {
    const args = compare === 'full' ? ['--compare', 'full'] : [];
    const old = await result(rig, 'diff', 'latest~1', '--objects', 'Account', ...args);
    const [{ added, changed, deleted }] = old.objects;
    assert.deepEqual([added, changed, deleted], [1, 1, 0], compare);
  }
  const versions = (await result(rig, 'find', leaving)).versions ?? [];
  assert.ok(!JSON.stringify(versions).includes('"deleted"'), JSON.stringify(versions));
  await result(rig, 'verify', '--no-attest', '--against-org');

  // A restore that deletes what came since leaves alone what the policy left out.
  const plan = await result(rig, 'restore', 'latest', '--objects', 'Account', '--delete-created', '--dry-run');
  assert.deepEqual(
    plan.plan.steps.filter(({ action }: Told) => action !== 'skip'),
    [],
  );

  // All of it again without the condition.
  configure(rig, { exclusions: [] });
  const whole = objectIn(await point(rig), 'Account');
  assert.deepEqual([whole.rows, whole.complete], [all.length + 1, true]);
});
