import { Fault } from '../../errors.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { connectOrg } from '../login.ts';
import { openJournalStore, openVault, vaultExits } from '../open-vault.ts';
import { rescueText } from '../output/rescue.ts';
import { readRecoveryKit } from '../recovery-kit.ts';
import { askedOf, defaultRestoreFlags, restoreFlags } from '../restore-flags.ts';

const { objects, exclude, incident, 'changed-by': changedBy, 'journal-to': journalTo } = restoreFlags;

export const rescue = defineCommand({
  name: 'rescue',
  summary: 'emergency guide: who, what, when, then the last good point and a ready plan',
  description:
    'Asks when it happened, who or what did it and which objects are concerned; finds the newest point that is whole and was over before; ' +
    'and saves a plan that puts back what the incident did. Nothing is written to the org. On a fresh machine the recovery kit is enough.',
  flags: {
    kit: {
      value: 'file',
      kind: 'path',
      summary: 'the recovery kit: names the vault, opens it and pins it',
      config: false,
    },
    incident: {
      ...incident,
      summary: 'when it happened, as 2026-11-22T09:00Z..2026-11-22T10:30Z; the end may be left out',
    },
    'changed-by': { ...changedBy, summary: 'who or what did it: username, name or Id; anybody when it is left out' },
    objects,
    exclude,
    'plan-out': {
      value: 'file',
      kind: 'path',
      summary: 'where the plan is saved; a new file here unless told',
      config: false,
    },
    'journal-to': journalTo,
  },
  examples: [
    { command: 'salvor rescue', summary: 'asks, and proposes' },
    {
      command: 'salvor rescue --kit recovery-kit.txt --incident 2026-11-22T09:00Z.. -o production',
      summary: 'on a fresh machine',
    },
  ],
  exits: [...vaultExits, 75],
  async run(given, { flags }) {
    const ctx = flags.kit === undefined ? given : await withKit(given, flags.kit);
    if (flags.planOut !== undefined) {
      const { assertPlanFile } = await import('../../operations/restore/restore.ts');
      await assertPlanFile(flags.planOut);
    }
    const answers = await ask(ctx, flags);
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'write', warns: true });
    const org = await connectOrg(ctx);
    try {
      const operation = await import('../../operations/restore/restore.ts');
      const { lastGoodPoint } = await import('../../operations/restore/incident-points.ts');
      const { parseWindow } = await import('../../operations/select/window.ts');
      const { from } = parseWindow(answers.incident, 'incident');
      const found = await lastGoodPoint(ctx, vault, from, answers.objects);
      if (!found) {
        throw new Fault(
          'no-such-point',
          `no whole point of the vault was over before ${new Date(from).toISOString()}`,
          {
            actions: ['see `salvor list-points`; a partial point can be named to `salvor restore` all the same'],
          },
        );
      }
      const { entry, passedOver } = found;
      if (passedOver.length > 0) {
        const message = `passed over, since they hold few objects: ${passedOver.join(', ')}`;
        ctx.report({ type: 'warning', name: 'point-narrow', message });
      }
      const place = await operation.restorePlace(vault, await openJournalStore(ctx, flags.journalTo));
      const point = entry.record.point!;
      const asked = await askedOf(ctx, { vault, org, point }, { ...defaultRestoreFlags, ...answers });
      const planned = await operation.planRestore(ctx, { vault, place, org, point, acceptPartial: false }, { asked });
      const planFile = flags.planOut ?? `salvor-rescue-${point}-${planned.digest.slice(0, 8)}.plan`;
      await operation.writePlanFile(planFile, planned.plan);
      const result = { ...operation.dryRunResult(planned), point: { id: point, ended: entry.record.ended }, planFile };
      return { result, human: (paint) => rescueText({ ...result, planned, flags: vaultFlags(ctx, flags.kit) }, paint) };
    } finally {
      await org.close();
      await vault.store.close();
    }
  },
});

interface Answers {
  readonly incident: string;
  readonly changedBy: string | undefined;
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
}

async function ask(
  ctx: CommandContext,
  flags: { incident?: string; changedBy?: string; objects: readonly string[]; exclude: readonly string[] },
): Promise<Answers> {
  const { exclude } = flags;
  const now = `${ctx.now().toISOString().slice(0, 16)}Z`;
  const incident =
    flags.incident ??
    (await ctx.prompt.text('When did it happen? From..to, in UTC; the end may be left out', '--incident', {
      default: `${now.slice(0, 10)}T00:00Z..`,
    }));
  if (!ctx.prompt.possible) return { incident, changedBy: flags.changedBy, objects: flags.objects, exclude };
  const anybody = 'anybody';
  const who =
    flags.changedBy ??
    (await ctx.prompt.text('Who or what did it? Username, name or Id', '--changed-by', { default: anybody }));
  const everything = 'everything';
  const what =
    flags.objects.length > 0
      ? flags.objects
      : (
          await ctx.prompt.text('Which objects are concerned? API names with commas', '--objects', {
            default: everything,
          })
        )
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && name !== everything);
  return { incident, changedBy: who === anybody ? undefined : who, objects: what, exclude };
}

/** The context as the recovery kit makes it: vault, identity and root fingerprint are its own, unless told otherwise. */
async function withKit(ctx: CommandContext, file: string): Promise<CommandContext> {
  const kit = await readRecoveryKit(file);
  const named = ctx.commandLine.has('vault');
  return {
    ...ctx,
    commandLine: new Set([...ctx.commandLine, 'vault']),
    global: {
      ...ctx.global,
      vault: named ? ctx.global.vault : kit.vault,
      identity: [...ctx.global.identity, file],
      rootFingerprint: ctx.global.rootFingerprint ?? kit.rootFingerprint,
    },
  };
}

/** What the next command needs to find the same vault. */
function vaultFlags(ctx: CommandContext, kit: string | undefined): string {
  if (kit === undefined) return '';
  return ` --vault ${ctx.global.vault} --identity ${kit} --root-fingerprint ${ctx.global.rootFingerprint}`;
}
