import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Endpoint } from '../../../src/practice-org/endpoints.ts';
import type { OrgFault } from '../../../src/practice-org/faults.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import { differences, type Snapshot } from '../../support/org-snapshot.ts';

const names = ['Same', 'Same', 'Other', 'Fourth'];

/** What goes wrong on the way, and where. */
const cases: readonly [Endpoint, OrgFault][] = [
  ['ingest.create', { name: 'commit-then-drop' }],
  ['ingest.upload', { name: 'commit-then-drop' }],
  ['ingest.upload', { name: 'drop-before-commit' }],
  ['ingest.upload', { name: 'lost-upload' }],
  ['ingest.close', { name: 'commit-then-drop' }],
  ['ingest.close', { name: 'job-failed', afterRows: 1 }],
  ['ingest.job', { name: '503-json' }],
  ['ingest.successful', { name: 'truncate', afterBytes: 60 }],
  ['collections.create', { name: 'commit-then-drop' }],
  ['collections.create', { name: 'drop-before-commit' }],
  ['collections.create', { name: 'row-lock', rows: 1 }],
  ['collections.update', { name: 'commit-then-drop' }],
  ['soap', { name: 'commit-then-drop' }],
  ['collections.delete', { name: 'commit-then-drop' }],
];

describe('whatever is lost on the way, no row comes twice and none is missing', () => {
  let rig: ApplyRig;
  let was: Snapshot;
  let made: string[];
  let binned: string;
  let standing: ReadonlyMap<string, string> = new Map();

  before(async () => {
    rig = await ApplyRig.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }), ['Account'], {
      prepare: async (requests) => {
        made = await requests.create(
          'Account',
          names.map((Name) => ({ Name, Description: 'two\r\nlines' })),
        );
        [binned] = (await requests.create('Account', [{ Name: 'Binned' }])) as [string];
      },
    });
    // Bulk refuses one of two alike; it goes by Collections.
    rig.process.org.settings.rules = [{ kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' }];
    was = await rig.requests.snapshot(['Account']);
  });
  after(() => rig[Symbol.asyncDispose]());

  for (const [endpoint, fault] of cases) {
    test(`${endpoint}: ${Object.values(fault).join(' ')}`, async () => {
      const gone = made.map((id) => standing.get(id) ?? id);
      await rig.requests.delete(gone);
      await rig.requests.emptyRecycleBin(gone);
      await rig.requests.delete([binned]);
      // A record that this user makes at the same time would leave it open whether it is one of the lost ones.
      const created = endpoint.endsWith('delete') ? await rig.requests.create('Account', [{ Name: 'New' }]) : [];
      const plan = await rig.plan({
        Account: [
          ...made.map((id) => planned(id)),
          planned(binned, { action: 'undelete' }),
          ...created.map((id) => planned(id, { action: 'delete' })),
        ],
      });
      const before = rig.process.org.requests.counts[endpoint] ?? 0;
      rig.process.org.failNext(endpoint, fault);
      const result = await rig.apply(plan, { options: { folder: rig.folder } });
      rig.process.org.clearFaults();
      assert.ok((rig.process.org.requests.counts[endpoint] ?? 0) > before, 'the fault had no request to strike');
      assert.deepEqual([result.failed, result.stopped?.message], [[], undefined]);
      const [, ...rows] = parseQuotedCsv(await readFile(result.idMapFile!, 'utf8'));
      standing = new Map(rows.map(([, id, target]) => [id!, target!]));
      assert.deepEqual(differences(was, await rig.requests.snapshot(['Account']), standing), []);
    });
  }
});
