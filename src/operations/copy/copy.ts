import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { KeySet } from '../../vault/key-set.ts';
import { logRecord, trustFile, vaultFile } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import { putOwn } from '../../vault/put-own.ts';
import { readRefs } from '../../vault/refs.ts';
import { isHeld, isPrunable, retentionOf, standing } from '../../vault/retention.ts';
import { sha256 } from '../../vault/signed.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import { Protected } from '../prune/protect.ts';
import { held } from '../prune/sweep.ts';
import { healing, type LogsCompared, logsOf } from './logs.ts';
import { CopiedObjects } from './objects.ts';
import { CopiedPoints } from './points.ts';
import type { CopyResult } from './request.ts';
import { assertOurs, bytesOf } from './target.ts';
import { compareTrust } from './trust.ts';

export interface CopyRequest {
  /** Delete in the copy what the log let go. */
  readonly deleteSwept: boolean;
}

/**
 * Makes a copy of the vault, or brings one up to date: the same objects, byte for byte. The log comes last and in order, so that a point is
 * never in the copy before all that the vault has of it. Can be stopped and run again: what is missing is found by listing. Nothing needs a key.
 * What is damaged or missing in the vault, records of the log too, is left out and told, and the records of the points that lack it are copied as
 * others are: the copy opens, later points arrive, and what was healed is put by a later run. Nothing is deleted while pruning is held. Throws `foreign-vault`, `copy-ahead`, `vaults-diverged`, and `point-retired` when a point was let go of meanwhile.
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
  const logs = await logsOf(vault, to, state, signal);
  const objects = new CopiedObjects(ctx, vault, to, state);
  const untrusted = await compareTrust(vault, to, signal);
  for (const one of untrusted) objects.tell(one);
  const lostRecords = tellLog(vault, to, { state, logs, objects });
  // By this one a later run knows the copy again: nothing is in the place before it.
  await objects.copy(trustFile(1));
  await objects.copy('trust/', /^trust\/0001$/);
  await objects.copy('keys/');
  ctx.report({ type: 'stage', stage: 'copying objects' });
  await objects.copy('', /^(trust|keys)\//);
  ctx.report({ type: 'stage', stage: 'copying the log' });
  const { added, notWhole, isSound } = await copyLog(vault, to, { state, logs, objects, signal });
  await copyVaultFile(vault, to, objects, signal);
  // As `prune` does: where something is lost, what is left may be what brings it back.
  const deletes =
    deleteSwept && isSound && untrusted.length === 0 && objects.extra.size > 0 && !(await tellHeld(ctx, vault));
  const deleted = deletes ? await deleteLetGo(vault, to, state, objects.extra, signal) : { objects: 0, bytes: 0 };
  const { seq, digest } = await vault.logOf(to).head(undefined, signal);
  const { copied, there, problems } = objects;
  return {
    vaultId: vault.info.vault,
    copied,
    there,
    records: added.size,
    deleted,
    problems,
    notWhole,
    lostRecords,
    head: { seq, digest },
    points: pointsIn([...state.entries.filter((one) => logs.same.has(one.seq) || added.has(one.seq)), ...logs.lost]),
  };
}

/** What the copy is opened with. It is read each time, since nothing else would tell that it is damaged there. */
async function copyVaultFile(vault: Vault, to: Store, objects: CopiedObjects, signal: AbortSignal): Promise<void> {
  const theirs = await bytesOf(to, vaultFile, signal);
  if (!theirs) return await objects.one(vaultFile);
  if (theirs.equals(await vault.store.get(vaultFile, signal))) return;
  const problem = `${vaultFile} holds other bytes in the copy: copy it over by hand from the vault`;
  objects.tell({ key: vaultFile, problem });
}

/** Whether pruning is held by now, which is told. */
async function tellHeld(ctx: Context, vault: Vault): Promise<boolean> {
  const state = await vault.state(true, ctx.signal);
  if (!isHeld(state.retention, ctx.now())) return false;
  const { name, message } = held(state);
  ctx.report({ type: 'warning', name, message: `nothing is deleted in the copy: ${message}` });
  return true;
}

function pointsIn(entries: readonly LogEntry[]): number {
  const inOrder = entries.toSorted((a, b) => a.seq - b.seq);
  const { retired } = retentionOf(inOrder);
  return inOrder.filter(({ record }) => record.kind === 'point' && !retired.has(record.point!)).length;
}

