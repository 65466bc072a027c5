import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import type { Endpoint } from '../../../src/practice-org/endpoints.ts';
import type { OrgFault } from '../../../src/practice-org/faults.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import type { Org } from '../../../src/salesforce/org.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import { differences, type Snapshot } from '../../support/org-snapshot.ts';

const names = ['Same', 'Same', 'Other', 'Fourth'];

/** What goes wrong on the way, where, and how often in a row when it is more than once. */
const cases: readonly [Endpoint, OrgFault, times?: number][] = [
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
  ['collections.create', { name: 'drop-before-commit' }, 6],
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

  for (const [endpoint, fault, times = 1] of cases) {
    test(`${endpoint}: ${Object.values(fault).join(' ')}${times > 1 ? `, ${times} times` : ''}`, async () => {
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
      for (let n = 0; n < times; n++) rig.process.org.failNext(endpoint, fault);
      const result = await rig.apply(plan, { options: { folder: rig.folder } });
      rig.process.org.clearFaults();
      assert.ok((rig.process.org.requests.counts[endpoint] ?? 0) > before, 'the fault had no request to strike');
      assert.deepEqual([result.failed, result.stopped?.message], [[], undefined]);
      const [, ...rows] = parseQuotedCsv(await readFile(result.idMapFile!, 'utf8'));
      standing = new Map(rows.map(([, id, target]) => [id!, target!]));
      assert.deepEqual(differences(was, await rig.requests.snapshot(['Account']), standing), []);
    });
  }

  test('results that the org no longer has: it is asked for the rows themselves', async () => {
    const gone = made.map((id) => standing.get(id) ?? id);
    await rig.requests.delete(gone);
    await rig.requests.emptyRecycleBin(gone);
    const org = await rig.connect();
    const stopped = await rig.apply(await rig.plan({ Account: made.map((id) => planned(id)) }), {
      org: busyFor(org, 2),
    });
    assert.equal(stopped.stopped?.name, 'job-running');
    const { records } = (await (await rig.requests.send('GET', '/services/data/v67.0/jobs/ingest')).json()) as {
      records: { id: string; state: string }[];
    };
    for (const { id, state } of records) {
      if (state === 'Open' || state === 'Aborted') continue;
      await org.writer.ingest.wait(id);
      await org.writer.ingest.delete(id);
    }
    await org.close();
    const result = await rig.resume(stopped.restoreId, { options: { folder: rig.folder } });
    assert.deepEqual([result.failed, result.stopped], [[], undefined]);
    const [, ...rows] = parseQuotedCsv(await readFile(result.idMapFile!, 'utf8'));
    standing = new Map(rows.map(([, id, target]) => [id!, target!]));
    assert.deepEqual(differences(was, await rig.requests.snapshot(['Account']), standing), []);
  });

  test('a row that the point does not hold is told as failed, and nothing is left open', async () => {
    const unknown = `001${'z'.repeat(12)}AAA`;
    const result = await rig.apply(
      await rig.plan({ Account: [planned(unknown), planned(binned, { action: 'update', fields: ['Name'] })] }),
    );
    assert.deepEqual(
      result.failed.map(({ id, code }) => [id, code]),
      [[unknown, 'NOT_IN_POINT']],
    );
    assert.equal(result.done.Account?.updated, 1);
  });
});

/** An org whose ingest jobs take too long, from this one on. */
function busyFor(org: Org, jobs: number): Org {
  let waited = 0;
  const wait = (job: string) => {
    waited += 1;
    if (waited >= jobs) throw new Fault('job-running', 'it takes long');
    return org.writer.ingest.wait(job);
  };
  const bound = <T extends object>(of: T, own: Partial<T>): T =>
    new Proxy(of, {
      get(target, name) {
        const value = Reflect.get(own, name) ?? Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return bound(org, { writer: bound(org.writer, { ingest: bound(org.writer.ingest, { wait }) }) });
}
