import type { Context } from '../../context.ts';
import { isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { Store, StoredObject } from '../../store/store.ts';
import { KeySet } from '../../vault/key-set.ts';
import { digestIn } from '../../vault/layout.ts';
import { putOwn } from '../../vault/put-own.ts';
import type { Ref } from '../../vault/record.ts';
import { sha256 } from '../../vault/signed.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import type { Problem } from './request.ts';
import { Stated } from './stated.ts';
import { bytesOf } from './target.ts';

/** Objects of up to 32 MiB each. */
const parallelCopies = 4;
/** Stays behind: what belongs to a run or a restore at work, and what comes last and in order. */
const later = /^(log|runs|probe)\/|^vault\.json$|^restores\/[^/]+\/lease-/;

/** Puts the vault's objects into the copy, and knows what is there. */
export class CopiedObjects {
  readonly #ctx: Context;
  readonly #vault: Vault;
  readonly #to: Store;
  readonly #stated: Stated;
  /** `<size> <key>` of what is in the copy. */
  readonly #present = new KeySet();
  readonly #problems = new Map<string, string>();
  /** Keys that only the copy has. */
  readonly extra = new KeySet();
  readonly copied = { objects: 0, bytes: 0 };
  readonly there = { objects: 0, bytes: 0 };

  constructor(ctx: Context, vault: Vault, to: Store, state: LogState) {
    this.#ctx = ctx;
    this.#vault = vault;
    this.#to = to;
    this.#stated = new Stated(vault, state);
  }

  /** What was told, each object once. */
  get problems(): Problem[] {
    return [...this.#problems].map(([key, problem]) => ({ key, problem }));
  }

  /** Of an object the first problem counts. */
  tell({ key, problem }: Problem): void {
    if (!this.#problems.has(key)) this.#problems.set(key, problem);
  }

  /** Copies what begins with `prefix` and is not in the copy; both are listed in the same order, and never held as a whole. */
  async copy(prefix: string, without?: RegExp): Promise<void> {
    const { signal } = this.#ctx;
    const wanted = (key: string) => !later.test(key) && !without?.test(key);
    const [here, there] = [this.#vault.store.list(prefix, { signal }), this.#to.list(prefix, { signal })];
    const missing = absent(here, there, wanted, (theirs, ours) => {
      const { key, size } = theirs;
      this.#present.add(`${size} ${key}`);
      if (!ours) return void this.extra.add(key);
      if (size !== ours.size)
        this.tell({ key, problem: `${key} has ${size} bytes in the copy and ${ours.size} in the vault` });
      this.there.objects += 1;
      this.there.bytes += size;
    });
    for await (const _ of inOrder(missing, parallelCopies, ({ key }) => this.one(key))) signal.throwIfAborted();
  }

  /** Copies one object, unless its bytes do not have the digest that its name or the log says. */
  async one(key: string): Promise<void> {
    const { signal } = this.#ctx;
    try {
      const body = await this.#vault.store.get(key, signal);
      const digest = (await this.#stated.digestOf(key, signal)) ?? sha256(body);
      const problem =
        digest === sha256(body)
          ? await this.#put(key, body)
          : `${key} does not have the digest that it was written with`;
      if (problem !== undefined) this.tell({ key, problem });
    } catch (error) {
      // Let go since it was listed, or damaged: whether a point lacks it comes out when its record is copied.
      if (isFault(error, 'object-missing')) return;
      if (!isFault(error) || error.exit !== 4) throw error;
      this.tell({ key: String(error.data.key ?? key), problem: error.message });
    }
  }

  /** True when the copy has the object with its size. `isNew`: and nothing in the copy leads to it yet, so that a name that says no digest proves nothing. */
  has({ key, size }: Ref, isNew: boolean): boolean {
    return this.#present.has(`${size} ${key}`) && !(isNew && digestIn(key) === undefined);
  }

  /** Puts what a point reaches, where it is not in the copy and the vault has it. Undefined: it is there now as it was written; else why not. */
  async complete(ref: Ref): Promise<string | undefined> {
    const { signal } = this.#ctx;
    const { key, size } = ref;
    const other = `${key} holds other bytes in the copy`;
    if (this.#present.has(`${size} ${key}`)) {
      const theirs = await bytesOf(this.#to, key, signal);
      return theirs && sha256(theirs) === ref.sha256 ? undefined : other;
    }
    const told = this.#problems.get(key);
    if (told !== undefined) return told;
    if (later.test(key)) return `${key}, which a point names, is no object of points`;
    try {
      return await this.#put(key, await this.#vault.read(ref, signal));
    } catch (error) {
      if (!isFault(error) || error.exit !== 4) throw error;
      return error.message;
    }
  }

  async #put(key: string, body: Buffer): Promise<string | undefined> {
    if (!(await putOwn(this.#to, key, body, this.#ctx.signal))) return `${key} holds other bytes in the copy`;
    this.#present.add(`${body.length} ${key}`);
    this.copied.objects += 1;
    this.copied.bytes += body.length;
    return undefined;
  }
}

/** Of two ascending lists what only the first one has. What the second one has goes to `second`, with what the first one has of it. */
async function* absent(
  ours: AsyncIterable<StoredObject>,
  theirs: AsyncIterable<StoredObject>,
  wanted: (key: string) => boolean,
  second: (theirs: StoredObject, ours?: StoredObject) => void,
): AsyncGenerator<StoredObject> {
  const other = theirs[Symbol.asyncIterator]();
  let next = await other.next();
  const passTo = async (key?: string) => {
    for (; !next.done && (key === undefined || next.value.key < key); next = await other.next())
      if (wanted(next.value.key)) second(next.value);
  };
  for await (const object of ours) {
    await passTo(object.key);
    const found = !next.done && next.value.key === object.key ? next.value : undefined;
    if (found) next = await other.next();
    if (!wanted(object.key)) continue;
    if (found) second(found, object);
    else yield object;
  }
  await passTo();
}
