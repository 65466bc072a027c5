import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { RowBatch, RowFlow } from '../../rows/batch.ts';
import { cell, cellsAt, Keys, rowBytes } from '../../rows/cells.ts';
import { encodeRow } from '../../rows/csv.ts';
import { IdTable } from '../../rows/id-table.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Org } from '../../salesforce/org.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { sameValue } from '../../schema/values.ts';

/** A row as it must be, and as it is. */
export interface Pair {
  /** Of the row in the point. */
  readonly id: string;
  /** Of the row in the org. */
  readonly target: string;
  /** Cells by place in the fields that were asked for. */
  readonly expected: (place: number) => string;
  readonly found: (place: number) => string;
}

/** What a comparison comes upon, by the Ids of the point where the row has one. */
export interface Findings {
  /** Both rows are there. */
  pair(pair: Pair): void | Promise<void>;
  missing(id: string): void;
  /** The org has a row that none of the point leads to. */
  extra(target: string, found: (place: number) => string): void;
  /** Two rows of the point lead to one of the org. */
  shared(id: string): void;
}

export interface Comparing {
  readonly ctx: Context;
  readonly org: Org;
  /** As the org describes it. */
  readonly object: ObjectDescribe;
  readonly fields: readonly FieldDescribe[];
  /** Rows of the point; Id comes first, then the fields that the point has, in their order. */
  readonly rows: RowFlow;
  /** Id of the row in the org; undefined: nothing is expected of this row. */
  readonly target: (id: string) => string | undefined;
}

/**
 * Walks the rows of the point and those of the org side by side, matched by the Ids of the org. Both are sorted by them first, on disk where
 * they do not fit the memory. Returns how many rows the point gave.
 */
export async function compareRows(comparing: Comparing, findings: Findings): Promise<number> {
  const { ctx, rows } = comparing;
  const columns = ['Id', ...rows.columns.map((name) => `Point ${name}`)];
  const options = { tempDir: ctx.tempDir, signal: ctx.signal };
  const expected = new RowSorter(new Keys(columns), options);
  const found = new RowSorter(new Keys(['Id']), options);
  try {
    const read = await addExpected(comparing, expected, findings);
    const there = await addFound(comparing, found);
    await walk(
      comparing,
      { columns, batches: expected.sorted() },
      { columns: there, batches: found.sorted() },
      findings,
    );
    return read;
  } finally {
    await expected.remove();
    await found.remove();
  }
}

async function addExpected({ ctx, rows, target }: Comparing, sorter: RowSorter, findings: Findings): Promise<number> {
  const keys = new Keys(rows.columns);
  const taken = new IdTable();
  let read = 0;
  for await (const batch of rows.batches) {
    ctx.signal.throwIfAborted();
    const pieces: Buffer[] = [];
    const ends: number[] = [];
    let end = 0;
    for (let i = 0; i < batch.ends.length; i++) {
      read += 1;
      const id = keys.id(batch, i);
      const to = target(id);
      if (to === undefined) continue;
      const before = taken.size;
      if (taken.add(to) < before) {
        findings.shared(id);
        continue;
      }
      const head = Buffer.from(`${encodeRow([to]).slice(0, -1)},`);
      const row = rowBytes(batch, i);
      pieces.push(head, row);
      end += head.length + row.length;
      ends.push(end);
    }
    await sorter.add({ bytes: Buffer.concat(pieces), ends: Uint32Array.from(ends) });
    batch.release?.();
  }
  return read;
}

/** Returns the columns in which the org gave its rows. */
async function addFound({ ctx, org, object, fields }: Comparing, sorter: RowSorter): Promise<readonly string[]> {
  const way = org.plan(object);
  if (way.way === 'none') return ['Id'];
  const names = ['Id', ...fields.map(({ name }) => name)];
  const flow = org.extract({ object: object.name, plan: { ...way, fields: names, blobFields: [] }, all: false });
  for await (const batch of flow.batches) {
    ctx.signal.throwIfAborted();
    await sorter.add(batch);
    batch.release?.();
  }
  return flow.columns;
}

async function walk({ fields }: Comparing, expected: RowFlow, found: RowFlow, findings: Findings): Promise<void> {
  const there = new Side(
    found,
    fields.map(({ name }) => name),
  );
  const wanted = new Side(
    expected,
    fields.map(({ name }) => `Point ${name}`),
  );
  const source = expected.columns.indexOf('Point Id');
  await there.next();
  await wanted.next();
  while (wanted.id !== undefined || there.id !== undefined) {
    if (there.id === undefined || (wanted.id !== undefined && wanted.id < there.id)) {
      findings.missing(wanted.cell(source));
      await wanted.next();
    } else if (wanted.id === undefined || there.id < wanted.id) {
      findings.extra(there.id, there.cells());
      await there.next();
    } else {
      const { expected: was, found: is } = { expected: wanted.cells(), found: there.cells() };
      await findings.pair({ id: wanted.cell(source), target: there.id, expected: was, found: is });
      await wanted.next();
      await there.next();
    }
  }
}

/** A sorted flow that stands at one of its rows. */
class Side {
  id: string | undefined;
  readonly #keys: Keys;
  readonly #batches: AsyncIterator<RowBatch>;
  readonly #positions: readonly number[];
  readonly #slots: readonly number[];
  #batch: RowBatch | undefined;
  #row = -1;

  constructor({ columns, batches }: RowFlow, fields: readonly string[]) {
    this.#keys = new Keys(columns);
    this.#batches = batches[Symbol.asyncIterator]();
    const at = fields.map((name) => columns.indexOf(name));
    this.#positions = at.filter((position) => position >= 0).sort((a, b) => a - b);
    this.#slots = at.map((position) => this.#positions.indexOf(position));
  }

  /** To the next row; `id` is undefined behind the last. */
  async next(): Promise<void> {
    this.#row += 1;
    while (!this.#batch || this.#row >= this.#batch.ends.length) {
      const next = await this.#batches.next();
      if (next.done) {
        this.id = undefined;
        return;
      }
      this.#batch = next.value;
      this.#row = 0;
    }
    this.id = this.#keys.id(this.#batch, this.#row);
  }

  cell(column: number): string {
    return cell(this.#batch!, this.#row, column);
  }

  /** Cells of this row by place in the fields. */
  cells(): (place: number) => string {
    const values = cellsAt(this.#batch!, this.#row, this.#positions);
    return (place) => values[this.#slots[place]!] ?? '';
  }
}

const masterRecordType = '012000000000000';

/** True when a cell of the org is what the one of the point must have become. `idOf`: Id in the point -> Id in the org. */
export function asExpected(field: FieldDescribe, was: string, is: string, idOf: (id: string) => string): boolean {
  if (field.type !== 'reference') return sameValue(field, was, is);
  // Records without a record type may name that of those that have none.
  if (field.name === 'RecordTypeId' && was.startsWith(masterRecordType))
    return is === '' || is.startsWith(masterRecordType);
  return sameValue(field, was === '' ? '' : idOf(was), is);
}

/** SHA-256 of a file of the org, in hex. */
export async function digestOfFile(org: Org, object: string, id: string, field: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of org.blob(object, id, field)) hash.update(piece);
  return hash.digest('hex');
}
