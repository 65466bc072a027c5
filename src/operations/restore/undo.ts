import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { rowBytes } from '../../rows/cells.ts';
import { decodeRow } from '../../rows/csv.ts';
import { IdMap, IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { holdsWritten, sameValue } from '../../schema/values.ts';
import { type RestorePlace, type RestoreRead, readRestore } from '../../vault/restores.ts';
import type { Vault } from '../../vault/vault.ts';
import { applyPlan, beginRestore, findOut, planOf } from './apply/apply.ts';
import { makeFolder } from './apply/report.ts';
import type { ValueSource } from './apply/work.ts';
import { earlierDigest, earlierRestores } from './earlier-restores.ts';
import { imageSource, newestImages, spokenOf } from './images.ts';
import { type Joined, join, type RowAt } from './joined.ts';
import { nowPrint } from './now-print.ts';
import { type ObjectPlan, type Plan, type PlannedRow, writesAnything } from './plan.ts';
import { planDigest } from './plan-file.ts';
import { PlannedRows } from './planned-rows.ts';
import { type Restored, type RestoreOptions, restored } from './restore.ts';
import { automationOf, healRestore } from './switched.ts';
import { factsOf, type ObjectFacts } from './undo-facts.ts';
import { valueSource } from './value-source.ts';
import { workedOn } from './worked-on.ts';

/** A restore that is to be taken back. */
export interface Undone {
  readonly vault: Vault;
  readonly place: RestorePlace;
  readonly org: Org;
  readonly restore: string;
}

/** How it is taken back: a plan like any other, whose values are the before-images. */
export interface PlannedUndo {
  readonly plan: Plan;
  readonly digest: string;
  readonly source: ValueSource;
}

/**
 * The plan that reverses what a restore did, from its journal alone: rows that it made and took out of the recycle bin go, those that it deleted
 * come back, and fields that it wrote return to what was there, as far as they still are what it wrote; what somebody edited since is a conflict
 * and stays (field guide, restore 8.3). Throws `no-such-restore`, `lease-held`, `journal-damaged`, `wrong-target`.
 */
export async function planUndo(ctx: Context, undone: Undone): Promise<PlannedUndo> {
  const { place, org, restore } = undone;
  const read = await settledJournal(ctx, undone, false);
  const original = await planOf(place, read);
  const facts = await factsOf(place, read);
  const objects = await inOrder(org, original, facts);
  const salt = randomBytes(8).toString('hex');
  const restores = earlierDigest(await earlierRestores(place, org, ctx.now()));
  const made = IdTable.of([...facts.values()].flatMap(({ inserted }) => [...inserted]));
  const plans: ObjectPlan[] = [];
  const kept = await keptRows(ctx, org, read, objects);
  for (const { facts: one, target } of objects)
    plans.push(await objectPlan(ctx, place, org, one, target, salt, kept, made));
  const plan = {
    header: { ...header(ctx, original, restore, salt, plans), restores },
    references: new IdMap(),
    objects: plans,
  };
  const images = new Map([...facts].map(([object, { before }]) => [object, before]));
  return { plan, digest: planDigest(plan), source: imageSource(ctx, place, images) };
}

/** Takes a restore back. It is a restore itself: journaled, resumable, and can be undone. */
export async function runUndo(
  ctx: Context,
  given: Undone & { readonly planned: PlannedUndo; readonly options: RestoreOptions },
): Promise<Restored> {
  const { place, org, restore, planned, options } = given;
  await makeFolder(options.folder);
  await healRestore(ctx, place, org, restore);
  // A restore that was interrupted cannot go on once it is taken back.
  await settledJournal(ctx, given, true);
  const automation = writesAnything(planned.plan) ? await automationOf(ctx, org, options) : undefined;
  const journal = await beginRestore(ctx, place, planned, { undoes: restore, org });
  const { plan, source, digest } = planned;
  const applied = await applyPlan(ctx, { plan, source, org, journal, place, options, automation });
  const { result, ...more } = restored(plan, digest, applied);
  return { result: { ...result, undoes: restore }, ...more };
}

/** The journal, when it is known what became of everything that it announces. `end`: it is ended, if it has not been. */
async function settledJournal(
  ctx: Context,
  { vault, place, org, restore }: Undone,
  end: boolean,
): Promise<RestoreRead> {
  const read = await readRestore(place, restore, ctx.now());
  if (read.beginning.org.slice(0, 15) !== org.identity.orgId.slice(0, 15)) {
    throw new Fault('wrong-target', `restore ${restore} wrote to another org than ${org.identity.orgId}`);
  }
  if (read.state === 'ended') return read;
  const source = await valueSource(ctx, vault, place, read.beginning);
  await findOut(ctx, { place, restore, source, org }, end);
  return readRestore(place, restore, ctx.now());
}

/** Rows that came back and that are not taken away again, since that would take along what people did with them since. */
async function keptRows(
  ctx: Context,
  org: Org,
  read: RestoreRead,
  objects: readonly { readonly facts: ObjectFacts; readonly target: ObjectDescribe }[],
): Promise<IdTable> {
  const ended = read.ending?.ended;
  // Nobody can have worked with what an interrupted restore left half-way.
  if (ended === undefined) return new IdTable();
  const skew = (await org.serverTime()).getTime() - ctx.now().getTime();
  // The org's clock is known to a second.
  const since = new Date(Date.parse(ended) + skew + 1000);
  const brought = objects.map(({ facts, target }) => ({
    target,
    ids: IdTable.of([...facts.undeleted, ...facts.inserted]),
  }));
  return workedOn(
    ctx,
    org,
    brought.filter(({ ids }) => ids.size > 0),
    since,
  );
}

/** Objects in the order of the plan; documents of files, which it need not have, behind. */
async function inOrder(org: Org, original: Plan, facts: ReadonlyMap<string, ObjectFacts>) {
  const planned = original.objects.map(({ object }) => object);
  const names = [
    ...planned.filter((name) => facts.has(name)),
    ...[...facts.keys()].filter((name) => !planned.includes(name)),
  ];
  const described = await org.describe(names);
  return names.map((name) => {
    const target = described.get(name);
    if (!target || 'reason' in target) throw new Fault('object-refused', `the org no longer describes ${name}`);
    return { facts: facts.get(name)!, target };
  });
}

async function objectPlan(
  ctx: Context,
  place: RestorePlace,
  org: Org,
  facts: ObjectFacts,
  target: ObjectDescribe,
  salt: string,
  kept: IdTable,
  made: IdTable,
): Promise<ObjectPlan> {
  const rows = new PlannedRows();
  // Children of the same object were made later, and objects are deleted from the end.
  if (target.deletable !== false) {
    for (const id of [...facts.undeleted, ...facts.inserted]) {
      if (kept.has(id))
        rows.add(planned(id, 'conflict', { reason: 'people worked on it since, or on what would go with it' }));
      else rows.add(planned(id, 'delete', {}));
    }
  }
  for (const id of facts.deleted) rows.add(planned(id, 'undelete', {}));
  if (facts.updated.size > 0) {
    for await (const row of reverted(ctx, place, org, facts, target, salt, made)) rows.add(row);
  }
  return { object: facts.object, rows, together: [facts.object] };
}

/** Rows whose fields return to their before-images. Those that were undeleted go as a whole, and others with what was made. */
async function* reverted(
  ctx: Context,
  place: RestorePlace,
  org: Org,
  facts: ObjectFacts,
  target: ObjectDescribe,
  salt: string,
  made: IdTable,
): AsyncGenerator<PlannedRow> {
  const before = await newestImages(ctx, place, facts.before, facts.updated);
  const after = await newestImages(ctx, place, facts.after, facts.updated);
  const fields = target.fields.filter(({ name }) => name !== 'Id' && after.columns.includes(name));
  const ids = [...facts.updated.sorted()];
  const names = new Set([...fields, ...lookupsOf(target)].map(({ name }) => name));
  const now = org.records(target, ids, ['Id', ...names]);
  for await (const joined of join(before, now, after, ctx.signal)) {
    if (facts.undeleted.has(joined.id)) continue;
    if (facts.found.has(joined.id) && joined.now && goesAlong(target, joined.now, made)) continue;
    yield* revertedRow(joined, fields, salt);
  }
}

function lookupsOf({ fields }: ObjectDescribe): ObjectDescribe['fields'] {
  return fields.filter(({ type }) => type === 'reference');
}

/** True when the row refers to one that the restore made: it was made along with that one. */
function goesAlong(target: ObjectDescribe, now: RowAt, made: IdTable): boolean {
  const cells = reader(now);
  return lookupsOf(target).some(({ name }) => made.has(cells(name)));
}

function* revertedRow({ id, before, after, now }: Joined, fields: ObjectDescribe['fields'], salt: string) {
  if (!after) return;
  if (!now) {
    yield planned(id, 'conflict', { reason: 'it is no longer in the org' });
    return;
  }
  const [was, wrote, is] = [reader(before), reader(after), reader(now)];
  const spoken = new Set(wrote(spokenOf).split(' '));
  const back: [ObjectDescribe['fields'][number], string][] = [];
  const edited: string[] = [];
  for (const field of fields) {
    const { name } = field;
    if (!spoken.has(name) || sameValue(field, is(name), was(name))) continue;
    if (isWhatWasWritten(field, is(name), wrote(name))) back.push([field, is(name)]);
    else edited.push(name);
  }
  const names = back.map(([{ name }]) => name);
  if (back.length > 0) yield planned(id, 'update', { fields: names, now: nowPrint(salt, back) });
  if (edited.length > 0) yield planned(id, 'conflict', { fields: edited, reason: 'edited since the restore' });
  if (back.length + edited.length === 0) yield planned(id, 'skip', {});
}

/** Bulk writes nothing as `#N/A` (field guide, restore 1.5). */
function isWhatWasWritten(field: ObjectDescribe['fields'][number], is: string, wrote: string): boolean {
  const value = wrote === '#N/A' && is === '' ? '' : wrote;
  return holdsWritten(field, value, is);
}

function reader({ columns, batch, row }: RowAt): (field: string) => string {
  const cells = decodeRow(rowBytes(batch, row));
  return (field) => cells[columns.indexOf(field)] ?? '';
}

function planned(id: string, action: PlannedRow['action'], more: Partial<PlannedRow>): PlannedRow {
  return { id, action, level: 0, fields: [], later: [], without: [], ...more };
}

/** Rows of a request, and the seconds that one takes, roughly. */
const rowsOfCall = 200;

function header(
  ctx: Context,
  original: Plan,
  restore: string,
  salt: string,
  plans: readonly ObjectPlan[],
): Plan['header'] {
  const rows = plans.reduce((sum, { rows: of }) => sum + of.size - of.count('skip') - of.count('conflict'), 0);
  const calls = 10 + 3 * Math.ceil(rows / rowsOfCall);
  return {
    ...original.header,
    sourceOrg: original.header.org.id,
    made: ctx.now().toISOString(),
    request: { undo: restore },
    schema: {},
    salt,
    leftOut: [],
    withheld: [],
    cannotForesee: [
      'e-mails, feed posts and messages to other systems that the restore set off cannot be taken back',
      'rows that the restore made anew go into the recycle bin, with what was written to them and attached to them since',
    ],
    apiCalls: calls,
    predictedSeconds: calls,
  };
}
