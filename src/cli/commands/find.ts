import type { FindRequest } from '../../operations/find/request.ts';
import { logAccess } from '../access-log.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { bytes, countOf } from '../output/figures.ts';
import { foundText } from '../output/found.ts';

export const find = defineCommand({
  name: 'find',
  summary: 'in which points a record stands, and how it changed',
  description:
    'With the Id of a record: its versions over all points of the vault, when it was first and last seen, between which points it changed, and who changed it. ' +
    'It reads what can hold the record, once for all points that share it. With a text: the records in which it stands or ever stood, whatever its case; ' +
    'that reads every row of the objects that are named. Values are never shown unless asked for.',
  arguments: { what: { summary: 'Id of a record, or a text', required: true } },
  flags: {
    objects: {
      value: 'names',
      kind: 'list',
      summary: 'look for the text in these objects; * stands for any characters',
      config: false,
    },
    fields: { value: 'names', kind: 'list', summary: 'look for the text in these fields', config: false },
    text: { summary: 'take it as a text, also where it looks like an Id', config: false },
    limit: {
      value: 'number',
      kind: 'integer',
      least: 1,
      most: 10_000,
      default: 20,
      summary: 'records with the text that are shown',
    },
    'all-fields': { summary: 'a change of formulas, roll-ups and stamps makes a version too' },
    'with-values': { summary: 'the values that changed, before and after: these are personal data', config: false },
  },
  examples: [
    { command: 'salvor find 0015e000001AbCdAAM', summary: 'one record through all points' },
    { command: 'salvor find "Acme" --objects Account --fields Name', summary: 'records by a text, gone ones too' },
  ],
  exits: [...vaultExits],
  async run(ctx, { flags, arguments: { what } }) {
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'read', warns: true });
    try {
      const request: FindRequest = {
        find: what,
        asText: flags.text,
        objects: flags.objects,
        fields: flags.fields,
        limit: flags.limit,
        allFields: flags.allFields,
        withValues: flags.withValues,
      };
      if (flags.withValues)
        await logAccess(ctx, vault, {
          what: 'find',
          ...(flags.objects.length > 0 ? { objects: [...flags.objects] } : {}),
          selection: request,
        });
      const operation = await import('../../operations/find/find.ts');
      const result = await operation.find(ctx, vault, request, (segments, size) => {
        const message = `reading ${countOf(segments, 'segment')} of all points for it, ${bytes(size)}`;
        ctx.report({ type: 'note', message });
      });
      for (const { point, reason } of result.notSearched)
        if (point !== undefined) ctx.report({ type: 'warning', name: 'not-searched', message: `${point}: ${reason}` });
      return { result, human: (paint) => foundText(result, paint) };
    } finally {
      await vault.store.close();
    }
  },
});
