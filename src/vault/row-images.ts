import { cellsAt, Keys } from '../rows/cells.ts';
import { leftOut } from './known-rows.ts';
import { layersOf } from './layers.ts';
import type { Detail, MapPage, SegmentRef } from './manifest.ts';
import { readSegment } from './segment.ts';
import { readSegmentRow } from './segment-blocks.ts';
import type { Vault } from './vault.ts';

/** A row as one segment holds it. */
export interface RowImage {
  readonly columns: readonly string[];
  readonly cells: readonly string[];
}

/** The mark of a deleted row; texts are empty where nobody knows. */
export interface Tombstone {
  readonly deletedAt: string;
  readonly deletedBy: string;
  /** Id of the row with which it was deleted. */
  readonly deletedWith: string;
  /** True: it was not deleted, the policy of the point leaves it out. */
  readonly leftOut: boolean;
}

export type RowState =
  | { readonly image: RowImage }
  | { readonly image: undefined; readonly gone: Tombstone | undefined };

type Note = Detail['segments'][number];

/** What was noted of segments, each list read once. */
export class SegmentNotes {
  readonly #vault: Vault;
  readonly #lists = new Map<string, Promise<ReadonlyMap<string, Note>>>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  async of(map: MapPage): Promise<(key: string) => Note | undefined> {
    const lists = await Promise.all(
      map.detail.map((ref) => {
        const list = this.#lists.get(ref.key) ?? this.#read(ref);
        this.#lists.set(ref.key, list);
        return list;
      }),
    );
    return (key) => lists.find((list) => list.has(key))?.get(key);
  }

  async #read(ref: MapPage['detail'][number]): Promise<ReadonlyMap<string, Note>> {
    return new Map((await this.#vault.detail(ref)).segments.map((note) => [note.key, note]));
  }
}

/**
 * One row in many pages of its object. Each segment that can hold it is asked once, for one block, and each list of tombstones once, however
 * many pages list them. Throws what reading the vault throws.
 */
export class RowImages {
  readonly #vault: Vault;
  readonly #id: string;
  readonly #notes: SegmentNotes;
  readonly #signal: AbortSignal;
  readonly #images = new Map<string, Promise<RowImage | undefined>>();
  readonly #tombstones = new Map<string, Promise<Tombstone | undefined>>();

  /** `id`: 18 characters. */
  constructor(vault: Vault, id: string, notes: SegmentNotes, signal: AbortSignal) {
    this.#vault = vault;
    this.#id = id;
    this.#notes = notes;
    this.#signal = signal;
  }

  /** The newest image of the row in a page, or who deleted it where a tombstone tells. */
  async state(map: MapPage): Promise<RowState> {
    const noteOf = await this.#notes.of(map);
    for (const { ref, gone } of layersOf(map).reverse()) {
      if (gone) {
        const tombstone = await this.#tombstone(ref);
        if (tombstone) return { image: undefined, gone: tombstone };
      } else {
        const image = await this.#image(ref, noteOf(ref.key));
        if (image) return { image };
      }
    }
    for (const ref of map.base) {
      const image = await this.#image(ref, noteOf(ref.key));
      if (image) return { image };
    }
    // Whether it ever stood there or not: the runs of the base may have found it in the recycle bin.
    for (const ref of [...map.gone].reverse()) {
      const gone = await this.#tombstone(ref);
      if (gone) return { image: undefined, gone };
    }
    return { image: undefined, gone: undefined };
  }

  async #image(ref: SegmentRef, note: Note | undefined): Promise<RowImage | undefined> {
    const id = this.#id;
    if (note?.minId === undefined || note.maxId === undefined || id < note.minId || id > note.maxId) return undefined;
    return once(this.#images, ref.key, async () => {
      const { columns, blocks } = note;
      const segment = {
        size: ref.size,
        columns,
        blocks: blocks.map(([offset, length, rows, bytes, firstId]) => ({ offset, length, rows, bytes, firstId })),
      };
      const cells = await readSegmentRow(await this.#vault.rowIdentities(), segment, id, (start, length) =>
        this.#vault.store.getRange(ref.key, start, length, this.#signal),
      );
      return cells && { columns, cells };
    });
  }

  async #tombstone(ref: SegmentRef): Promise<Tombstone | undefined> {
    return once(this.#tombstones, ref.key, async () => {
      const identities = await this.#vault.manifestIdentities();
      const body = await this.#vault.read(ref, this.#signal);
      let found: Tombstone | undefined;
      // To the end: only then it is proven.
      for await (const { columns, batch } of readSegment(identities, body, { expected: { rows: ref.rows } })) {
        if (!batch.bytes.includes(this.#id)) continue;
        const keys = new Keys(columns);
        for (let row = 0; row < batch.ends.length; row++) {
          if (keys.id(batch, row) !== this.#id) continue;
          const [deletedAt = '', deletedBy = '', deletedWith = '', learned = ''] = said.map(
            (name) => cellsAt(batch, row, [columns.indexOf(name)])[0],
          );
          found = { deletedAt, deletedBy, deletedWith, leftOut: learned === leftOut };
        }
      }
      return found;
    });
  }
}

const said = ['DeletedDate', 'DeletedById', 'CascadeRoot', 'Learned'];

function once<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}
