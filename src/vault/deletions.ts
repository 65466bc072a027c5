import { cell } from '../rows/cells.ts';
import { IdTable } from '../rows/id-table.ts';
import { indexKeys, type KnownRows } from './known-rows.ts';

const foundColumn = 2;

/** Of each row that was ever deleted, the newest deletion: by number of the Id, the run that found it first and when it was. */
export class Deletions {
  readonly ids = new IdTable();
  readonly runs: string[] = [];
  /** By the org's clock, in milliseconds; NaN where nobody knows. */
  readonly dates: number[] = [];

  /** All that a page tells of, whether the rows are live again or not. The writer key or an identity is enough. */
  static async of(known: KnownRows): Promise<Deletions> {
    const all = new Deletions();
    const names = new Map<string, string>();
    for await (const { run, batch } of known.buried()) {
      for (let i = 0; i < batch.ends.length; i++) {
        const id = indexKeys.id(batch, i);
        if (id.length !== 15 && id.length !== 18) continue;
        const found = cell(batch, i, foundColumn) || run;
        // One text for each run, and not one for each row.
        if (!names.has(found)) names.set(found, found);
        all.add(id, Date.parse(cell(batch, i, 1)), names.get(found)!);
      }
    }
    return all;
  }

  /** `date`: in milliseconds, NaN where nobody knows. */
  add(id: string, date: number, run: string): void {
    const number = this.ids.add(id);
    const [known, at] = [this.runs[number], this.dates[number]!];
    // The same deletion may be told again by a run whose window overlaps: what the first one emptied is not emptied by the second.
    if (known !== undefined && at === date) {
      if (run < known) this.runs[number] = run;
      return;
    }
    if (known !== undefined && (date < at || ((Number.isNaN(date) || Number.isNaN(at)) && run <= known))) return;
    this.runs[number] = run;
    this.dates[number] = date;
  }
}
