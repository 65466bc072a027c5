import { Fault } from '../../errors.ts';
import type { PatchWriter } from '../../operations/diff/patch-file.ts';
import type { DiffRequest, DiffResult, NotCompared, RecordDiff } from '../../operations/diff/request.ts';
import type { Org } from '../../salesforce/org.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { Vault } from '../../vault/vault.ts';
import { logAccess } from '../access-log.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { connectOrg } from '../login.ts';
import { assertNewFile, writeNewFile } from '../new-file.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { type Detail, diffCsv, diffText } from '../output/diff.ts';
import { diffHtml, type ReportOf } from '../output/diff-html.ts';
import { makePaint, type Paint } from '../output/paint.ts';
import { selectionFlags, selectionOf } from '../selection-flags.ts';

export const diff = defineCommand({
  name: 'diff',
  summary: 'what differs between two points, or a point and the org now',
  description:
    'Added stands in the second state and not in the first. Against the org it reads what was stamped since the point, what is gone, and lookups to ' +
    'rows that are gone: the cost follows the size of the change. Values are compared by their types. Formulas, roll-ups, auto numbers and stamps are ' +
    'left out, and values are never shown, unless asked for.',
  arguments: {
    points: {
      summary:
        '<from> or <from>..<to>, each the name of a point; <to> may be live, the org now, and is when it is left out',
      required: true,
    },
  },
  flags: {
    ...selectionFlags,
    stat: { summary: 'counts only, without fields', config: false },
    'name-only': { summary: 'names of the objects that differ, and nothing else', config: false },
    records: { summary: 'each record that differs, with the names of its fields', config: false },
    'with-values': { summary: 'each record that differs, with the values: these are personal data', config: false },
    'all-fields': { summary: 'compare formulas, roll-ups, auto numbers and stamps too' },
    compare: {
      value: 'how',
      choices: ['changes', 'full'],
      default: 'changes',
      summary: 'changes: what stamps, counts and deletions point at; full: read every row',
    },
    format: {
      value: 'format',
      choices: ['human', 'json', 'csv', 'html'],
      default: 'human',
      summary:
        'csv: a line for each field of each record with --records, else for each object; html: one page for a browser or for paper, without scripts',
      config: false,
    },
    output: { value: 'file', kind: 'path', summary: 'write it to this new file (mode 0600)', config: false },
    patch: {
      value: 'file',
      kind: 'path',
      summary:
        'write the records that differ, with the names of their fields, to this new file (mode 0600) for `salvor restore <from> --patch`; the values too with --with-values',
      config: false,
    },
    'exit-code': {
      summary:
        'exit with 6 when there are differences, with 3 when an object that --objects takes in could not be compared',
      config: false,
    },
    parallel: {
      value: 'number',
      kind: 'integer',
      least: 1,
      most: 100,
      default: 4,
      summary: 'objects that are compared at the same time',
    },
  },
  examples: [
    { command: 'salvor diff latest', summary: 'what changed in the org since the newest good point' },
    {
      command: 'salvor diff latest --records --changed-by jane@example.com',
      summary: "one user's changes, record by record",
    },
    { command: 'salvor diff latest~1..latest --stat', summary: 'two points' },
    {
      command: 'salvor diff latest~1..latest --format html --records --output changes.html',
      summary: 'a report to hand on',
    },
    {
      command: 'salvor diff latest~1..latest --patch changes.patch',
      summary: 'what `salvor restore latest~1 --patch changes.patch` would put back',
    },
  ],
  exits: [...vaultExits, 3, 6, 69],
  async run(ctx, { flags, arguments: { points } }) {
    const [from, to] = pointsOf(points);
    const selection = await selectionOf(flags);
    if (flags.output !== undefined) await assertNewFile(flags.output);
    const vault = await openVault(ctx, { writer: 'optional', identity: 'required', operation: 'read', warns: true });
    const org = to === 'live' ? await connectOrg(ctx) : undefined;
    try {
      const request: DiffRequest = {
        selection,
        fields: flags.fields,
        allFields: flags.allFields,
        changedBy: flags.changedBy === undefined ? undefined : await actorId(ctx, org, flags.changedBy),
        between: flags.between === undefined ? undefined : await windowOf(flags.between),
        full: flags.compare === 'full',
        parallel: flags.parallel,
        withValues: flags.withValues,
      };
      // With a patch, values that are asked for stand in it.
      const listed = flags.records || (flags.withValues && flags.patch === undefined);
      const records: RecordDiff[] | undefined = listed ? [] : undefined;
      const states = await statesOf(ctx, vault, from, org ?? to);
      if (flags.withValues) await noted(ctx, states, request, points);
      const patch = flags.patch === undefined ? undefined : await patchOf(ctx, states, flags.patch, flags.withValues);
      const found = await compared(ctx, states, request, records, patch);
      records?.sort(byObjectAndId);
      if (flags.exitCode || flags.format === 'csv' || flags.nameOnly) warnOfNotCompared(ctx, found);
      const result = { ...found, ...(records ? { records } : {}), ...(patch ? { patch: patch.finish() } : {}) };
      const { encodeRow } = await import('../../rows/csv.ts');
      const detail: Detail = flags.nameOnly ? 'names' : flags.stat ? 'counts' : 'fields';
      const human = (paint: Paint) => {
        if (flags.format === 'json') return JSON.stringify(result, null, 2);
        if (flags.format === 'csv') return diffCsv(found, records, encodeRow);
        if (flags.format === 'html') return diffHtml(found, records, reportOf(ctx, states));
        return diffText(found, records ?? [], detail, paint, result.patch);
      };
      const { output } = flags;
      if (output === undefined) return { result, human, ...faultOf(found, flags) };
      await writeNewFile(output, human(makePaint(false)).replace(/\n*$/, '\n'));
      return { result: { ...result, output }, human: () => `written to ${output}`, ...faultOf(found, flags) };
    } finally {
      await org?.close();
      await vault.store.close();
    }
  },
});

