import { Fault } from '../../errors.ts';
import type { Plan } from '../../operations/restore/plan.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Vault } from '../../vault/vault.ts';
import { logAccess } from '../access-log.ts';
import { type CommandContext, defineCommand, type FlagValues, type Outcome } from '../command.ts';
import { assertAnchored, confirmRestore } from '../confirm-restore.ts';
import { milliseconds } from '../durations.ts';
import { connectLasting, connectToWrite } from '../login.ts';
import { openJournalStore, openVault, vaultExits } from '../open-vault.ts';
import { planText, restoredOutcome } from '../output/restore.ts';
import { askedOf, assertAlone, keptFlags, namedInFiles, restoreFlags } from '../restore-flags.ts';

export const restore = defineCommand({
  name: 'restore',
  summary: 'plan, confirm, apply: put any part of a point back, with its related records',
  description:
    'Compares the point with the org as it is now, shows a plan, and applies it once it is confirmed. It creates what is missing and ' +
    'overwrites only what an incident did (--incident, --changed-by, --after), or everything with --overwrite. What it replaces is kept ' +
    'first, so that `salvor undo` takes it back. A restore that was interrupted goes on when the same command is run again.',
  arguments: { point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!' } },
  flags: restoreFlags,
  examples: [
    { command: 'salvor restore latest --ids 001… --dry-run', summary: 'what would be done for one account' },
    {
      command: 'salvor restore latest --objects Account,Contact',
      summary: 'bring back what is missing of two objects',
    },
    {
      command: 'salvor restore latest~1 --objects Contact --fields Phone --after latest',
      summary: 'undo what happened to a field between two points; what was edited since is kept',
    },
  ],
  exits: [...vaultExits, 3, 69, 75],
  async run(ctx, { flags, arguments: given }) {
    const only = flags.healAutomation ? '--heal-automation' : flags.end === undefined ? undefined : '--end';
    if (only && (flags.dryRun || flags.planOut !== undefined)) {
      throw new Fault('usage', `${only} makes no plan: neither --dry-run nor --plan-out goes with it`);
    }
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'write', warns: true });
    const org = await connectToWrite(ctx, flags);
    const lasting = await connectLasting(ctx, flags.bypass);
    try {
      if (flags.healAutomation) return await heal(ctx, vault, org, flags);
      if (flags.end !== undefined) return await end(ctx, vault, org, flags.end, flags);
      return await restored(ctx, vault, org, given.point, flags, lasting);
    } finally {
      await lasting?.close();
      await org.close();
      await vault.store.close();
    }
  },
});

type Given = FlagValues<typeof restoreFlags>;

