import type { RowFlow } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { keepRows } from '../../rows/keep.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { MapPage } from '../../vault/manifest.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { ObjectSelection } from '../select/selection.ts';
import type { ComparedColumns } from './columns.ts';
import { compareRows, type RowAt, type RowChange } from './compare.ts';
import { noRows, type OrgRows } from './org-rows.ts';
import type { DiffRequest } from './request.ts';
import type { ChangeSink } from './sink.ts';
import type { DeadRows } from './tally.ts';

/** How far before an object's watermark its stamps are asked about: rows are stamped before they can be seen (field guide, extract 5.3). */
const overlapMs = 15 * 60_000;

/** What the org counted, just before. */
export interface LiveCounts {
  readonly live: number | undefined;
  /** Rows stamped since `changedSince`, those of the recycle bin included. */
  readonly changed: number | undefined;
}

/** From when on rows may have changed that the point does not have. */
export function changedSince(map: Pick<MapPage, 'watermark'>): Date {
  return new Date(Date.parse(map.watermark) - overlapMs);
}

/** One object of the point and the org as it is now. */
export class LiveObject {
  readonly object: string;
  readonly map: MapPage;
  readonly columns: ComparedColumns;
  readonly #point: PointReader;
  readonly #org: OrgRows;
  readonly #sink: ChangeSink;
  readonly #selection: ObjectSelection;
  readonly #request: DiffRequest;
  readonly #signal: AbortSignal;
  /** Rows whose comparison is done. */
  readonly #done = new IdTable();
  /** Rows of the point that are gone from the org. */
  readonly deleted = new IdTable();
  /** True when all rows that are selected have been compared. */
  #all = false;

  constructor(
    given: {
      readonly point: PointReader;
      readonly map: MapPage;
      readonly org: OrgRows;
      readonly columns: ComparedColumns;
      readonly selection: ObjectSelection;
      readonly request: DiffRequest;
      readonly signal: AbortSignal;
    },
    sink: ChangeSink,
  ) {
    this.object = given.map.object;
    this.map = given.map;
    this.columns = given.columns;
    this.#point = given.point;
    this.#org = given.org;
    this.#selection = given.selection;
    this.#request = given.request;
    this.#signal = given.signal;
    this.#sink = sink;
  }

  /** True when no row of it is left that might differ unseen. */
  get isWhole(): boolean {
    return this.#all;
  }

  /** As the org describes it. */
  get describe(): ObjectDescribe {
    return this.#org.describe;
  }

  /** True when stamps and counts can tell what has to be read. */
  get asksCounts(): boolean {
    return !this.#selection.ids && !this.#request.full && this.#stamp !== undefined;
  }

