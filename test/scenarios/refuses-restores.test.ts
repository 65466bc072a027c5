import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';

const referred = 'User,RecordType,Group,Profile,UserRole';
/** The sample org, as an org that is no sandbox. */
function production(): Database {
  const { facts, tables } = sampleDatabase();
  const table = tables.get('Organization')!;
  const row = { ...table.source.row(0), IsSandbox: false };
  const source = { size: 1, row: () => row, find: (id: string) => table.source.find(id) };
  return {
    facts: { ...facts, isSandbox: false },
    tables: new Map([...tables, ['Organization', { ...table, source }]]),
  };
}

/** The exit code, the stable name, one sentence and what to do. */
function refused(ran: Ran, status: number, name: string, message: RegExp): void {
  assert.equal(ran.status, status, `${ran.stdout}${ran.stderr}`);
  assert.equal(ran.json.name, name, ran.stdout);
  assert.match(ran.json.message, message);
  assert.ok(ran.json.actions.length > 0, 'it says what to do');
}

describe('a restore that may not be', () => {
  let rig: Rig;
  let org: OrgRequests;
  let account: string;

  /** What was sent to the org that could have changed it. */
  const writes = () =>
    rig.org.requests.entries.filter(
      ({ method, endpoint }) =>
        ['POST', 'PATCH', 'DELETE', 'PUT'].includes(method) &&
        /^(record\.|collections|ingest|soap|composite\.)/.test(endpoint),
    );
  const restore = (...args: string[]) => rig.salvor('restore', ...args, '--json', '--no-prompt');

  before(async () => {
    rig = await Rig.start();
    org = new OrgRequests(rig.org);
    await rig.init();
    account = (await org.create('Account', [{ Name: 'Alone Ltd' }]))[0]!;
    const ran = await rig.salvor('backup', '--json', '--no-prompt', '--objects', `Account,Contact,${referred}`);
    assert.equal(ran.status, 0, ran.stdout);
    await org.delete([account]);
    rig.org.requests.clear();
  });
  after(() => rig[Symbol.asyncDispose]());

  test('names nothing to restore', async () => {
    refused(await restore('latest'), 5, 'nothing-selected', /nothing was selected/);
  });

  test('names a point that is not there, or none', async () => {
    refused(await restore('20200101T000000Z-abcdef', '--all'), 2, 'no-such-point', /20200101T000000Z-abcdef/);
    refused(await restore('--all'), 2, 'usage', /no recovery point is named/);
  });

  test('names an Id that the point does not have', async () => {
    refused(await restore('latest', '--ids', '001000000000001AAA'), 2, 'no-such-record', /001000000000001AAA/);
  });

  test('names an object that the point does not have', async () => {
    refused(await restore('latest', '--objects', 'Opportunity'), 2, 'no-such-object', /Opportunity/);
  });

  test('asks for what does not go together', async () => {
    const overwriting = ['--overwrite', '--incident', '2026-01-01..2026-12-31'];
    refused(await restore('latest', '--ids', account, ...overwriting), 2, 'usage', /choose one/);
    refused(await restore('latest', '--all', '--objects', 'Account'), 2, 'usage', /--all/);
    refused(await restore('latest', '--ids', account, '--delete-created'), 2, 'usage', /--delete-created/);
    refused(await restore('latest', '--ids', account, '--with-children=deep'), 2, 'usage', /--with-children/);
    refused(await restore('latest', '--ids', account, '--relationship', 'Contact'), 2, 'usage', /--relationship/);
  });

  test('names fields and lookups that the point does not have', async () => {
    const chosen = ['latest', '--objects', 'Account', '--overwrite'];
    refused(await restore(...chosen, '--fields', 'Nonsense'), 2, 'usage', /has a field Nonsense/);
    refused(await restore(...chosen, '--fields', 'Email'), 2, 'usage', /has a field Email/);
    refused(
      await restore(...chosen, '--relationship', 'Contact.Nonsense=no'),
      2,
      'usage',
      /no lookup Contact.Nonsense/,
    );
  });

  test('names an incident that the point does not come before', async () => {
    refused(await restore('latest', '--incident', '2099-01-01..'), 2, 'usage', /has not begun/);
    refused(await restore('latest', '--incident', '2020-01-01..2020-01-02'), 2, 'usage', /before point \S+ began/);
    refused(await restore('latest', '--incident', '2020-01-02..2020-01-01'), 2, 'usage', /ends before it begins/);
    refused(await restore('latest', '--after', 'latest'), 2, 'usage', /cannot show what happened after/);
  });

  test('has no identity to read rows with', async () => {
    const { SALVOR_IDENTITY_FILE: identity } = rig.env;
    delete rig.env.SALVOR_IDENTITY_FILE;
    refused(await restore('latest', '--ids', account), 68, 'no-identity', /identity/);
    rig.env.SALVOR_IDENTITY_FILE = identity!;
  });

  test('was not confirmed: --json alone never approves a write', async () => {
    const ran = await rig.salvor('restore', 'latest', '--ids', account, '--json');
    refused(ran, 5, 'confirmation-missing', /not confirmed/);
  });

  test('is confirmed for another org', async () => {
    const ran = await restore('latest', '--ids', account, '--confirm', 'somebody@else.example');
    refused(ran, 5, 'confirmation-missing', /somebody@else\.example/);
  });

  test('is confirmed by an alias that did not lead to this org', async () => {
    rig.env.SF_TARGET_ORG = 'another';
    const ran = await restore('latest', '--ids', account, '--confirm', 'another');
    delete rig.env.SF_TARGET_ORG;
    refused(ran, 5, 'confirmation-missing', /--confirm names another/);
  });

  test('maps what is not there', async () => {
    const file = path.join(rig.folder, 'mapping.json');
    writeFileSync(
      file,
      JSON.stringify({ User: { 'username nobody@example.com': 'username backup@practice-org.example' } }),
    );
    refused(await restore('latest', '--ids', account, '--mapping', file), 2, 'usage', /mapping rule .* User/);
    writeFileSync(file, '[1]');
    refused(await restore('latest', '--ids', account, '--mapping', file), 2, 'usage', /mapping file/);
  });

  test('may take no longer than it is predicted to', async () => {
    refused(await restore('latest', '--ids', account, '--max-duration', '1s'), 5, 'too-long', /longer than 1s/);
  });

  test('has a plan that somebody edited, or that more is said beside', async () => {
    const file = path.join(rig.folder, 'edited.plan');
    assert.equal((await restore('latest', '--ids', account, '--plan-out', file)).status, 0);
    refused(await restore('--plan', file, '--objects', 'Contact'), 2, 'usage', /--objects does not go with it/);
    refused(await restore('--plan', file, '--overwrite'), 2, 'usage', /--overwrite does not go with it/);
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replaceAll(
        account,
        `${account.slice(0, 14)}${account[14] === 'A' ? 'B' : 'A'}${account.slice(15)}`,
      ),
    );
    refused(await restore('--plan', file), 5, 'plan-edited', /./);
  });

  test('writes to nothing: not one of these sent a request that could change the org', () => {
    assert.deepEqual(writes(), []);
  });

  test('has no permission to make records: it says so before the first write', async () => {
    await org.emptyRecycleBin([account]);
    rig.org.requests.clear();
    rig.org.settings.permissions.editData = false;
    const ran = await restore('latest', '--ids', account);
    rig.org.settings.permissions.editData = true;
    assert.equal(ran.status, 3, ran.stdout);
    assert.ok(
      ran.json.result.withheld.some(({ code }: { code: string }) => code === 'not-createable'),
      ran.stdout,
    );
    assert.deepEqual(writes(), []);
  });

  test('finds no room for its records', async () => {
    rig.org.settings.storageRows = 0;
    const ran = await restore('latest', '--ids', account);
    rig.org.settings.storageRows = Number.POSITIVE_INFINITY;
    refused(ran, 5, 'storage-short', /1 records take about 1 MB, and the org has 0 MB/);
    assert.deepEqual(writes(), []);
  });

  test('is of a point that is not whole in what is asked for', async () => {
    rig.org.failNext('*', { name: '500-unknown-exception' }, { object: 'Contact', times: 1000 });
    const partial = await rig.salvor(
      'backup',
      '--json',
      '--no-prompt',
      '--objects',
      `Account,Contact,${referred}`,
      '--tag',
      'half',
    );
    rig.org.clearFaults();
    assert.equal(partial.status, 3, partial.stdout);
    refused(await restore('half', '--objects', 'Contact'), 2, 'no-such-object', /Contact/);
  });
});

