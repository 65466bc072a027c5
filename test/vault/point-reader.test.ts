import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type FaultName, isFault } from '../../src/errors.ts';
import { goneColumns } from '../../src/operations/backup/rows.ts';
import type { RowFlow } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { IdTable } from '../../src/rows/id-table.ts';
import { encodeTable } from '../../src/rows/split.ts';
import { openStore } from '../../src/store/open.ts';
import type { MapPage, SegmentRef } from '../../src/vault/manifest.ts';
import { objectRows } from '../../src/vault/object-rows.ts';
import { PointWriter } from '../../src/vault/point.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { writeSegments } from '../../src/vault/segment.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { contacts, fileContents, id, smallVault } from '../support/small-vault.ts';

const contact = contacts('Smith');
const is = (name: FaultName) => (error: unknown) => isFault(error, name);

async function rowsOf(flow: RowFlow): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const batch of flow.batches) for (const i of batch.ends.keys()) rows.push(cells(batch, i));
  return rows;
}

async function bytesOf(file: AsyncIterable<Buffer> | undefined): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of file!) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The newest point of the small vault, and its store. */
async function smallPoint(second: Parameters<typeof smallVault>[1] = {}, withIdentity = true) {
  const store = new MemoryStore();
  const made = await smallVault(store, second);
  const { identity, writerKey, rootFingerprint } = made;
  const keys = withIdentity ? { identities: [identity] } : { writerKey };
  const vault = await Vault.open(store, { operation: 'read', rootFingerprint, ...keys });
  const { points } = await vault.state();
  return { store, vault, point: await PointReader.open(vault, points.at(-1)!) };
}

