import { Fault } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { accessText } from '../output/access.ts';

export const report = defineCommand({
  name: 'report',
  summary: 'evidence of what was done with a vault',
  description:
    '--access lists who read rows or used keys, newest first: show of rows, diff with values, export, restore, undo, prune, keep, hold, and keys that were tested, added, ' +
    'rotated or printed. Each stands in the signed log; the name is what that machine said of itself (SALVOR_ACTOR sets it), proven is which key signed. ' +
    'Without an identity only the times and the signing keys are shown.',
  flags: {
    access: { summary: 'who read rows or used keys', config: false },
    since: { value: 'time', summary: 'only what was done since: 2026-11-01 or 2026-11-22T10:17Z', config: false },
  },
  examples: [{ command: 'salvor report --access --since 2026-11-01', summary: 'who looked at rows this month' }],
  exits: [...vaultExits],
  async run(ctx, { flags }) {
    if (!flags.access) throw new Fault('usage', 'say what to report', { actions: ['give --access'] });
    const { parseWindow } = await import('../../operations/select/window.ts');
    const since = flags.since === undefined ? Number.NEGATIVE_INFINITY : parseWindow(`${flags.since}..`, 'since').from;
    const vault = await openVault(ctx, { writer: 'optional', identity: 'optional', operation: 'read' });
    const { listAccess } = await import('../../operations/access-report.ts');
    const { access, problems } = await listAccess(vault, since);
    for (const { name, message } of problems) ctx.report({ type: 'warning', name, message });
    const damaged = problems.find(({ exit }) => exit === 4);
    return {
      result: { access },
      human: (paint) => accessText(access, paint),
      ...(damaged ? { fault: damaged } : {}),
    };
  },
});
