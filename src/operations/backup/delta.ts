import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { cells, Keys } from '../../rows/cells.ts';
import { encodeRows } from '../../rows/csv.ts';
import { IdTable } from '../../rows/id-table.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Extraction, ExtractionSummary, ExtractRequest, Org } from '../../salesforce/org.ts';
import { KnownRows } from '../../vault/known-rows.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { fillRoots } from './cascade-roots.ts';
import type { Cascades } from './cascades.ts';
import type { Known } from './changed.ts';
import { Changes, NoIds } from './changes.ts';
import { FileList } from './file-list.ts';
import { watched } from './object.ts';
import type { Parent } from './parents.ts';
import { reconcile, standing } from './reconcile.ts';
import { ReplacedRows } from './replaced.ts';
import { goneColumns, leftOutTombstone, liveRows, type Passed } from './rows.ts';
import { storeSegments } from './segments.ts';
import type { Chosen } from './select.ts';
import { Tombstones } from './tombstones.ts';
import { isSettled, type Window } from './window.ts';

/** What changed of one object since its parent, read and stored; nothing refers to it yet. */
export interface DeltaRead {
  /** Live rows of the object by now. */
  readonly rows: number;
  /** Rows that were stored: new ones and those that changed. */
  readonly changed: number;
  /** Rows that were there and are deleted. */
  readonly deleted: number;
  readonly deltas: readonly SegmentRef[];
  readonly gone: readonly SegmentRef[];
  readonly detail: readonly Ref[];
  readonly summary: ExtractionSummary;
  readonly files: FileList;
  /** When all Ids were held against those of the org, if that was done. */
  readonly reconciled: string | undefined;
}

/** Rows of replaced layers that a window does not show are asked for by their Ids, so many at most; of more a full read tells more. */
const mostReplaced = 50_000;

/** A read by what changed would ask for more than a full read. */
class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

/** The reading of an object's window. */
export function windowRequest({ describe, plan, rowsOut }: Chosen, { where }: Window): ExtractRequest {
  return { object: describe.name, plan, where: both(where, rowsOut?.kept), all: true };
}

function both(where: string, more: string | undefined): string {
  return more === undefined ? where : `(${where}) AND (${more})`;
}

/** What changed of an object, read and held in order; nothing is stored. `remove` it at the end, whatever happened. */
export class Delta {
  readonly #ctx: Context;
  readonly #org: Org;
  readonly #cascades: Cascades;
  readonly #chosen: Chosen;
  readonly #parent: Parent;
  readonly #window: Window;
  readonly #columns: readonly string[];
  readonly #keys: Keys;
  readonly #changes = new Changes();
  readonly #known: KnownRows;
  readonly #live: RowSorter;
  readonly #gone: RowSorter;
  /** Rows of the window that the policy leaves out. */
  readonly #outside = new IdTable();
  #summary: ExtractionSummary | undefined;
  /** Rows that only a layer holds which this delta replaces. */
  readonly #replaced = new IdTable();
  /** Those of them that the org no longer has. */
  #lost = 0;
  #reconciled: string | undefined;

  constructor(
    ctx: Context,
    org: Org,
    writer: PointWriter,
    { chosen, parent }: Known,
    window: Window,
    cascades: Cascades,
  ) {
    this.#cascades = cascades;
    this.#ctx = ctx;
    this.#org = org;
    this.#chosen = chosen;
    this.#parent = parent;
    this.#window = window;
    this.#columns = chosen.plan.fields;
    this.#keys = new Keys(this.#columns);
    this.#known = new KnownRows(writer.vault, parent.page, ctx.signal);
    const options = { tempDir: ctx.tempDir, signal: ctx.signal };
    this.#live = new RowSorter(this.#keys, options);
    this.#gone = new RowSorter(new Keys(goneColumns), options);
  }

  /** Live rows by what has been read so far. */
  get rows(): number {
    return this.#parent.page.rows + this.#changes.growth - this.#lost;
  }

