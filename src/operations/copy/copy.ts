import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { KeySet } from '../../vault/key-set.ts';
import { logRecord, trustFile, vaultFile } from '../../vault/layout.ts';
import { putOwn } from '../../vault/put-own.ts';
import { readRefs } from '../../vault/refs.ts';
import { isPrunable, standing } from '../../vault/retention.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import { Protected } from '../prune/protect.ts';
import { CopiedObjects } from './objects.ts';
import { CopiedPoints } from './points.ts';
import type { CopyResult } from './request.ts';
import { assertOurs, bytesOf, commonRecords } from './target.ts';

export interface CopyRequest {
  /** Delete in the copy what the log let go. */
  readonly deleteSwept: boolean;
}

/**
 * Makes a copy of the vault, or brings one up to date: the same objects, byte for byte. The log comes last and in order, so that a point is
 * never in the copy before all that the vault has of it. Can be stopped and run again: what is missing is found by listing. Nothing needs a key.
 * What is damaged or missing in the vault is left out and told, and the records of the points that lack it are copied as others are: the copy
 * opens, and later points arrive. Throws `foreign-vault`, `copy-ahead`, `vaults-diverged`, and `point-retired` when a point was let go of meanwhile.
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
  const objects = new CopiedObjects(ctx, vault, to, state);
  for (const { key, fault } of state.problems) objects.tell({ key, problem: fault.message });
  // By this one a later run knows the copy again: nothing is in the place before it.
  await objects.copy(trustFile(1));
  await objects.copy('trust/', /^trust\/0001$/);
  await objects.copy('keys/');
  ctx.report({ type: 'stage', stage: 'copying objects' });
  await objects.copy('', /^(trust|keys)\//);
  ctx.report({ type: 'stage', stage: 'copying the log' });
  const { added, notWhole, isSound } = await copyLog(vault, to, { state, common, objects, signal });
  if (!(await to.head(vaultFile, signal))) await objects.one(vaultFile);
  // As `prune` does: where something is lost, what is left may be what brings it back.
  const deletes = deleteSwept && isSound && objects.extra.size > 0;
  const deleted = deletes ? await deleteLetGo(vault, to, state, objects.extra, signal) : { objects: 0, bytes: 0 };
  const { seq, digest } = await vault.logOf(to).head(undefined, signal);
  const points = state.points.filter((entry) => entry.seq <= seq).length;
  const { copied, there, problems } = objects;
  return {
    vaultId: vault.info.vault,
    copied,
    there,
    records: added,
    deleted,
    problems,
    notWhole,
    head: { seq, digest },
    points,
  };
}

interface LogCopy {
  readonly state: LogState;
  /** Records that the copy has already. */
  readonly common: number;
  readonly objects: CopiedObjects;
  readonly signal: AbortSignal;
}

/** Copies the records behind `common`, each when the copy has all that the vault has of its point. `isSound`: neither lacks anything of a point. */
async function copyLog(
  vault: Vault,
  to: Store,
  { state, common, objects, signal }: LogCopy,
): Promise<{ added: number; notWhole: string[]; isSound: boolean }> {
  const points = new CopiedPoints(vault, to, objects, state);
  const stands = new Set(standing(state).map(({ seq }) => seq));
  const entries = new Map(state.entries.map((entry) => [entry.seq, entry]));
  const notWhole: string[] = [];
  let added = 0;
  let isSound = true;
  for (let seq = 1; seq <= state.head.taken; seq++) {
    signal.throwIfAborted();
    const entry = entries.get(seq);
    const isNew = seq > common;
    if (entry && stands.has(seq)) {
      const { isWhole, problems } = await points.complete(entry, isNew, signal);
      isSound &&= isWhole && problems.length === 0;
      const wasLetGo = problems.length > 0 && (await points.wasLetGo(entry, signal));
      // The record that let go of it is copied by a later run: until then the point would stand in the copy as one that is damaged.
      if (wasLetGo && isNew && !isWhole) throw letGo(entry.record.point!);
      if (!wasLetGo) for (const one of problems) objects.tell(one);
      if (!wasLetGo && !isWhole) notWhole.push(entry.record.point!);
    }
    if (isNew && (await copyRecord(vault, to, seq, signal))) added += 1;
  }
  return { added, notWhole, isSound };
}

function letGo(point: string): Fault {
  return new Fault('point-retired', `point ${point} was let go of in the vault while it was copied`, {
    actions: ['run `salvor copy` again: it goes on from here'],
    data: { point },
  });
}

/** False: the vault has no such record. */
async function copyRecord(vault: Vault, to: Store, seq: number, signal: AbortSignal): Promise<boolean> {
  const key = logRecord(seq);
  const record = await bytesOf(vault.store, key, signal);
  if (record && !(await putOwn(to, key, record, signal)))
    throw new Fault('vaults-diverged', `somebody else wrote to ${to.url} meanwhile: ${key} is another record there`);
  return record !== undefined;
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
