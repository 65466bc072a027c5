import type { Vault } from '../vault/vault.ts';
import type { CommandContext } from './command.ts';
import { seenHead } from './heads.ts';
import { copiesOf, vaultUrl } from './open-vault.ts';

/**
 * What is said of the vault that is looked at where it is a copy: a record in its log would make it go its own way. A copy is what the configuration names as one, and what lies at
 * another place than that where this client writes points or saw the vault first. Undefined: it is the vault itself.
 */
export async function copyOf(ctx: CommandContext, { info, store }: Vault): Promise<string | undefined> {
  const { shareAPlace } = await import('../store/open.ts');
  for (const place of copiesOf(ctx))
    if (await shareAPlace(place, vaultUrl(ctx))) return `${store.url} is a copy of the vault by the configuration`;
  const place = (await seenHead(ctx.environment, info.vault))?.place;
  if (place === undefined || (await shareAPlace(place, store.url))) return undefined;
  return `${store.url} is a copy of the vault at ${place}`;
}
