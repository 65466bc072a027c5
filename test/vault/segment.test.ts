import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { open, seal } from '../../src/age/file.ts';
import { type FaultName, isFault } from '../../src/errors.ts';
import { cells } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { encodeTable } from '../../src/rows/split.ts';
import {
  type ArrangedRows,
  readSegment,
  type SegmentMade,
  type SegmentOptions,
  writeSegments,
} from '../../src/vault/segment.ts';
import { readSegmentRow } from '../../src/vault/segment-blocks.ts';
import { compressFrame, frames } from '../../src/vault/zstd.ts';

const identity = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];
const indexIdentity = await generateX25519Identity();
const indexRecipients = [await identityToRecipient(indexIdentity)];
const columns = ['Id', 'SystemModstamp', 'IsDeleted', 'Name'];
const is = (name: FaultName) => (error: unknown) => isFault(error, name);

function id(n: number): string {
  return `001${String(n).padStart(12, '0')}AAA`;
}

/** Rows that hardly compress, so that segments of a few hundred KiB need a few MiB of rows. */
function row(n: number): string[] {
  const noise = createHash('sha512').update(String(n)).digest('base64');
  return [id(n), `2024-04-16T19:00:${String(n % 60).padStart(2, '0')}.000Z`, 'false', `say "${noise}"\n${noise}`];
}

function rows(from: number, to: number): string[][] {
  return Array.from({ length: to - from }, (_, n) => row(from + n));
}

function arranged(...stretches: string[][][]): AsyncGenerator<ArrangedRows> {
  return (async function* () {
    for (const stretch of stretches) {
      for (let at = 0; at < stretch.length; at += 1000) {
        yield { batch: encodeRows(stretch.slice(at, at + 1000)), cut: at === 0 };
      }
    }
  })();
}

async function write(flow: AsyncIterable<ArrangedRows>, options: Partial<SegmentOptions> = {}, names = columns) {
  const made: SegmentMade[] = [];
  for await (const segment of writeSegments(names, flow, { recipients, indexRecipients, ...options }))
    made.push(segment);
  return made;
}

async function read(body: Buffer, key = identity, expected?: { rows?: number; plainSha256?: string }) {
  let names: readonly string[] = [];
  const found: string[][] = [];
  for await (const { columns: some, batch } of readSegment([key], Buffer.from(body), { expected })) {
    names = some;
    for (const i of batch.ends.keys()) found.push(cells(batch, i));
  }
  return { columns: names, rows: found };
}

test('segments hold all rows in order, with digests and counts that hold', async () => {
  const all = rows(0, 30_000);
  const made = await write(arranged(all), { targetBytes: 512 * 1024 });
  assert.ok(made.length >= 3);
  const found: string[][] = [];
  for (const segment of made) {
    const result = await read(segment.body, identity, segment);
    const csv = encodeTable(columns, result.rows);
    assert.deepEqual(result.columns, columns);
    assert.equal(segment.size, segment.body.length);
    assert.equal(segment.sha256, createHash('sha256').update(segment.body).digest('hex'));
    assert.equal(segment.plainSha256, createHash('sha256').update(csv).digest('hex'));
    assert.deepEqual([segment.rows, segment.bytes], [result.rows.length, csv.length]);
    assert.deepEqual([segment.minId, segment.maxId], [result.rows[0]![0], result.rows.at(-1)![0]]);
    found.push(...result.rows);
  }
  assert.deepEqual(found, all);
});

test('each block of the index is one zstd frame behind the frame of the header line', async () => {
  const [segment] = await write(arranged(rows(0, 20_000)));
  const compressed = await open([identity], segment!.body);
  const [, ...walked] = [...frames(compressed)];
  assert.ok(walked.length >= 4);
  assert.deepEqual(
    segment!.blocks.map(({ offset, length }) => ({ offset, length })),
    walked,
  );
  const inBlocks = segment!.blocks.reduce((sum, block) => sum + block.bytes, 0);
  assert.equal(inBlocks + encodeTable(columns, []).length, segment!.bytes);
  for (const block of segment!.blocks) assert.ok(block.bytes < 1.3 * 1024 * 1024);
});

test('the index twin holds Id and SystemModstamp of every row, for its own recipients', async () => {
  const all = rows(0, 5_000);
  const [segment] = await write(arranged(all));
  const { index } = segment!;
  assert.deepEqual(await read(index!.body, indexIdentity, { rows: segment!.rows }), {
    columns: ['Id', 'SystemModstamp'],
    rows: all.map((cells) => cells.slice(0, 2)),
  });
  assert.equal(index!.sha256, createHash('sha256').update(index!.body).digest('hex'));
  await assert.rejects(read(segment!.body, indexIdentity), is('wrong-identity'));
  const turned = all.map(([a, b, c, d]) => [c!, b!, d!, a!]);
  const [other] = await write(arranged(turned), {}, ['IsDeleted', 'SystemModstamp', 'Name', 'Id']);
  assert.deepEqual(await read(other!.index!.body, indexIdentity), await read(index!.body, indexIdentity));
});

