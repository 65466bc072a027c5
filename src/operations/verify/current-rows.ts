import { rowStart } from '../../rows/cells.ts';
import { closingQuote } from '../../rows/csv.ts';
import { IdTable } from '../../rows/id-table.ts';
import { layersOf } from '../../vault/layers.ts';
import type { MapPage } from '../../vault/manifest.ts';
import { readIds } from '../../vault/segment-ids.ts';
import type { Vault } from '../../vault/vault.ts';

/** Tells the rows of a segment that stand in the point from those that a later run replaced or found deleted. 25 bytes an Id of the layers. */
export class CurrentRows {
  readonly #ids = new IdTable();
  /** By number of the Id: the layer of its newest image, from 1. */
  #places = new Uint16Array(1024);
  /** By key of a segment; the base has none. */
  readonly #layers = new Map<string, number>();

  private constructor() {}

  /** Undefined: nothing lies over the base, and all its rows stand. Throws as `readIds` does. */
  static async of(vault: Vault, map: MapPage, signal: AbortSignal): Promise<CurrentRows | undefined> {
    const layers = layersOf(map);
    if (layers.length === 0) return undefined;
    const rows = new CurrentRows();
    for (const [n, layer] of layers.entries()) {
      rows.#layers.set(layer.ref.key, n + 1);
      for await (const batch of await readIds(vault, layer, signal)) {
        for (let row = 0; row < batch.ends.length; row++)
          rows.#place(batch.bytes, batch.ends[row]!, rowStart(batch, row) + 1, n + 1);
      }
    }
    return rows;
  }

  #place(bytes: Buffer, end: number, start: number, place: number): void {
    const length = closingQuote(bytes, start - 1, end) - start;
    if (length !== 15 && length !== 18) return;
    const number = this.#ids.add(bytes, start);
    if (number >= this.#places.length) {
      const larger = new Uint16Array(2 * this.#places.length);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[number] = place;
  }

  /** Whether the row of the segment `key` whose Id begins at `start` is the newest image of it. */
  in(key: string): (bytes: Buffer, start: number) => boolean {
    const own = this.#layers.get(key) ?? 0;
    return (bytes, start) => {
      const number = this.#ids.number(bytes, start);
      return number < 0 ? own === 0 : this.#places[number] === own;
    };
  }
}
