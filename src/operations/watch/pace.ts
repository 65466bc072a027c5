/** Points whose calls tell what the next one will cost. */
const remembered = 12;
const dayMs = 86_400_000;

export interface PaceRequest {
  /** From the beginning of one point to that of the next, in milliseconds, as long as the budget allows it. */
  readonly everyMs: number;
  /** The share of the org's daily API requests that may be used over a day. */
  readonly budgetPercent: number;
}

/**
 * How far apart points begin: as asked for, or as far as it takes to stay within a share of the org's day. What counts is the mean of the newest
 * points, so that a dear one is paid for by several intervals and not by one long gap.
 */
export class Pace {
  readonly #request: PaceRequest;
  #calls: number[] = [];
  #max: number | undefined;

  constructor(request: PaceRequest) {
    this.#request = request;
  }

  /** `max`: requests that the org allows in a day; undefined: it did not say. */
  spent(calls: number, max: number | undefined): void {
    this.#max = max ?? this.#max;
    this.#calls = [...this.#calls, calls].slice(-remembered);
  }

  /** Of the newest points. */
  get callsPerPoint(): number {
    if (this.#calls.length === 0) return 0;
    return this.#calls.reduce((sum, calls) => sum + calls, 0) / this.#calls.length;
  }

  /** In milliseconds. */
  get interval(): number {
    const { everyMs, budgetPercent } = this.#request;
    if (this.#max === undefined || this.callsPerPoint === 0) return everyMs;
    const callsPerMs = (this.#max * budgetPercent) / 100 / dayMs;
    return Math.max(everyMs, Math.ceil(this.callsPerPoint / callsPerMs));
  }
}
