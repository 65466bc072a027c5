import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { loadDatabase } from '../../src/practice-org/load.ts';
import { project, type Ran, Rig, type RigOptions } from '../support/rig.ts';

const data = path.resolve(project, '../shared/data');
const absent = existsSync(data) ? false : '../shared/data is absent';
/** Parents and children, trees, junctions, prices, every type of field. */
const related = [
  'Account',
  'Contact',
  'Opportunity*',
  'Product2',
  'Pricebook*',
  'Project__c',
  'Assignment__c',
  'Everything__c',
];

async function backedUp(options: RigOptions = {}): Promise<Rig> {
  const rig = await Rig.start(options);
  await rig.init();
  await backup(rig);
  return rig;
}

async function backup(rig: Rig): Promise<void> {
  const { status, stderr } = await rig.salvor('backup', '--json');
  assert.equal(status, 0, stderr);
}

function rungOf({ json }: Ran, name: string) {
  return json.result.points[0].rungs.find(({ rung }: { rung: string }) => rung === name);
}

test('a point is restored into an org of its own schema, and the certificate says that all of it came back', async () => {
  await using rig = await backedUp();
  const before = rig.org.requests.calls;
  const ran = await rig.salvor('verify', '--rehearse', '--objects', related.join(','), '--json');
  assert.equal(ran.status, 0, ran.stderr);
  // The org itself is not asked for anything.
  assert.equal(rig.org.requests.calls, before);
  const { rehearsal, points, attested } = ran.json.result;
  const rung = rungOf(ran, 'rehearse');
  assert.deepEqual([rung.ok, rung.problems], [true, []]);
  assert.deepEqual(
    rehearsal.objects.map(({ object, rows, equal, standing }: Record<string, unknown>) => [
      object,
      rows,
      equal,
      standing,
    ]),
    [
      ['Account', 393, 393, 0],
      ['Assignment__c', 300, 300, 0],
      ['Contact', 1168, 1168, 0],
      ['Everything__c', 90, 90, 0],
      ['Opportunity', 792, 792, 0],
      ['OpportunityContactRole', 500, 500, 0],
      ['OpportunityLineItem', 1200, 1200, 0],
      // The standard price book is in every org.
      ['Pricebook2', 3, 2, 1],
      ['PricebookEntry', 120, 120, 0],
      ['Product2', 60, 60, 0],
      ['Project__c', 58, 58, 0],
    ],
  );
  assert.equal(rehearsal.point, points[0].id);
  assert.match(rehearsal.digest, /^[0-9a-f]{64}$/);
  assert.ok(rehearsal.measured.apiCalls > 0 && rehearsal.predicted.apiCalls > 0);
  const formula = rehearsal.notJudged.find(({ code }: { code: string }) => code === 'formula');
  assert.deepEqual(
    formula.of.find(({ object }: { object: string }) => object === 'Account'),
    {
      object: 'Account',
      field: 'Open_Pipeline__c',
      rows: 393,
    },
  );
  assert.ok(attested.seq > 0);
  const { json } = await rig.salvor('list-points', '--json');
  assert.equal(json.result.points[0].verified.rung, 'rehearse');
});

test('onto a later point, only what is missing there is restored, and nothing else is changed', async () => {
  await using rig = await backedUp();
  const headers = { authorization: `Bearer ${rig.org.accessToken}` };
  const query = encodeURIComponent('SELECT Id FROM Milestone__c ORDER BY Id LIMIT 7');
  const api = `${rig.org.url}/services/data/v67.0`;
  const { records } = (await (await fetch(`${api}/query?q=${query}`, { headers })).json()) as {
    records: { Id: string }[];
  };
  for (const { Id } of records) await fetch(`${api}/sobjects/Milestone__c/${Id}`, { method: 'DELETE', headers });
  await backup(rig);
  const objects = ['--objects', 'Milestone__c,Project__c'];
  const ran = await rig.salvor('verify', 'latest~1', '--rehearse', '--onto', 'latest', ...objects, '--json');
  assert.equal(ran.status, 0, ran.stderr);
  const { rehearsal } = ran.json.result;
  assert.deepEqual(
    rehearsal.objects.map(({ object, rows, equal, standing }: Record<string, unknown>) => [
      object,
      rows,
      equal,
      standing,
    ]),
    [
      // Seven are made again, and one gets the lookup back that it lost with them.
      ['Milestone__c', 232, 8, 224],
      ['Project__c', 58, 0, 58],
    ],
  );
  assert.notEqual(rehearsal.onto, rehearsal.point);
});

/** A setting with a number that its field cannot hold any more: it was made smaller since. */
function withNumberTooLarge({ facts, tables }: Database): Database {
  const settings = tables.get('Automation_Settings__c')!;
  const { size, row, find } = settings.source;
  const tooLarge = (number: number) => (number === 0 ? { ...row(number), Threshold__c: 1e12 } : row(number));
  return {
    facts,
    tables: new Map(tables).set('Automation_Settings__c', { ...settings, source: { size, row: tooLarge, find } }),
  };
}

test('a row that does not come back fails the verification, and is named with the reason', async () => {
  await using rig = await backedUp({ database: withNumberTooLarge(sampleDatabase()) });
  const ran = await rig.salvor('verify', '--rehearse', '--objects', 'Automation_Settings__c', '--json');
  assert.equal(ran.status, 4);
  assert.equal(ran.json.name, 'verify-failed');
  const rung = rungOf(ran, 'rehearse');
  assert.equal(rung.ok, false);
  assert.deepEqual(
    rung.problems.map(({ problem }: { problem: string }) => problem),
    ['is not in the org: the org refused it with NUMBER_OUTSIDE_VALID_RANGE'],
  );
  const { json } = await rig.salvor('list-points', '--json');
  assert.deepEqual([json.result.points[0].verified.rung, json.result.points[0].verified.ok], ['references', false]);
});

test('the certificate is shown to people, with figures and without values', async () => {
  await using rig = await backedUp();
  const ran = await rig.salvor('verify', '--rehearse', '--objects', 'Product2,PricebookEntry');
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /rehearsal {2}the point restores/);
  assert.match(ran.stdout, /PricebookEntry +120 +120 /);
  assert.match(ran.stdout, /180 rows of 180 and 0 files came back equal/);
  assert.match(ran.stdout, /the restore itself moves the stamps of change: \d+ fields?/);
});

test('an org of recorded describes is rehearsed', { skip: absent }, async () => {
  const { database } = await loadDatabase({ describes: path.join(data, 'describes'), rows: 60 });
  await using rig = await backedUp({ database });
  const objects = 'Contact,Campaign,Custom__c,Document,Topic';
  const ran = await rig.salvor('verify', '--rehearse', '--objects', objects, '--json');
  assert.equal(ran.status, 0, ran.stderr + ran.stdout);
  const { rows, equal, files } = ran.json.result.rehearsal.totals;
  assert.deepEqual([rows, equal, files], [288, 288, 56]);
});

test('what is rehearsed is said with --rehearse alone, of one point, with an identity', async () => {
  await using rig = await Rig.start();
  for (const args of [
    ['--onto', 'latest'],
    ['--objects', 'Account'],
    ['--rehearse', '--all'],
    ['--rehearse', '--no-identity'],
  ]) {
    const ran = await rig.salvor('verify', ...args, '--json');
    assert.deepEqual([ran.status, ran.json.name], [2, 'usage'], args.join(' '));
  }
});
