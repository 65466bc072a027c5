import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../src/errors.ts';
import type { RowBatch } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { encodeTable, RowSplitter, rowFlow, type SplitOptions, splitRows } from '../../src/rows/split.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '\0', 'a', 'é', '💾') }),
);

function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

async function read(chunks: Iterable<Buffer>, options?: SplitOptions) {
  const { columns, batches } = await rowFlow(chunks, options);
  const all: RowBatch[] = [];
  for await (const batch of batches) all.push(batch);
  const rows = all.flatMap((batch) => [...batch.ends.keys()].map((i) => cells(batch, i)));
  return { columns, rows, batches: all };
}

test('rows come back whole however the chunks are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(nasty, nasty)),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (rows, sizes) => {
        const result = await read(cut(encodeTable(['Id', 'Name'], rows), sizes));
        assert.deepEqual(result.columns, ['Id', 'Name']);
        assert.deepEqual(result.rows, rows);
      },
    ),
  );
});

test('unquoted cells and CRLF are rewritten into the dialect, from whatever row they begin', async () => {
  const plain = fc.string({ unit: fc.constantFrom('a', '1', ' ', 'é', "'") });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(nasty, plain, fc.boolean(), fc.constantFrom('\n', '\r\n'))),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.boolean(),
      async (rows, sizes, mark) => {
        const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
        const lines = rows.map(([a, b, quote, eol]) => `${quoted(a)},${quote ? quoted(b) : b}${eol}`);
        const bytes = Buffer.from(`${mark ? '\ufeff' : ''}"Id","Name"\n${lines.join('')}`);
        const result = await read(cut(bytes, sizes));
        assert.deepEqual(result.columns, ['Id', 'Name']);
        assert.deepEqual(
          result.rows,
          rows.map(([a, b]) => [a, b]),
        );
      },
    ),
  );
});

test('an empty unquoted cell at the very end of a body is read', async () => {
  for (const end of ['\n', '\r\n']) {
    for (const sizes of [[1], [100]]) {
      assert.deepEqual((await read(cut(Buffer.from(`"Id","Name"\n"1",${end}`), sizes))).rows, [['1', '']]);
    }
  }
});

test('an empty body has no columns and no rows, a header line alone has columns', async () => {
  assert.deepEqual(await read([]), { columns: [], rows: [], batches: [] });
  assert.deepEqual((await read([Buffer.from('"Id","Name"\n')])).columns, ['Id', 'Name']);
  assert.deepEqual((await read([Buffer.from('Id,Name\r\n')])).columns, ['Id', 'Name']);
});

test('a body that ends anywhere inside a row is an error, never a shorter result', async () => {
  const bytes = encodeTable(
    ['Id', 'Name'],
    [
      ['1', 'a"b'],
      ['2', 'c\nd'],
    ],
  );
  const borders = new Set([
    0,
    encodeTable(['Id', 'Name'], []).length,
    bytes.length - '"2","c\nd"\n'.length,
    bytes.length,
  ]);
  for (let length = 0; length <= bytes.length; length++) {
    const reading = read([bytes.subarray(0, length)]);
    if (borders.has(length)) await reading;
    else await assert.rejects(reading, (error) => isFault(error, 'count-mismatch'), `${length}`);
  }
});

test('rows with another number of cells, and text behind a quote, are errors', async () => {
  for (const bad of ['"1"\n', '"1","2","3"\n', '"1","2"x\n', '\n', '1\n', '"1",2\rx\n']) {
    const reading = read([Buffer.from(`"Id","Name"\n"0","0"\n${bad}`)]);
    if (bad.includes('\r')) assert.deepEqual((await reading).rows.at(-1), ['1', '2\rx']);
    else await assert.rejects(reading, (error) => isFault(error, 'count-mismatch'), bad);
  }
  await assert.rejects(read([Buffer.from('"Id","Id"\n')]), (error) => isFault(error, 'count-mismatch'));
});

test('strict reading refuses what is not in the dialect, with the fault that was asked for', async () => {
  for (const bad of ['1,2\n', '"1","2"\r\n', '"1","2"']) {
    await assert.rejects(
      read([Buffer.from(`"Id","Name"\n${bad}`)], { strict: true, fault: 'segment-invalid' }),
      (error) => isFault(error, 'segment-invalid'),
    );
  }
});

test('the header line must name the columns that were asked for, in any case', async () => {
  const body = [Buffer.from('"ID","name"\n"1","a"\n')];
  assert.deepEqual((await read(body, { columns: ['Id', 'Name'] })).columns, ['Id', 'Name']);
  await assert.rejects(read(body, { columns: ['Name', 'Id'] }), (error) => isFault(error, 'count-mismatch'));
  assert.deepEqual((await read([Buffer.from('"1","a"\n')], { columns: ['Id', 'Name'], header: false })).rows, [
    ['1', 'a'],
  ]);
});

test('batches stay near 1 MiB, own their bytes and hold rows of any length', async () => {
  const rows = Array.from({ length: 9000 }, (_, i) => [String(i), 'x'.repeat(i % 700)]);
  rows.push(['long', 'y'.repeat(3_000_000)], ['last', '']);
  const bytes = encodeTable(['Id', 'Name'], rows);
  const chunks = cut(bytes, [65_536]).map((chunk) => Buffer.from(chunk));
  const splitter = new RowSplitter();
  const batches: RowBatch[] = [];
  for (const chunk of chunks) {
    const batch = splitter.push(chunk);
    chunk.fill(0);
    if (batch) batches.push(batch);
  }
  batches.push(...splitter.end());
  assert.deepEqual(
    batches.flatMap((batch) => [...batch.ends.keys()].map((i) => cells(batch, i))),
    rows,
  );
  for (const batch of batches) {
    assert.ok(batch.bytes.length <= 1024 * 1024 + 65_536 || batch.bytes.length > 3_000_000);
    assert.equal(batch.ends.at(-1), batch.bytes.length);
  }
});

test('an abort stops the reading', async () => {
  const stop = new AbortController();
  const batches = splitRows(
    (function* () {
      yield Buffer.from('"Id"\n');
      stop.abort(new Error('stopped'));
      yield Buffer.from('"1"\n');
    })(),
    { signal: stop.signal },
  );
  await assert.rejects(batches.next(), /stopped/);
});
