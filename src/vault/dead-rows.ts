import type { RowBatch } from '../rows/batch.ts';
import { rowStart } from '../rows/cells.ts';
import { closingQuote, decodeRow, encodeRows } from '../rows/csv.ts';
import { IdTable } from '../rows/id-table.ts';
import type { ObjectDescribe } from '../schema/describe.ts';
import { Deletions } from './deletions.ts';
import { KnownRows } from './known-rows.ts';
import { timeIn } from './layout.ts';
import type { MapPage } from './manifest.ts';
import type { Vault } from './vault.ts';

/** Fields that name users whom nobody deletes, and that the org does not empty. */
const never = new Set(['CreatedById', 'LastModifiedById', 'OwnerId']);

/** Lookups of an object that the org empties when the row that they name is deleted, without a stamp that moves (field guide, extract 5.2). */
export function blankableLookups({
  fields,
}: ObjectDescribe): { readonly field: string; readonly objects: readonly string[] }[] {
  return fields.flatMap(({ name, type, referenceTo, nillable, cascadeDelete, restrictedDelete }) => {
    if (type !== 'reference' || !nillable || cascadeDelete || restrictedDelete || never.has(name)) return [];
    return [{ field: name, objects: referenceTo ?? [] }];
  });
}

/** Where rows come from: the run that wrote them, and the oldest that read some of them, of rows that were merged. */
export interface Reading {
  readonly run: string;
  readonly oldest?: string | undefined;
}

/**
 * A deletion may become visible so long after its stamp: a transaction that commits late carries the time at which it wrote (field guide, extract 5.3),
 * and the clocks of the hosts that name runs may differ from the org's.
 */
export const visibleMs = 20 * 60_000;

/** Rows that were deleted, of some objects, and when lookups were emptied by it. */
export class DeadRows {
  readonly #ids = new IdTable();
  readonly #runs: string[] = [];
  /** When they were deleted, by the org's clock, in milliseconds; NaN where nobody knows. */
  readonly #dates: number[] = [];
  /** True: only rows of earlier runs are known to have been read before. */
  readonly #earlierOnly: boolean[] = [];
  /** The newest run that found any. */
  newest = '';

  /** Adds what a page knows to be deleted. The writer key or an identity is enough. */
  async add(vault: Vault, map: MapPage, signal?: AbortSignal): Promise<void> {
    const known = new KnownRows(vault, map, signal);
    const { ids, runs, dates } = await Deletions.of(known);
    if (ids.size === 0) return;
    // Points of older versions do not tell which rows were read again when a row came back: they count its deletion no more.
    const isOlder = map.spent === undefined;
    const live = isOlder ? await liveAmong(known, ids) : undefined;
    for (let n = 0; n < ids.size; n++) {
      if (live?.[n] === 1) continue;
      const number = this.#ids.add(ids.id(n));
      this.#runs[number] = runs[n]!;
      this.#dates[number] = dates[n]!;
      this.#earlierOnly[number] = isOlder;
      if (runs[n]! > this.newest) this.newest = runs[n]!;
    }
  }

  /** Empties, in rows that `reading` gave, these columns where they name a row that was deleted later. */
  blanking(columns: readonly string[], fields: readonly string[], reading: Reading): (batch: RowBatch) => RowBatch {
    const positions = fields.map((field) => columns.indexOf(field)).filter((position) => position >= 0);
    if (positions.length === 0 || this.newest < reading.run) return (batch) => batch;
    const wanted = new Set(positions);
    const last = Math.max(...positions);
    return (batch) => {
      const hits: number[] = [];
      for (let row = 0; row < batch.ends.length; row++)
        if (this.#names(batch, row, wanted, last, reading)) hits.push(row);
      return hits.length === 0 ? batch : this.#blanked(batch, new Set(hits), positions, reading);
    };
  }

  #names({ bytes, ends }: RowBatch, row: number, wanted: ReadonlySet<number>, last: number, reading: Reading): boolean {
    let open = row === 0 ? 0 : ends[row - 1]!;
    for (let column = 0; column <= last; column++) {
      const close = closingQuote(bytes, open, ends[row]!);
      if (
        wanted.has(column) &&
        (close - open === 19 || close - open === 16) &&
        this.hasEmptied(bytes, open + 1, reading)
      )
        return true;
      open = close + 2;
    }
    return false;
  }

  /** Whether the deletion of this row emptied what `reading` had read of rows that named it. */
  hasEmptied(id: string | Buffer, start: number, { run, oldest = run }: Reading): boolean {
    const number = this.#ids.number(id, start);
    if (number < 0) return false;
    const found = this.#runs[number]!;
    if (found < run || (found === run && this.#earlierOnly[number])) return false;
    // What was deleted long before a row was read emptied nothing of that row: the org had done so by then, or kept it.
    return !(this.#dates[number]! < timeIn(oldest) - visibleMs);
  }

  #blanked(batch: RowBatch, hits: ReadonlySet<number>, positions: readonly number[], reading: Reading): RowBatch {
    const parts: Buffer[] = [];
    const ends = new Uint32Array(batch.ends.length);
    let at = 0;
    for (let row = 0; row < batch.ends.length; row++) {
      const [start, end] = [rowStart(batch, row), batch.ends[row]!];
      let bytes = batch.bytes.subarray(start, end);
      if (hits.has(row)) {
        const cells = decodeRow(bytes);
        for (const position of positions) {
          const id = cells[position] ?? '';
          if (id !== '' && this.hasEmptied(id, 0, reading)) cells[position] = '';
        }
        bytes = encodeRows([cells]).bytes;
      }
      parts.push(bytes);
      at += bytes.length;
      ends[row] = at;
    }
    return { bytes: Buffer.concat(parts), ends };
  }
}

/** 1 at the number of each Id that is live by what the page lists. */
async function liveAmong(known: KnownRows, ids: IdTable): Promise<Uint8Array> {
  const live = new Uint8Array(ids.size);
  const tell = (batch: RowBatch, gone: boolean) => {
    for (let i = 0; i < batch.ends.length; i++) {
      const number = ids.number(batch.bytes, rowStart(batch, i) + 1);
      if (number >= 0) live[number] = gone ? 0 : 1;
    }
  };
  await known.base(ids, tell);
  await known.layers(ids, tell);
  return live;
}
