import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type Ran, Rig } from '../support/rig.ts';

const objects = ['--objects', 'Account,CaseComment,ContentVersion,Profile'];

/** A healthy org and vault: nothing hidden, a point taken. */
async function healthy(): Promise<Rig> {
  const rig = await Rig.start({ settings: { permissions: { viewAllFields: true } as never } });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--no-prompt', '--objects', 'CaseComment,Profile');
  assert.equal(ran.status, 0, ran.stdout);
  return rig;
}

interface Finding {
  readonly area: string;
  readonly name: string;
  readonly ok: string;
  readonly said: string;
  readonly fix: string | null;
}

/** What is not ok, as `area: name ok`. */
function amiss({ json }: Ran): string[] {
  return (json.result.findings as Finding[])
    .filter(({ ok }) => ok !== 'ok')
    .map(({ area, name, ok }) => `${area}: ${name} ${ok}`);
}

function finding({ json }: Ran, area: string, name: string): Finding {
  const found = (json.result.findings as Finding[]).find((one) => one.area === area && one.name === name);
  assert.ok(found, `${area}: ${name}`);
  return found;
}

test('of a healthy org and vault the doctor finds nothing amiss and leaves nothing behind', async () => {
  await using rig = await healthy();
  const ran = await rig.salvor('doctor', '--json');
  assert.equal(ran.status, 0, ran.stdout);
  assert.deepEqual(amiss(ran), []);
  const areas = new Set((ran.json.result.findings as Finding[]).map(({ area }) => area));
  assert.deepEqual(
    [...areas],
    ['login', 'permissions', 'blind spots', 'API head-room', 'store', 'policy', 'keys', 'clock'],
  );
  assert.match(finding(ran, 'login', 'login').said, /^backup@practice-org\.example in 00D\w{15} \(a sandbox\)/);
  assert.match(
    finding(ran, 'API head-room', 'daily-requests').said,
    /the newest point took \d+: [\d,]+ such points fit/,
  );
  assert.match(finding(ran, 'keys', 'writer-key').said, /^is writer-1; opens the manifest of the newest point$/);
  assert.ok((ran.json.result.findings as Finding[]).every(({ fix }) => fix === null));
  assert.equal((await rig.salvor('verify', '--json', 'latest')).status, 0);
  const again = await rig.salvor('doctor', ...objects);
  assert.match(again.stdout, /^login\n {2}ok {4}login/);
  assert.match(again.stdout, /\n\d+ ok, 0 to look at, 0 bad\nnext: salvor backup --dry-run/);
});

test('permissions that hide rows, files and values without an error are found, each with its fix', async () => {
  await using rig = await healthy();
  Object.assign(rig.org.settings.permissions, {
    viewAllData: false,
    queryAllFiles: false,
    viewSetup: false,
    viewEncryptedData: false,
  });
  const ran = await rig.salvor('doctor', '--json');
  assert.equal(ran.status, 7);
  assert.equal(ran.json.name, 'doctor-found');
  assert.deepEqual(
    amiss(ran).filter((one) => one.startsWith('permissions')),
    [
      'permissions: view-all-data bad',
      'permissions: query-all-files bad',
      'permissions: view-encrypted-data bad',
      'permissions: view-setup warn',
    ],
  );
  assert.match(finding(ran, 'permissions', 'view-all-data').fix!, /^give View All Data in a permission set/);
  const told = await rig.salvor('doctor', ...objects);
  assert.match(told.stdout, /bad {3}view-all-data .*\n +fix: give View All Data/);
  assert.match(told.stdout, /next: salvor doctor /);
});

test('fields that field-level security hides are counted and named, and do not fail the run', async () => {
  await using rig = await healthy();
  rig.org.settings.permissions.viewAllFields = false;
  const ran = await rig.salvor('doctor', '--json');
  assert.equal(ran.status, 0);
  assert.deepEqual(amiss(ran), ['blind spots: fields-hidden warn']);
  assert.equal(
    finding(ran, 'blind spots', 'fields-hidden').said,
    'field-level security hides 2 fields, which no point holds: Account.Credit_Limit__c, Contact.Social_Number__c',
  );
  // What the policy leaves out no point is to hold.
  const file = path.join(rig.folder, 'salvor.config.json');
  const [reason, owner] = ['nobody needs it', 'it@example.com'];
  const exclusions = [{ fields: ['Contact.Social_*'] }, { objects: ['Account'] }].map((one) => ({
    ...one,
    reason,
    owner,
  }));
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), exclusions }));
  const agreed = await rig.salvor('doctor', '--json');
  assert.deepEqual(amiss(agreed), []);
  const said = (one: Ran) => Number(/^\d+/.exec(finding(one, 'blind spots', 'objects-left-out').said)![0]);
  assert.equal(said(agreed), said(ran) - 1);
});

test('an org that has hardly a call left is found before a backup stops at its budget', async () => {
  await using rig = await healthy();
  rig.org.settings.requestsUsedByOthers = 85_000;
  const ran = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(ran.status, 7);
  assert.deepEqual(amiss(ran), ['API head-room: daily-requests bad']);
  assert.match(
    finding(ran, 'API head-room', 'daily-requests').said,
    /^85,\d{3} of 100,000 requests used today; .*; a backup would stop at its budget of 80 %$/,
  );
  assert.equal((await rig.salvor('doctor', '--json', '--max-api-percent', '95', ...objects)).status, 0);
});

