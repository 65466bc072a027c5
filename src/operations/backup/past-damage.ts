import type { Context } from '../../context.ts';
import { type Fault, isDamage, isFault } from '../../errors.ts';
import { assertNotRetired, isPrunable } from '../../vault/retention.ts';
import type { Vault } from '../../vault/vault.ts';
import type { DamagedKeys } from './parents.ts';

/** So many keys are passed over one by one; when there are more, everything is read anew. */
const mostDamaged = 4;

/** Takes the point again without what turned out to be damaged of earlier ones: its journal has what was finished. Throws what is damaged otherwise, `point-retired`. */
export async function pastDamage<T>(
  ctx: Context,
  vault: Vault,
  take: (damaged: DamagedKeys) => Promise<T>,
): Promise<T> {
  const damaged: DamagedKeys = { keys: new Set(), all: false };
  for (;;) {
    try {
      return await take(damaged);
    } catch (error) {
      if (isFault(error, 'object-missing')) await assertStillInUse(vault);
      const key = isDamage(error) ? error.data.key : undefined;
      if (typeof key !== 'string' || !isPrunable(key) || damaged.keys.has(key) || damaged.all) throw error;
      damaged.keys.add(key);
      damaged.all = damaged.keys.size > mostDamaged;
      const { name, message } = error as Fault;
      ctx.report({ type: 'warning', name, message: `what was built on it is read anew: ${message}` });
    }
  }
}

/** What is missing may have been let go while this run stood still, which is no damage. Throws `point-retired`. */
export async function assertStillInUse(vault: Vault): Promise<void> {
  const known = (await vault.state()).points.map(({ record }) => record.point!);
  assertNotRetired(await vault.state(true), known);
}
