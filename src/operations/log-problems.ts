import type { Context } from '../context.ts';
import type { Vault } from '../vault/vault.ts';

/** Warns of every record of the log that is missing or does not hold. What the vault holds besides is read all the same. */
export async function tellLogProblems(ctx: Pick<Context, 'report'>, vault: Vault): Promise<void> {
  for (const { fault } of (await vault.state()).problems)
    ctx.report({ type: 'warning', name: fault.name, message: `${fault.message}; \`salvor verify\` tells more` });
}
