import { Fault } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openCopyAt, openVault, vaultExits } from '../open-vault.ts';
import { repairText } from '../output/copied.ts';

export const repair = defineCommand({
  name: 'repair',
  summary: 'heal damaged and missing objects of the vault from a copy',
  description:
    'Reads the whole vault. What is missing, or does not have the digest that its signed list states, is taken from the copy if it has it there: the ' +
    'copy need not be trusted. Needs no key, and the right to delete, since a damaged object is deleted and put again.',
  flags: {
    from: { value: 'url', kind: 'path', summary: 'the copy', config: false },
    'dry-run': { summary: 'say what is damaged, and what the copy could heal', config: false },
  },
  examples: [
    { command: 'salvor repair --from s3://other-bucket/salvor --dry-run', summary: 'what the copy could heal' },
  ],
  exits: [...vaultExits],
  async run(ctx, { flags }) {
    if (flags.from === undefined)
      throw new Fault('usage', 'no copy is named', { actions: ['name it with --from <url>'] });
    const from = await openCopyAt(ctx, flags.from);
    const vault = await openVault(ctx, { writer: 'no', identity: 'no', operation: 'write' });
    const operation = await import('../../operations/copy/repair.ts');
    const result = await operation.repair(ctx, vault, from, flags.dryRun);
    const [first] = result.unhealed;
    const fault =
      first &&
      new Fault(
        'verify-failed',
        `${result.unhealed.length} object(s) are still damaged: ${first.problem}; ${first.why}`,
      );
    return { result, human: (paint) => repairText(result, paint), ...(fault ? { fault } : {}) };
  },
});
