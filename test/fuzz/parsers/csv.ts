import assert from 'node:assert/strict';
import { cell, cells, cellsAt, Keys } from '../../../src/rows/cells.ts';
import { decodeRow, encodeRow, parseForeign } from '../../../src/rows/csv.ts';
import { type SplitOptions, splitRows } from '../../../src/rows/split.ts';
import { bulkUnfit, encodeBulkRow, parseErrorCell } from '../../../src/salesforce/bulk-csv.ts';
import { faults, type Parser } from '../parser.ts';

interface Table {
  columns: readonly string[];
  rows: string[][];
  bytes: Buffer;
}

async function table(pieces: readonly Buffer[], options: SplitOptions): Promise<Table> {
  const found: Table = { columns: [], rows: [], bytes: Buffer.alloc(0) };
  const onColumns = (columns: readonly string[]) => {
    found.columns = columns;
  };
  const all: Buffer[] = [];
  for await (const batch of splitRows(pieces, { ...options, onColumns })) {
    const keys = new Keys(found.columns);
    for (let i = 0; i < batch.ends.length; i++) {
      const row = cells(batch, i);
      found.rows.push(row);
      assert.equal(row.length, found.columns.length);
      assert.equal(cell(batch, i, row.length - 1), row.at(-1));
      assert.deepEqual(cellsAt(batch, i, [0]), [row[0]]);
      keys.id(batch, i);
      keys.empty(batch, i);
      keys.deleted(batch, i);
      if (i > 0) keys.ascent(batch, i);
    }
    all.push(Buffer.from(batch.bytes));
  }
  found.bytes = Buffer.concat(all);
  return found;
}

async function read(pieces: readonly Buffer[]): Promise<string[][]> {
  const all: string[][] = [];
  for await (const rows of parseForeign(pieces)) all.push(...rows);
  return all;
}

/** Cuts somewhere, always at the same place for the same bytes. */
function cut(bytes: Buffer): Buffer[] {
  const at = bytes.reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7) % (bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

/**
 * Of thousands of rows, what is looked at here takes longer than reading them; and csv-parse makes an error of each that is longer or shorter than
 * the first, and throws it away.
 */
const longest = 16 * 1024;

export const parser: Parser = {
  sources: [
    'src/rows/csv.ts',
    'src/rows/split.ts',
    'src/rows/lenient.ts',
    'src/rows/cells.ts',
    'src/salesforce/bulk-csv.ts',
    'node_modules/csv-parse',
  ],
  words: [
    '"',
    '""',
    '","',
    '"\n',
    '\r\n',
    '\n',
    '\r',
    ',',
    '\0',
    '\ufeff',
    '#N/A',
    'Id',
    '"true"',
    ' --',
    ';',
    ':',
    'A_B:',
  ],
  ways: {
    vault: {
      seeds: [
        '"Id","SystemModstamp","IsDeleted"\n"0015e00000AbCdEAAV","2026-11-22T09:00:00.000Z","false"\n"b","""","true"\n',
      ],
      async run(whole) {
        const bytes = whole.subarray(0, longest);
        const options = { strict: true, fault: 'segment-invalid' } as const;
        const found = await table([bytes], options);
        const rows = found.rows.map(encodeRow).join('');
        // What is no UTF-8 reads as U+FFFD.
        if (!rows.includes('\ufffd')) assert.equal(rows, found.bytes.toString());
        assert.deepEqual(await table(cut(bytes), options), found);
      },
      foreseen: faults('segment-invalid'),
    },
    org: {
      seeds: ['Id,Name\r\n1,"a ""b"" c"\r\n2,\r\n', '"Id"\n"1"\n2\n', '\ufeffId\n1\n'],
      async run(whole) {
        const bytes = whole.subarray(0, longest);
        const found = await table([bytes], {});
        assert.deepEqual((await table(cut(bytes), {})).rows, found.rows);
        if (found.columns.length === 0) return;
        const again = Buffer.concat([Buffer.from(encodeRow(found.columns)), found.bytes]);
        assert.deepEqual((await table([again], { strict: true })).rows, found.rows);
      },
      foreseen: faults('count-mismatch', 'segment-invalid'),
    },
    row: {
      seeds: ['"a","b ""c""",""\n'],
      run(bytes) {
        return decodeRow(bytes).length;
      },
      foreseen: faults('segment-invalid'),
    },
    foreign: {
      seeds: ['\ufeffId;Name\r\na,"b\nc",\n\n"d ""e"""', 'a\rb'],
      async run(bytes) {
        const some = bytes.subarray(0, longest);
        assert.deepEqual(await read(cut(some)), await read([some]));
      },
      foreseen: faults('usage'),
    },
    'error-cell': {
      seeds: [
        'REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name,Email --',
        'A_B:one:X --;C_D:two:Y,Z --',
        'no code',
      ],
      run(bytes) {
        return parseErrorCell(bytes.toString()).length;
      },
      foreseen: () => false,
    },
    upload: {
      seeds: ['a\nb\n#N/A\n\n'],
      run(bytes) {
        const row = bytes.toString().split('\n');
        const unfit = bulkUnfit(row);
        if (unfit) return unfit;
        assert.deepEqual(
          decodeRow(Buffer.from(encodeBulkRow(row))),
          row.map((one) => one || '#N/A'),
        );
        return 'fit';
      },
      foreseen: () => false,
    },
  },
};