describe('a point of the small vault', () => {
  test('gives its objects, their describes and their rows ascending by Id', async () => {
    const { point } = await smallPoint();
    assert.deepEqual(point.objects(), ['Account', 'Attachment', 'Contact']);
    assert.deepEqual(point.failed(), []);
    assert.deepEqual([...(await point.describes()).keys()], ['Account', 'Attachment', 'Contact']);
    assert.equal((await point.describe('contact')).keyPrefix, '003');
    const accounts = await point.rows('Account', { columns: ['id', 'Name'] });
    assert.deepEqual(await rowsOf(accounts), [
      [id('001', 1), 'Acme "quoted", with\nlines'],
      [id('001', 2), 'Globex'],
      [id('001', 3), 'Initech'],
      [id('001', 4), 'Umbrella'],
      [id('001', 5), 'null'],
    ]);
  });

  test('gives only the rows that are asked for, by Id, and those behind an Id', async () => {
    const { point } = await smallPoint();
    const ids = IdTable.of([id('001', 9), id('001', 4), id('003', 1), id('001', 2).slice(0, 15)]);
    const names = async (wanted: Parameters<PointReader['rows']>[1]) =>
      (await rowsOf(await point.rows('Account', { ...wanted, columns: ['Name'] }))).flat();
    assert.deepEqual(await names({ ids }), ['Globex', 'Umbrella']);
    assert.deepEqual(await names({ ids: new IdTable() }), []);
    assert.deepEqual(await names({ after: id('001', 3) }), ['Umbrella', 'null']);
    assert.deepEqual(await names({ after: id('001', 2), ids }), ['Umbrella']);
  });

  test('gives the original bytes of small and large files, and undefined where it holds none', async () => {
    const { point } = await smallPoint();
    for (const [n, content] of fileContents.entries())
      assert.deepEqual(await bytesOf(await point.file('attachment', id('00P', n + 1), 'Body')), content);
    assert.equal((await point.fileEntry('Attachment', id('00P', 3).slice(0, 15), 'Body'))?.size, 400);
    assert.equal(await point.file('Attachment', id('00P', 4), 'Body'), undefined);
    assert.equal(await point.file('Document', id('00P', 1), 'Body'), undefined);
  });

  test('says what it does not hold', async () => {
    const { point } = await smallPoint({
      root: (root) => ({
        ...root,
        objects: root.objects.map((one) =>
          one.object === 'Contact' ? { ...one, page: undefined, complete: false, reason: 'the org was asleep' } : one,
        ),
        notCovered: [{ object: 'Case', reason: 'excluded (--exclude)' }],
      }),
    });
    assert.deepEqual(point.failed(), [{ object: 'Contact', reason: 'the org was asleep' }]);
    await assert.rejects(point.rows('Contact'), /the org was asleep/);
    await assert.rejects(point.rows('Case'), /does not hold Case: excluded/);
    await assert.rejects(point.rows('Lead'), is('no-such-object'));
    await assert.rejects(point.rows('Account', { columns: ['Fax'] }), is('usage'));
  });

  test('opens no row and no file without an identity', async () => {
    const { point } = await smallPoint({}, false);
    assert.deepEqual(point.objects(), ['Account', 'Attachment', 'Contact']);
    await assert.rejects(point.rows('Account'), is('no-identity'));
    await assert.rejects(point.file('Attachment', id('00P', 1), 'Body').then(bytesOf), is('no-identity'));
  });

  test('takes no lie of a page, a detail or a files page for the truth', async () => {
    const lies: [Parameters<typeof smallVault>[1], FaultName][] = [
      [{ objects: [{ ...contact, page: (page) => ({ ...page, rows: 4 }) }] }, 'count-mismatch'],
      [
        {
          objects: [
            {
              ...contact,
              detail: (one) => ({
                ...one,
                segments: more(one.segments, { columns: [...one.segments[0]!.columns].reverse() }),
              }),
            },
          ],
        },
        'segment-invalid',
      ],
      [
        { objects: [{ ...contact, page: (page) => ({ ...page, base: more(page.base, { rows: 4 }) }) }] },
        'count-mismatch',
      ],
      [
        {
          objects: [
            {
              ...contact,
              detail: (one) => ({ ...one, segments: more(one.segments, { plainSha256: '0'.repeat(64) }) }),
            },
          ],
        },
        'digest-mismatch',
      ],
      [{ objects: [{ ...contact, detail: (one) => ({ ...one, segments: [] }) }] }, 'segment-invalid'],
    ];
    for (const [second, fault] of lies) {
      const { point } = await smallPoint(second);
      await assert.rejects(point.rows('Contact').then(rowsOf), is(fault), fault);
    }
    const wrong = { size: 1, sha256: '0'.repeat(64), entry: 'x' };
    for (const [key, fault] of [
      ['size', 'size-mismatch'],
      ['sha256', 'digest-mismatch'],
      ['entry', 'segment-invalid'],
    ] as const) {
      const { point } = await smallPoint({
        filesPage: (entries) => entries.map((one) => ({ ...one, [key]: wrong[key] })),
      });
      await assert.rejects(point.file('Attachment', id('00P', 1), 'Body').then(bytesOf), is(fault), fault);
    }
  });

  test('tells a segment that was changed, cut or lost, by its key', async () => {
    const { store, point } = await smallPoint();
    const [segment] = (await point.map('Contact')).base;
    const whole = store.objects.get(segment!.key)!;
    const flipped = Buffer.from(whole);
    flipped[whole.length - 3]! ^= 1;
    for (const [body, fault] of [
      [flipped, 'digest-mismatch'],
      [whole.subarray(1), 'size-mismatch'],
    ] as const) {
      store.objects.set(segment!.key, body);
      await assert.rejects(
        point.rows('Contact').then(rowsOf),
        (error) => isFault(error, fault) && error.data.key === segment!.key,
      );
    }
    store.objects.delete(segment!.key);
    await assert.rejects(point.rows('Contact').then(rowsOf), is('object-missing'));
  });

  test('gives the Ids of all rows from the index twins, which are proven as the segments are', async () => {
    const { store, point } = await smallPoint();
    const ids = async (columns = ['Id']) => rowsOf(await point.rows('Contact', { columns }));
    const all = await rowsOf(await point.rows('Contact'));
    const { base } = await point.map('Contact');
    for (const { key } of base) store.objects.delete(key);
    assert.deepEqual(
      await ids(),
      all.map(([one]) => [one]),
    );
    assert.deepEqual(
      await ids(['SystemModstamp', 'Id']),
      all.map(([one, stamp]) => [stamp, one]),
    );
    await assert.rejects(ids(['Id', 'LastName']), is('object-missing'));
    const { key } = base[0]!.index!;
    const flipped = Buffer.from(store.objects.get(key)!);
    flipped[flipped.length - 3]! ^= 1;
    store.objects.set(key, flipped);
    await assert.rejects(ids(), (error) => isFault(error, 'digest-mismatch') && error.data.key === key);
  });

  test('proves a segment each time that it is read', async () => {
    const { store, point } = await smallPoint();
    await point.rows('Contact').then(rowsOf);
    const [segment] = (await point.map('Contact')).base;
    const flipped = Buffer.from(store.objects.get(segment!.key)!);
    flipped[flipped.length - 3]! ^= 1;
    store.objects.set(segment!.key, flipped);
    await assert.rejects(point.rows('Contact').then(rowsOf), is('digest-mismatch'));
  });
});

