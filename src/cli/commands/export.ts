import path from 'node:path';
import { Fault } from '../../errors.ts';
import type { ExportRequest } from '../../operations/export/request.ts';
import type { Vault } from '../../vault/vault.ts';
import { logAccess } from '../access-log.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { exportText } from '../output/exported.ts';
import { selectionFlags, selectionOf } from '../selection-flags.ts';

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'rows and files of a point for other programs: a zip of CSV, a workbook or an SQLite database',
  description:
    'csv: a zip with a CSV for each object, the files in their original bytes and names under files/, and a manifest with the SHA-256 of every entry. ' +
    'xlsx: a workbook with a sheet for each object, texts as texts and never as formulas. sqlite: a database with a table for each object, typed columns ' +
    'and Id as primary key. The file is readable by its owner only, appears when it is whole, and replaces none. It holds values in the clear unless it is ' +
    'encrypted; nothing in plaintext touches the disk then, so that an encrypted database is made in memory.',
  arguments: { point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!', required: true } },
  flags: {
    to: { value: 'file', kind: 'path', summary: 'the file that is made', config: false },
    format: {
      value: 'format',
      choices: ['csv', 'xlsx', 'sqlite'],
      default: 'csv',
      summary: 'what the file is',
    },
    ...selectionFlags,
    'no-files': { summary: 'csv: without the bytes of files', config: false },
    'with-files': { summary: 'xlsx, sqlite: a zip with the workbook or database, and the files', config: false },
    'safe-for-spreadsheets': {
      summary:
        'csv: an apostrophe in front of texts that a spreadsheet would take for a formula; values are changed by it',
    },
    'encrypt-output': { summary: "an age file that the vault's own recovery identities open" },
    'encrypt-to': { value: 'age1…', repeatable: true, summary: 'an age file for this recipient' },
  },
  examples: [
    { command: 'salvor export latest --to org.zip', summary: 'everything, as CSV and files' },
    {
      command: 'salvor export latest --objects Account,Contact --format xlsx --to accounts.xlsx',
      summary: 'two sheets',
    },
    {
      command: 'salvor export latest --to org.zip.age --encrypt-output',
      summary: 'encrypted to the recovery identities',
    },
  ],
  exits: [...vaultExits, 3],
  async run(ctx, { flags, arguments: given }) {
    if (flags.to === undefined) throw new Fault('usage', 'no file is named', { actions: ['name it: --to org.zip'] });
    if (flags.safeForSpreadsheets && flags.format !== 'csv')
      throw new Fault('usage', '--safe-for-spreadsheets is for csv: a workbook and a database hold no formulas anyway');
    if (flags.noFiles && flags.withFiles) throw new Fault('usage', '--with-files and --no-files contradict each other');
    const selection = await selectionOf(flags);
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'read', warns: true });
    try {
      const { findPoint } = await import('../../operations/points.ts');
      const { PointReader } = await import('../../vault/point-reader.ts');
      const { cutTexts, exportPoint } = await import('../../operations/export/export.ts');
      const point = await PointReader.open(vault, await findPoint(ctx, vault, given.point));
      const request: ExportRequest = {
        selection,
        fields: flags.fields,
        changedBy: flags.changedBy,
        between: await windowOf(flags.between),
        format: flags.format,
        files: flags.withFiles || (flags.format === 'csv' && !flags.noFiles),
        safeForSpreadsheets: flags.safeForSpreadsheets,
        to: path.resolve(flags.to),
        recipients: await recipientsOf(vault, flags),
        tool: ctx.tool,
      };
      const named = { ...flags, idsFile: undefined, ids: selection.ids && [...selection.ids.sorted()] };
      const access = { what: 'export', point: point.root.point, selection: named } as const;
      const result = await exportPoint(ctx, point, request, (objects) => logAccess(ctx, vault, { ...access, objects }));
      const fault = cutTexts(result);
      return { result, human: (paint) => exportText(result, paint), ...(fault ? { fault } : {}) };
    } finally {
      await vault.store.close();
    }
  },
});

async function windowOf(text: string | undefined): Promise<ExportRequest['between']> {
  if (text === undefined) return undefined;
  const { parseWindow } = await import('../../operations/select/window.ts');
  return parseWindow(text, 'between');
}

async function recipientsOf(
  vault: Vault,
  flags: { readonly encryptOutput: boolean; readonly encryptTo: readonly string[] },
): Promise<string[]> {
  const { checkRecipient } = await import('../../age/header.ts');
  for (const recipient of flags.encryptTo) checkRecipient(recipient);
  return [...new Set([...(flags.encryptOutput ? vault.trust.recipients : []), ...flags.encryptTo])];
}
