import { createHash } from 'node:crypto';
import { Fault } from '../errors.ts';
import type { PatchHeader } from '../operations/diff/patch-file.ts';
import type { Incident } from '../operations/restore/compared.ts';
import type { MappingRule } from '../operations/restore/mapping.ts';
import type { Asked } from '../operations/restore/request.ts';
import type { SelectionRequest } from '../operations/select/selection.ts';
import type { Org } from '../salesforce/org.ts';
import type { Vault } from '../vault/vault.ts';
import type { CommandContext, Flags, FlagValues } from './command.ts';
import { selectionFlags, selectionOf } from './selection-flags.ts';

export const restoreFlags = {
  ...selectionFlags,
  'changed-by': {
    value: 'user or app',
    summary: 'names an incident: what this user changed or deleted; username, name or Id',
    config: false,
  },
  between: {
    value: 't1..t2',
    summary: 'the same as --incident',
    config: false,
  },
  patch: {
    value: 'file',
    kind: 'path',
    summary: 'only the records that `salvor diff <point>.. --patch` found changed or deleted since the point',
    config: false,
  },
  all: { summary: 'everything that the point holds', config: false },
  incident: {
    value: 't1..t2',
    summary: 'names an incident: what was changed or deleted in this time, as 2026-11-22T09:00Z..2026-11-22T10:30Z',
    config: false,
  },
  after: { value: 'point', summary: 'names an incident: the point that shows its damage', config: false },
  overwrite: { summary: 'put every selected difference back, whoever made it', config: false },
  conflicts: {
    value: 'what',
    choices: ['keep', 'overwrite'],
    default: 'keep',
    summary: 'fields that somebody changed since the incident',
    config: false,
  },
  'write-nulls': { summary: 'clear fields that the point has empty, too', config: false },
  'delete-created': { summary: 'delete what was created since, into the recycle bin', config: false },
  'with-parents': {
    value: 'depth',
    bare: '1',
    summary: 'take in missing parents, so many levels up, or all',
    config: false,
  },
  'with-children': {
    value: 'depth',
    bare: '1',
    summary: 'take in children, so many levels down, or all',
    config: false,
  },
  relationship: {
    value: 'Object.Field=yes|no',
    repeatable: true,
    summary: 'follow this lookup, or never, whatever the depths say',
    config: false,
  },
  mapping: {
    value: 'file',
    kind: 'path',
    summary: 'JSON: for each object, names or Ids in the point to those in the org (users, record types, queues …)',
  },
  unmapped: {
    value: 'what',
    choices: ['abort', 'default', 'skip'],
    default: 'abort',
    summary:
      'references to setup of another org that nothing is found for: abort, leave the field to the org, or skip the row',
  },
  'dry-run': { summary: 'show the plan; write nothing', config: false },
  'plan-out': { value: 'file', kind: 'path', summary: 'save the plan, and do nothing else', config: false },
  plan: { value: 'file', kind: 'path', summary: 'apply exactly this plan', config: false },
  confirm: {
    value: 'alias, username or org Id',
    summary: 'confirms a restore into the org that is named, where nobody can be asked',
    config: false,
  },
  'allow-email': {
    summary: 'restore into production although its e-mail deliverability is not known',
    config: false,
  },
  'accept-partial': { summary: 'restore from objects that are not whole in the point', config: false },
  bypass: {
    value: 'switch',
    summary:
      "the org's own switch for automation, on while this restore writes: Setting__c.Checkbox__c, or a permission set",
  },
  'heal-automation': {
    summary: 'switch back what a restore that died left switched on, and do nothing else',
    config: false,
  },
  'max-errors': {
    value: 'percent',
    kind: 'number',
    default: 10,
    summary: 'stop when more rows of an object fail; 20 rows always may',
  },
  'max-duration': { value: 'time', summary: 'refuse what is predicted to take longer: 90m, 4h' },
  'max-api-percent': {
    value: 'percent',
    kind: 'number',
    default: 95,
    summary: "stop, resumable, when this much of the org's daily API requests is used, by anybody",
  },
  'max-api-calls': {
    value: 'number',
    kind: 'integer',
    summary: 'stop, resumable, after so many API calls of this run',
  },
  'org-timeout': {
    value: 'time',
    summary: 'give up a request that the org leaves unanswered, or half answered, for this time: 30s, 5m',
  },
  'journal-to': {
    value: 'folder',
    kind: 'path',
    summary: 'keep the journal and before-images here, encrypted, when the vault cannot be written to',
  },
  resume: { value: 'restore-id', summary: 'go on with this restore', config: false },
  end: {
    value: 'restore-id',
    summary: 'leave an interrupted restore as it stands, and do nothing else; it can be undone',
    config: false,
  },
  'result-folder': {
    value: 'folder',
    kind: 'path',
    default: '.',
    summary: 'where the lists of Ids and of failed rows are written',
  },
} as const satisfies Flags;

