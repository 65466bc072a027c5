import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../../src/practice-org/random.ts';
import type { Store } from '../../src/store/store.ts';
import { eachCall } from '../support/each-call.ts';

interface Waiting {
  readonly actor: number;
  readonly go: () => Promise<void>;
}

/** How long those who wait stand still for one who is at work outside of the store. */
const patience = 200;

/** Lets actors of one store go one call at a time, and a seed decides whose. */
export class Scheduler {
  readonly #random: Random;
  readonly #waiting: Waiting[] = [];
  #actors = 0;
  readonly #live = new Set<number>();
  /** Whose calls went, in order. */
  readonly trace: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Runs the actors to their ends; what became of each. */
  async run(
    store: Store,
    actors: readonly ((store: Store) => Promise<unknown>)[],
  ): Promise<PromiseSettledResult<unknown>[]> {
    const all = actors.map((work) => {
      const actor = this.#actors++;
      this.#live.add(actor);
      return work(this.#storeOf(store, actor)).finally(() => this.#live.delete(actor));
    });
    const settled = Promise.allSettled(all);
    while (this.#live.size > 0) {
      await this.#everybodyWaits();
      if (this.#waiting.length === 0) continue;
      const waiting = [...new Set(this.#waiting.map(({ actor }) => actor))].sort((a, b) => a - b);
      const chosen = this.#random.pick(waiting);
      const at = this.#waiting.findIndex(({ actor }) => actor === chosen);
      const [next] = this.#waiting.splice(at, 1);
      this.trace.push(chosen);
      await next!.go();
    }
    return settled;
  }

  #storeOf(store: Store, actor: number): Store {
    return eachCall(store, (call) => {
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof call>>>();
      const go = async () => {
        try {
          resolve(await call());
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ actor, go });
      return promise;
    });
  }

  /** Resolves when each who is not at the end waits for a call: then nothing but the seed decides. */
  async #everybodyWaits(): Promise<void> {
    const began = performance.now();
    for (;;) {
      await turn();
      const waiting = new Set(this.#waiting.map(({ actor }) => actor));
      if ([...this.#live].every((actor) => waiting.has(actor))) return;
      if (this.#waiting.length > 0 && performance.now() - began > patience) return;
    }
  }
}
