import type { Context } from '../context.ts';
import { Fault } from '../errors.ts';
import type { ApiBudget } from './org.ts';

/** Counts the calls of this client, keeps the org's own count, and holds the budget. */
export class Usage {
  readonly #ctx: Context;
  readonly #budget: ApiBudget | undefined;
  #own = 0;
  #newest: { used: number; max: number } | undefined;
  #reported = 0;

  constructor(ctx: Context, budget?: ApiBudget) {
    this.#ctx = ctx;
    this.#budget = budget;
  }

  get own(): number {
    return this.#own;
  }

  get newest(): { readonly used: number; readonly max: number } | undefined {
    return this.#newest;
  }

  /**
   * Asked before every request that counts `cost` calls, and counts them. Throws `api-budget` when they may not be made. `probing`: its answer is to tell
   * whether the org has room again, so that what was known of it does not count.
   */
  spend(cost: number, probing = false): void {
    if (cost === 0) return;
    const { maxCalls, maxPercent } = this.#budget ?? {};
    if (maxCalls !== undefined && this.#own + cost > maxCalls) {
      throw new Fault('api-budget', `This run has made ${this.#own} of the ${maxCalls} API calls that it may make.`, {
        data: { own: this.#own, maxCalls },
        actions: ['run again: it goes on where it stopped; or raise --max-api-calls'],
      });
    }
    if (
      !probing &&
      maxPercent !== undefined &&
      this.#newest &&
      this.#newest.used + cost > (this.#newest.max * maxPercent) / 100
    ) {
      const { used, max } = this.#newest;
      throw new Fault(
        'api-budget',
        `The org has used ${used} of its ${max} API calls; the budget ends at ${maxPercent} %.`,
        {
          data: { used, max, maxPercent, own: this.#own },
        },
      );
    }
    this.#own += cost;
  }

  /** Takes a `Sforce-Limit-Info` header, in either of its forms (field guide, extract 6.1). */
  take(header: string): void {
    const match = /(?:^|[;\s])api-usage=(\d+)\/(\d+)/.exec(header);
    if (!match) return;
    this.#newest = { used: Number(match[1]), max: Number(match[2]) };
    const now = this.#ctx.now().getTime();
    if (now - this.#reported < 1000) return;
    this.#reported = now;
    this.#ctx.report({ type: 'api-usage', ...this.#newest, own: this.#own });
  }
}