test('a cut begins a new segment; rows without Id have neither keys nor index', async () => {
  const made = await write(arranged(rows(500, 700), rows(0, 200), rows(900, 1000)));
  assert.deepEqual(
    made.map(({ minId, maxId, rows }) => [minId, maxId, rows]),
    [
      [id(500), id(699), 200],
      [id(0), id(199), 200],
      [id(900), id(999), 100],
    ],
  );
  const [big] = await write(
    arranged([
      ['b', '1'],
      ['a', '2'],
    ]),
    {},
    ['Account__c', 'Value__c'],
  );
  assert.deepEqual(
    [big!.minId, big!.maxId, big!.index, big!.blocks[0]!.firstId],
    [undefined, undefined, undefined, undefined],
  );
  assert.deepEqual((await read(big!.body)).rows, [
    ['b', '1'],
    ['a', '2'],
  ]);
  assert.deepEqual(await write(arranged()), []);
});

test('rows that do not ascend are never written', async () => {
  await assert.rejects(write(arranged([row(2), row(1)])), TypeError);
  await assert.rejects(write(arranged([row(1), row(1)])), TypeError);
});

test('a segment with rows out of order, a bad row, no header line or another count is refused', async () => {
  const sealed = async (...parts: (string | Buffer)[]) =>
    seal(recipients, await Promise.all(parts.map((part) => compressFrame(Buffer.from(part)))));
  const bad: [Buffer, FaultName, object?][] = [
    [await sealed('"Id"\n"2"\n"1"\n'), 'segment-invalid'],
    [await sealed('"Id"\n"1"\n', '"1"\n'), 'segment-invalid'],
    [await sealed('"Id"\n', '"1"\r\n'), 'segment-invalid'],
    [await sealed('"Id"\n', '"1","x"\n'), 'segment-invalid'],
    [await sealed('"Id"\n', '"1'), 'segment-invalid'],
    [await sealed(''), 'segment-invalid'],
    [await seal(recipients, Buffer.from('"Id"\n"1"\n')), 'segment-invalid'],
    [await sealed('"Id"\n"1"\n'), 'count-mismatch', { rows: 2 }],
    [await sealed('"Id"\n"1"\n'), 'digest-mismatch', { rows: 1, plainSha256: '00' }],
  ];
  for (const [body, name, expected] of bad) await assert.rejects(read(body, identity, expected), is(name));
  const good = await sealed('"Id"\n"1"\n');
  await assert.rejects(read(good.subarray(0, -1)), is('not-authentic'));
});

test('one row is read with one range of the block that holds it', async () => {
  const all = rows(0, 60_000).filter((_, n) => n % 2 === 0);
  const [segment] = await write(arranged(all));
  const ranges: number[] = [];
  const readRange = async (start: number, length: number) => {
    ranges.push(length);
    return segment!.body.subarray(start, start + length);
  };
  for (const n of [0, 2, 9_998, 59_998]) {
    assert.deepEqual(await readSegmentRow([identity], segment!, id(n), readRange), row(n));
  }
  assert.equal(ranges.length, 8);
  assert.ok(Math.max(...ranges) < segment!.size / 2);
  assert.equal(await readSegmentRow([identity], segment!, id(7), readRange), undefined);
  assert.equal(await readSegmentRow([identity], segment!, '000', readRange), undefined);
  const wrong = { ...segment!, blocks: segment!.blocks.map((block) => ({ ...block, rows: block.rows + 1 })) };
  await assert.rejects(readSegmentRow([identity], wrong, id(0), readRange), is('segment-invalid'));
});

test('an abort stops the writing, and the source is closed', async () => {
  const stop = new AbortController();
  let closed = false;
  const flow = (async function* () {
    try {
      for (let n = 0; ; n += 1000) {
        if (n === 5000) stop.abort(new Error('stopped'));
        yield { batch: encodeRows(rows(n, n + 1000)), cut: n === 0 };
      }
    } finally {
      closed = true;
    }
  })();
  await assert.rejects(write(flow, { signal: stop.signal }), /stopped/);
  assert.equal(closed, true);
});

const tools = ['age', 'zstd'].every((tool) => spawnSync(tool, ['--version']).status === 0);
test('age and zstd read a segment without this program', {
  skip: tools || process.env.CI ? false : 'age or zstd is missing',
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'salvor-segment-'));
  try {
    const all = rows(0, 12_000);
    const [segment] = await write(arranged(all));
    writeFileSync(path.join(folder, 'key'), identity);
    const compressed = spawnSync('age', ['-d', '-i', path.join(folder, 'key')], {
      input: segment!.body,
      maxBuffer: 1 << 28,
    });
    const csv = spawnSync('zstd', ['-dc'], { input: compressed.stdout, maxBuffer: 1 << 28 });
    assert.equal(compressed.status, 0, String(compressed.stderr));
    assert.ok(csv.stdout.equals(encodeTable(columns, all)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
