import { IdTable } from '../../rows/id-table.ts';

/** Rows of which only layers tell that a window replaces: the window does not show them. About 20 bytes a row. */
export class ReplacedRows {
  readonly #ids = new IdTable();
  #gone = new Uint8Array(64);

  /** Told in the order of the layers: what the last one says holds. */
  tell(id: string, gone: boolean): void {
    const number = this.#ids.add(id);
    if (number >= this.#gone.length) {
      const more = new Uint8Array(2 * this.#gone.length);
      more.set(this.#gone);
      this.#gone = more;
    }
    this.#gone[number] = gone ? 1 : 0;
  }

  /** Ids of those that are live by the layers. */
  *live(): Generator<string> {
    for (let number = 0; number < this.#ids.size; number++) if (this.#gone[number] === 0) yield this.#ids.id(number);
  }
}
