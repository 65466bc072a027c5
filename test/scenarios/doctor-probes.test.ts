import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type Ran, Rig } from '../support/rig.ts';

const confirm = ['--confirm', 'backup@practice-org.example'];
const objects = ['Account', 'Contact', 'Case'];

async function soql(rig: Rig, by: 'query' | 'queryAll', text: string) {
  const url = `${rig.org.url}/services/data/v67.0/${by}?q=${encodeURIComponent(text)}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${rig.org.accessToken}` } });
  return (await answer.json()) as { totalSize: number; records: { expr0?: number }[] };
}

/** Rows of the objects that the probe writes to, with those in the recycle bin, and jobs. */
async function census(rig: Rig): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const object of objects)
    for (const by of ['query', 'queryAll'] as const)
      found[`${by} ${object}`] = (await soql(rig, by, `SELECT COUNT() FROM ${object}`)).totalSize;
  for (const kind of ['query', 'ingest']) {
    const url = `${rig.org.url}/services/data/v67.0/jobs/${kind}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${rig.org.accessToken}` } });
    found[`${kind} jobs`] = ((await answer.json()) as { records: object[] }).records.length;
  }
  return found;
}

function answers({ json }: Ran): Record<string, string | null> {
  const list = json.result.answers as { id: string; answer: string | null }[];
  return Object.fromEntries(list.map(({ id, answer }) => [id, answer]));
}

/** What the practice org is known to answer as it is set up by default; null: it is not to be asked. */
const known = {
  'bulk-empty-result': 'header',
  'header-case': 'Sforce-NumberOfRecords',
  'nul-in-text': 'kept',
  'results-before-completion': '400 INVALIDJOBSTATE',
  'processed-equals-rows': 'yes',
  'big-object-by-bulk': 'taken',
  'custom-metadata-by-bulk': 'refused: 400 INVALIDENTITY',
  'long-downloads': null,
  'query-timeout-status': null,
  'page-size-default': null,
  'job-create-status': '200',
  'multipart-closes': 'yes',
  'close-without-data': 'JobComplete',
  'line-ending-mismatch':
    'the job fails: ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF',
  'mixed-newlines':
    'the job fails: ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF',
  'cell-limit': 'the job',
  'duplicate-header-in-bulk': null,
  'assignment-by-default': null,
  'null-over-default': 'the row fails: REQUIRED_FIELD_MISSING',
  'null-in-reference': 'the row fails: INVALID_FIELD',
  'audit-fields-on-upsert': 'the row fails: INVALID_FIELD_FOR_INSERT_UPDATE',
  'failed-update-id': 'nothing',
  'error-separator': '";"',
  'attributes-last': 'yes',
  'unknown-field-in-collection': 'the request: 400 INVALID_FIELD',
  'blanked-lookup-stamp': 'no',
  'cascade-children': 'it is marked; undeleted alone: UNDELETE_FAILED',
  'undelete-live-row': 'UNDELETE_FAILED',
};

test('every open question is put to the org, the answers go into a report without names, and nothing stays behind', async () => {
  await using rig = await Rig.start({ settings: { bulkPollsQueued: 1 } });
  const before = await census(rig);
  const file = path.join(rig.folder, 'report.json');
  const ran = await rig.salvor('doctor', '--probe', '--json', ...confirm, '--report', file);
  assert.equal(ran.status, 0, ran.stderr + ran.stdout);
  assert.deepEqual(answers(ran), known);
  assert.deepEqual(ran.json.result.left, []);
  assert.deepEqual(await census(rig), before);

  const text = await readFile(file, 'utf8');
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  const report = JSON.parse(text);
  assert.deepEqual(
    { v: report.v, kind: report.kind, org: report.org, left: report.left },
    { v: 1, kind: 'salvor-probe', org: { type: 'Developer Edition', isSandbox: true, apiVersion: '67.0' }, left: 0 },
  );
  const [first] = report.answers;
  assert.equal(first.id, 'bulk-empty-result');
  assert.deepEqual(first.exchanges.at(-1).got, {
    status: 200,
    headers: {
      'Content-Type': 'text/csv; charset=UTF-8',
      'Sforce-NumberOfRecords': '0',
      'Sforce-Locator': 'null',
      'Transfer-Encoding': 'chunked',
    },
    body: '"Id","LastName"\n',
  });
  const { organizationId, userId, organizationName, username } = rig.org.facts;
  const secrets = [rig.org.accessToken, username, new URL(rig.org.url).host, organizationId, userId, organizationName];
  for (const secret of secrets) assert.ok(!text.includes(secret), secret);
  assert.doesNotMatch(text, /\b(?:00[0-9A-Za-z]|750|500)[A-Za-z0-9]{12,15}\b/, 'no Id');
  assert.doesNotMatch(text, /(?<!Object)__(?:b|mdt)\b/, 'no name of an object of the org');

  const again = await rig.salvor('doctor', '--probe', '--json', ...confirm, '--report', file);
  assert.equal(again.status, 2, 'a report is never replaced');
});

