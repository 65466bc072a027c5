import { rowStart } from '../rows/cells.ts';
import { IdList } from '../rows/id-list.ts';
import type { Ids } from '../rows/id-table.ts';
import { inOrder } from '../rows/in-order.ts';
import type { Layer } from './layers.ts';
import { readIds } from './segment-ids.ts';
import type { Vault } from './vault.ts';

/** For Ids that are looked for, where their newest images may stand. */
export interface NewestImages {
  /** Those that only the base can hold. */
  readonly base: Ids;
  /** For each layer those that are to be looked for in it. */
  readonly layers: readonly Ids[];
}

/** A layer, with the stored bytes of a block of its rows. */
export interface SizedLayer extends Layer {
  readonly blockBytes: number;
}

const readAhead = 2;

/**
 * Finds by index twins and tombstones in which layer the newest image of each Id stands, so that no older one is read. A layer without a twin, or with one
 * that is larger than the blocks which it would spare, is left to be asked for all Ids that are not found above it. Throws what reading the vault
 * throws.
 */
export async function newestImages(
  vault: Vault,
  layers: readonly SizedLayer[],
  ids: Ids,
  signal: AbortSignal | undefined,
): Promise<NewestImages> {
  // By number of the Id: 0 while it is not found, else the number of its layer, from 1.
  const places = new Uint16Array(ids.end);
  let left = ids.size;
  const wanted: Ids[] = [];
  const isIndexed = ({ ref, gone, blockBytes }: SizedLayer) =>
    gone || (ref.index !== undefined && ref.index.size <= ids.size * blockBytes);
  const read = inOrder([...layers.keys()].reverse(), readAhead, async (layer) => ({
    place: layer + 1,
    gone: layers[layer]!.gone,
    batches: isIndexed(layers[layer]!) ? await readIds(vault, layers[layer]!, signal) : undefined,
  }));
  for await (const { place, gone, batches } of read) {
    if (!batches) {
      // Places up to this one are of what is not found above it.
      wanted.push(new PlacedIds(ids, left, (number) => places[number]! <= place));
      continue;
    }
    const found = new IdList();
    let here = 0;
    for await (const batch of batches) {
      for (let row = 0; row < batch.ends.length; row++) {
        const start = rowStart(batch, row) + 1;
        const number = ids.number(batch.bytes, start);
        if (number < 0 || places[number] !== 0) continue;
        places[number] = place;
        here += 1;
        if (!gone) found.push(batch.bytes, start);
      }
    }
    left -= here;
    wanted.push(new PlacedIds(ids, found.size, (number) => places[number] === place, found));
  }
  return { base: new PlacedIds(ids, left, (number) => places[number] === 0), layers: wanted.reverse() };
}

/** Some of other Ids, told by their numbers. */
class PlacedIds implements Ids {
  readonly #ids: Ids;
  readonly #takes: (number: number) => boolean;
  /** They themselves, ascending, where they are known. */
  readonly #list: IdList | undefined;
  readonly size: number;

  constructor(ids: Ids, size: number, takes: (number: number) => boolean, list?: IdList) {
    this.#ids = ids;
    this.#takes = takes;
    this.#list = list;
    this.size = size;
  }

  get end(): number {
    return this.#ids.end;
  }

  number(id: string | Buffer, start = 0): number {
    const number = this.#ids.number(id, start);
    return number >= 0 && this.#takes(number) ? number : -1;
  }

  has(id: string | Buffer, start = 0): boolean {
    return this.number(id, start) >= 0;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const id of this.#ids) if (this.has(id)) yield id;
  }

  *sorted(): Generator<string> {
    if (this.#list) for (let n = 0; n < this.#list.size; n++) yield this.#list.id(n);
    else if (this.size === this.#ids.size) yield* this.#ids.sorted();
    else for (const id of this.size === 0 ? [] : this.#ids.sorted()) if (this.has(id)) yield id;
  }
}
