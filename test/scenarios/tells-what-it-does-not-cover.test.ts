import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings, type Permissions } from '../../src/practice-org/settings.ts';
import { type Ran, Rig } from '../support/rig.ts';

const some = 'Account,Contact,ContentDocument,ContentVersion,ContentDocumentLink';

interface Shown {
  readonly object: string;
  readonly complete: boolean;
  readonly reason?: string;
}

interface LeftOut {
  readonly object: string;
  readonly field?: string;
  readonly reason: string;
}

function without(...missing: (keyof Permissions)[]) {
  const permissions = { ...defaultSettings().permissions };
  for (const name of missing) permissions[name] = false;
  return { permissions };
}

function incomplete(ran: Ran): Record<string, string | undefined> {
  const shown: Shown[] = ran.json.result.point.objects;
  return Object.fromEntries(shown.filter(({ complete }) => !complete).map(({ object, reason }) => [object, reason]));
}

function covered(ran: Ran): string[] {
  return ran.json.result.point.objects.map(({ object }: Shown) => object);
}

function reasons(ran: Ran, field?: string): Map<string, string> {
  const leftOut: LeftOut[] = ran.json.result.point.notCovered;
  return new Map(leftOut.filter((one) => one.field === field).map(({ object, reason }) => [object, reason]));
}

async function points(rig: Rig): Promise<{ id: string; status: string; incomplete: LeftOut[] }[]> {
  const ran = await rig.salvor('list-points', '--json');
  assert.equal(ran.status, 0, ran.stderr);
  return ran.json.result.points;
}

/** What stands in a folder: names and digests. */
function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .sort()
      .map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );
}

/** Adds to the configuration that `init` wrote. */
function configure(rig: Rig, backup: object): void {
  const file = path.join(rig.folder, 'salvor.config.json');
  const values = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...values, backup }));
}

test('a user without View All Data makes every object partial, and says why', async () => {
  await using rig = await Rig.start({ settings: without('viewAllData') });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Contact,User');
  assert.equal(ran.status, 3, ran.stderr);
  assert.equal(ran.json.status, 3);
  assert.equal(ran.json.result.point.status, 'partial');
  const reason = 'the user lacks View All Data: sharing rules may hide rows';
  assert.deepEqual(incomplete(ran), { Account: reason, Contact: reason, User: reason });
  assert.equal(ran.json.result.point.coverage, 0);
  const [point] = await points(rig);
  assert.equal(point!.id, ran.json.result.point.id);
  assert.equal(point!.status, 'partial');
  assert.deepEqual(
    point!.incomplete.map(({ object, reason: why }) => [object, why]),
    [
      ['Account', reason],
      ['Contact', reason],
      ['User', reason],
    ],
  );
});

test('a user without Query All Files makes the file objects partial, and no others', async () => {
  await using rig = await Rig.start({ settings: without('queryAllFiles') });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', some);
  assert.equal(ran.status, 3, ran.stderr);
  const reason = "the user lacks Query All Files: other users' files may be hidden";
  assert.deepEqual(incomplete(ran), { ContentDocument: reason, ContentDocumentLink: reason, ContentVersion: reason });
  const preview = await rig.salvor('backup', '--json', '--dry-run', '--objects', some);
  assert.equal(preview.status, 0, preview.stderr);
  assert.deepEqual(preview.json.result.warnings, [reason]);
});

test('a user without View Encrypted Data gets masks, and the object that has them is partial', async () => {
  await using rig = await Rig.start({ settings: without('viewEncryptedData') });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Everything__c');
  assert.equal(ran.status, 3, ran.stderr);
  assert.deepEqual(incomplete(ran), {
    Everything__c: 'the user lacks View Encrypted Data: Secret__c came masked',
  });
});

test('fields that the user does not see are named', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Contact');
  assert.equal(ran.status, 0, ran.stderr);
  const hidden = 'hidden from the user by field-level security';
  assert.deepEqual([...reasons(ran, 'Credit_Limit__c')], [['Account', hidden]]);
  assert.deepEqual([...reasons(ran, 'Social_Number__c')], [['Contact', hidden]]);
});

test('patterns choose and exclude objects in any case, and what they leave out is named', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const ran = await rig.salvor(
    'backup',
    '--json',
    '--objects',
    'acc*,CASE,Contact',
    '--exclude',
    '*history,*relation,cont?ct,contact',
  );
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(covered(ran), ['Account', 'Case']);
  const why = reasons(ran);
  assert.equal(why.get('AccountHistory'), 'excluded (--exclude)');
  assert.equal(why.get('Contact'), 'excluded (--exclude)');
  assert.equal(why.get('Lead'), 'not selected (--objects)');
  assert.equal(why.get('FeedSignal'), 'the org says that it cannot be queried');
  const asked = [...rig.database.tables.keys()].filter((name) => !['Account', 'Case'].includes(name));
  assert.deepEqual([...why.keys()].sort(), asked.sort());
  // Two of what could be read.
  assert.ok(ran.json.result.point.coverage > 3 && ran.json.result.point.coverage < 5);
});