async function restored(
  ctx: CommandContext,
  vault: Vault,
  org: Org,
  point: string | undefined,
  flags: Given,
  lasting: Org | undefined,
): Promise<Outcome> {
  const operation = await import('../../operations/restore/restore.ts');
  const place = await operation.restorePlace(vault, await openJournalStore(ctx, flags.journalTo));
  const options = { maxErrors: flags.maxErrors, folder: flags.resultFolder, bypass: flags.bypass, lasting };
  await operation.assertBypass(org, flags.bypass);
  const onlyShown = flags.dryRun || flags.planOut !== undefined;
  const fromFile = flags.plan === undefined ? undefined : await operation.readPlanFile(flags.plan);
  if (fromFile) assertAlone(ctx, 'plan');
  if (fromFile && point !== undefined) await operation.assertPointOf(ctx, fromFile, vault, point);
  if (flags.resume !== undefined) assertAlone(ctx, 'resume');
  const named = fromFile?.header.point.id ?? point;
  const files = fromFile || flags.resume !== undefined ? undefined : await namedInFiles(flags);
  if (!onlyShown) {
    const what = fromFile ? { plan: fromFile } : { asked: files ? keptFlags(flags, point, files) : {}, point };
    const open = await operation.unfinishedRestore(ctx, place, org, flags.resume, what);
    if (open) {
      // What it does was confirmed when it began.
      assertAnchored(vault.anchored, org.identity);
      if (flags.resume === undefined) {
        const { restore, beginning } = open;
        const message = `going on with restore ${restore} of point ${beginning.point}, which was asked for the same and has not ended`;
        ctx.report({ type: 'note', message });
      }
      const { restore, beginning } = open;
      const { point: from, planDigest: selection } = beginning;
      await logAccess(ctx, vault, { what: 'restore', point: from, restore, selection }, flags.journalTo);
      return restoredOutcome(await operation.goOn(ctx, { vault, place, org, restore: open, options }));
    }
  }
  if (flags.planOut !== undefined) await operation.assertPlanFile(flags.planOut);
  if (named === undefined) {
    throw new Fault('usage', 'no recovery point is named', { actions: ['name one: salvor restore latest …'] });
  }
  const given = { vault, place, org, point: named, acceptPartial: flags.acceptPartial };
  const what = fromFile
    ? { plan: fromFile }
    : { asked: await askedOf(ctx, { vault, org, point: named }, flags, files) };
  const planned = await operation.planRestore(ctx, given, what);
  assertInTime(planned.plan, flags.maxDuration);
  if (flags.planOut !== undefined) await operation.writePlanFile(flags.planOut, planned.plan);
  if (onlyShown) {
    const next = nextOf(planned.plan, flags.planOut ?? flags.plan);
    return {
      result: operation.dryRunResult(planned),
      human: (paint) => `${planText(planned, paint)}\n${paint.next(...next)}`,
    };
  }
  await confirmRestore(ctx, vault.anchored, org.identity, planned, flags);
  const { header, objects } = planned.plan;
  await logAccess(
    ctx,
    vault,
    {
      what: 'restore',
      point: header.point.id,
      objects: objects.map(({ object }) => object),
      selection: planned.digest,
    },
    flags.journalTo,
  );
  if (flags.journalTo !== undefined) {
    const message = `what this restore makes is known to later ones only when they are given --journal-to ${flags.journalTo} too`;
    ctx.report({ type: 'warning', name: 'journal-apart', message });
  }
  return restoredOutcome(await operation.runRestore(ctx, { place, org, planned, options }));
}

function nextOf(plan: Plan, file: string | undefined): [string, string] {
  if (file !== undefined) return [`salvor restore --plan ${file}`, 'apply exactly this'];
  return [`salvor restore ${plan.header.point.id} …`, 'the same without --dry-run applies it'];
}

function assertInTime(plan: Plan, most: string | undefined): void {
  if (most === undefined) return;
  const { predictedSeconds } = plan.header;
  if (predictedSeconds * 1000 <= milliseconds('max-duration', most)) return;
  throw new Fault('too-long', `the restore takes about ${Math.ceil(predictedSeconds / 60)} min, longer than ${most}`);
}

/** Leaves an interrupted restore as it stands. */
async function end(ctx: CommandContext, vault: Vault, org: Org, named: string, flags: Given): Promise<Outcome> {
  const operation = await import('../../operations/restore/restore.ts');
  const place = await operation.restorePlace(vault, await openJournalStore(ctx, flags.journalTo));
  const restore = await operation.unfinishedRestore(ctx, place, org, named, { asked: {}, point: undefined });
  await operation.endRestore(ctx, { vault, place, org, restore: restore! });
  const ended = restore!.restore;
  const result = { ended };
  return {
    result,
    human: (paint) =>
      `restore ${ended} is ended as it stands\n${paint.next(`salvor undo ${ended}`, 'take back what it did')}`,
  };
}

async function heal(ctx: CommandContext, vault: Vault, org: Org, flags: Given): Promise<Outcome> {
  const operation = await import('../../operations/restore/restore.ts');
  const place = await operation.restorePlace(vault, await openJournalStore(ctx, flags.journalTo));
  const healed = await operation.healAutomation(ctx, place, org);
  const lines = healed.map(({ restore, bypass }) => `${bypass}, which ${restore} left on, is switched back`);
  return {
    result: { healed },
    human: () => (lines.length === 0 ? 'no bypass was left switched on' : lines.join('\n')),
  };
}
