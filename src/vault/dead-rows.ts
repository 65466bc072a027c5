import type { RowBatch } from '../rows/batch.ts';
import { rowStart } from '../rows/cells.ts';
import { closingQuote, decodeRow, encodeRows } from '../rows/csv.ts';
import { IdTable } from '../rows/id-table.ts';
import type { ObjectDescribe } from '../schema/describe.ts';
import { indexKeys, KnownRows } from './known-rows.ts';
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

/**
 * A deletion may become visible so long after its stamp: a transaction that commits late carries the time at which it wrote (field guide, extract 5.3),
 * and the clocks of the hosts that name runs may differ from the org's.
 */
const visibleMs = 20 * 60_000;

/** Rows that are deleted, of some objects, each with the run that found it so. */
export class DeadRows {
  readonly #ids = new IdTable();
  readonly #runs: string[] = [];
  /** When they were deleted, by the org's clock, in milliseconds; NaN where nobody knows. */
  readonly #dates: number[] = [];
  /** The newest run that found any. */
  newest = '';

  get ids(): IdTable {
    return this.#ids;
  }

  /** Adds what a page knows to be deleted and not live again. The writer key or an identity is enough. */
  async add(vault: Vault, map: MapPage, signal?: AbortSignal): Promise<void> {
    if (map.gone.length === 0) return;
    const known = new KnownRows(vault, map, signal);
    const found = new IdTable();
    const runs: string[] = [];
    const dates: string[] = [];
    for await (const { run, batch } of known.buried()) {
      for (let i = 0; i < batch.ends.length; i++) {
        const id = indexKeys.id(batch, i);
        if (id.length !== 15 && id.length !== 18) continue;
        const number = found.add(id);
        const date = indexKeys.stamp(batch, i);
        // The same deletion may be told again by a run whose window overlaps: what the first one emptied is not emptied by the second.
        if (date !== '' && date === dates[number]) continue;
        runs[number] = run;
        dates[number] = date;
      }
    }
    const live = new Uint8Array(found.size);
    const tell = (batch: RowBatch, gone: boolean) => {
      for (let i = 0; i < batch.ends.length; i++) {
        const number = found.number(batch.bytes, rowStart(batch, i) + 1);
        if (number >= 0) live[number] = gone ? 0 : 1;
      }
    };
    await known.base(found, tell);
    await known.layers(found, tell);
    for (let n = 0; n < found.size; n++) {
      if (live[n] === 1) continue;
      const number = this.#ids.add(found.id(n));
      this.#runs[number] = runs[n]!;
      this.#dates[number] = Date.parse(dates[n]!);
      if (runs[n]! > this.newest) this.newest = runs[n]!;
    }
  }

  /** Empties, in rows that `run` read, these columns where they name a row that was found deleted later. */
  blanking(columns: readonly string[], fields: readonly string[], run: string): (batch: RowBatch) => RowBatch {
    const positions = fields.map((field) => columns.indexOf(field)).filter((position) => position >= 0);
    if (positions.length === 0 || this.newest <= run) return (batch) => batch;
    const wanted = new Set(positions);
    const last = Math.max(...positions);
    return (batch) => {
      const hits: number[] = [];
      for (let row = 0; row < batch.ends.length; row++) if (this.#names(batch, row, wanted, last, run)) hits.push(row);
      return hits.length === 0 ? batch : this.#blanked(batch, new Set(hits), positions, run);
    };
  }

  #names({ bytes, ends }: RowBatch, row: number, wanted: ReadonlySet<number>, last: number, run: string): boolean {
    let open = row === 0 ? 0 : ends[row - 1]!;
    for (let column = 0; column <= last; column++) {
      const close = closingQuote(bytes, open, ends[row]!);
      if (wanted.has(column) && (close - open === 19 || close - open === 16) && this.hasEmptied(bytes, open + 1, run))
        return true;
      open = close + 2;
    }
    return false;
  }

  /** Whether this row was found deleted after `run` had read what named it. */
  hasEmptied(id: string | Buffer, start: number, run: string): boolean {
    const number = this.#ids.number(id, start);
    if (number < 0 || this.#runs[number]! <= run) return false;
    // A run that replaces others carries their tombstones: what it says was deleted long before a row was read emptied nothing of that row.
    return !(this.#dates[number]! < startOf(run) - visibleMs);
  }

  #blanked(batch: RowBatch, hits: ReadonlySet<number>, positions: readonly number[], run: string): RowBatch {
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
          if (id !== '' && this.hasEmptied(id, 0, run)) cells[position] = '';
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

/** When a run began, by its name, in milliseconds. */
function startOf(run: string): number {
  return Date.parse(run.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'));
}