function more<T>(list: readonly T[], change: Partial<T>): T[] {
  return list.map((one) => ({ ...one, ...change }));
}

/** A vault with one object of `rows` rows in segments of about 60 kB, and the reads of its store. */
async function largeObject(rows: number) {
  const { store, vault, point } = await smallPoint();
  const writer = new PointWriter(vault, point.root.point, await vault.epoch());
  const columns = ['Id', 'SystemModstamp', 'IsDeleted', 'Noise'];
  const noise = (n: number) => createHash('sha512').update(String(n)).digest('base64').repeat(3);
  const flow = (async function* () {
    for (let from = 0; from < rows; from += 1000) {
      const some = Array.from({ length: 1000 }, (_, i) => [id('001', from + i), 'stamp', 'false', noise(from + i)]);
      yield { batch: encodeRows(some), cut: from === 0 };
    }
  })();
  const base: SegmentRef[] = [];
  const segments = [];
  for await (const made of writeSegments(columns, flow, {
    recipients: writer.recipients.rows,
    targetBytes: 4_000_000,
  })) {
    const ref = await writer.putNumbered('segment', made.body, made.sha256);
    base.push({ ...ref, rows: made.rows, bytes: made.bytes });
    segments.push({
      ...{ key: ref.key, columns, rows: made.rows, minId: made.minId, maxId: made.maxId },
      plainSha256: made.plainSha256,
      blocks: made.blocks.map(
        (b) => [b.offset, b.length, b.rows, b.bytes, b.firstId ?? ''] as [number, number, number, number, string],
      ),
    });
  }
  const detail = [await writer.putDetail({ v: 1, object: 'Account', segments })];
  const map: MapPage = { ...(await point.map('Account')), columns, rows, base, detail };
  const reads: string[] = [];
  let bytes = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== 'get' && name !== 'getRange') return typeof value === 'function' ? value.bind(target) : value;
      return async (key: string, ...more: [never, never]) => {
        const body: Buffer = await value.call(target, key, ...more);
        if (key.startsWith('data/')) {
          reads.push(name);
          bytes += body.length;
        }
        return body;
      };
    },
  });
  Object.defineProperty(vault, 'store', { value: counted });
  return {
    vault,
    map,
    reads,
    noise,
    bytes: () => bytes,
    stored: base.reduce((sum, { size }) => sum + size, 0),
    segments: base.length,
  };
}

describe('an object of many segments', () => {
  test('gives one row for two range reads of one segment, and many rows for whole segments', async () => {
    const { vault, map, reads, noise, bytes, stored, segments } = await largeObject(60_000);
    assert.ok(segments >= 2, `${segments} segments`);
    const one = await rowsOf(await objectRows(vault, map, { ids: IdTable.of([id('001', 41_234)]) }));
    assert.deepEqual(one, [[id('001', 41_234), 'stamp', 'false', noise(41_234)]]);
    assert.deepEqual(reads, ['getRange', 'getRange']);
    assert.ok(bytes() < stored / 10);
    reads.length = 0;
    const every100th = Array.from({ length: 600 }, (_, n) => id('001', 100 * n + 7));
    const many = await rowsOf(await objectRows(vault, map, { ids: IdTable.of(every100th), columns: ['Id'] }));
    assert.deepEqual(many.flat(), every100th);
    assert.deepEqual(
      reads,
      Array.from({ length: segments }, () => 'get'),
    );
    reads.length = 0;
    const behind = await rowsOf(await objectRows(vault, map, { after: id('001', 59_997), columns: ['Id'] }));
    assert.deepEqual(behind.flat(), [id('001', 59_998), id('001', 59_999)]);
    assert.equal(reads.length, 2);
  });
});

