import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { isFault } from '../../../src/errors.ts';
import type { Plan, PlannedRow } from '../../../src/operations/restore/plan.ts';
import { planDigest, readPlanFile, writePlanFile } from '../../../src/operations/restore/plan-file.ts';
import { PlannedRows } from '../../../src/operations/restore/planned-rows.ts';
import { aPlan } from './a-plan.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'salvor-plan-'));
});
after(() => rm(folder, { recursive: true }));

const row = (n: number, more: Partial<PlannedRow> = {}): PlannedRow => ({
  id: `001${String(n).padStart(12, '0')}AAA`,
  action: 'insert',
  level: 0,
  fields: [],
  later: [],
  without: [],
  ...more,
});

const rows: PlannedRow[] = [
  row(1),
  row(2, { level: 3, later: ['ParentId'], without: ['OwnerId', 'CaseNumber'] }),
  row(3, { action: 'update', fields: ['Name', 'Phone'], now: '0123456789abcdef' }),
  row(4, { action: 'update', fields: ['Name', 'Phone'], now: 'fedcba9876543210', target: `001${'9'.repeat(12)}AAA` }),
  row(5, { action: 'conflict', reason: 'changed since the incident' }),
  row(8, { made: true }),
  row(6, { action: 'skip', target: `001${'8'.repeat(12)}AAA` }),
];

function plan(): Plan {
  return aPlan(
    { Account: rows, Contact: [row(7, { action: 'delete' })] },
    {
      together: ['Account', 'Contact'],
      references: { [`005${'0'.repeat(12)}AAA`]: `005${'1'.repeat(12)}AAA` },
    },
  );
}

test('a plan comes back from its file as it was, row for row', async () => {
  const name = path.join(folder, 'whole');
  await writePlanFile(name, plan());
  const read = await readPlanFile(name);
  assert.deepEqual(read.header, plan().header);
  assert.deepEqual([...read.references], [[`005${'0'.repeat(12)}AAA`, `005${'1'.repeat(12)}AAA`]]);
  assert.deepEqual(
    read.objects.map(({ object, together, rows: of }) => ({ object, together, rows: [...of] })),
    [
      { object: 'Account', together: ['Account', 'Contact'], rows },
      { object: 'Contact', together: ['Account', 'Contact'], rows: [row(7, { action: 'delete' })] },
    ],
  );
  assert.equal(planDigest(read), planDigest(plan()));
});

test('rows that are only counted, and what tells rows that the platform makes, come back too', async () => {
  const made = plan();
  made.objects[0]!.rows.tally('skip');
  made.objects[0]!.rows.tally('skip');
  const keyed = { ...made.objects[0]!, keys: [['AccountId', 'Label']], keysOfMadeOnly: true as const };
  const name = path.join(folder, 'counted');
  await writePlanFile(name, { ...made, objects: [keyed] });
  const [read] = (await readPlanFile(name)).objects;
  assert.deepEqual(
    { keys: read?.keys, only: read?.keysOfMadeOnly, skip: read?.rows.count('skip'), rows: read?.rows.size },
    { keys: [['AccountId', 'Label']], only: true, skip: 3, rows: 7 },
  );
});

test('only its owner may read the file', { skip: process.platform === 'win32' }, async () => {
  const name = path.join(folder, 'private');
  await writePlanFile(name, plan());
  assert.equal((await stat(name)).mode & 0o777, 0o600);
});

test('a file that is there already is not written over', async () => {
  const name = path.join(folder, 'twice');
  await writePlanFile(name, plan());
  await assert.rejects(writePlanFile(name, plan()), (error) => isFault(error, 'usage'));
});

const edits: Record<string, (text: string) => string> = {
  'another action': (text) => text.replace('"conflict"', '"update"'),
  'another org': (text) => text.replace('00D000000000001EAA', '00D000000000002EAA'),
  'another digest': (text) =>
    text.replace(/"digest":"./, (start) => `${start.slice(0, -1)}${start.endsWith('0') ? 1 : 0}`),
  'a row less': (text) => text.split('\n').toSpliced(2, 1).join('\n'),
  'a row twice': (text) => text.replace(/(\["001000000000001AAA".*\n)/, '$1$1'),
  'the end missing': (text) => text.slice(0, -5),
  'the last line missing': (text) => text.split('\n').slice(0, -2).join('\n').concat('\n'),
  'no JSON': (text) => text.replace('["object"', '["object'),
  'no digest': (text) => text.replace(/"digest":"[0-9a-f]+",/, ''),
  empty: () => '',
};

for (const [what, edit] of Object.entries(edits)) {
  test(`an edited plan is refused: ${what}`, async () => {
    const name = path.join(folder, what.replaceAll(' ', '-'));
    await writePlanFile(name, plan());
    const text = await readFile(name, 'utf8');
    assert.notEqual(edit(text), text);
    await writeFile(name, edit(text));
    await assert.rejects(readPlanFile(name), (error) => isFault(error, 'plan-edited') && error.exit === 5);
  });
}

test('a plan of a later format says so', async () => {
  const name = path.join(folder, 'later');
  await writePlanFile(name, { ...plan(), header: { ...plan().header, v: 2 as 1 } });
  await assert.rejects(readPlanFile(name), (error) => isFault(error, 'newer-format'));
});

test('a plan of 100,000 rows keeps its digest through a file', async () => {
  const many = new PlannedRows();
  for (let n = 0; n < 100_000; n++) many.add(row(n, { level: n % 7, now: String(n).padStart(16, '0') }));
  const large: Plan = { ...plan(), objects: [{ object: 'Account', rows: many, together: ['Account'] }] };
  const name = path.join(folder, 'large');
  await writePlanFile(name, large);
  const read = await readPlanFile(name);
  assert.equal(read.objects[0]!.rows.size, 100_000);
  assert.equal(planDigest(read), planDigest(large));
});
