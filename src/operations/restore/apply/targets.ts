import { IdMap, IdTable } from '../../../rows/id-table.ts';
import { longId } from '../../../schema/ids.ts';
import { RowTexts } from '../row-texts.ts';

/** Id in the point -> Id in the org, where that is another: 18 bytes for each row of the plan, however many have one. */
export class Targets {
  /** Rows of the plan; none is added any more once the first has a target. */
  readonly #rows: IdTable;
  readonly #ofRows = new RowTexts(18);
  readonly #others = new IdMap();
  /** Ids in the org that rows lead to; there is none before somebody asks. */
  #taken: IdTable | undefined;

  constructor(rows: IdTable) {
    this.#rows = rows;
  }

  /** Later targets replace earlier ones of the same row. `number`: of the Id among the rows. Throws TypeError for a text that is no Id. */
  set(id: string, target: string, number = this.#rows.number(id)): void {
    this.#taken?.add(target);
    if (number < 0) this.#others.set(id, target);
    else this.#ofRows.set(number, longId(target), this.#rows.size);
  }

  /** 18 characters; undefined when it is the same in the org, as far as is known. */
  get(id: string): string | undefined {
    const number = this.#rows.number(id);
    return number < 0 ? this.#others.get(id) : this.#ofRows.get(number);
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  /** True when a row leads to this Id of the org already, be it of the plan, of another restore, or only referred to. */
  isTaken(target: string): boolean {
    if (!this.#taken) {
      this.#taken = new IdTable();
      for (const [, to] of this.#others) this.#taken.add(to);
      for (let n = 0; n < this.#rows.size; n++) {
        const to = this.#ofRows.get(n);
        if (to !== undefined) this.#taken.add(to);
      }
    }
    return this.#taken.has(target);
  }
}