  /**
   * Reads the window, from `extraction` when it was begun already. False: the keys of the object are no Ids, or too many rows have to be asked for one by one, and it cannot be read by
   * what changed. Throws what the org throws.
   */
  async read(rowsExpected: number | undefined, extraction?: Extraction): Promise<boolean> {
    try {
      await this.#read(
        extraction ?? this.#org.extract({ ...windowRequest(this.#chosen, this.#window), rowsExpected }),
        rowsExpected,
      );
      return true;
    } catch (error) {
      if (error instanceof NoIds || error instanceof TooMuch) return false;
      throw error;
    }
  }

  async #read(extraction: Extraction, rowsExpected: number | undefined): Promise<void> {
    const { describe } = this.#chosen;
    const passed: Passed = { live: 0, deleted: 0 };
    const rows = liveRows(
      this.#columns,
      watched(this.#ctx, describe.name, extraction.batches),
      passed,
      (row) => this.#bury(row),
      this.#cascades.reader(describe.name, this.#columns),
    );
    if (this.#window.replaces) await this.#carryTombstones();
    for await (const batch of rows) await this.#take(batch);
    await this.#readLeftOut(rowsExpected);
    this.#summary = extraction.summary();
    if (passed.live + passed.deleted !== this.#summary.rows) {
      throw new Fault('count-mismatch', `${describe.name}: ${this.#summary.rows} rows were read and others handled`);
    }
    await this.#lookUp();
  }

  /** Rows of the window that the policy leaves out: those that are in earlier points begin to be left out, or were deleted since. */
  async #readLeftOut(rowsExpected: number | undefined): Promise<void> {
    const { describe, plan, rowsOut } = this.#chosen;
    if (!rowsOut) return;
    const fields = ['Id', 'SystemModstamp', 'IsDeleted'].filter((name) => plan.fields.includes(name));
    const where = both(this.#window.where, rowsOut.out);
    const request = { object: describe.name, plan: { ...plan, fields }, where, all: true, rowsExpected };
    const { columns, batches } = this.#org.extract(request);
    const keys = new Keys(columns);
    for await (const batch of batches) {
      for (let row = 0; row < batch.ends.length; row++) {
        const id = keys.id(batch, row);
        const isDeleted = keys.deletedColumn >= 0 && keys.deleted(batch, row);
        this.#outside.add(id);
        if (isDeleted) await this.#bury([id, keys.stamp(batch, row), '', '', 'recycle bin']);
        else await this.#leaveOut(id);
      }
    }
  }

  /** Holds the Ids of the org against those that are known, and takes what is missing on either side. Throws what the org throws. */
  async reconcile(): Promise<void> {
    const { to } = this.#window;
    const request = { chosen: this.#chosen, known: this.#known, changes: this.#changes, before: to };
    await reconcile(this.#ctx, this.#org, request, {
      vanished: (id) => this.#bury([id, '', '', '', 'reconciliation']),
      leftOut: (id) => this.#leaveOut(id),
      missed: (batch) => this.#take(batch),
    });
    this.#reconciled = to.toISOString();
    await this.#lookUp();
  }

  /** Stores what changed. Call it once. */
  async store(writer: PointWriter): Promise<DeltaRead> {
    const { describe, plan } = this.#chosen;
    const { signal } = this.#ctx;
    const files = new FileList(describe.name, this.#columns, plan.blobFields);
    const flow = arranged(files.collect(this.#news()));
    const { read } = this.#window;
    const { segments, detail } = await storeSegments(writer, describe.name, this.#columns, flow, signal, read);
    const tombstones = new Tombstones(writer, {
      fillRoots: (rows) => fillRoots(this.#ctx, this.#org, this.#cascades, rows),
    });
    for await (const batch of this.#gone.sorted()) {
      for (let i = 0; i < batch.ends.length; i++) {
        const row = cells(batch, i);
        // Of rows that no point ever had there is nothing to tell.
        if (this.#outside.has(row[0]!) && !this.#changes.wasKnown(row[0]!)) continue;
        const isKnown = !this.#window.replaces && this.#changes.isKnownGone(row[0]!, row[1]!);
        if (!isKnown && !this.#changes.isLive(row[0]!)) await tombstones.add(row);
      }
    }
    await tombstones.flush();
    return {
      rows: this.rows,
      changed: segments.reduce((sum, { rows }) => sum + rows, 0),
      deleted: this.#changes.deleted + this.#lost,
      deltas: segments,
      gone: tombstones.segments,
      detail,
      summary: this.#summary!,
      files,
      reconciled: this.#reconciled,
    };
  }

  async remove(): Promise<void> {
    await Promise.all([this.#live.remove(), this.#gone.remove()]);
  }

  async #take(batch: RowBatch): Promise<void> {
    this.#changes.live(batch, this.#keys);
    await this.#live.add(batch);
  }

  async #leaveOut(id: string): Promise<void> {
    this.#changes.leftOut(id);
    await this.#gone.add(encodeRows([leftOutTombstone(id)]));
  }

  async #bury(row: readonly string[]): Promise<void> {
    this.#changes.gone(row[0]!);
    await this.#gone.add(encodeRows([[...row]]));
  }

  /** The tombstones of the layers that this delta replaces. */
  async #carryTombstones(): Promise<void> {
    for await (const { batch } of this.#known.tombstones()) await this.#gone.add(batch);
  }

  async #lookUp(): Promise<void> {
    if (!this.#window.replaces) return this.#changes.lookUp(this.#known);
    // Rows of a replaced delta need not be in the window: a field came, or they were found by their Ids.
    let others = await this.#notShown();
    const unasked: string[] = [];
    for (const id of others.live()) {
      if (!this.#replaced.has(id)) unasked.push(id);
      if (unasked.length > mostReplaced) throw new TooMuch();
    }
    if (unasked.length > 0) {
      for (const id of unasked) this.#replaced.add(id);
      await this.#askFor(unasked);
      others = await this.#notShown();
    }
    // What the org does not give was purged: its older image must not come back.
    this.#lost = 0;
    for (const id of others.live()) {
      await this.#gone.add(encodeRows([[id, '', '', '', 'reconciliation']]));
      this.#lost += 1;
    }
  }

  /** Finds out how the rows of the window stood, and which others lie on the base. */
  async #notShown(): Promise<ReplacedRows> {
    const others = new ReplacedRows();
    await this.#changes.lookUp(this.#known, (id, gone) => others.tell(id, gone));
    return others;
  }

  /** Takes those of the rows that the org has, and finds out which of them the policy leaves out by now. */
  async #askFor(ids: readonly string[]): Promise<void> {
    const { describe, plan, rowsOut } = this.#chosen;
    const live = plan.fields.includes('IsDeleted') ? 'IsDeleted = false' : undefined;
    const where = live && rowsOut ? both(live, rowsOut.kept) : (live ?? rowsOut?.kept);
    const { columns, batches } = this.#org.matching(describe, { field: 'Id', values: ids, where }, plan.fields, {
      all: true,
    });
    const toColumns = projection(columns, this.#columns);
    for await (const batch of batches) await this.#take(toColumns(batch));
    const missing = IdTable.of(rowsOut ? ids.filter((id) => !this.#changes.isLive(id)) : []);
    if (missing.size === 0) return;
    for (const id of await standing(this.#org, describe, missing)) await this.#leaveOut(id);
  }

  /** The rows that the vault does not have as they are, ascending by Id. */
  async *#news(): AsyncGenerator<RowBatch> {
    const { replaces, keepsAll } = this.#window;
    for await (const batch of this.#live.sorted()) {
      const kept = keepRows(batch, (row) => {
        const id = this.#keys.id(batch, row);
        if (!this.#changes.isLive(id)) return false;
        const known = this.#changes.stampOf(id, replaces);
        if (known === undefined || keepsAll) return true;
        return !isSettled(this.#parent.page, known, Date.parse(this.#keys.stamp(batch, row)));
      });
      if (kept.ends.length > 0) yield kept;
    }
  }
}

async function* arranged(batches: AsyncIterable<RowBatch>) {
  let cut = true;
  for await (const batch of batches) {
    yield { batch, cut };
    cut = false;
  }
}
