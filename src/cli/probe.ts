import path from 'node:path';
import { Fault } from '../errors.ts';
import type { OrgKind, Probed } from '../operations/doctor/probe/probe.ts';
import type { OrgIdentity } from '../salesforce/org.ts';
import type { CommandContext, Outcome } from './command.ts';
import { isNameOf } from './confirm-restore.ts';
import { aliasOfLogin, connectOrg } from './login.ts';
import { assertNewFile, writeNewFile } from './new-file.ts';
import { behind } from './open-vault.ts';
import { probeText } from './output/probe.ts';

/** What removes the records of a probe may go on for so long when the run was stopped. */
const removal = 60_000;

/** Puts the open questions to the org of this run and writes the report. */
export async function probeAtHand(
  ctx: CommandContext,
  flags: { readonly confirm: string | undefined; readonly report: string | undefined; readonly maxApiPercent: number },
): Promise<Outcome> {
  const file = path.resolve(flags.report ?? `salvor-probe-${ctx.now().toISOString().slice(0, 10)}.json`);
  await assertNewFile(file);
  const { orgKind, probeOrg } = await import('../operations/doctor/probe/probe.ts');
  const budget = { maxPercent: flags.maxApiPercent };
  const org = await connectOrg(ctx, { budget });
  try {
    const kind = await orgKind(org);
    await confirmed(ctx, org.identity, kind, flags.confirm);
    // Without the budget, and behind Ctrl-C: what was made has to be removed.
    const cleaner = await connectOrg({ ...ctx, signal: behind(ctx.signal, removal) });
    try {
      const probed = await probeOrg(ctx, org, kind, cleaner, ctx.tool);
      await writeNewFile(file, `${JSON.stringify(probed.report, null, 2)}\n`);
      return outcome(probed, file);
    } finally {
      await cleaner.close();
    }
  } finally {
    await org.close();
  }
}

function outcome({ report, left }: Probed, file: string): Outcome {
  const answers = report.answers.map(({ exchanges: _, ...answer }) => answer);
  return {
    result: { report: file, org: report.org, answers, left },
    human: (paint) => probeText(answers, left, file, paint),
    ...(left.length > 0 && {
      fault: new Fault('doctor-found', `${left.length} records of the probe are still in the org: ${left.join(', ')}`, {
        actions: ['delete them by hand: their names begin with "salvor probe"'],
      }),
    }),
  };
}

/** Throws `wrong-target` for a production org that nobody named, and `confirmation-missing`. */
async function confirmed(
  ctx: CommandContext,
  org: OrgIdentity,
  { type, isHarmless }: OrgKind,
  confirm: string | undefined,
): Promise<void> {
  const alias = await aliasOfLogin(ctx);
  const name = alias ?? org.username;
  if (confirm !== undefined) {
    if (isNameOf(alias, org, confirm)) return;
    throw new Fault(
      'confirmation-missing',
      `--confirm names ${confirm}, and the probe would write to ${org.username} (${org.orgId})`,
      {
        actions: ['confirm with the alias, the username or the Id of the org that is meant'],
      },
    );
  }
  if (!isHarmless) {
    throw new Fault('wrong-target', `${org.username} is in a production org (${type}): the probe makes records in it`, {
      actions: [
        'log in to a Developer Edition org, which is free, or to a sandbox',
        `or confirm with --confirm ${name}, if this org is meant`,
      ],
    });
  }
  const flag = `--confirm ${name}`;
  if (!ctx.prompt.possible) {
    throw new Fault('confirmation-missing', `that the probe may make records in ${org.username} has to be confirmed`, {
      actions: [`confirm with ${flag}`],
    });
  }
  const yes = await ctx.prompt.confirm(
    `make a few accounts, contacts and cases in ${org.organizationName} (${type}), and remove them again?`,
    flag,
  );
  if (!yes) throw new Fault('confirmation-missing', 'the probe was not confirmed: nothing was done');
}
