import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { Store, StoredObject } from '../../store/store.ts';
import { KeySet } from '../../vault/key-set.ts';
import { digestIn, logRecord, trustFile, vaultFile } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import { putOwn } from '../../vault/put-own.ts';
import { reachedBy } from '../../vault/reached.ts';
import { readRefs } from '../../vault/refs.ts';
import { isPrunable, standing } from '../../vault/retention.ts';
import { sha256 } from '../../vault/signed.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import { Protected } from '../prune/protect.ts';
import type { CopyResult } from './request.ts';
import { assertOurs, bytesOf, commonRecords } from './target.ts';

/** Objects of up to 32 MiB each. */
const parallelCopies = 4;
/** Stays behind: what belongs to a run or a restore at work, and what comes last and in order. */
const later = /^(log|runs|probe)\/|^vault\.json$|^restores\/[^/]+\/lease-/;

export interface CopyRequest {
  /** Delete in the copy what the log let go. */
  readonly deleteSwept: boolean;
}

/**
 * Makes a copy of the vault, or brings one up to date: the same objects, byte for byte. The log comes last and in order, so that a point is
 * never in the copy before all that it reaches. Can be stopped and run again: what is missing is found by listing. Nothing needs a key. Throws
 * `foreign-vault`, `copy-ahead`, `vaults-diverged`; damage is in the result, and ends the copied log in front of the point that has it.
 */
