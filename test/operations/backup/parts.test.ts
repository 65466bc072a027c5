import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { addWriter } from '../../../src/operations/keys.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { contentsOf, InProcess, liveIds } from '../../support/in-process.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

const rows = 60_000;
const database = sampleDatabase({ scale: { CaseComment: rows } });
const request = { policy: { objects: ['CaseComment'], exclude: [] }, partBytes: 1024 * 1024 };
const pageBytes = 1_500_000;

/** A store that stops the run when it has taken so many entries of its journal. */
class StoppingStore extends MemoryStore {
  stop = new AbortController();
  entries = Number.POSITIVE_INFINITY;

  override async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    const put = await super.putIfAbsent(key, body, signal);
    if (/^runs\/[^/]+\/\d{5}-/.test(key) && --this.entries === 0) this.stop.abort(new Error('stopped'));
    return put;
  }
}

describe('a large object that was being read when the run ended', () => {
  let run: InProcess;
  let store: StoppingStore;

  beforeEach(async () => {
    await run?.[Symbol.asyncDispose]();
    run = await InProcess.start(database, { bulkPageBytes: pageBytes, rowOrder: 'ascending' });
    store = new StoppingStore();
    await run.renewVault(store);
  });

  after(() => run[Symbol.asyncDispose]());

  /** Stops a run behind so many entries: the start, the job, and parts. */
  async function stopped(entries: number): Promise<void> {
    store.entries = entries;
    store.stop = new AbortController();
    await assert.rejects(run.backup({ request, signal: store.stop.signal }), /stopped/);
    run.org.requests.clear();
    run.events.length = 0;
  }

  const asked = (endpoint: string) => run.org.requests.entries.filter((one) => one.endpoint === endpoint).length;
  const resumedAt = () => run.events.flatMap((event) => (event.type === 'object-resumed' ? event.rows : []));

  /** The newest point has every row of the org once, and verifies. */
  async function isWhole(expected: readonly string[] = liveIds(database, 'CaseComment')): Promise<void> {
    const vault = await run.openVault();
    const entry = (await vault.state()).points.at(-1)!;
    const held = (await contentsOf(vault, entry)).get('CaseComment')!;
    assert.equal(held.complete, true, held.reason);
    assert.deepEqual(held.ids, expected);
    const ctx = {
      signal: new AbortController().signal,
      report: () => undefined,
      now: () => new Date(),
      tempDir: '/tmp',
    };
    const { points } = await verify(ctx, vault, { points: [entry], noIdentity: false, attest: false, tool: 'test' });
    assert.ok(points.every(({ rungs }) => rungs.every(({ ok }) => ok)));
  }

  test('is gone on with behind its last part: no job is made, no page asked for twice', async () => {
    await stopped(4);
    const { point } = await run.backup({ request });
    assert.deepEqual([point.kind, point.status], ['full', 'complete']);
    const [behind] = resumedAt();
    assert.ok(behind! > 0 && behind! < rows, `${behind}`);
    assert.equal(asked('bulk.create'), 0);
    const left = asked('bulk.results');
    run.org.requests.clear();
    await run.backup({ request: { ...request, full: true } });
    const all = asked('bulk.results');
    // Pages hold about as many rows each.
    assert.equal(left, all - Math.round((behind! / rows) * all), `${left} of ${all} pages behind ${behind} rows`);
    await isWhole();
  });

  test('is gone on with although it was stopped while its job was at work', async () => {
    await stopped(2);
    await run.backup({ request });
    assert.deepEqual([resumedAt(), asked('bulk.create')], [[0], 0]);
    await isWhole();
  });

  test('is stopped and gone on with again and again', async () => {
    await stopped(3);
    for (let n = 0; n < 3; n++) await stopped(2);
    await run.backup({ request });
    const [behind] = resumedAt();
    assert.ok(behind! > rows / 4, `${behind}`);
    await isWhole();
  });

  test('is gone on with by another host, with another writer key', async () => {
    await stopped(1);
    // A journal is open to the writers that there were when it was written.
    store.entries = Number.POSITIVE_INFINITY;
    const ctx = {
      signal: new AbortController().signal,
      report: () => undefined,
      now: () => new Date(),
      tempDir: '/tmp',
    };
    const { writerKey } = await addWriter(ctx, await run.openVault());
    await stopped(4);
    run.keys = { ...run.keys, writerKey };
    run.openVault = () => Vault.open(store, { operation: 'write', identities: [run.keys.identity], writerKey });
    await run.backup({ request });
    assert.equal(asked('bulk.create'), 0);
    assert.ok(resumedAt()[0]! > 0);
    await isWhole();
  });

  test('is read anew when the org no longer has the job', async () => {
    await stopped(4);
    const org = new OrgRequests(run.org);
    const jobs = (await (await org.send('GET', '/services/data/v67.0/jobs/query')).json()) as {
      records: { id: string }[];
    };
    for (const { id } of jobs.records) await org.send('DELETE', `/services/data/v67.0/jobs/query/${id}`);
    run.org.requests.clear();
    await run.backup({ request });
    assert.equal(asked('bulk.create'), 1);
    await isWhole();
  });

  test('rows that were written meanwhile are in the next point', async () => {
    await stopped(4);
    const org = new OrgRequests(run.org);
    const [first] = await org.query('SELECT Id FROM CaseComment ORDER BY Id LIMIT 1');
    await org.update('CaseComment', [{ Id: String(first!.Id), CommentBody: 'changed meanwhile' }]);
    assert.equal((await run.backup({ request })).point.status, 'complete');
    const next = await run.backup({ request });
    const [object] = next.point.objects;
    assert.deepEqual([next.point.kind, object!.changed, object!.rows], ['incremental', 1, object!.rows]);
  });

  test('in an order that has to be sorted it is kept as a whole only', async () => {
    run.org.settings.rowOrder = 'shuffled';
    await run.backup({ request });
    // The start, the job, and the whole object.
    const entries = [...store.objects.keys()].filter((key) => /^runs\/[^/]+\/\d{5}-/.test(key));
    assert.equal(entries.length, 3);
    assert.equal(asked('bulk.create'), 1);
    await isWhole();
  });
});
