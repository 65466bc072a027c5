import type { Context } from '../../context.ts';
import type { Event } from '../../events.ts';
import type { Certificate } from './certificate.ts';

export type Measured = Certificate['measured'] & { readonly secondsOf: ReadonlyMap<string, number> };

/** Takes the time of what a restore reports. */
export class Meter {
  readonly ctx: Context;
  readonly #began = performance.now();
  readonly #secondsOf = new Map<string, number>();
  #last = this.#began;
  #rows = 0;
  readonly #sent = new Map<string, number>();

  constructor(ctx: Context) {
    this.ctx = {
      signal: ctx.signal,
      now: () => ctx.now(),
      tempDir: ctx.tempDir,
      report: (event) => {
        this.#note(event);
        ctx.report(event);
      },
    };
  }

  #note(event: Event): void {
    if (event.type === 'stage') this.#last = performance.now();
    if (event.type !== 'restore-step') return;
    const now = performance.now();
    const { object, step, rows } = event;
    this.#secondsOf.set(object, (this.#secondsOf.get(object) ?? 0) + (now - this.#last) / 1000);
    this.#last = now;
    const key = `${object} ${step}`;
    this.#rows += rows - (this.#sent.get(key) ?? 0);
    this.#sent.set(key, rows);
  }

  end(apiCalls: number): Measured {
    const seconds = (performance.now() - this.#began) / 1000;
    return {
      seconds: rounded(seconds),
      rowsASecond: Math.round(this.#rows / seconds),
      apiCalls,
      secondsOf: this.#secondsOf,
    };
  }
}

/** To milliseconds. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