type Given = FlagValues<typeof restoreFlags>;

/** What the flags say when none is given; for commands that make a plan in another way. */
export const defaultRestoreFlags: Given = {
  objects: [],
  exclude: [],
  ids: [],
  idsFile: undefined,
  where: undefined,
  fields: [],
  changedBy: undefined,
  between: undefined,
  patch: undefined,
  all: false,
  incident: undefined,
  after: undefined,
  overwrite: false,
  conflicts: 'keep',
  writeNulls: false,
  deleteCreated: false,
  withParents: undefined,
  withChildren: undefined,
  relationship: [],
  mapping: undefined,
  unmapped: 'abort',
  dryRun: false,
  planOut: undefined,
  plan: undefined,
  confirm: undefined,
  allowEmail: false,
  acceptPartial: false,
  bypass: undefined,
  healAutomation: false,
  maxErrors: 10,
  maxDuration: undefined,
  maxApiPercent: 95,
  maxApiCalls: undefined,
  orgTimeout: undefined,
  journalTo: undefined,
  resume: undefined,
  end: undefined,
  resultFolder: '.',
};

const kept = [
  ...[
    'objects',
    'exclude',
    'ids',
    'idsFile',
    'patch',
    'where',
    'fields',
    'changedBy',
    'between',
    'all',
    'incident',
    'after',
  ],
  ...[
    'overwrite',
    'conflicts',
    'writeNulls',
    'deleteCreated',
    'withParents',
    'withChildren',
    'relationship',
    'unmapped',
  ],
] as const;

/** What the flags name in files, which are read once: a file may be a pipe. */
export interface NamedInFiles {
  readonly selection: SelectionRequest;
  readonly patch: PatchHeader | undefined;
  readonly rules: readonly MappingRule[];
}

/** Throws `usage` for what is no Id, no patch and no mapping, `nothing-selected` for a file without any Id, `patch-edited`. */
export async function namedInFiles(flags: Given): Promise<NamedInFiles> {
  const selection = await selectionOf(flags);
  const rules = await mappingRules(flags.mapping);
  if (flags.patch === undefined) return { selection, rules, patch: undefined };
  if (selection.ids)
    throw new Fault('usage', '--patch names the records itself: --ids and --ids-file do not go with it');
  const { readPatch } = await import('../operations/diff/patch-file.ts');
  const { takesIn } = await import('../operations/select/selection.ts');
  const { header, ids } = await readPatch(flags.patch, (object) => takesIn(selection, object));
  return { selection: { ...selection, idsByObject: ids }, rules, patch: header };
}

/** What is to be restored, as a plan keeps it: the flags, the point as it was named, and digests of what is named in files. */
export function keptFlags(
  flags: Given,
  point: string | undefined,
  { selection, rules }: NamedInFiles,
): Record<string, unknown> {
  return {
    point: point ?? null,
    ...Object.fromEntries(kept.map((name) => [name, flags[name] ?? null])),
    idsFile: flags.idsFile === undefined ? null : digestOf(selection.ids!.sorted()),
    patch: flags.patch === undefined ? null : digestOf(idsOf(selection.idsByObject!)),
    mapping:
      flags.mapping === undefined
        ? null
        : digestOf(rules.map(({ object, from, to }) => JSON.stringify([object, from, to]))),
  };
}

