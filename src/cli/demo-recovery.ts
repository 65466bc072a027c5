import type { DiffResult } from '../operations/diff/request.ts';
import type { Planned, Restored } from '../operations/restore/restore.ts';
import type { Org } from '../salesforce/org.ts';
import type { RestorePlace } from '../vault/restores.ts';
import type { Vault } from '../vault/vault.ts';
import type { CommandContext } from './command.ts';
import { type Damage, damage } from './demo-damage.ts';
import { diffText } from './output/diff.ts';
import { makePaint } from './output/paint.ts';
import { planText, restoreText } from './output/restore.ts';
import { askedOf, defaultRestoreFlags } from './restore-flags.ts';

/** What the second half of the demo has shown. */
export interface Recovery {
  readonly damage: Damage;
  /** Against the point: after the damage, and after the restore. */
  readonly damaged: DiffResult;
  readonly healed: DiffResult;
  readonly plan: Planned;
  readonly restored: Restored;
  readonly undone: Restored;
}

/** Damages the org, shows what differs, plans, restores, shows what still differs, and takes the restore back. */
export async function recover(
  ctx: CommandContext,
  parts: { readonly vault: Vault; readonly org: Org; readonly folder: string },
): Promise<Recovery> {
  const { vault, org, folder } = parts;
  const paint = makePaint(false);
  const say = (message: string) => ctx.report({ type: 'note', message });
  // Its next commands are not for now: the story goes on by itself.
  const show = (text: string) =>
    say(
      text
        .split('\n')
        .filter((line) => !line.startsWith('next:'))
        .join('\n'),
    );
  const operation = await import('../operations/restore/restore.ts');

  const done = await damage(org);
  say(
    `\n5. a bad afternoon: account ${done.account} is deleted with all that hangs on it, an import overwrites the phone of ` +
      `${done.overwritten} contacts, and somebody corrects ${done.corrected} of them by hand\n`,
  );
  const damaged = await compared(ctx, vault, org);
  show(diffText(damaged, [], 'fields', paint));

  say(`\n6. the plan: what happened in ${done.incident} is put back, and what was corrected since is kept\n`);
  const place = await operation.restorePlace(vault);
  const flags = { ...defaultRestoreFlags, incident: done.incident };
  const given = { vault, place, org, point: 'latest', acceptPartial: false };
  const planned = await operation.planRestore(ctx, given, { asked: await askedOf(ctx, given, flags) });
  show(planText(planned, paint));

  say('\n7. the restore: before-images first, then out of the recycle bin, then the fields\n');
  const options = { folder };
  const restored = await operation.runRestore(ctx, { place, org, planned, options });
  show(restoreText(restored.result, paint));

  say(
    '\n8. the proof: the point and the org once more; what was corrected by hand differs, and campaign members, which never keep their Ids\n',
  );
  const healed = await compared(ctx, vault, org);
  show(diffText(healed, [], 'fields', paint));

  say('\n9. and back: undo returns every field to its before-image\n');
  const undone = await undo(ctx, { vault, place, org, restore: restored.result.restoreId! }, options);
  show(restoreText(undone.result, paint));
  return { damage: done, damaged, healed, plan: planned, restored, undone };
}

async function compared(ctx: CommandContext, vault: Vault, org: Org): Promise<DiffResult> {
  const { diff } = await import('../operations/diff/diff.ts');
  const { findPoint } = await import('../operations/points.ts');
  const { PointReader } = await import('../vault/point-reader.ts');
  const from = await PointReader.open(vault, await findPoint(ctx, vault, 'latest'));
  const request = {
    selection: { objects: [], exclude: [], ids: undefined, where: undefined },
    fields: [],
    allFields: false,
    changedBy: undefined,
    between: undefined,
    full: false,
    parallel: 4,
    withValues: false,
  };
  return diff(ctx, from, org, request);
}

async function undo(
  ctx: CommandContext,
  given: { vault: Vault; place: RestorePlace; org: Org; restore: string },
  options: { folder: string },
): Promise<Restored> {
  const operation = await import('../operations/restore/undo.ts');
  const planned = await operation.planUndo(ctx, given);
  return operation.runUndo(ctx, { ...given, planned, options });
}
