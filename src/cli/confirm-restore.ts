import { Fault } from '../errors.ts';
import type { Plan } from '../operations/restore/plan.ts';
import type { OrgIdentity } from '../salesforce/org.ts';
import type { CommandContext } from './command.ts';
import { aliasOfLogin } from './login.ts';
import { makePaint } from './output/paint.ts';
import { planText } from './output/restore.ts';

/** What answers the questions of a restore where nobody can be asked. */
export interface Confirmation {
  readonly confirm: string | undefined;
  readonly allowEmail: boolean;
}

/**
 * Asks whether this plan may be applied to this org. A sandbox takes a yes, or --no-prompt; any other org wants to be named, as it is or by
 * --confirm, and is never one that nobody named. Throws `confirmation-missing`, `wrong-target`, `email-guard`, `unanchored`.
 */
export async function confirmRestore(
  ctx: CommandContext,
  anchored: boolean,
  org: OrgIdentity,
  planned: { readonly plan: Plan; readonly digest: string },
  given: Confirmation,
): Promise<void> {
  const { writesAnything } = await import('../operations/restore/plan.ts');
  if (!writesAnything(planned.plan)) return;
  if (!org.isSandbox) assertProduction(ctx, anchored, org, given);
  const alias = await aliasOfLogin(ctx);
  if (given.confirm !== undefined) {
    if (isNameOf(alias, org, given.confirm)) return;
    throw new Fault(
      'confirmation-missing',
      `--confirm names ${given.confirm}, and the restore goes into ${org.username} (${org.orgId})`,
      {
        actions: ['confirm with the alias, the username or the Id of the org that is meant'],
      },
    );
  }
  if (org.isSandbox && ctx.global.noPrompt) return;
  if (ctx.prompt.possible) ctx.report({ type: 'note', message: planText(planned, makePaint(false)) });
  if (org.isSandbox) {
    if (await ctx.prompt.confirm(`apply this plan to ${org.organizationName}?`, '--no-prompt, or --confirm <org Id>'))
      return;
    throw new Fault('confirmation-missing', 'the plan was not confirmed: nothing was done');
  }
  await askForName(ctx, alias, org);
}

function assertProduction(ctx: CommandContext, anchored: boolean, org: OrgIdentity, given: Confirmation): void {
  const named =
    ctx.commandLine.has('target-org') || Boolean(ctx.environment.SF_ACCESS_TOKEN) || given.confirm !== undefined;
  if (!named) {
    throw new Fault(
      'wrong-target',
      `the login that is taken when none is named leads to a production org: ${org.username}`,
    );
  }
  assertAnchored(anchored, org);
  if (!given.allowEmail) {
    throw new Fault('email-guard', 'whether this production org sends e-mail for what is written is not known');
  }
}

/** A production org is written to only from a vault whose root is known from elsewhere. Throws `unanchored`. */
export function assertAnchored(anchored: boolean, org: OrgIdentity): void {
  if (anchored || org.isSandbox) return;
  throw new Fault(
    'unanchored',
    'the vault is believed on its own word, which is not enough to write to a production org',
  );
}

async function askForName(ctx: CommandContext, alias: string | undefined, org: OrgIdentity): Promise<void> {
  const wanted = alias ?? org.username;
  if (!ctx.prompt.possible) {
    throw new Fault('confirmation-missing', `a restore into the production org ${org.username} has to be confirmed`, {
      actions: [`confirm with --confirm ${wanted}; --json alone never approves a write`],
    });
  }
  const typed = await ctx.prompt.text(`this is PRODUCTION: type ${wanted} to apply the plan`, '--confirm');
  if (!isNameOf(alias, org, typed))
    throw new Fault('confirmation-missing', 'that is not the name of the org: nothing was done');
}

/** `alias`: only one that led to this org; that of another would confirm what nobody meant. */
export function isNameOf(alias: string | undefined, org: OrgIdentity, text: string): boolean {
  const ids = [org.orgId, org.orgId.slice(0, 15)];
  return text === alias || text.toLowerCase() === org.username.toLowerCase() || ids.includes(text);
}