export async function copyVault(
  ctx: Context,
  vault: Vault,
  to: Store,
  { deleteSwept }: CopyRequest,
): Promise<CopyResult> {
  const { signal } = ctx;
  await assertOurs(vault, to, 'choose an empty place for the copy', signal);
  const state = await vault.state(true, signal);
  const common = await commonRecords(vault, to, state, signal);
  const copying = new Copying(
    ctx,
    vault,
    to,
    state.problems.map(({ key, fault }) => ({ key, problem: fault.message })),
  );
  // By this one a later run knows the copy again: nothing is in the place before it.
  await copying.copy(trustFile(1));
  await copying.copy('trust/', /^trust\/0001$/);
  await copying.copy('keys/');
  ctx.report({ type: 'stage', stage: 'copying objects' });
  await copying.copy('', /^(trust|keys)\//);
  ctx.report({ type: 'stage', stage: 'copying the log' });
  const records = await copying.records(state, common);
  if (records.whole && !(await to.head(vaultFile, signal))) await copying.one(vaultFile);
  const deleted = deleteSwept && records.whole ? await copying.deleteSwept(state) : { objects: 0, bytes: 0 };
  const { seq, digest } = await vault.logOf(to).head(undefined, signal);
  const points = state.points.filter((entry) => entry.seq <= seq).length;
  const { copied, there, problems } = copying;
  return {
    vaultId: vault.info.vault,
    copied,
    there,
    records: records.added,
    deleted,
    problems,
    head: { seq, digest },
    points,
  };
}

class Copying {
  readonly #ctx: Context;
  readonly #vault: Vault;
  readonly #to: Store;
  /** `<size> <key>` of what is in the copy. */
  readonly #present = new KeySet();
  /** Keys that only the copy has. */
  readonly #extra = new KeySet();
  readonly copied = { objects: 0, bytes: 0 };
  readonly there = { objects: 0, bytes: 0 };
  readonly problems: { key: string; problem: string }[];

  /** `problems`: those of the log, which is copied as it is. */
  constructor(ctx: Context, vault: Vault, to: Store, problems: { key: string; problem: string }[]) {
    this.problems = problems;
    this.#ctx = ctx;
    this.#vault = vault;
    this.#to = to;
  }

  /** Copies what begins with `prefix` and is not in the copy; both are listed in the same order, and never held as a whole. */
  async copy(prefix: string, without?: RegExp): Promise<void> {
    const { signal } = this.#ctx;
    const wanted = (key: string) => !later.test(key) && !without?.test(key);
    const [here, there] = [this.#vault.store.list(prefix, { signal }), this.#to.list(prefix, { signal })];
    const missing = absent(here, there, wanted, (theirs, ours) => {
      if (!ours) return void this.#extra.add(theirs.key);
      if (theirs.size !== ours.size)
        this.#problem(ours.key, `${ours.key} has ${theirs.size} bytes in the copy and ${ours.size} in the vault`);
      this.#present.add(`${theirs.size} ${theirs.key}`);
      this.there.objects += 1;
      this.there.bytes += theirs.size;
    });
    for await (const _ of inOrder(missing, parallelCopies, ({ key }) => this.one(key))) signal.throwIfAborted();
  }

  /** Copies one object, unless its bytes do not have the digest that its name says. */
  async one(key: string): Promise<void> {
    const { signal } = this.#ctx;
    let body: Buffer;
    try {
      body = await this.#vault.store.get(key, signal);
    } catch (error) {
      // Let go since it was listed, or damaged: whether a point lacks it comes out when its record is copied.
      if (isFault(error, 'object-missing')) return;
      if (isFault(error, 'digest-mismatch')) return this.#problem(key, error.message);
      throw error;
    }
    if ((digestIn(key) ?? sha256(body)) !== sha256(body))
      return this.#problem(key, `${key} does not have the digest that its name says`);
    if (!(await putOwn(this.#to, key, body, signal))) return this.#problem(key, `${key} holds other bytes in the copy`);
    this.#present.add(`${body.length} ${key}`);
    this.copied.objects += 1;
    this.copied.bytes += body.length;
  }

  #problem(key: string, problem: string): void {
    this.problems.push({ key, problem });
  }

  /** Copies records behind `common`, in order, up to one whose point is not whole in the copy. */
  async records(state: LogState, common: number): Promise<{ added: number; whole: boolean }> {
    const { store } = this.#vault;
    const lists = new KeySet();
    const stands = new Set(standing(state).map(({ seq }) => seq));
    const entries = new Map(state.entries.map((entry) => [entry.seq, entry]));
    let added = 0;
    for (let seq = 1; seq <= state.head.taken; seq++) {
      this.#ctx.signal.throwIfAborted();
      const entry = entries.get(seq);
      if (entry && stands.has(seq) && !(await this.#isWhole(entry, lists, seq > common)))
        return { added, whole: false };
      if (seq <= common) continue;
      const key = logRecord(seq);
      const record = await bytesOf(store, key, this.#ctx.signal);
      if (!record) continue;
      if (!(await putOwn(this.#to, key, record, this.#ctx.signal)))
        throw new Fault(
          'vaults-diverged',
          `somebody else wrote to ${this.#to.url} meanwhile: ${key} is another record there`,
        );
      added += 1;
    }
    return { added, whole: true };
  }

  async #isWhole(entry: LogEntry, lists: KeySet, isNew: boolean): Promise<boolean> {
    const before = this.problems.length;
    try {
      for await (const ref of reachedBy(this.#vault, entry, lists, this.#ctx.signal)) {
        const { key, size } = ref;
        // A name without a digest was not held against one yet.
        if (isNew && digestIn(key) === undefined) await this.#vault.read(ref, this.#ctx.signal);
        if (!this.#present.has(`${size} ${key}`) && !this.problems.some((one) => one.key === key))
          this.#problem(key, `${key}, which point ${entry.record.point} needs, is not in the copy as it was written`);
        else if (!this.#present.has(`${size} ${key}`)) return false;
      }
    } catch (error) {
      if (!isFault(error) || error.exit !== 4) throw error;
      this.#problem(String(error.data.key ?? entry.key), error.message);
    }
    return this.problems.length === before;
  }

  /** Deletes in the copy what the log let go, as `prune` did in the vault. */
  async deleteSwept(state: LogState): Promise<CopyResult['deleted']> {
    const { signal } = this.#ctx;
    if (this.#extra.size === 0) return { objects: 0, bytes: 0 };
    const kept = new Protected(this.#vault, signal);
    await kept.add(standing(state));
    const deleted = { objects: 0, bytes: 0 };
    const lists = state.entries
      .filter(({ record }) => record.kind === 'sweep')
      .flatMap(({ record }) => record.keys ?? []);
    for (const list of lists) {
      for (const { key, size } of await readRefs(list.key, await this.#vault.read(list, signal))) {
        if (!this.#extra.has(key) || !isPrunable(key) || kept.has(key) || !(await this.#to.delete(key, signal)))
          continue;
        deleted.objects += 1;
        deleted.bytes += size;
      }
    }
    return deleted;
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