/** Tells of each record that does not hold, and what heals it; the keys of those that neither place has. */
function tellLog(vault: Vault, to: Store, { state, logs, objects }: Omit<LogCopy, 'signal'>): string[] {
  const theirs = new Set(logs.lost.map(({ seq }) => seq));
  const nowhere: string[] = [];
  for (const { seq, key, fault } of state.problems) {
    const isLost = !logs.ours.has(seq) && !theirs.has(seq);
    if (isLost) nowhere.push(key);
    const what = theirs.has(seq)
      ? `; the copy has it: ${healing(vault.store, to)}`
      : isLost
        ? '; the copy has no such record either'
        : '';
    objects.tell({ key, problem: `${fault.message}${what}` });
  }
  for (const key of [...logs.damaged].map(logRecord))
    objects.tell({ key, problem: `${key} does not verify in the copy: ${healing(to, vault.store)}` });
  return nowhere;
}

interface LogCopy {
  readonly state: LogState;
  readonly logs: LogsCompared;
  readonly objects: CopiedObjects;
  readonly signal: AbortSignal;
}

/** Copies the records that verify and that the copy lacks, each when the copy has all that the vault has of its point. `isSound`: neither lacks anything. */
async function copyLog(
  vault: Vault,
  to: Store,
  { state, logs, objects, signal }: LogCopy,
): Promise<{ added: ReadonlySet<number>; notWhole: string[]; isSound: boolean }> {
  const points = new CopiedPoints(vault, to, objects, state);
  const stands = new Set(standing(state).map(({ seq }) => seq));
  const entries = new Map(state.entries.map((entry) => [entry.seq, entry]));
  const notWhole: string[] = [];
  const added = new Set<number>();
  let isSound = state.problems.length === 0 && logs.damaged.size === 0;
  for (let seq = 1; seq <= state.head.taken; seq++) {
    signal.throwIfAborted();
    const entry = entries.get(seq);
    const digest = logs.ours.get(seq);
    const isNew = !logs.same.has(seq);
    const isDamaged = logs.damaged.has(seq);
    if (entry && stands.has(seq)) {
      const { isWhole, problems } = await points.complete(entry, isNew, signal);
      isSound &&= isWhole && problems.length === 0;
      const wasLetGo = problems.length > 0 && (await points.wasLetGo(entry, signal));
      // The record that let go of it is copied by a later run: until then the point would stand in the copy as one that is damaged.
      if (wasLetGo && isNew && !isWhole) throw letGo(entry.record.point!);
      if (!wasLetGo) for (const one of problems) objects.tell(one);
      if (!wasLetGo && (!isWhole || isDamaged)) notWhole.push(entry.record.point!);
    }
    if (digest === undefined || !isNew || isDamaged) continue;
    if (await copyRecord(vault, to, { key: logRecord(seq), digest }, signal)) added.add(seq);
    else objects.tell({ key: logRecord(seq), problem: `${logRecord(seq)} changed while it was copied` });
  }
  return { added, notWhole, isSound };
}

function letGo(point: string): Fault {
  return new Fault('point-retired', `point ${point} was let go of in the vault while it was copied`, {
    actions: ['run `salvor copy` again: it goes on from here'],
    data: { point },
  });
}

/** False: the vault has the record no more. */
async function copyRecord(
  vault: Vault,
  to: Store,
  { key, digest }: { readonly key: string; readonly digest: string },
  signal: AbortSignal,
): Promise<boolean> {
  const record = await bytesOf(vault.store, key, signal);
  if (!record || sha256(record) !== digest) return false;
  if (!(await putOwn(to, key, record, signal)))
    throw new Fault('vaults-diverged', `somebody else wrote to ${to.url} meanwhile: ${key} is another record there`);
  return true;
}

/** Deletes in the copy what the log let go and only the copy has, as `prune` did in the vault. */
async function deleteLetGo(
  vault: Vault,
  to: Store,
  state: LogState,
  extra: KeySet,
  signal: AbortSignal,
): Promise<CopyResult['deleted']> {
  const kept = new Protected(vault, signal);
  await kept.add(standing(state));
  const deleted = { objects: 0, bytes: 0 };
  const lists = state.entries
    .filter(({ record }) => record.kind === 'sweep')
    .flatMap(({ record }) => record.keys ?? []);
  for (const list of lists) {
    for (const { key, size } of await readRefs(list.key, await vault.read(list, signal))) {
      if (!extra.has(key) || !isPrunable(key) || kept.has(key) || !(await to.delete(key, signal))) continue;
      deleted.objects += 1;
      deleted.bytes += size;
    }
  }
  return deleted;
}