describe('an object with deltas and tombstones', () => {
  test('has the newest image of each row, and none that was found deleted after it', async () => {
    const { vault, point } = await smallPoint();
    const columns = ['Id', 'SystemModstamp', 'Name'];
    const segments: unknown[] = [];
    const at = async (run: string) => new PointWriter(vault, run, await vault.epoch());
    const rows = async (run: string, table: string[][]): Promise<SegmentRef> => {
      const writer = await at(run);
      const flow = (async function* () {
        yield { batch: encodeRows(table), cut: true };
      })();
      for await (const made of writeSegments(columns, flow, { recipients: writer.recipients.rows })) {
        const ref = await writer.putNumbered('segment', made.body, made.sha256);
        const blocks = made.blocks.map((b) => [b.offset, b.length, b.rows, b.bytes, b.firstId!]);
        segments.push({
          key: ref.key,
          columns,
          rows: made.rows,
          minId: made.minId,
          maxId: made.maxId,
          plainSha256: made.plainSha256,
          blocks,
        });
        return { ...ref, rows: made.rows, bytes: made.bytes };
      }
      throw new Error('no rows');
    };
    const gone = async (run: string, ids: string[]): Promise<SegmentRef> => {
      const writer = await at(run);
      const csv = encodeTable(
        goneColumns,
        ids.map((one) => [one, '', '', '', 'recycle bin']),
      );
      const body = await sealBytes(csv, writer.recipients.manifest);
      return { ...(await writer.putNumbered('gone', body, sha256(body))), rows: ids.length, bytes: csv.length };
    };
    const [first, second, third] = ['20261120T080000Z-00000a', '20261121T080000Z-00000b', '20261122T080000Z-00000c'];
    const a = (n: number, name: string) => [id('001', n), 'stamp', name];
    const map: MapPage = {
      ...(await point.map('Account')),
      columns,
      rows: 4,
      base: [await rows(first, [a(1, 'one'), a(2, 'two'), a(3, 'three'), a(4, 'four')])],
      deltas: [
        await rows(second, [a(2, 'two again'), a(5, 'five')]),
        // Undeleted, after the second run had found it deleted.
        await rows(third, [a(3, 'three again'), a(6, 'six')]),
      ],
      gone: [
        await gone(first, [id('001', 7)]),
        await gone(second, [id('001', 1), id('001', 3)]),
        await gone(third, [id('001', 5)]),
      ],
      detail: [await (await at(third)).putDetail({ v: 1, object: 'Account', segments: segments as never })],
    };
    const expected = [a(2, 'two again'), a(3, 'three again'), a(4, 'four'), a(6, 'six')];
    assert.deepEqual(await rowsOf(await objectRows(vault, map)), expected);
    const ids = IdTable.of([1, 3, 6].map((n) => id('001', n)));
    assert.deepEqual(await rowsOf(await objectRows(vault, map, { ids })), [expected[1], expected[3]]);
    await assert.rejects(objectRows(vault, { ...map, rows: 5 }).then(rowsOf), is('count-mismatch'));
    const twice = { ...map, base: [...map.base, map.deltas[0]!], deltas: [], gone: [] };
    await assert.rejects(objectRows(vault, twice).then(rowsOf), is('segment-invalid'));
  });
});

test('the frozen vault of format 1 gives the rows and files that it was written with', async () => {
  const golden = path.join(import.meta.dirname, '../golden/format-1');
  const expected = JSON.parse(readFileSync(path.join(golden, 'expected.json'), 'utf8'));
  const identity = /AGE-SECRET-KEY-\S+/.exec(readFileSync(path.join(golden, 'identity.key'), 'utf8'))![0];
  const store = await openStore(path.join(golden, 'vault'));
  const vault = await Vault.open(store, {
    operation: 'read',
    rootFingerprint: expected.rootFingerprint,
    identities: [identity],
  });
  const point = await PointReader.open(vault, (await vault.state()).points[0]!);
  const found: Record<string, unknown> = {};
  for (const object of point.objects()) {
    const hash = createHash('sha256');
    const { columns, batches } = await point.rows(object);
    let rows = 0;
    for await (const batch of batches) {
      hash.update(batch.bytes);
      rows += batch.ends.length;
    }
    found[object] = { rows, columns, sha256: hash.digest('hex') };
  }
  assert.deepEqual(found, expected.objects);
  for (const { object, id: record, field, sha256: digest } of expected.files)
    assert.equal(sha256(await bytesOf(await point.file(object, record, field))), digest);
});
