import type { RowBatch } from '../../rows/batch.ts';
import { type Keys, rowStart } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { indexKeys, type KnownRows } from '../../vault/known-rows.ts';

const live = 1;
/** In the org, and left out of the point by its policy. */
const out = 2;
const gone = 3;

/** A key that is no Id: its object cannot be read by what changed. */
export class NoIds extends Error {
  override readonly name = 'NoIds';
}

/** How a row was known before: in milliseconds, above 0 as live with this stamp, below as deleted at it; 0 when it was not. 1 stands for no stamp. */
type Stamps = Float64Array;

/** Which rows of an object changed, and how they stood before. About 40 bytes a row. */
export class Changes {
  readonly #ids = new IdTable();
  #fates = new Uint8Array(64);
  #base: Stamps = new Float64Array();
  /** 1: a layer over the base tells of it. */
  #layered = new Uint8Array();
  #known: Stamps = new Float64Array();

  get size(): number {
    return this.#ids.size;
  }

  live(batch: RowBatch, keys: Keys): void {
    for (let i = 0; i < batch.ends.length; i++) this.#add(keys.id(batch, i), live);
  }

  gone(id: string): void {
    this.#add(id, gone);
  }

  leftOut(id: string): void {
    this.#add(id, out);
  }

  /** Of a row that a read gave as live and as deleted, the deletion came later; so did the change by which it is left out. */
  #add(id: string, fate: number): void {
    if (id.length !== 18 && id.length !== 15) throw new NoIds(id);
    const number = this.#ids.add(id);
    if (number >= this.#fates.length) {
      const fates = new Uint8Array(2 * this.#fates.length);
      fates.set(this.#fates);
      this.#fates = fates;
    }
    if (this.#fates[number]! < fate) this.#fates[number] = fate;
  }

  isLive(id: string): boolean {
    const number = this.#ids.number(id);
    return number >= 0 && this.#fates[number] === live;
  }

  /** True for a row that was deleted, or is left out. */
  isGone(id: string): boolean {
    const number = this.#ids.number(id);
    return number >= 0 && this.#fates[number]! >= out;
  }

  /** True when an earlier point had the row, live or deleted. */
  wasKnown(id: string): boolean {
    return (this.#known[this.#ids.number(id)] ?? 0) !== 0;
  }

  /** Finds out how the rows stood. `onOther`: what lies on the base of rows that did not change. */
  async lookUp(known: KnownRows, onOther?: (id: string, gone: boolean) => void): Promise<void> {
    this.#known = new Float64Array(this.#ids.size);
    this.#layered = new Uint8Array(this.#ids.size);
    await known.base(this.#ids, (batch) => this.#tell(batch, false));
    this.#base = this.#known.slice();
    await known.layers(onOther ? 'all' : this.#ids, (batch, isGone) => this.#tell(batch, isGone, 1, onOther));
  }

  #tell(batch: RowBatch, isGone: boolean, layer = 0, onOther?: (id: string, gone: boolean) => void): void {
    for (let i = 0; i < batch.ends.length; i++) {
      const number = this.#ids.number(batch.bytes, rowStart(batch, i) + 1);
      if (number >= 0) {
        const stamp = Date.parse(indexKeys.stamp(batch, i)) || 1;
        this.#known[number] = isGone ? -stamp : stamp;
        this.#layered[number] = layer;
      } else onOther?.(indexKeys.id(batch, i), isGone);
    }
  }

  /** Rows more than before, below zero when they are fewer. */
  get growth(): number {
    let growth = 0;
    for (let n = 0; n < this.#ids.size; n++) {
      const before = (this.#known[n] ?? 0) > 0;
      if (this.#fates[n] === live ? !before : before) growth += this.#fates[n] === live ? 1 : -1;
    }
    return growth;
  }

  /** Rows that were live before and are deleted now. */
  get deleted(): number {
    let rows = 0;
    for (let n = 0; n < this.#ids.size; n++) if (this.#fates[n] === gone && (this.#known[n] ?? 0) > 0) rows += 1;
    return rows;
  }

  /**
   * The stamp of the row's newest live image, in milliseconds; undefined when it was not live. `withoutLayers`: of its image in the base, and undefined when a layer tells of the
   * row too: with the same stamp it may hold a field that the base lacks, or a lookup that came back.
   */
  stampOf(id: string, withoutLayers = false): number | undefined {
    const number = this.#ids.number(id);
    if (withoutLayers && this.#layered[number] === 1) return undefined;
    const stamp = (withoutLayers ? this.#base : this.#known)[number] ?? 0;
    return stamp > 0 ? stamp : undefined;
  }

  /** True when a tombstone of this date is known already. */
  isKnownGone(id: string, date: string): boolean {
    return this.#known[this.#ids.number(id)] === -(Date.parse(date) || 1);
  }
}
