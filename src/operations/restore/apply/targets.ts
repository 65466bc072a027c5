import { IdList } from '../../../rows/id-list.ts';
import { IdMap, IdTable } from '../../../rows/id-table.ts';

/** Id in the point -> Id in the org, where that is another: 15 bytes for each row of the plan, however many have one. */
export class Targets {
  /** Rows of the plan; none is added any more once the first has a target. */
  readonly #rows: IdTable;
  readonly #ofRows = new IdList();
  #has: Uint8Array | undefined;
  readonly #others = new IdMap();
  /** Ids in the org that rows lead to; there is none before somebody asks. */
  #taken: IdTable | undefined;

  constructor(rows: IdTable) {
    this.#rows = rows;
  }

  /** Later targets replace earlier ones of the same row. Throws TypeError for a text that is no Id. */
  set(id: string, target: string): void {
    this.#taken?.add(target);
    const number = this.#rows.number(id);
    if (number < 0) {
      this.#others.set(id, target);
      return;
    }
    if (!this.#has) {
      this.#has = new Uint8Array(this.#rows.size);
      for (let n = 0; n < this.#rows.size; n++) this.#ofRows.push(nothing, 0);
    }
    this.#ofRows.replaceBy(number, target);
    this.#has[number] = 1;
  }

  /** 18 characters; undefined when it is the same in the org, as far as is known. */
  get(id: string): string | undefined {
    const number = this.#rows.number(id);
    if (number < 0) return this.#others.get(id);
    return this.#has?.[number] ? this.#ofRows.id(number) : undefined;
  }

  has(id: string): boolean {
    const number = this.#rows.number(id);
    return number < 0 ? this.#others.has(id) : this.#has?.[number] === 1;
  }

  /** True when a row leads to this Id of the org already, be it of the plan, of another restore, or only referred to. */
  isTaken(target: string): boolean {
    if (!this.#taken) {
      this.#taken = new IdTable();
      for (const [, to] of this.#others) this.#taken.add(to);
      for (let n = 0; n < this.#rows.size; n++) if (this.#has?.[n]) this.#taken.add(this.#ofRows.id(n));
    }
    return this.#taken.has(target);
  }
}

const nothing = Buffer.alloc(15);
