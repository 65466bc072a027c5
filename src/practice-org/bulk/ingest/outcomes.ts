import type { SaveError } from '../../dml/save.ts';

/** What became of a row. `unrecorded`: beyond a quota, and no result file tells of it (restore 1.4). */
export const outcome = { unprocessed: 0, created: 1, saved: 2, failed: 3, unrecorded: 4 } as const;

/** What became of the rows of a job, by row number from 0. */
export class Outcomes {
  readonly #kinds: Uint8Array;
  /** The Id of a row that was saved; of a failed one the Id that it was for, empty for none. */
  readonly #ids: string[];
  /** Of each row, the place of its error in `#texts`; most rows of a job fail for the same few reasons. */
  readonly #errors: Uint32Array;
  readonly #texts: string[] = [''];
  readonly #places = new Map<string, number>();
  /** Rows that were looked at, failed ones included. */
  processed = 0;
  failed = 0;

  constructor(rows: number) {
    this.#kinds = new Uint8Array(rows);
    this.#ids = new Array<string>(rows).fill('');
    this.#errors = new Uint32Array(rows);
  }

  save(row: number, id: string, created: boolean): void {
    this.#kinds[row] = created ? outcome.created : outcome.saved;
    this.#ids[row] = id;
    this.processed += 1;
  }

  /** `error` as it stands in `sf__Error`. */
  fail(row: number, error: string, id: string): void {
    this.#kinds[row] = outcome.failed;
    this.#ids[row] = id;
    this.#errors[row] = this.#placeOf(error);
    this.processed += 1;
    this.failed += 1;
  }

  leaveUnrecorded(from: number, to: number): void {
    this.#kinds.fill(outcome.unrecorded, from, to);
  }

  id(row: number): string {
    return this.#ids[row]!;
  }

  isCreated(row: number): boolean {
    return this.#kinds[row] === outcome.created;
  }

  error(row: number): string {
    return this.#texts[this.#errors[row]!]!;
  }

  #placeOf(error: string): number {
    let place = this.#places.get(error);
    if (place === undefined) {
      place = this.#texts.push(error) - 1;
      this.#places.set(error, place);
    }
    return place;
  }

  /** Numbers of the rows that ended in one of these ways, in the order of the upload. */
  rows(...kinds: readonly number[]): Uint32Array {
    const found = new Uint32Array(this.#kinds.length);
    let size = 0;
    for (let row = 0; row < this.#kinds.length; row += 1) if (kinds.includes(this.#kinds[row]!)) found[size++] = row;
    return found.subarray(0, size);
  }
}

/** As it stands in `sf__Error` (restore 1.6). */
export function errorCell({ code, message, fields }: SaveError): string {
  return `${code}:${message}:${fields.length > 0 ? `${fields.join(',')} ` : ''}--`;
}
