import { Fault } from '../../src/errors.ts';
import type { RowFlow } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { FileContent, OrgWriter, WriteRecord, Written } from '../../src/salesforce/writing.ts';
import type { PointReader } from '../../src/vault/point-reader.ts';
import type { Defect } from './rehearse-rig.ts';

/** The same object but for some of its methods. */
function over<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (name in changes) return changes[name as keyof T];
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export type Cells = Record<string, string>;

/** The point is read with other rows of one object: each batch of rows as `change` makes it. */
export function read(object: string, change: (rows: Cells[]) => Cells[]): Defect {
  return {
    reader: (reader) =>
      over(reader as PointReader, {
        rows: async (name, wanted) => {
          const flow = await reader.rows(name, wanted);
          return name === object ? changed(flow, change) : flow;
        },
      }),
  };
}

/** One cell of one row is read as another. */
export function cellRead(object: string, id: string, field: string, change: (cell: string) => string): Defect {
  return read(object, (rows) =>
    rows.map((row) => (row.Id === id && row[field] !== undefined ? { ...row, [field]: change(row[field]) } : row)),
  );
}

function changed({ columns, batches }: RowFlow, change: (rows: Cells[]) => Cells[]): RowFlow {
  const rows = async function* () {
    for await (const batch of batches) {
      const before = Array.from({ length: batch.ends.length }, (_, i) => {
        const row = cells(batch, i);
        return Object.fromEntries(columns.map((name, at) => [name, row[at]!]));
      });
      yield encodeRows(change(before).map((row) => columns.map((name) => row[name])));
    }
  };
  return { columns, batches: rows() };
}

/** The writer of the org, but for some of its calls. Ingest jobs are refused, so that rows go by these calls alone. */
export function writes(change: (writer: OrgWriter) => Partial<OrgWriter>): Defect {
  return {
    org: (org: Org) => {
      const ingest = over(org.writer.ingest, {
        create: async () => {
          throw new Fault('bulk-refused', 'no ingest jobs');
        },
      });
      return over(org, { writer: over(org.writer, { ingest, ...change(org.writer) }) });
    },
  };
}

type Insert = (records: readonly WriteRecord[]) => Promise<Written[]>;

/** Inserts of one object go through `change`; `insert` is what the org does. */
export function inserts(
  object: string,
  change: (records: readonly WriteRecord[], insert: Insert, writer: OrgWriter) => Promise<Written[]>,
): Defect {
  return writes((writer) => ({
    insert: (name, records, options) => {
      const insert: Insert = (given) => writer.insert(name, given, options);
      return name === object ? change(records, insert, writer) : insert(records);
    },
  }));
}

/** The first insert of one object of which `is` holds gets another result, or another record. */
export function firstInsert(
  object: string,
  is: (record: WriteRecord) => boolean,
  change: (record: WriteRecord, insert: Insert, writer: OrgWriter) => Promise<Written>,
): Defect {
  let done = false;
  return inserts(object, async (records, insert, writer) => {
    const at = done ? -1 : records.findIndex(is);
    if (at < 0) return insert(records);
    done = true;
    const others = records.filter((_, n) => n !== at);
    const results = others.length === 0 ? [] : await insert(others);
    return [...results.slice(0, at), await change(records[at]!, insert, writer), ...results.slice(at)];
  });
}

/** Files arrive with other bytes. */
export function files(is: (record: WriteRecord) => boolean, change: (bytes: Buffer) => Buffer): Defect {
  return writes((writer) => ({
    insertFile: async (object, record, field, content, options) =>
      writer.insertFile(object, record, field, is(record) ? await rewritten(content, change) : content, options),
  }));
}

async function rewritten(content: FileContent, change: (bytes: Buffer) => Buffer): Promise<FileContent> {
  const pieces: Buffer[] = [];
  for await (const piece of content.open()) pieces.push(piece);
  const bytes = change(Buffer.concat(pieces));
  return {
    name: content.name,
    size: bytes.length,
    open: async function* () {
      yield bytes;
    },
  };
}
