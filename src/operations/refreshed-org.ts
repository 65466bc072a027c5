import type { Context } from '../context.ts';
import { Fault, isFault } from '../errors.ts';
import type { OrgIdentity } from '../salesforce/org.ts';
import { orgHash } from '../vault/create.ts';
import type { Root } from '../vault/manifest.ts';
import type { Vault } from '../vault/vault.ts';
import { addTrust } from './keys.ts';
import { rootOrDamage } from './latest.ts';

/**
 * Binds the vault to a sandbox that has a new Id since it was refreshed: a file of `trust/`, signed by the root key, with the keyed hash of the
 * new Id. Points of the old Id stay; the old Id itself is refused from now on. Resolves with the old Id; undefined when the vault is bound to this
 * org already. Throws `foreign-vault` unless the newest point that is not damaged is of a sandbox with the same address or user, `no-identity`, `wrong-identity`.
 */
export async function acceptRefreshedOrg(ctx: Context, vault: Vault, org: OrgIdentity): Promise<string | undefined> {
  try {
    await vault.assertOrg(org.orgId);
    return undefined;
  } catch (error) {
    if (!isFault(error, 'foreign-vault')) throw error;
  }
  const { epochs, points } = await vault.state();
  let before: Root['org'] | undefined;
  for (const entry of points.toReversed()) {
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault) continue;
    before = root.org;
    break;
  }
  const refuse = (why: string) =>
    new Fault('foreign-vault', `${org.orgId} is not accepted as the refreshed org of ${vault.store.url}: ${why}`, {
      actions: ['choose another --vault or --target-org'],
    });
  if (!before) throw refuse('the vault is bound to another org and holds no point of it that reads');
  if (!before.isSandbox || !org.isSandbox) throw refuse('only a sandbox gets a new Id by a refresh');
  const sameUser = before.username.toLowerCase() === org.username.toLowerCase();
  if (!sameUser && hostOf(before.instanceUrl) !== hostOf(org.instanceUrl))
    throw refuse(`it has neither the address nor the user of ${before.id}`);
  const { root, orgKey } = await vault.keyring.adminKeys(epochs);
  const hash = orgHash(orgKey, org.orgId);
  await addTrust(ctx, vault, root, { keys: [], recipients: vault.trust.recipients, org: { hash } });
  return before.id;
}

function hostOf(url: string): string {
  return new URL(url).host.toLowerCase();
}
