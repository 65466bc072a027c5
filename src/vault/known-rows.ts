import { Fault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { cell, Keys } from '../rows/cells.ts';
import { IdTable } from '../rows/id-table.ts';
import { inOrder } from '../rows/in-order.ts';
import { keepRows } from '../rows/keep.ts';
import { mergeSorted, type SortedRows } from '../rows/merge.ts';
import { projection } from '../rows/project.ts';
import { significant } from '../schema/ids.ts';
import { layersOf, runOf } from './layers.ts';
import type { MapPage, SegmentRef } from './manifest.ts';
import { indexColumns, readSegment } from './segment.ts';
import type { Vault } from './vault.ts';

const tombstoneColumns = ['Id', 'DeletedDate', 'Found'];
/** How a tombstone says that its row was not deleted: the policy of the point leaves it out. */
export const leftOut = 'left out';
const parallelTwins = 2;

/**
 * Takes rows in the columns of an index twin; of tombstones (`gone`) the second is the date of the deletion, where it is known. `run` wrote them.
 */
export type Tell = (batch: RowBatch, gone: boolean, run: string) => void;

/**
 * What an object's page knows of its rows, without any field value: Id and SystemModstamp of each row, and tombstones. The writer key or an identity is enough.
 * Every twin and tombstone segment that is read is proven by its digest and its row count; throws faults of exit code 4 otherwise.
 */
export class KnownRows {
  readonly #vault: Vault;
  readonly #map: MapPage;
  readonly #signal: AbortSignal | undefined;

  constructor(vault: Vault, map: MapPage, signal?: AbortSignal) {
    this.#vault = vault;
    this.#map = map;
    this.#signal = signal;
  }

  /** Rows of the base; of segments that say which Ids they hold, only those that may hold some of `ids`. `wanted`: only those of such runs. */
  async base(ids: IdTable, tell: Tell, wanted: (run: string) => boolean = () => true): Promise<void> {
    const touched = touchedBy(this.#map.base, ids).filter(({ key }) => wanted(runOf(key)));
    const read = inOrder(touched, parallelTwins, async (segment) => ({
      run: runOf(segment.key),
      batches: await this.#all(segment),
    }));
    for await (const { run, batches } of read) for (const batch of batches) tell(batch, false, run);
  }

  /** What lies on the base, layer by layer; of segments that say which Ids they hold, only those that may hold some of `ids`. */
  async layers(ids: IdTable | 'all', tell: Tell, wanted: (run: string) => boolean = () => true): Promise<void> {
    for (const { ref, gone } of layersOf(this.#map)) {
      const run = runOf(ref.key);
      if (!wanted(run) || (ids !== 'all' && touchedBy([ref], ids).length === 0)) continue;
      for await (const batch of this.#rows(ref, gone)) tell(batch, gone, run);
    }
  }

  /** Id and SystemModstamp of every live row, ascending by Id, in constant memory. */
  live(): AsyncIterable<RowBatch> {
    const base = [...this.#map.base].sort((a, b) => ((a.minId ?? '') < (b.minId ?? '') ? -1 : 1));
    const flows: SortedRows[] = base.every(({ minId }) => minId !== undefined)
      ? [this.#flow(base, false)]
      : base.map((segment) => this.#flow([segment], false));
    for (const { ref, gone } of layersOf(this.#map)) flows.push(this.#flow([ref], gone));
    return mergeSorted(flows);
  }

  /**
   * Every deletion that the page tells of, those of the base's own runs too, oldest run first. The third column is the run that found it, where that is not
   * `run`, which wrote it.
   */
  async *buried(): AsyncGenerator<{ readonly run: string; readonly batch: RowBatch }> {
    const segments = [...this.#map.gone, ...(this.#map.spent ?? [])];
    const inRunOrder = segments.sort((a, b) => (runOf(a.key) < runOf(b.key) ? -1 : 1));
    for (const segment of inRunOrder)
      for await (const batch of this.#rows(segment, true, true)) yield { run: runOf(segment.key), batch };
  }

  /** Rows that were in the object's earlier points and that the policy leaves out by now; they were not deleted. */
  async leftOut(): Promise<IdTable> {
    const ids = new IdTable();
    if (this.#map.kept === undefined) return ids;
    for await (const { columns, batch } of this.tombstones()) {
      const learned = columns.indexOf('Learned');
      for (let row = 0; row < batch.ends.length; row++)
        if (cell(batch, row, learned) === leftOut) ids.add(indexKeys.id(batch, row));
    }
    return ids;
  }

  #flow(segments: readonly SegmentRef[], gone: boolean): SortedRows {
    const rows = (segment: SegmentRef) => this.#rows(segment, gone);
    return {
      keys: indexKeys,
      gone,
      batches: (async function* () {
        for (const segment of segments) yield* rows(segment);
      })(),
    };
  }

  async #all(segment: SegmentRef): Promise<RowBatch[]> {
    const batches: RowBatch[] = [];
    for await (const batch of this.#rows(segment, false)) batches.push(batch);
    return batches;
  }

  /** In the columns of an index twin. */
  async *#rows(segment: SegmentRef, gone: boolean, deletions = false): AsyncGenerator<RowBatch> {
    const ref = gone ? segment : segment.index;
    if (!ref) throw new Fault('segment-invalid', `${segment.key} has no index`, { data: { key: segment.key } });
    const body = await this.#vault.read(ref, this.#signal);
    const options = { expected: { rows: segment.rows }, ...(this.#signal ? { signal: this.#signal } : {}) };
    const identities = await this.#vault.manifestIdentities();
    for await (const { columns, batch } of readSegment(identities, body, options)) {
      const learned = deletions ? columns.indexOf('Learned') : -1;
      const wanted = learned < 0 ? batch : keepRows(batch, (row) => cell(batch, row, learned) !== leftOut);
      yield projection(columns, gone ? tombstoneColumns : indexColumns)(wanted);
    }
  }

  /** Tombstones that lie on the base as they stand, oldest layer first; of an Id there may be several. */
  async *tombstones(): AsyncGenerator<{ readonly columns: readonly string[]; readonly batch: RowBatch }> {
    for (const { ref, gone } of layersOf(this.#map)) {
      if (!gone) continue;
      const body = await this.#vault.read(ref, this.#signal);
      yield* readSegment(await this.#vault.manifestIdentities(), body, { expected: { rows: ref.rows } });
    }
  }
}

/** Reads rows that `Tell` is given. */
export const indexKeys = new Keys(indexColumns);

/** Segments that may hold one of the Ids. */
function touchedBy(segments: readonly SegmentRef[], ids: IdTable): SegmentRef[] {
  if (ids.size === 0) return [];
  const numbers = ids.sortedNumbers();
  return segments.filter(({ minId, maxId }) => {
    if (minId === undefined || maxId === undefined) return true;
    // The first Id that is not below the segment's first; the last three characters only repeat the others.
    let [low, high] = [0, numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (significantOf(ids.id(numbers[middle]!)) < significantOf(minId)) low = middle + 1;
      else high = middle;
    }
    return low < numbers.length && significantOf(ids.id(numbers[low]!)) <= significantOf(maxId);
  });
}

function significantOf(id: string): string {
  return id.slice(0, significant);
}