test('an object that the org does not have is no point but a mistake', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const before = contents(rig.vault);
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Nowhere__c');
  assert.equal(ran.status, 2);
  assert.equal(ran.json.name, 'no-such-object');
  assert.match(ran.json.message, /Nowhere__c/);
  assert.deepEqual(contents(rig.vault), before);
  assert.deepEqual(await points(rig), []);
});

for (const [what, options, args] of [
  ['the whole sample org', {}, []],
  ['objects in volume', { scale: { Account: 60_000, Task: 30_000 } }, ['--objects', 'Account,Task,Contact,Lead']],
] as const) {
  test(`a dry run of ${what} writes nothing, reads no rows and estimates the API calls`, async () => {
    await using rig = await Rig.start({ database: sampleDatabase(options) });
    const alone = await rig.salvor('backup', '--dry-run', '--json', ...args);
    assert.equal(alone.status, 0, alone.stderr);
    assert.equal(existsSync(rig.vault), false);
    await rig.init();
    const before = contents(rig.vault);
    rig.org.requests.clear();
    const dry = await rig.salvor('backup', '--dry-run', '--json', ...args);
    assert.equal(dry.status, 0, dry.stderr);
    assert.deepEqual(contents(rig.vault), before);
    const { counts, entries } = rig.org.requests;
    for (const endpoint of ['queryMore', 'bulk.create', 'bulk.results', 'blob'] as const)
      assert.equal(counts[endpoint], undefined, endpoint);
    const asked = entries
      .filter(({ endpoint }) => endpoint === 'query')
      .map(({ url }) => decodeURIComponent(url.replaceAll('+', ' ')));
    const from = new Set(asked.map((url) => /FROM (\w+)/.exec(url)?.[1]));
    assert.deepEqual([...from].sort(), ['EntityDefinition', 'Organization', 'User', 'UserPermissionAccess']);
    const preview = dry.json.result;
    const dryCalls = rig.org.requests.calls;
    assert.ok(dryCalls < 60, `${dryCalls} calls for a dry run`);

    rig.org.requests.clear();
    const ran = await rig.salvor('backup', '--json', ...args);
    assert.equal(ran.status, 0, ran.stderr);
    const { point } = ran.json.result;
    assert.ok(
      Math.abs(rig.org.requests.calls - point.apiCalls) <= 2,
      `${rig.org.requests.calls}, said ${point.apiCalls}`,
    );
    assert.ok(Math.abs(dryCalls - preview.ownCalls) <= 2, `${dryCalls}, said ${preview.ownCalls}`);
    const factor = preview.apiCalls / rig.org.requests.calls;
    assert.ok(factor > 0.8 && factor < 1.2, `${preview.apiCalls} calls estimated, ${rig.org.requests.calls} made`);
    assert.deepEqual(preview.objects.map(({ object }: Shown) => object).sort(), covered(ran).sort());
    assert.ok(Math.abs(preview.rows - point.rows) < 0.1 * point.rows, `${preview.rows} rows, then ${point.rows}`);
  });
}

test('without files, nothing is downloaded and each field of files is named', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--no-files', '--objects', `${some},Attachment,Document`);
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(ran.json.result.point.files, { count: 0, bytes: 0 });
  assert.equal(rig.org.requests.counts.blob, undefined);
  assert.deepEqual([...reasons(ran, 'Body').keys()].sort(), ['Attachment', 'Document']);
  assert.deepEqual([...reasons(ran, 'VersionData')], [['ContentVersion', 'files are left out (--no-files)']]);
  assert.equal(existsSync(path.join(rig.vault, 'files')), false);
});

test('a point that covers too little is refused, and not listed', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account', '--min-coverage', '50');
  assert.equal(ran.status, 5, ran.stderr);
  assert.equal(ran.json.name, 'coverage-too-low');
  assert.match(ran.json.message, /50 %/);
  const dry = await rig.salvor('backup', '--json', '--dry-run', '--objects', 'Account', '--min-coverage', '50');
  assert.deepEqual([dry.status, dry.json.name, dry.json.message], [5, ran.json.name, ran.json.message]);
  assert.equal(dry.json.result.kind, 'full', 'the preview is shown all the same');
  assert.deepEqual(await points(rig), []);
  assert.equal(readdirSync(path.join(rig.vault, 'log')).length, 1);
  for (const endpoint of ['queryAll', 'bulk.create', 'blob'] as const)
    assert.equal(rig.org.requests.counts[endpoint], undefined, 'no row was read');
  const enough = await rig.salvor('backup', '--json', '--objects', 'Account', '--min-coverage', '0.5');
  assert.equal(enough.status, 0, enough.stderr);
  assert.equal((await points(rig)).length, 1);
});