function* idsOf(byObject: NonNullable<SelectionRequest['idsByObject']>): Generator<string> {
  for (const object of [...byObject.keys()].sort()) yield* byObject.get(object)!.sorted();
}

function digestOf(lines: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
}

/** What is done was said when the plan was made. Throws `usage` when the command line says more of it beside `flag`. */
export function assertAlone({ commandLine }: CommandContext, flag: 'plan' | 'resume'): void {
  const names = [...kept, 'mapping', 'planOut'].map((name) => name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`));
  const other = names.find((name) => commandLine.has(name));
  if (other === undefined) return;
  throw new Fault('usage', `--${flag} does what its plan says: --${other} does not go with it`);
}

/** What the flags ask for. Throws `usage`, and what finding the actor and the points throws. */
export async function askedOf(
  ctx: CommandContext,
  { vault, org, point }: { readonly vault: Vault; readonly org: Org; readonly point: string },
  flags: Given,
  named?: NamedInFiles,
): Promise<Asked> {
  const files = named ?? (await namedInFiles(flags));
  if (files.patch) await assertPatch(ctx, vault, point, files.patch);
  const { parseDepth, parseRelationships } = await import('../operations/restore/request.ts');
  return {
    selection: files.selection,
    all: flags.all,
    incident: await incidentOf(ctx, vault, org, point, flags),
    fields: flags.fields,
    overwrite: flags.overwrite,
    overwriteConflicts: flags.conflicts === 'overwrite',
    writeNulls: flags.writeNulls,
    deleteCreated: flags.deleteCreated,
    related: {
      parents: parseDepth('with-parents', flags.withParents),
      children: parseDepth('with-children', flags.withChildren),
      relationships: parseRelationships(flags.relationship),
    },
    mapping: { rules: files.rules, unmapped: flags.unmapped },
    asked: keptFlags(flags, point, files),
    tool: ctx.tool,
    now: ctx.now(),
  };
}

async function assertPatch(ctx: CommandContext, vault: Vault, point: string, patch: PatchHeader): Promise<void> {
  const { findPoint } = await import('../operations/points.ts');
  const { assertPatchOf } = await import('../operations/diff/patch-file.ts');
  const { points } = await vault.state();
  assertPatchOf(patch, vault.info.vault, await findPoint(ctx, vault, point), points);
}

async function incidentOf(
  ctx: CommandContext,
  vault: Vault,
  org: Org,
  point: string,
  flags: Given,
): Promise<Incident | undefined> {
  const window = flags.incident ?? flags.between;
  if (flags.incident !== undefined && flags.between !== undefined) {
    throw new Fault('usage', '--between says the same as --incident: give one');
  }
  if (window === undefined && flags.changedBy === undefined && flags.after === undefined) return undefined;
  const { parseWindow } = await import('../operations/select/window.ts');
  const { findActor } = await import('../operations/select/actor.ts');
  const { pointAfter } = await import('../operations/restore/incident-points.ts');
  const { from, to } = window === undefined ? everything : parseWindow(window, flags.incident ? 'incident' : 'between');
  const actor = flags.changedBy === undefined ? undefined : (await findActor(org, flags.changedBy)).id;
  return { from, to, actor, after: await pointAfter(ctx, vault, point, flags.after, to, flags) };
}

const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** `{"User": {"ann@example.com": "ann@example.com.uat"}, "RecordType": {…}}` */
async function mappingRules(file: string | undefined): Promise<MappingRule[]> {
  if (file === undefined) return [];
  const { readMappingFile } = await import('../operations/restore/mapping-file.ts');
  return readMappingFile(file);
}
