import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import { standing } from '../../vault/retention.ts';
import type { Vault } from '../../vault/vault.ts';
import { Protected } from './protect.ts';

/** Objects that were looked at, those whose lock was lengthened, and those for which the store refused it. */
export interface Locks {
  readonly looked: number;
  readonly extended: number;
  readonly refused: number;
}

/** What a vault is opened with, and what it was used for: nothing ever deletes it. */
const forEver = /^(log|trust|keys|attest|access|restores)\/|^(vault\.json|README\.txt)$/;
const inFlight = 16;

/** Throws `usage` for a vault whose URL names no lock. */
export function assertLocks(vault: Vault): void {
  if (vault.store.extendLock) return;
  throw new Fault('usage', `--extend-locks: ${vault.store.url} locks nothing`, {
    actions: ['name the lock in the URL of the vault: s3://…?objectLock=COMPLIANCE&retainDays=35'],
  });
}

/**
 * Lengthens the locks of everything that points reach which are in use or can come back, and of what nothing ever deletes: an object that
 * new points list over and over was locked when it was put, and not for as long as they last. One that the store refuses, or that is gone, keeps no
 * other from it. Throws what the store throws otherwise.
 */
export async function extendLocks(ctx: Context, vault: Vault): Promise<Locks> {
  const { store } = vault;
  const kept = new Protected(vault, ctx.signal);
  await kept.add(standing(await vault.state(true, ctx.signal)));
  ctx.report({ type: 'stage', stage: 'lengthening locks' });
  const objects = (async function* () {
    for await (const object of store.list('', { signal: ctx.signal }))
      if (kept.has(object.key) || forEver.test(object.key)) yield object;
  })();
  const locks = { looked: 0, extended: 0, refused: 0 };
  const extending = inOrder(objects, inFlight, async (object) => {
    try {
      return await store.extendLock!(object, ctx.signal);
    } catch (error) {
      if (isFault(error, 'store-denied', 'object-missing')) return error;
      throw error;
    }
  });
  for await (const was of extending) {
    locks.looked += 1;
    if (was === true) locks.extended += 1;
    if (typeof was === 'boolean') continue;
    // The first says what the others would.
    if (locks.refused === 0)
      ctx.report({ type: 'warning', name: was.name, message: `a lock is not lengthened: ${was.message}` });
    locks.refused += 1;
  }
  return locks;
}