test('another org than the one of the point wants its users and record types mapped, or says which are not', async () => {
  await using rig = await Rig.start();
  await rig.init();
  await rig.salvor('backup', '--json', '--no-prompt', '--objects', 'Account,User');
  await using other = await Rig.start({ database: ofAnotherOrg(sampleDatabase({ seed: 2 })), vault: rig.vault });
  Object.assign(rig.env, { SF_ACCESS_TOKEN: other.org.accessToken, SF_ORG_INSTANCE_URL: other.org.url });
  const ran = await rig.salvor('restore', 'latest', '--objects', 'Account', '--json', '--no-prompt');
  refused(ran, 5, 'unmapped-reference', /User/);
});

test('a production org has to be named, its vault pinned, and its e-mail thought of', async () => {
  await using rig = await Rig.start({ database: production() });
  const org = new OrgRequests(rig.org);
  const made = await rig.init();
  const [account] = (await org.create('Account', [{ Name: 'Alone Ltd' }])) as [string];
  await rig.salvor('backup', '--json', '--no-prompt', '--objects', `Account,${referred}`);
  await org.delete([account]);
  const restore = (...args: string[]) =>
    rig.salvor('restore', 'latest', '--ids', account, '--json', '--no-prompt', ...args);
  const pinned = [
    '--root-fingerprint',
    made.json.result.rootFingerprint ??
      JSON.parse(readFileSync(path.join(rig.folder, 'salvor.config.json'), 'utf8')).rootFingerprint,
  ];
  const kept = readFileSync(path.join(rig.folder, 'salvor.config.json'), 'utf8');
  writeFileSync(path.join(rig.folder, 'salvor.config.json'), '{}');
  refused(await restore('--confirm', rig.org.facts.username), 5, 'unanchored', /own word/);
  writeFileSync(path.join(rig.folder, 'salvor.config.json'), kept);
  refused(await restore('--confirm', rig.org.facts.username, ...pinned), 5, 'email-guard', /e-mail/);
  refused(await restore('--allow-email', ...pinned), 5, 'confirmation-missing', /production org/);
  refused(await restore('--allow-email', ...pinned, '--confirm', 'another'), 5, 'confirmation-missing', /another/);
  const done = await restore('--allow-email', ...pinned, '--confirm', rig.org.facts.username);
  assert.equal(done.status, 0, done.stdout);
  assert.equal(done.json.result.done.Account.undeleted, 1);
});
