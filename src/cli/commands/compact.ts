import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { compactedText } from '../output/compacted.ts';

export const compact = defineCommand({
  name: 'compact',
  summary: 'merge small segments, where an identity is at hand',
  description:
    'Merges what incremental points wrote of an object into one base, as a new point that says the same as the newest one and that later points go on ' +
    'from. Reading, comparing and restoring then open fewer objects. An object whose lookups may name rows of objects that only other ' +
    'points hold stays as it is: take a point of all of them first. Nothing that earlier points list is changed; `backup` also reads a new base by ' +
    'itself when the changes pass half of one. When the newest point is damaged, none is merged (exit 4): `salvor backup` takes one that can be.',
  flags: { objects: { value: 'names', kind: 'list', summary: 'only these objects; * stands for any characters' } },
  examples: [{ command: 'salvor compact', summary: 'after a month of small points' }],
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'write', warns: true });
    try {
      const operation = await import('../../operations/compact.ts');
      const result = await operation.compact(ctx, vault, { objects: flags.objects, tool: ctx.tool });
      return { result, human: (paint) => compactedText(result, paint) };
    } finally {
      await vault.store.close();
    }
  },
});
