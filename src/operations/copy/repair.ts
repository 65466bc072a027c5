import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { Store } from '../../store/store.ts';
import { KeySet } from '../../vault/key-set.ts';
import { logRecord } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import { putOwn } from '../../vault/put-own.ts';
import type { Ref } from '../../vault/record.ts';
import { readRefs } from '../../vault/refs.ts';
import { standing } from '../../vault/retention.ts';
import { sha256 } from '../../vault/signed.ts';
import type { Vault } from '../../vault/vault.ts';
import { compareLogs } from './logs.ts';
import { assertOurs, bytesOf } from './target.ts';

const parallelReads = 3;

/** `result` of `salvor repair --json`. */
export interface RepairResult {
  readonly dryRun: boolean;
  readonly checked: { readonly objects: number; readonly bytes: number };
  /** What was wrong and is whole again; in a dry run: what the copy could heal. */
  readonly healed: readonly Damage[];
  /** What is still wrong, and why the copy did not heal it. */
  readonly unhealed: readonly (Damage & { readonly why: string })[];
}
export interface Damage {
  readonly key: string;
  readonly problem: string;
}

/**
 * Reads everything that the log leads to and takes from a copy what is missing or does not have its digest. The bytes are proven by what is
 * signed here, so that the copy need not be trusted. Nothing needs a key. Throws `foreign-vault` when it is no copy of this vault.
 */
export async function repair(ctx: Context, vault: Vault, from: Store, dryRun: boolean): Promise<RepairResult> {
  await assertCopy(vault, from, ctx.signal);
  const repairing = new Repairing(ctx, vault, from, dryRun);
  await repairing.log();
  const state = await vault.state(true, ctx.signal);
  for (const { record } of state.entries) {
    await repairing.all(record.keys ?? []);
    if (record.kind === 'restore' && record.refs) await repairing.list(record.refs);
  }
  for (const entry of standing(state)) await repairing.point(entry);
  const { checked, healed, unhealed } = repairing;
  return { dryRun, checked, healed, unhealed };
}

async function assertCopy(vault: Vault, from: Store, signal: AbortSignal): Promise<void> {
  await assertOurs(vault, from, 'name a copy of this vault with --from', signal);
  for await (const _ of from.list('trust/', { signal })) return;
  throw new Fault('no-vault', `there is no copy of the vault at ${from.url}`);
}

class Repairing {
  readonly #ctx: Context;
  readonly #vault: Vault;
  readonly #from: Store;
  readonly #dryRun: boolean;
  readonly #seen = new KeySet();
  readonly checked = { objects: 0, bytes: 0 };
  readonly healed: Damage[] = [];
  readonly unhealed: (Damage & { why: string })[] = [];

  constructor(ctx: Context, vault: Vault, from: Store, dryRun: boolean) {
    this.#ctx = ctx;
    this.#vault = vault;
    this.#from = from;
    this.#dryRun = dryRun;
  }

  /** Records that do not verify here and do in the copy. */
  async log(): Promise<void> {
    const { signal } = this.#ctx;
    const state = await this.#vault.state(true, signal);
    const good = new Set(state.entries.map(({ seq }) => seq));
    const bad = state.problems.filter(({ seq }) => !good.has(seq));
    if (bad.length === 0) return;
    const read = await this.#vault.logOf(this.#from).read(signal);
    const theirs = new Map(read.entries.map((entry) => [entry.seq, entry]));
    const { parted = Number.POSITIVE_INFINITY } = compareLogs(state, read);
    for (const { seq, key, fault } of bad) {
      const entry = theirs.get(seq);
      const fail = (why: string) => void this.unhealed.push({ key, problem: fault.message, why });
      if (!entry) fail('the copy has no record there that verifies');
      else if (seq >= parted) fail(`the copy went another way from ${logRecord(parted)} on`);
      else await this.#replace(key, fault.message, await bytesOf(this.#from, logRecord(seq), signal), entry.digest);
    }
  }

  async point(entry: LogEntry): Promise<void> {
    const list = entry.record.refs;
    for (const page of list ? await this.list(list) : [])
      if (page.key.startsWith('pages/') && page.key.endsWith('.refs.zst')) await this.list(page);
  }

  /** Heals a list and all that it names; what it names. A list is walked once. */
  async list(list: Ref): Promise<readonly Ref[]> {
    const isNew = !this.#seen.has(list.key);
    await this.all([list]);
    if (!isNew) return [];
    try {
      const refs = await readRefs(list.key, await this.#vault.read(list, this.#ctx.signal));
      await this.all(refs.filter(({ key }) => !key.endsWith('.refs.zst')));
      return refs;
    } catch (error) {
      // It was told that the list is damaged.
      if (isFault(error) && error.exit === 4) return [];
      throw error;
    }
  }

  async all(refs: readonly Ref[]): Promise<void> {
    const unseen = refs.filter(({ key }) => this.#seen.add(key));
    for await (const _ of inOrder(unseen, parallelReads, (ref) => this.#one(ref))) this.#ctx.signal.throwIfAborted();
  }

  async #one(ref: Ref): Promise<void> {
    this.checked.objects += 1;
    this.checked.bytes += ref.size;
    try {
      await this.#vault.read(ref, this.#ctx.signal);
    } catch (error) {
      if (!isFault(error, 'object-missing', 'size-mismatch', 'digest-mismatch')) throw error;
      await this.#replace(ref.key, error.message, await bytesOf(this.#from, ref.key, this.#ctx.signal), ref.sha256);
    }
  }

  /** Deletes what is there and puts what was proven. Cut short in between, the object is missing, which the next run heals. */
  async #replace(key: string, problem: string, body: Buffer | undefined, digest: string): Promise<void> {
    const fail = (why: string) => void this.unhealed.push({ key, problem, why });
    if (!body) return fail('the copy does not have it');
    if (sha256(body) !== digest) return fail('it is damaged in the copy too');
    if (!this.#dryRun) {
      const { store } = this.#vault;
      const { signal } = this.#ctx;
      if (!(await store.delete(key, signal))) return fail('the store refused to delete the damaged object');
      if (!(await putOwn(store, key, body, signal))) return fail('the store kept the damaged object');
    }
    this.healed.push({ key, problem });
  }
}