test('an org that is set up in another way gives other answers', async () => {
  await using rig = await Rig.start({
    settings: {
      bulkPollsQueued: 1,
      bulkEmptyResult: 'nothing',
      headerCase: 'lower',
      ingestCreateStatus: 201,
      ingestMultipartCloses: false,
      ingestCloseWithoutData: 'refused',
      ingestMixedNewlines: true,
      ingestCellCharacters: 131_072,
      ingestNullOverDefault: 'default',
      ingestReferenceNull: 'clears',
      ingestFailedIds: 'given',
      ingestErrorSeparator: ' | ',
      collectionsAttributes: 'strict',
      collectionsUnknownField: 'record',
      blankedLookupsMoveStamps: true,
    },
  });
  const before = await census(rig);
  const file = path.join(rig.folder, 'report.json');
  const ran = await rig.salvor('doctor', '--probe', '--json', ...confirm, '--report', file);
  assert.equal(ran.status, 0, ran.stderr + ran.stdout);
  const told = answers(ran);
  const changed = Object.fromEntries(
    Object.entries(told).filter(([id, answer]) => answer !== known[id as keyof typeof known]),
  );
  assert.deepEqual(changed, {
    'bulk-empty-result': 'nothing',
    'header-case': 'sforce-numberofrecords',
    'job-create-status': '201',
    'multipart-closes': 'no',
    'close-without-data': 'refused: INVALIDJOBSTATE',
    'mixed-newlines': 'taken',
    'cell-limit': 'the field',
    'null-over-default': 'the default',
    'null-in-reference': 'yes',
    'failed-update-id': 'the Id',
    'error-separator': '" | "',
    'attributes-last': 'refused: 200 JSON_PARSER_ERROR',
    'unknown-field-in-collection': 'the record',
    'blanked-lookup-stamp': 'yes',
  });
  assert.deepEqual(await census(rig), before);
});

test('a probe that is stopped, and one whose answer is lost, leave nothing in the org either', async () => {
  await using rig = await Rig.start({ settings: { bulkDelay: 400 } });
  const before = await census(rig);
  const { child, ended } = rig.start('doctor', '--probe', ...confirm, '--report', 'stopped.json');
  await new Promise<void>((resolve) => {
    let told = '';
    child.stderr?.on('data', (text: string) => {
      told += text;
      if (told.includes('without data')) resolve();
    });
  });
  child.kill('SIGINT');
  const stopped = await ended;
  assert.equal(stopped.status, 130, stopped.stderr);
  await assert.rejects(stat(path.join(rig.folder, 'stopped.json')), 'a probe that was stopped writes no report');
  const after = await census(rig);
  for (const object of objects)
    for (const by of ['query', 'queryAll']) assert.equal(after[`${by} ${object}`], before[`${by} ${object}`], object);

  rig.org.settings.bulkDelay = 0;
  rig.org.failNext('collections.create', { name: 'commit-then-drop' });
  const lost = await rig.salvor('doctor', '--probe', '--json', ...confirm, '--report', 'lost.json');
  assert.equal(lost.status, 0, lost.stdout);
  assert.equal(answers(lost)['attributes-last'], null);
  assert.equal(answers(lost)['undelete-live-row'], 'UNDELETE_FAILED');
  const end = await census(rig);
  for (const object of objects) assert.equal(end[`queryAll ${object}`], before[`queryAll ${object}`], object);
});

test('duplicate and assignment rules of the org let two more questions be asked, which Bulk of the practice org answers with no', async () => {
  const database = sampleDatabase();
  const users = database.tables.get('User')!.source;
  const other = String(users.row(1).Id === database.facts.userId ? users.row(2).Id : users.row(1).Id);
  await using rig = await Rig.start({
    database,
    settings: {
      rules: [
        { kind: 'duplicate', object: 'Contact', fields: ['LastName', 'FirstName', 'Email'], action: 'alert' },
        { kind: 'assignment', object: 'Case', owner: other },
      ],
    },
  });
  const ran = await rig.salvor('doctor', '--probe', '--json', ...confirm, '--report', 'report.json');
  assert.equal(ran.status, 0, ran.stdout);
  const told = answers(ran);
  assert.deepEqual([told['duplicate-header-in-bulk'], told['assignment-by-default']], ['no', 'no']);
});

test('nothing is written to an org that was not confirmed, nor to a production org that nobody named', async () => {
  await using rig = await Rig.start();
  const asked = await rig.salvor('doctor', '--probe', '--json');
  assert.equal(asked.status, 5);
  assert.equal(asked.json.name, 'confirmation-missing');
  const other = await rig.salvor('doctor', '--probe', '--json', '--confirm', 'somebody@else.example');
  assert.equal(other.json.name, 'confirmation-missing');

  const database = sampleDatabase();
  const table = database.tables.get('Organization')!;
  const row = { ...table.source.row(0), IsSandbox: false, OrganizationType: 'Unlimited Edition' };
  const tables = new Map(database.tables);
  tables.set('Organization', { ...table, source: { ...table.source, size: 1, row: () => row } });
  await using production = await Rig.start({
    database: { ...database, tables, facts: { ...database.facts, isSandbox: false } },
  });
  const unnamed = await production.salvor('doctor', '--probe', '--json');
  assert.equal(unnamed.status, 5);
  assert.equal(unnamed.json.name, 'wrong-target');
  assert.match(unnamed.json.message, /is in a production org \(Unlimited Edition\)/);
  assert.equal(production.org.requests.counts['record.create'] ?? 0, 0);
  const without = await rig.salvor('doctor', '--json', ...confirm);
  assert.equal(without.status, 2, '--confirm alone means nothing');
  assert.equal(rig.org.requests.counts['record.create'] ?? 0, 0);
  assert.equal(rig.org.requests.counts['ingest.create'] ?? 0, 0);
});