  /** The field by which rows tell that they changed; undefined: all have to be read. */
  get #stamp(): string | undefined {
    const { stamp } = this.map;
    return stamp !== null && this.#org.has(stamp) ? stamp : undefined;
  }

  /** Compares what stamps, counts and deletions point at; everything when they cannot tell or `full` asks for it. */
  async compare(counts: LiveCounts): Promise<void> {
    const { ids } = this.#selection;
    if (ids) return this.#compareNamed(ids);
    if (this.#request.full || this.#stamp === undefined) return this.#compareAll();
    if (counts.changed === 0 && counts.live === this.map.rows) return;
    let expected = this.map.rows;
    if (counts.changed !== 0) expected += await this.#compareStamped(this.#stamp, counts.changed);
    if (counts.live !== expected) await this.#compareIds();
  }

  /** Compares rows of the point that have not been compared yet, by their Ids. */
  async compareAlso(ids: IdTable): Promise<void> {
    if (this.#all) return;
    const left = new IdTable();
    for (const id of ids) if (!this.#done.has(id) && !this.deleted.has(id)) left.add(id);
    if (left.size > 0) await this.#between(await this.#fromPoint(left), this.#org.byId(left, this.columns.columns));
  }

  async #compareNamed(ids: IdTable): Promise<void> {
    this.#all = true;
    const dead = await this.#deadAmong(ids);
    await this.#between(await this.#fromPoint(ids), this.#org.byId(ids, this.columns.columns), dead);
  }

  /** What the recycle bin has of named rows, when that is asked for. */
  async #deadAmong(ids: IdTable): Promise<DeadRows | undefined> {
    const { changedBy, between } = this.#request;
    if ((changedBy === undefined && between === undefined) || !this.#org.has('IsDeleted')) return undefined;
    const dead = noDeadRows();
    const besides = ['IsDeleted', 'SystemModstamp'].filter((name) => this.#org.has(name));
    const flow = this.#org.byId(ids, [...new Set([...besides, ...this.columns.columns])], true);
    const keys = new Keys(flow.columns);
    for await (const batch of flow.batches) {
      for (let row = 0; row < batch.ends.length; row++)
        if (keys.deleted(batch, row)) this.#bury(dead, keys.id(batch, row), { batch, row }, flow.columns);
    }
    return dead;
  }

  async #compareAll(): Promise<void> {
    this.#all = true;
    const dead = noDeadRows();
    const to = this.#sorted(undefined, undefined, dead);
    const from = partOf(await this.#fromPoint(undefined), this.#request, this.#sink);
    if (this.map.kept === undefined) return this.#between(from, to, dead);
    // What the policy leaves out by now is not among those rows, and stands in the org all the same.
    const absent = new IdTable();
    await this.#between(from, to, dead, undefined, absent);
    if (absent.size > 0)
      await this.#between(await this.#fromPoint(absent), this.#org.byId(absent, this.columns.columns), dead);
  }

  /** Compares rows stamped since the point; returns by how many rows the org has more than the point, as far as these tell. */
  async #compareStamped(stamp: string, expected: number | undefined): Promise<number> {
    const dead = noDeadRows();
    const where = `${stamp} >= ${changedSince(this.map).toISOString().slice(0, 19)}Z`;
    // Read to its end before the point is asked for the same rows.
    const sorted = this.#sorted(where, expected, dead, this.#done);
    const first = await sorted.batches[Symbol.asyncIterator]().next();
    const to: RowFlow = {
      columns: sorted.columns,
      batches: (async function* () {
        if (!first.done) yield first.value;
        yield* sorted.batches;
      })(),
    };
    let more = 0;
    await this.#between(await this.#fromPoint(this.#done), to, dead, ({ change }) => {
      if (change === 'added') more++;
      if (change === 'deleted') more--;
    });
    return more;
  }

  /** Holds the Ids of the org against those of the point: what was purged or hard deleted leaves no other trace. */
  async #compareIds(): Promise<void> {
    const there = await this.#org.liveIds(this.map.kept);
    const vanished = new IdTable();
    const known = new IdTable();
    const flow = await this.#point.rows(this.object, { columns: ['Id'], signal: this.#signal });
    const keys = new Keys(flow.columns);
    for await (const batch of flow.batches) {
      for (let row = 0; row < batch.ends.length; row++) {
        const id = keys.id(batch, row);
        known.add(id);
        if (!there.has(id) && !this.#done.has(id)) vanished.add(id);
      }
      batch.release?.();
    }
    const appeared = new IdTable();
    for (const id of there) if (!known.has(id) && !this.#done.has(id)) appeared.add(id);
    const still =
      this.map.kept === undefined ? noRows(this.columns.columns) : this.#org.byId(vanished, this.columns.columns);
    if (vanished.size > 0) await this.#between(await this.#fromPoint(vanished), still);
    if (appeared.size > 0)
      await this.#between(noRows(this.columns.columns), this.#org.byId(appeared, this.columns.columns));
  }

  #sorted(where: string | undefined, rowsExpected: number | undefined, dead: DeadRows, seen?: IdTable): RowFlow {
    const batches = this.#org.sorted(
      this.columns.columns,
      bothOf(where, this.map.kept),
      rowsExpected,
      ({ id, deleted, batch, row, columns }) => {
        seen?.add(id);
        if (!deleted) return;
        this.#bury(dead, id, { batch, row }, columns);
        this.#sink.bury?.(id, { batch, row }, columns);
      },
      this.#all ? this.#request.part : undefined,
    );
    return { columns: this.columns.columns, batches };
  }

  #bury({ asked, others }: DeadRows, id: string, row: RowAt, columns: readonly string[]): void {
    const by = this.columns.deletedBy(this.#request, row, columns);
    if (by !== 'unknown') (by === 'asked' ? asked : others).add(id);
  }

  async #fromPoint(ids: IdTable | undefined): Promise<RowFlow> {
    return this.#point.rows(this.object, {
      columns: this.columns.columns,
      signal: this.#signal,
      ...(ids ? { ids } : {}),
    });
  }

  /** `absent`: takes the rows that `to` lacks, in place of telling them as deleted. */
  async #between(
    from: RowFlow,
    to: RowFlow,
    dead?: DeadRows,
    onChange?: (change: RowChange) => void,
    absent?: IdTable,
  ): Promise<void> {
    await compareRows(from, to, this.columns.fields, this.columns.offset, (change) => {
      if (absent && change.change === 'deleted') {
        absent.add(change.id);
        return;
      }
      if (change.change === 'deleted') this.deleted.add(change.id);
      onChange?.(change);
      this.#sink.take(change, dead);
    });
  }
}

function bothOf(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || other === undefined ? (one ?? other) : `(${one}) AND (${other})`;
}

/** Of all rows of the point those of the part that is asked for, told to the sink as they pass. */
export function partOf({ columns, batches }: RowFlow, { part }: Pick<DiffRequest, 'part'>, sink: ChangeSink): RowFlow {
  const keys = new Keys(columns);
  return {
    columns,
    batches: (async function* () {
      for await (const batch of batches) {
        const wanted = part ? keepRows(batch, (row) => part.has(keys.id(batch, row))) : batch;
        sink.read?.(wanted.ends.length);
        if (wanted.ends.length > 0) yield wanted;
        else wanted.release?.();
      }
    })(),
  };
}

function noDeadRows(): DeadRows {
  return { asked: new IdTable(), others: new IdTable() };
}