test("a clock that differs from the org's is told from one minute on and bad from five on", async () => {
  await using rig = await healthy();
  rig.org.settings.clockSkew = 2 * 60_000;
  const two = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(two.status, 0);
  assert.deepEqual(amiss(two), ['clock: org warn']);
  rig.org.settings.clockSkew = -7 * 60_000;
  const seven = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(seven.status, 7);
  assert.deepEqual(amiss(seven), ['clock: org bad']);
  assert.match(finding(seven, 'clock', 'org').said, /^the clock of this host is 4\d\d seconds ahead of the org's/);
});

test('without a login the vault is looked at all the same; a login that is refused is bad', async () => {
  await using rig = await healthy();
  const { SF_ACCESS_TOKEN: token, ...rest } = rig.env;
  rig.env = rest;
  const without = await rig.salvor('doctor', '--json');
  assert.equal(without.status, 0);
  assert.deepEqual(amiss(without), ['login: login warn']);
  assert.match(finding(without, 'login', 'login').said, /^the org was not looked at: /);
  assert.equal(finding(without, 'keys', 'identity').ok, 'ok');
  rig.env = { ...rest, SF_ACCESS_TOKEN: `${token}x` };
  const refused = await rig.salvor('doctor', '--json');
  assert.equal(refused.status, 7);
  assert.deepEqual(amiss(refused), ['login: login bad']);
  assert.match(finding(refused, 'login', 'login').said, /^session-expired: /);
  assert.equal(finding(refused, 'store', 'conditional-create').ok, 'ok');
});

test('without a vault the org is looked at; with neither there is nothing to do', async () => {
  await using rig = await Rig.start();
  const { SALVOR_VAULT: _, ...rest } = rig.env;
  rig.env = rest;
  const org = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(org.status, 0);
  assert.deepEqual(amiss(org), ['blind spots: fields-hidden warn', 'store: vault warn']);
  const nowhere = await rig.salvor('doctor', '--json', '--vault', path.join(rig.folder, 'none'), ...objects);
  assert.equal(nowhere.status, 7);
  assert.match(finding(nowhere, 'store', 'vault').said, /^no-vault: there is no vault at /);
  const { SF_ACCESS_TOKEN: __, ...nothing } = rest;
  rig.env = nothing;
  const neither = await rig.salvor('doctor', '--json');
  assert.equal(neither.status, 2);
  assert.equal(neither.json.name, 'no-vault');
});

test('keys that cannot be read, belong elsewhere or lie open are found, and the others are tried', async () => {
  await using rig = await healthy();
  const good = rig.env;
  rig.env = { ...good, SALVOR_IDENTITY_FILE: path.join(rig.folder, 'gone.key') };
  const gone = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(gone.status, 7);
  assert.deepEqual(amiss(gone), ['keys: identity bad']);
  assert.equal(finding(gone, 'keys', 'writer-key').ok, 'ok');

  const broken = path.join(rig.folder, 'broken.key');
  await writeFile(broken, 'SALVOR-WRITER-KEY-1NONSENSE\n', { mode: 0o600 });
  rig.env = { ...good, SALVOR_WRITER_KEY_FILE: broken };
  const invalid = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(invalid.status, 7);
  assert.deepEqual(amiss(invalid), ['keys: writer-key bad']);
  assert.match(finding(invalid, 'keys', 'writer-key').said, /^key-invalid: /);
  assert.equal(finding(invalid, 'keys', 'identity').ok, 'ok');

  await using other = await Rig.start();
  await other.init();
  rig.env = { ...good, SALVOR_WRITER_KEY_FILE: other.env.SALVOR_WRITER_KEY_FILE! };
  const foreign = await rig.salvor('doctor', '--json', ...objects);
  assert.match(finding(foreign, 'keys', 'writer-key').said, /^wrong-writer-key: /);

  rig.env = good;
  await chmod(good.SALVOR_WRITER_KEY_FILE!, 0o644);
  const open = await rig.salvor('doctor', '--json', ...objects);
  assert.equal(open.status, 7);
  assert.deepEqual(amiss(open), ['keys: key-files bad']);
  assert.equal(finding(open, 'keys', 'key-files').fix, `chmod 600 ${good.SALVOR_WRITER_KEY_FILE}`);
});

test('a vault that holds the points of another org is found before a backup refuses it', async () => {
  await using rig = await healthy();
  const sample = sampleDatabase();
  const table = sample.tables.get('Organization')!;
  const id = '00D000000000009EAA';
  const source = {
    size: 1,
    row: () => ({ ...table.source.row(0), Id: id }),
    find: (one: string) => (one === id ? 0 : -1),
  };
  const database = {
    facts: { ...sample.facts, organizationId: id },
    tables: new Map([...sample.tables, ['Organization', { ...table, source }]]),
  } as typeof sample;
  await using other = await Rig.start({ database });
  rig.env = { ...rig.env, SF_ACCESS_TOKEN: other.org.accessToken, SF_ORG_INSTANCE_URL: other.org.url };
  const ran = await rig.salvor('doctor', '--json', '--objects', 'Profile');
  assert.equal(ran.status, 7);
  assert.deepEqual(
    amiss(ran).filter((one) => one.endsWith('bad')),
    ['store: vault-org bad'],
  );
  assert.match(finding(ran, 'store', 'vault-org').said, /^foreign-vault: /);
});
