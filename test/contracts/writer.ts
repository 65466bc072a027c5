import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import type { RowFlow } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { bulkUnfit, encodeBulkRow, parseErrorCell } from '../../src/salesforce/bulk-csv.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { IngestOperation, IngestState, WriteRecord } from '../../src/salesforce/writing.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';

/** A request of the writing side whose answer can be lost. */
export type Losable =
  | 'insert'
  | 'update'
  | 'upsert'
  | 'delete'
  | 'undelete'
  | 'insertFile'
  | 'ingest.create'
  | 'ingest.upload'
  | 'ingest.close';

export interface OpenedOrg {
  /** The sample org: Account, Contact, Project__c, Everything__c and files, with a user that may do everything. */
  org: Org;
  /** The next such request breaks off, after the org has done it or before. */
  lose(request: Losable, when: 'done' | 'not-done'): void;
  close(): Promise<void>;
}

/** Every promise of `OrgWriter`, held against an org by reading back what was written. */
export function writerContract(name: string, open: () => Promise<OpenedOrg>): void {
  describe(`${name} keeps the contract of a writer`, () => {
    let opened: OpenedOrg;
    let org: Org;
    before(async () => {
      opened = await open();
      org = opened.org;
    });
    after(async () => await opened?.close());

    const described = async (object: string): Promise<ObjectDescribe> => {
      const found = (await org.describe([object])).get(object);
      assert.ok(found && !('reason' in found));
      return found;
    };
    /** Rows with these Ids as they are now, in the order of `ids`; undefined for one that is not there. */
    const now = async (object: string, ids: readonly string[], fields: readonly string[], all = false) => {
      const rows = await rowsOf(org.records(await described(object), ids, ['Id', ...fields], { all }));
      return ids.map((id) => rows.find(([one]) => one === id)?.slice(1));
    };
    /** Names of live projects that begin so. */
    const projects = async (start: string) => {
      const object = await described('Project__c');
      const plan = org.plan(object);
      assert.ok(plan.way !== 'none');
      const where = `Name LIKE '${start}%'`;
      const request = { object: 'Project__c', plan: { ...plan, fields: ['Name'] }, where, all: false, rowsExpected: 1 };
      return (await rowsOf(org.extract(request))).map(([one]) => one).sort();
    };
    const inserted = async (object: string, records: readonly WriteRecord[]) => {
      const written = await org.writer.insert(object, records);
      assert.deepEqual(
        written.map(({ errors }) => errors),
        records.map(() => []),
      );
      return written.map(({ id }) => id!);
    };
    /** A job from its rows to its end. */
    const job = async (
      operation: IngestOperation,
      columns: readonly string[],
      rows: readonly (readonly (string | null | undefined)[])[],
      externalIdField?: string,
    ): Promise<IngestState> => {
      const id = await org.writer.ingest.create({ object: 'Project__c', operation, externalIdField });
      await org.writer.ingest.upload(id, [
        Buffer.from(encodeBulkRow(columns)),
        ...rows.map((row) => Buffer.from(encodeBulkRow(row))),
      ]);
      await org.writer.ingest.close(id);
      return org.writer.ingest.wait(id);
    };
    const results = async (id: string, kind: 'successful' | 'failed' | 'unprocessed', rows?: number) => {
      const flow = await org.writer.ingest.results(id, kind, rows);
      return { columns: flow.columns, rows: await rowsOf(flow) };
    };

    test('what was inserted is read back digit for digit, and what was cleared has no value', async () => {
      const record = {
        Name: 'Writer "one", two',
        Text__c: 'say "hi"; ütf 🚀',
        Long_Text__c: 'two\nlines',
        Flag__c: 'false',
        Money__c: '12345678901.25',
        Number__c: '-7',
        Share__c: '12.3456',
        Whole__c: '42',
        Day__c: '2024-02-29',
        Moment__c: '2024-02-29T23:59:58.000Z',
        Colours__c: 'red;blue',
        Continent__c: null,
        City__c: '',
      };
      const [id] = await inserted('Everything__c', [record]);
      assert.match(id!, /^[A-Za-z0-9]{18}$/);
      const [found] = await now('Everything__c', [id!], Object.keys(record));
      assert.deepEqual(
        found,
        Object.values(record).map((cell) => cell ?? ''),
      );
    });

    test('an update touches only the fields that it names, and null and the empty text clear', async () => {
      const ids = await inserted('Project__c', [
        { Name: 'Writer up 1', Budget__c: '1.50', Start__c: '2026-01-01', Stage__c: 'Idea' },
        { Name: 'Writer up 2', Budget__c: '2.50', Start__c: '2026-01-02', Stage__c: 'Idea' },
      ]);
      const written = await org.writer.update('Project__c', [
        { Id: ids[0]!, Budget__c: null, Stage__c: '' },
        { Id: ids[1]!, Budget__c: '3.75' },
      ]);
      assert.deepEqual(
        written,
        ids.map((id) => ({ id, errors: [] })),
      );
      const found = await now('Project__c', ids, ['Budget__c', 'Start__c', 'Stage__c']);
      assert.deepEqual(found, [
        ['', '2026-01-01', ''],
        ['3.75', '2026-01-02', 'Idea'],
      ]);
    });

    test('rows that are refused say why in their place, and the others are done', async () => {
      const written = await org.writer.insert('Project__c', [
        { Name: 'Writer ok 1' },
        { Name: 'Writer bad', Account__c: '001000000000000ZZZ' },
        { Name: 'Writer ok 2' },
      ]);
      assert.equal(written.length, 3);
      assert.deepEqual([written[0]!.errors, written[2]!.errors], [[], []]);
      assert.equal(written[1]!.id, undefined);
      assert.notEqual(written[1]!.errors[0]!.code, '');
      assert.deepEqual(await projects('Writer ok'), ['Writer ok 1', 'Writer ok 2']);
      assert.deepEqual(await projects('Writer bad'), []);
    });

    test('a field that is not there refuses the whole request, and nothing is done', async () => {
      const records: WriteRecord[] = [{ Name: 'Writer whole 1' }, { Name: 'Writer whole 2', Nonsense__c: 'x' }];
      await assert.rejects(
        org.writer.insert('Project__c', records),
        (error) => isFault(error, 'object-refused') && error.data.errorCode === 'INVALID_FIELD',
      );
      assert.deepEqual(await projects('Writer whole'), []);
    });

    test('an upsert makes what is not there and changes what is, by its key', async () => {
      const records = [
        { Code__c: 'W-1', Name: 'Writer key 1' },
        { Code__c: 'W-2', Name: 'Writer key 2' },
      ];
      const first = await org.writer.upsert('Project__c', 'Code__c', records.slice(0, 1));
      assert.equal(first[0]!.created, true);
      const second = await org.writer.upsert('Project__c', 'Code__c', records);
      assert.deepEqual(
        second.map(({ created }) => created),
        [false, true],
      );
      assert.equal(second[0]!.id, first[0]!.id);
      assert.deepEqual(await projects('Writer key'), ['Writer key 1', 'Writer key 2']);
    });

    test('what was deleted lies in the bin, and comes back with its Id and what went with it', async () => {
      const [account] = await inserted('Account', [{ Name: 'Writer bin' }]);
      const [contact] = await inserted('Contact', [{ LastName: 'Writer bin', AccountId: account! }]);
      assert.deepEqual(await org.writer.delete([account!]), [{ id: account, errors: [] }]);
      assert.deepEqual(await now('Account', [account!], ['IsDeleted'], true), [['true']]);
      assert.deepEqual(await now('Contact', [contact!], ['IsDeleted'], true), [['true']]);
      const again = await org.writer.delete([account!]);
      assert.deepEqual(
        again[0]!.errors.map(({ code }) => code),
        ['ENTITY_IS_DELETED'],
      );
      const child = await org.writer.undelete([contact!]);
      assert.equal(child[0]!.errors[0]!.code, 'UNDELETE_FAILED');
      assert.deepEqual(await org.writer.undelete([account!]), [{ id: account, errors: [] }]);
      assert.deepEqual(await now('Account', [account!], ['IsDeleted', 'Name']), [['false', 'Writer bin']]);
      assert.deepEqual(await now('Contact', [contact!], ['AccountId']), [[account]]);
    });

    test('a file is there byte for byte', async () => {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 256));
      const content = {
        name: 'näme "x".bin',
        size: bytes.length,
        async *open() {
          for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
        },
      };
      const record = { Title: 'Writer file', PathOnClient: 'näme.bin' };
      const { id, errors } = await org.writer.insertFile('ContentVersion', record, 'VersionData', content);
      assert.deepEqual(errors, []);
      assert.deepEqual(await now('ContentVersion', [id!], ['Title', 'ContentSize']), [
        ['Writer file', String(bytes.length)],
      ]);
      const hash = createHash('sha256');
      for await (const chunk of org.blob('ContentVersion', id!, 'VersionData')) hash.update(chunk);
      assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
      const missing = await org.writer.insertFile('Attachment', { Name: 'no parent' }, 'Body', content);
      assert.equal(missing.errors[0]!.code, 'REQUIRED_FIELD_MISSING');
    });

    test('a job does its rows, and its results tell each of them', async () => {
      const rows = [
        ['Writer job 1', '1.25', 'J-1', null],
        ['Writer job 2', null, 'J-2', undefined],
        ['Writer job 3', '3', 'J-1', undefined],
      ];
      assert.deepEqual(rows.map(bulkUnfit), [undefined, undefined, undefined]);
      const ended = await job('insert', ['Name', 'Budget__c', 'Code__c', 'Stage__c'], rows);
      assert.deepEqual([ended.state, ended.processed, ended.failed], ['JobComplete', 3, 1]);
      const good = await results(ended.id, 'successful', 2);
      assert.deepEqual(good.columns, ['sf__Id', 'sf__Created', 'Name', 'Budget__c', 'Code__c', 'Stage__c']);
      assert.deepEqual(good.rows.map((row) => [row[1], row[2]]).sort(), [
        ['true', 'Writer job 1'],
        ['true', 'Writer job 2'],
      ]);
      const bad = await results(ended.id, 'failed', 1);
      assert.deepEqual(bad.columns.slice(0, 3), ['sf__Id', 'sf__Error', 'Name']);
      assert.equal(bad.rows[0]![2], 'Writer job 3');
      assert.equal(parseErrorCell(bad.rows[0]![1]!)[0]!.code, 'DUPLICATE_VALUE');
      assert.deepEqual((await results(ended.id, 'unprocessed', 0)).rows, []);
      assert.deepEqual(await projects('Writer job'), ['Writer job 1', 'Writer job 2']);

      const ids = new Map(good.rows.map(([id, , one]) => [one, id!]));
      const first = ids.get('Writer job 1')!;
      const update = await job('update', ['Id', 'Budget__c', 'End__c'], [[first, null, '2027-01-01']]);
      assert.deepEqual([update.processed, update.failed], [1, 0]);
      const untouched = await job('update', ['Id', 'End__c'], [[first, undefined]]);
      assert.equal(untouched.failed, 0);
      assert.deepEqual(await now('Project__c', [first], ['Budget__c', 'End__c']), [['', '2027-01-01']]);

      const upsert = await job(
        'upsert',
        ['Code__c', 'Name'],
        [
          ['J-1', 'Writer job 1b'],
          ['J-9', 'Writer job 9'],
        ],
        'Code__c',
      );
      assert.equal(upsert.failed, 0);
      assert.deepEqual((await results(upsert.id, 'successful', 2)).rows.map((row) => row[1]).sort(), ['false', 'true']);

      const deletion = await job(
        'delete',
        ['Id'],
        [...ids.values()].map((id) => [id]),
      );
      assert.equal(deletion.failed, 0);
      assert.deepEqual(await projects('Writer job'), ['Writer job 9']);

      await org.writer.ingest.delete(ended.id);
      await org.writer.ingest.delete(ended.id);
      await assert.rejects(
        org.writer.ingest.state(ended.id),
        (error) => isFault(error, 'object-refused') && error.data.status === 404,
      );
    });

    test('a column that is not there fails the job as a whole, and what was not done is told', async () => {
      const ended = await job('insert', ['Name', 'Nonsense__c'], [['Writer header', 'x']]);
      assert.deepEqual([ended.state, ended.processed, ended.failed], ['Failed', 0, 0]);
      assert.match(ended.errorMessage!, /InvalidBatch/);
      assert.deepEqual(await results(ended.id, 'unprocessed', 1), {
        columns: ['Name', 'Nonsense__c'],
        rows: [['Writer header', 'x']],
      });
      assert.deepEqual(await projects('Writer header'), []);
    });

    test('an Open job is found, has no effect, and can be aborted more than once', async () => {
      const since = await org.serverTime();
      const filter = { object: 'Project__c', operation: 'insert', since } as const;
      const id = await org.writer.ingest.create({ object: 'Project__c', operation: 'insert' });
      await org.writer.ingest.upload(id, [Buffer.from('"Name"\n"Writer open"\n')]);
      const [found, ...others] = await org.writer.ingest.openJobs(filter);
      assert.deepEqual([found?.id, found?.state, others], [id, 'Open', []]);
      assert.equal(found?.createdById, org.identity.userId);
      await org.writer.ingest.abort(id);
      await org.writer.ingest.abort(id);
      assert.equal((await org.writer.ingest.state(id)).state, 'Aborted');
      await assert.rejects(org.writer.ingest.close(id), { name: 'object-refused' });
      assert.deepEqual(await org.writer.ingest.openJobs(filter), []);
      assert.deepEqual(await projects('Writer open'), []);
      await org.writer.ingest.delete(id);
      await org.writer.ingest.abort(id);
    });

    test('the room that is left is told', async () => {
      const { dataStorageMB, dailyApiRequests } = await org.writer.limits();
      assert.ok(dataStorageMB && dataStorageMB.remaining <= dataStorageMB.max);
      assert.ok(dailyApiRequests && dailyApiRequests.remaining < dailyApiRequests.max);
    });

    for (const [when, there] of [
      ['done', ['Writer lost done']],
      ['not-done', []],
    ] as const) {
      test(`an insert whose answer is lost, ${when}, is never sent again`, async () => {
        opened.lose('insert', when);
        await assert.rejects(org.writer.insert('Project__c', [{ Name: `Writer lost ${when}` }]), {
          name: 'answer-lost',
        });
        assert.deepEqual(await projects(`Writer lost ${when}`), there);
      });

      test(`a file whose answer is lost, ${when}, is never sent again`, async () => {
        opened.lose('insertFile', when);
        const content = {
          name: 'x',
          size: 1,
          async *open() {
            yield Buffer.from('x');
          },
        };
        const title = `Writer lost file ${when}`;
        const record = { Title: title, PathOnClient: 'x' };
        await assert.rejects(org.writer.insertFile('ContentVersion', record, 'VersionData', content), {
          name: 'answer-lost',
        });
        const object = await described('ContentVersion');
        const match = { field: 'Title', values: [title] };
        const found = await rowsOf(org.matching(object, match, ['Title']));
        assert.equal(found.length, there.length);
      });

      test(`an update, an upsert and a deletion whose answers are lost, ${when}, have their effect once`, async () => {
        const [id] = await inserted('Project__c', [{ Name: `Writer twice ${when}` }]);
        opened.lose('update', when);
        const updated = await org.writer.update('Project__c', [{ Id: id!, Code__c: `T-${when}` }]);
        assert.deepEqual(updated, [{ id, errors: [] }]);
        opened.lose('upsert', when);
        const key = `U-${when}`;
        const name = `Writer twice ${when} upserted`;
        const [upserted] = await org.writer.upsert('Project__c', 'Code__c', [{ Code__c: key, Name: name }]);
        assert.equal(upserted!.created, when === 'done' ? undefined : true);
        assert.deepEqual(await projects(`Writer twice ${when}`), [`Writer twice ${when}`, name]);
        opened.lose('delete', when);
        const [deleted] = await org.writer.delete([id!]);
        assert.deepEqual(
          deleted!.errors.map(({ code }) => code),
          when === 'done' ? ['ENTITY_IS_DELETED'] : [],
        );
        opened.lose('undelete', when);
        const [back] = await org.writer.undelete([id!]);
        assert.deepEqual(
          back!.errors.map(({ code }) => code),
          when === 'done' ? ['UNDELETE_FAILED'] : [],
        );
        assert.deepEqual(await now('Project__c', [id!], ['Code__c']), [[`T-${when}`]]);
      });

      test(`a job whose answers are lost, ${when}, does its rows once`, async () => {
        opened.lose('ingest.create', when);
        opened.lose('ingest.close', when);
        const ended = await job('insert', ['Name'], [[`Writer lost job ${when}`]]);
        assert.deepEqual([ended.state, ended.processed], ['JobComplete', 1]);
        assert.deepEqual(await projects(`Writer lost job ${when}`), [`Writer lost job ${when}`]);

        const id = await org.writer.ingest.create({ object: 'Project__c', operation: 'insert' });
        opened.lose('ingest.upload', when);
        const csv = [Buffer.from(`"Name"\n"Writer lost upload ${when}"\n`)];
        await assert.rejects(org.writer.ingest.upload(id, csv), { name: 'answer-lost' });
        await org.writer.ingest.abort(id);
        assert.deepEqual(await projects(`Writer lost upload ${when}`), []);
      });
    }
  });
}

async function rowsOf(flow: RowFlow): Promise<string[][]> {
  const found: string[][] = [];
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) found.push(cells(batch, i));
    batch.release?.();
  }
  return found;
}