/** The names of the two states. */
function pointsOf(text: string): [from: string, to: string] {
  const [from = '', to = 'live', ...more] = text.split('..');
  if (from === '' || from === 'live' || to === '' || more.length > 0)
    throw new Fault('usage', `${text} names no two states`, {
      actions: ['write <point>, <point>..live or <point>..<point>, the older one first'],
    });
  return [from, to];
}

/** The two states that are compared. */
interface States {
  readonly vault: Vault;
  readonly from: PointReader;
  readonly to: PointReader | Org;
}

async function statesOf(ctx: CommandContext, vault: Vault, from: string, to: string | Org): Promise<States> {
  const { findPoint } = await import('../../operations/points.ts');
  const { PointReader } = await import('../../vault/point-reader.ts');
  const open = async (name: string) => PointReader.open(vault, await findPoint(ctx, vault, name));
  const before = await open(from);
  return { vault, from: before, to: typeof to === 'string' ? await open(to) : to };
}

/** Awaited before a row is read. */
async function noted(ctx: CommandContext, { vault, from, to }: States, request: DiffRequest, points: string) {
  const { objectsAsked } = await import('../../operations/diff/diff.ts');
  const { ids, ...named } = request.selection;
  await logAccess(ctx, vault, {
    what: 'diff',
    point: from.root.point,
    to: 'root' in to ? to.root.point : 'live',
    objects: await objectsAsked(ctx, from, to, request),
    selection: { points, ...named, ids: ids && [...ids.sorted()] },
  });
}

async function compared(
  ctx: CommandContext,
  { from, to }: States,
  request: DiffRequest,
  records: RecordDiff[] | undefined,
  patch: PatchWriter | undefined,
): Promise<DiffResult> {
  const operation = await import('../../operations/diff/diff.ts');
  const onRecord = (record: RecordDiff) => {
    records?.push(record);
    patch?.add(record);
  };
  try {
    return await operation.diff(ctx, from, to, request, records || patch ? onRecord : undefined);
  } catch (error) {
    patch?.abandon();
    throw error;
  }
}

async function patchOf(ctx: CommandContext, { vault, from, to }: States, file: string, values: boolean) {
  const { PatchWriter } = await import('../../operations/diff/patch-file.ts');
  const named = ({ root, entry }: PointReader) => ({ point: root.point, digest: entry.digest });
  return new PatchWriter(file, {
    v: 1,
    kind: 'patch',
    vault: vault.info.vault,
    org: from.root.org.id,
    from: named(from),
    to: 'root' in to ? named(to) : { point: 'live', at: ctx.now().toISOString() },
    values,
  });
}

function reportOf(ctx: CommandContext, { from, to }: States): ReportOf {
  const made = ctx.now().toISOString();
  return {
    org: from.root.org,
    from: from.root.ended,
    to: 'root' in to ? to.root.ended : made,
    made,
    tool: ctx.tool,
  };
}

async function actorId(ctx: CommandContext, org: Org | undefined, text: string): Promise<string> {
  const { findActor } = await import('../../operations/select/actor.ts');
  if (org) return (await findActor(org, text)).id;
  // Two points are compared without the org, which is asked for this one thing only.
  const asked = await connectOrg(ctx);
  try {
    return (await findActor(asked, text)).id;
  } finally {
    await asked.close();
  }
}

async function windowOf(text: string) {
  const { parseWindow } = await import('../../operations/select/window.ts');
  return parseWindow(text, 'between');
}

function byObjectAndId(a: RecordDiff, b: RecordDiff): number {
  return a.object < b.object ? -1 : a.object > b.object ? 1 : a.id < b.id ? -1 : 1;
}

/** Where what is printed has no place for it. */
function warnOfNotCompared(ctx: CommandContext, { notCompared }: DiffResult): void {
  if (notCompared.length === 0) return;
  const were = notCompared.length === 1 ? '1 object was' : `${notCompared.length} objects were`;
  ctx.report({ type: 'warning', name: 'not-compared', message: `${were} not compared: ${named(notCompared, 1)}` });
}

/** `Case (why) and 51 more` */
function named(notCompared: readonly NotCompared[], most: number): string {
  const first = notCompared.slice(0, most).map(({ object, reason }) => `${object} (${reason})`);
  return first.join('; ') + (notCompared.length > most ? ` and ${notCompared.length - most} more` : '');
}

/** An object that could not be compared weighs more than differences that were found; one that a point leaves out does where it was asked for. */
function faultOf(
  { notCompared, objects }: DiffResult,
  flags: { readonly objects: readonly string[]; readonly exitCode: boolean },
): { fault?: Fault } {
  const failed = notCompared.filter((one) => one.failed);
  if (failed.length > 0) {
    return {
      fault: new Fault('object-failed', `not compared: ${named(failed, 3)}`, {
        actions: ['run `salvor diff` again, or leave these objects out with --exclude'],
      }),
    };
  }
  if (!flags.exitCode) return {};
  if (flags.objects.length > 0 && notCompared.length > 0)
    return { fault: new Fault('not-compared', `not compared: ${named(notCompared, 3)}`) };
  if (objects.length === 0) return {};
  return {
    fault: new Fault('differences', `${objects.length} ${objects.length === 1 ? 'object differs' : 'objects differ'}`),
  };
}
