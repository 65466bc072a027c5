import { isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { Store } from '../../store/store.ts';
import { KeySet } from '../../vault/key-set.ts';
import type { LogEntry } from '../../vault/log.ts';
import { isPageList } from '../../vault/reached.ts';
import type { Ref } from '../../vault/record.ts';
import { readRefs } from '../../vault/refs.ts';
import { standing } from '../../vault/retention.ts';
import { sha256 } from '../../vault/signed.ts';
import { type LogState, listOf, type Vault } from '../../vault/vault.ts';
import type { CopiedObjects } from './objects.ts';
import type { Problem } from './request.ts';
import { bytesOf } from './target.ts';

/** Lists are small. */
const parallelLists = 8;

interface Found {
  readonly lacks: Problem[];
  /** What the vault lacks and the copy has. */
  readonly lost: Problem[];
}

/** Says of points whether all that they reach is in the copy. */
export class CopiedPoints {
  readonly #vault: Vault;
  readonly #to: Store;
  readonly #objects: CopiedObjects;
  /** Lists of pages that were walked, and those of them that name what the copy lacks: many points share them. */
  readonly #walked = new KeySet();
  readonly #short = new Set<string>();
  #latest: LogState;

  /** `state`: as it was read before the first object was copied. */
  constructor(vault: Vault, to: Store, objects: CopiedObjects, state: LogState) {
    this.#vault = vault;
    this.#to = to;
    this.#objects = objects;
    this.#latest = state;
  }

  /**
   * Puts into the copy what of the point is not there and is whole in the vault. `problems`: what one of both lacks, unless an earlier point was
   * told to reach it. `isWhole`: the copy lacks nothing. `isNew`: the point's record is not in the copy yet.
   */
  async complete(
    entry: LogEntry,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<{ isWhole: boolean; problems: readonly Problem[] }> {
    const found: Found = { lacks: [], lost: [] };
    let own: readonly Ref[] = [];
    try {
      const list = listOf(entry);
      await this.#look([list], isNew, found);
      own = await this.#read(list, signal);
      await this.#look(own, isNew, found);
    } catch (error) {
      found.lacks.push(damageOf(error, entry.key));
    }
    const lists = own.filter(({ key }) => isPageList(key));
    const unseen = lists.filter(({ key }) => this.#walked.add(key));
    const walks = inOrder(unseen, parallelLists, async (list) => ({
      list,
      named: await this.#read(list, signal).catch((error: unknown) => damageOf(error, list.key)),
    }));
    for await (const { list, named } of walks) {
      const before = found.lacks.length;
      if (Array.isArray(named)) await this.#look(named, isNew, found);
      else found.lacks.push(named);
      if (found.lacks.length > before) this.#short.add(list.key);
    }
    const isWhole = found.lacks.length === 0 && !lists.some(({ key }) => this.#short.has(key));
    return { isWhole, problems: [...found.lacks, ...found.lost] };
  }

  /** True when a record that came since the log was read let go of the point: then what it lacks is no damage. */
  async wasLetGo(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    const known = { seq: this.#latest.head.taken };
    const { taken } = await this.#vault.log.head(known, signal);
    if (taken > known.seq) this.#latest = await this.#vault.state(true, signal, known);
    return !standing(this.#latest).some(({ seq }) => seq === entry.seq);
  }

  async #look(refs: readonly Ref[], isNew: boolean, found: Found): Promise<void> {
    for (const ref of refs) {
      const { key } = ref;
      if (this.#objects.extra.has(key))
        found.lost.push({ key, problem: `${key} is in the copy and missing in the vault` });
      if (this.#objects.has(ref, isNew)) continue;
      const problem = await this.#objects.complete(ref);
      if (problem !== undefined) found.lacks.push({ key, problem });
    }
  }

  /** What a list names: that of the copy is as good, where the vault's own is damaged. */
  async #read(list: Ref, signal: AbortSignal): Promise<Ref[]> {
    try {
      return await readRefs(list.key, await this.#vault.read(list, signal));
    } catch (error) {
      if (!isFault(error) || error.exit !== 4) throw error;
      const theirs = await bytesOf(this.#to, list.key, signal);
      if (!theirs || sha256(theirs) !== list.sha256) throw error;
      return readRefs(list.key, theirs);
    }
  }
}

/** Throws what is no damage of a vault. */
function damageOf(error: unknown, key: string): Problem {
  if (!isFault(error) || error.exit !== 4) throw error;
  return { key: String(error.data.key ?? key), problem: error.message };
}
