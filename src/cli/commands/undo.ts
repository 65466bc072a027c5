import { logAccess } from '../access-log.ts';
import { defineCommand } from '../command.ts';
import { assertAnchored, confirmRestore } from '../confirm-restore.ts';
import { connectLasting, connectToWrite } from '../login.ts';
import { openJournalStore, openVault, vaultExits } from '../open-vault.ts';
import { planText, restoredOutcome } from '../output/restore.ts';
import { restoreFlags } from '../restore-flags.ts';

const undoFlags = {
  'dry-run': restoreFlags['dry-run'],
  confirm: restoreFlags.confirm,
  'allow-email': restoreFlags['allow-email'],
  bypass: restoreFlags.bypass,
  'max-errors': restoreFlags['max-errors'],
  'max-api-percent': restoreFlags['max-api-percent'],
  'max-api-calls': restoreFlags['max-api-calls'],
  'org-timeout': restoreFlags['org-timeout'],
  'journal-to': restoreFlags['journal-to'],
  'result-folder': restoreFlags['result-folder'],
} as const;

export const undo = defineCommand({
  name: 'undo',
  summary: 'put back what a restore replaced',
  description:
    'Returns every field that the restore wrote to its before-image, deletes what it made and what it took out of the recycle bin, and undeletes ' +
    'what it deleted. Fields that somebody edited since, by value, are kept and listed. It is a restore itself, and can be undone.',
  arguments: { 'restore-id': { summary: 'as restore printed it, or its beginning', required: true } },
  flags: undoFlags,
  examples: [{ command: 'salvor undo R20261125T190602Z-45f171 --dry-run', summary: 'what would be taken back' }],
  exits: [...vaultExits, 3, 69, 75],
  async run(ctx, { flags, arguments: given }) {
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'write', warns: true });
    const org = await connectToWrite(ctx, flags);
    const lasting = await connectLasting(ctx, flags.bypass);
    try {
      const { restoreNamed, restorePlace, assertBypass, dryRunResult, goOn, openUndo } = await import(
        '../../operations/restore/restore.ts'
      );
      const operation = await import('../../operations/restore/undo.ts');
      const place = await restorePlace(vault, await openJournalStore(ctx, flags.journalTo));
      const undone = { vault, place, org, restore: await restoreNamed(ctx, place, given['restore-id']) };
      const options = { maxErrors: flags.maxErrors, folder: flags.resultFolder, bypass: flags.bypass, lasting };
      await assertBypass(org, flags.bypass);
      const open = flags.dryRun ? undefined : await openUndo(ctx, place, undone.restore);
      if (open) {
        // What it does was confirmed when it began.
        assertAnchored(vault.anchored, org.identity);
        await logAccess(ctx, vault, { what: 'undo', restore: undone.restore }, flags.journalTo);
        ctx.report({ type: 'note', message: `going on with ${open.restore}, which takes it back and has not ended` });
        return restoredOutcome(await goOn(ctx, { vault, place, org, restore: open, options }));
      }
      const planned = await operation.planUndo(ctx, undone);
      if (flags.dryRun) {
        const result = { ...dryRunResult(planned), undoes: undone.restore };
        return { result, human: (paint) => planText(planned, paint) };
      }
      await confirmRestore(ctx, vault.anchored, org.identity, planned, flags);
      const selection = planned.digest;
      await logAccess(ctx, vault, { what: 'undo', restore: undone.restore, selection }, flags.journalTo);
      return restoredOutcome(await operation.runUndo(ctx, { ...undone, planned, options }));
    } finally {
      await lasting?.close();
      await org.close();
      await vault.store.close();
    }
  },
});
