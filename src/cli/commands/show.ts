import { logAccess } from '../access-log.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { objectText, pointText, recordText } from '../output/shown.ts';

/** Stored bytes of rows that are looked through for children without being asked. */
const mostBytes = 32_000_000;

export const show = defineCommand({
  name: 'show',
  summary: 'counts, coverage, fields, rows, one record and its history',
  description:
    'A point alone: what is in it, and what is not. With an object: its fields and, with --with-values or --json, rows. With an Id: the record, ' +
    'what it refers to and how many records refer to it within the point, and its versions in all points.',
  arguments: {
    point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!', required: true },
    object: { summary: 'API name, as Account' },
    id: { summary: 'Id of a record' },
  },
  flags: {
    limit: { value: 'number', kind: 'integer', most: 10_000, default: 20, summary: 'rows of one page' },
    after: { value: 'Id', summary: 'rows behind this Id', config: false },
    'all-children': {
      summary:
        'look through large objects too for records that refer to it: else up to 32 MB of stored rows, small objects first',
    },
    'with-values': { summary: 'print the values of rows on the terminal too', config: false },
  },
  examples: [
    { command: 'salvor show latest', summary: 'what the newest good point holds' },
    { command: 'salvor show latest Account --limit 5 --json', summary: 'five rows, with an identity' },
    {
      command: 'salvor show latest Account 0015e000001AbCdAAM',
      summary: 'a record, its related records and its history',
    },
  ],
  exits: [...vaultExits],
  async run(ctx, { flags, arguments: given }) {
    const rows = given.object !== undefined;
    const vault = await openVault(ctx, {
      writer: 'optional',
      identity: rows ? 'required' : 'optional',
      operation: 'read',
      warns: true,
    });
    const { findPoint } = await import('../../operations/points.ts');
    const { showPoint, showObject, showRecord } = await import('../../operations/show.ts');
    const entry = await findPoint(ctx, vault, given.point);
    if (given.object === undefined) {
      const result = await showPoint(vault, entry);
      return { result, human: (paint) => pointText(result, paint) };
    }
    const selection = { id: given.id, limit: flags.limit, after: flags.after };
    const noted = logAccess(ctx, vault, {
      what: 'show',
      point: entry.record.point,
      objects: [given.object],
      selection,
    });
    // Awaited before anything is shown; the rows are read meanwhile.
    noted.catch(() => {});
    if (given.id === undefined) {
      const { page, ...shown } = await showObject(vault, entry, given.object, {
        limit: flags.limit,
        after: flags.after,
      });
      await noted;
      const result = {
        object: shown.object,
        rows: page,
        count: shown.rows,
        complete: shown.complete,
        reason: shown.reason,
        fields: shown.fields,
      };
      return { result, human: (paint) => objectText({ ...shown, page: flags.withValues ? page : [] }, paint) };
    }
    const result = await showRecord(ctx, vault, entry, {
      object: given.object,
      id: given.id,
      most: flags.allChildren ? Number.POSITIVE_INFINITY : mostBytes,
      withValues: flags.withValues,
    });
    await noted;
    return { result, human: (paint) => recordText(result, flags.withValues, paint) };
  },
});