test('what permissions hide is measured and named with what mends it, and can be refused beforehand', async () => {
  await using rig = await Rig.start({ settings: without('viewAllData', 'queryAllFiles') });
  await rig.init();
  const args = ['backup', '--json', '--no-prompt', '--objects', 'Account,Contact,ContentDocument'];
  const refused = await rig.salvor(...args, '--min-coverage', '98');
  assert.equal(refused.status, 5, refused.stdout);
  assert.equal(refused.json.name, 'coverage-too-low');
  assert.match(refused.json.message, /^the point would cover 0 % of what the org holds, 98 % are asked for; /);
  assert.ok(refused.json.actions.includes('give the user View All Data'), refused.stdout);
  const ran = await rig.salvor(...args);
  assert.equal(ran.status, 3, ran.stdout);
  const { point } = ran.json.result;
  const spots = new Map<string, { hides: string; objects: number; count: number; message: string }>(
    point.blindSpots.map((spot: { permission: string }) => [spot.permission, spot]),
  );
  const rows = (object: string) => point.objects.find((one: Shown) => one.object === object).rows;
  const everything = (object: string) => {
    const { source } = rig.database.tables.get(object)!;
    return Array.from({ length: source.size }, (_, n) => source.row(n)).filter((row) => row.IsDeleted !== true).length;
  };
  const lacking = (...objects: string[]) => objects.reduce((sum, object) => sum + everything(object) - rows(object), 0);
  assert.deepEqual(
    [spots.get('View All Data')!.objects, spots.get('View All Data')!.count],
    [3, lacking('Account', 'Contact', 'ContentDocument')],
  );
  assert.ok(refused.json.message.includes(spots.get('View All Data')!.message), 'the same was known beforehand');
  assert.equal(spots.get('Query All Files')!.count, lacking('ContentDocument'));
  assert.deepEqual(
    [spots.get('field-level security')!.hides, spots.get('field-level security')!.count],
    ['fields', reasons(ran, 'Credit_Limit__c').size + reasons(ran, 'Social_Number__c').size],
  );
  const shown = await rig.salvor('show', 'latest!');
  assert.match(shown.stdout, /blind spot +the lack of View All Data hides about \d+ rows of 3 objects: give the user/);
  const dry = await rig.salvor(...args, '--dry-run');
  assert.equal(dry.json.result.coverage, 0);
  assert.deepEqual(
    dry.json.result.blindSpots.map(({ permission }: { permission: string }) => permission),
    [...spots.keys()],
  );
});

test('coverage counts each object by its fields; what somebody answers for counts neither way', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const coverage = async (...args: string[]) => {
    const ran = await rig.salvor('backup', '--dry-run', '--json', ...args);
    assert.equal(ran.status, 0, ran.stdout);
    return ran.json.result.coverage;
  };
  const whole = await coverage();
  assert.ok(whole > 98 && whole < 100, `${whole} %: fields are hidden`);
  const without = await coverage('--exclude', 'Lead,Case');
  assert.ok(without < whole - 1.5, `${without} %: nobody answers for what the command line leaves out`);
  const file = path.join(rig.folder, 'salvor.config.json');
  const values = JSON.parse(readFileSync(file, 'utf8'));
  const [reason, owner] = ['not needed', 'it@example.com'];
  const policy = [{ objects: ['Lead', 'Case'] }, { objects: ['Contact'], where: "FirstName = 'Ann'" }];
  writeFileSync(file, JSON.stringify({ ...values, exclusions: policy.map((one) => ({ ...one, reason, owner })) }));
  const agreed = await coverage();
  assert.ok(Math.abs(agreed - whole) < 0.2, `${agreed} %, ${whole} % before`);
});

test('a reason that the configuration accepts makes the point complete, until its last day and for that reason only', async () => {
  await using rig = await Rig.start({ settings: without('queryAllFiles') });
  await rig.init();
  const contents3 = ['ContentDocument', 'ContentDocumentLink', 'contentversion'];
  const accept = (more: object) => ({
    accept: [{ objects: contents3, reason: 'visibility', owner: 'it@example.com', until: '2999-12-31', ...more }],
  });
  configure(rig, accept({ until: new Date().toISOString().slice(0, 10) }));
  const accepted = await rig.salvor('backup', '--json', '--objects', some);
  assert.equal(accepted.status, 0, accepted.stderr);
  assert.equal(accepted.json.result.point.status, 'complete');
  assert.deepEqual(Object.keys(incomplete(accepted)), ['ContentDocument', 'ContentDocumentLink', 'ContentVersion']);
  for (const more of [{ until: '2020-01-01' }, { reason: 'failed' }, { objects: ['ContentDocument'] }]) {
    configure(rig, accept(more));
    const ran = await rig.salvor('backup', '--json', '--objects', some);
    assert.equal(ran.status, 3, JSON.stringify(more));
    assert.equal(ran.json.result.point.status, 'partial');
  }
  assert.deepEqual(
    (await points(rig)).map(({ status }) => status),
    ['partial', 'partial', 'partial', 'complete'],
  );
  for (const more of [{ reason: 'whatever' }, { objects: ['Content*'] }, { until: undefined }, { owner: ' ' }]) {
    configure(rig, accept(more));
    const wrong = await rig.salvor('backup', '--json', '--objects', some);
    assert.equal(wrong.status, 2, wrong.stderr);
    assert.equal(wrong.json.name, 'config-invalid');
  }
});
