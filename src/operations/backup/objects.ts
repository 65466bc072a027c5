import type { Context } from '../../context.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { LeftOut, RootObject } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { Cascades } from './cascades.ts';
import { canGoOn, type Known, type Outcome, readChanged } from './changed.ts';
import { type Counted, judgeCount, judgeVisibility, seenNow, type Verdict } from './completeness.ts';
import type { FileList } from './file-list.ts';
import type { HiddenFields } from './hidden-fields.ts';
import type { Journal, JournalObject, JournalPart, JournalRefused } from './journal.ts';
import { isObjectFault, type ObjectRead, type Parts, readObject } from './object.ts';
import { largeRows, readingOrder, trustsCount } from './order.ts';
import { deltaPage, fullPage, samePage } from './page.ts';
import type { Parent } from './parents.ts';
import { refill } from './refills.ts';
import type { BackupRequest } from './request.ts';
import type { Chosen } from './select.ts';
import { forgottenNow, Naming, type Spent, storeSpent, unknownBefore } from './spent.ts';

interface Given {
  readonly chosen: readonly Chosen[];
  /** By object: what the run builds on. */
  readonly parents: ReadonlyMap<string, Parent>;
  /** By object, finished ones too: what a run would build on that does not read everything. Its deletions still count. */
  readonly earlier: ReadonlyMap<string, Parent>;
  readonly schemas: ReadonlyMap<string, { print: string; page: Ref }>;
  readonly permissions: Permissions;
  readonly journal: Journal;
  readonly request: BackupRequest;
  readonly hiddenFields: HiddenFields;
  /** Rows of each object, as the org keeps count of them. */
  readonly approximate: ReadonlyMap<string, number>;
}

export interface ObjectsRead {
  readonly objects: readonly RootObject[];
  readonly hidden: readonly LeftOut[];
  /** Objects of which the org answers no query. */
  readonly refused: readonly LeftOut[];
  readonly lists: readonly FileList[];
  readonly schema: readonly Ref[];
  readonly written: readonly Ref[];
  /** True: some of them were read by what changed. */
  readonly incremental: boolean;
  /** Earlier points whose objects are listed again. */
  readonly builtOn: ReadonlySet<string>;
  /** Objects of which more was read than what changed since the point before. */
  readonly wide: ReadonlySet<string>;
  /** When the org was last asked for hidden fields of all objects. */
  readonly fieldsAsked: Date;
}

/** Why an object is not in the point; `never`: the org answers no query of it, whoever asks. */
interface Unread {
  readonly reason: string;
  readonly never: boolean;
}

/** An object is kept so far when so many bytes of CSV were stored of it. */
const partBytes = 64 * 1024 * 1024;

/** Reads all chosen objects that the journal does not have yet, several at once; each is journalled when it is finished. */
export async function backupObjects(ctx: Context, org: Org, writer: PointWriter, given: Given): Promise<ObjectsRead> {
  const expected = ({ describe }: Chosen) => given.approximate.get(describe.name);
  const left = stillToRead(given.journal, given.chosen, given.permissions);
  const names = new Set(left.map(({ describe }) => describe.name));
  let finished = given.journal.objects.filter(({ object }) => !names.has(object.object));
  const refused: JournalRefused[] = [...given.journal.refused];
  let lists: FileList[] = [];
  const hiddenOf = given.hiddenFields;
  const cascades = new Cascades(given.chosen);
  const describes = new Map(given.chosen.map(({ describe }) => [describe.name, describe]));
  const asSeen = (one: RootObject) => seenNow(one, describes.get(one.object), given.permissions);
  let same: Parent[] = [];
  const { objects: asked, exclude } = given.request.policy;
  const naming = new Naming(given.chosen, given.earlier, asked.length + exclude.length > 0);
  const group = async (objects: readonly Chosen[]) => {
    const known = objects.flatMap((chosen) => {
      const parent = given.parents.get(chosen.describe.name);
      const goesOn =
        parent && canGoOn({ chosen, parent }, given.request.layering) && !naming.isForgotten(chosen, parent.page);
      return goesOn ? [{ chosen, parent }] : [];
    });
    const anew = objects.filter((chosen) => !known.some((one) => one.chosen === chosen));
    const outcomes =
      known.length === 0 ? [] : await readChanged(ctx, org, writer, known, expected, cascades, given.request.layering);
    for (const [i, outcome] of outcomes.entries()) {
      const { chosen, parent } = known[i]!;
      if (outcome.kind === 'anew') anew.push(chosen);
      else if (outcome.kind === 'same') {
        same.push(parent);
        reportFinished(ctx, asSeen(samePage(parent)));
      } else finished.push(await finishChanged(ctx, org, writer, given, known[i]!, outcome, naming, lists));
    }
    if (anew.length > 0) await full(anew);
  };
  const rowsExpected = (chosen: Chosen, counted: number | undefined) =>
    trustsCount(chosen, given.approximate) ? (counted ?? expected(chosen)) : expected(chosen);
  const full = async (objects: readonly Chosen[]) => {
    const kept = objects.map((chosen) => partsOf(given, chosen));
    const now = await org.serverTime();
    // Of an object that is gone on with, what changed counts from when its job was made.
    const since = new Date(
      Math.min(now.getTime(), ...kept.flatMap(([one]) => (one ? Date.parse(one.place.started) : []))),
    );
    const counted = await org.counts(objects.map(counting));
    const before = kept.map(([one], i) => (one ? (one.before ?? undefined) : counted[i]));
    const reads: { chosen: Chosen; read: ObjectRead | Unread }[] = [];
    for (const [i, chosen] of objects.entries()) {
      ctx.signal.throwIfAborted();
      ctx.report({
        type: 'object-started',
        object: chosen.describe.name,
        way: chosen.plan.way,
        rowsExpected: rowsExpected(chosen, before[i]),
      });
      const parts = partsFor(given, writer, chosen, kept[i]!, before[i], rowsExpected(chosen, before[i]));
      const read = await tryRead(ctx, org, writer, chosen, rowsExpected(chosen, before[i]), parts);
      reads.push({ chosen, read });
    }
    const after = await org.counts(objects.map(counting));
    const changes = await org.counts(objects.map(({ describe }) => ({ object: describe, since })));
    const hidden = await hiddenOf.ask(objects.map(({ describe }) => describe));
    for (const [i, { chosen, read }] of reads.entries()) {
      const counted = { before: before[i] ?? null, after: after[i] ?? null, changes: changes[i] ?? null };
      if ('reason' in read && read.never) refused.push(await leaveOut(ctx, given, chosen, read.reason));
      else finished.push(await finish(ctx, org, writer, given, chosen, read, counted, hidden[i]!, naming, lists));
    }
  };
  for (const { large, groups } of readingOrder(left, expected, given.request.priorities ?? [])) {
    await new Work().run(
      [
        { items: large.map((one) => [one]), parallel: 1 },
        { items: groups, parallel: given.request.parallel },
      ],
      group,
    );
  }
  const readAgain = () => forgottenNow(writer.vault, given, { finished, same }, naming);
  for (let again = await readAgain(); again.length > 0; again = await readAgain()) {
    const names = new Set(again.map(({ describe }) => describe.name));
    finished = finished.filter(({ object }) => !names.has(object.object));
    same = same.filter(({ object }) => !names.has(object.object));
    lists = lists.filter(({ object }) => !names.has(object));
    await full(again);
  }
  await refill(ctx, org, writer, given, { finished, same }, async ({ entry, parent }, next) => {
    await given.journal.run.append(next);
    if (entry) finished[finished.indexOf(entry)] = next;
    else {
      finished.push(next);
      same.splice(same.indexOf(parent!), 1);
    }
    reportFinished(ctx, next.object);
  });
  const unchanged = await hiddenOf.of(given.chosen, same);
  const schemas = [...finished.map(({ schema }) => schema), ...same.map(({ page }) => page.schema.page)];
  return {
    objects: [...finished.map(({ object }) => object), ...same.map(samePage)].map(asSeen),
    hidden: [...finished.flatMap(({ hidden }) => hidden), ...unchanged],
    incremental: same.length > 0 || finished.some(({ builtOn }) => builtOn !== undefined),
    builtOn: new Set([...finished.flatMap(({ builtOn }) => builtOn ?? []), ...same.map(({ root }) => root.point)]),
    wide: new Set(
      finished.flatMap(({ object, builtOn, wide }) => (builtOn !== undefined && !wide ? [] : [object.object])),
    ),
    fieldsAsked: hiddenOf.asked,
    refused: refused.map(({ object, reason }) => ({ object, reason })),
    lists,
    schema: [...new Map(schemas.flatMap((schema) => (schema ? [[schema.key, schema] as const] : []))).values()],
    written: finished.flatMap(({ written }) => written),
  };
}

/**
 * Objects that the journal has not finished as they are now. Those that failed get another chance; those whose fields changed since, and
 * those of which the user sees more by now, are read anew. Those with files are read again, since their rows tell which files there are;
 * files that were fetched before are not fetched again.
 */
export function stillToRead(journal: Journal, chosen: readonly Chosen[], permissions: Permissions): Chosen[] {
  const done = new Map(journal.objects.map((entry) => [entry.object.object, entry]));
  const refused = new Set(journal.refused.map(({ object }) => object));
  return chosen.filter(({ describe, plan }) => {
    const entry = done.get(describe.name);
    if (entry === undefined) return !refused.has(describe.name);
    const { incomplete } = entry.object;
    return (
      plan.blobFields.length > 0 ||
      incomplete === 'failed' ||
      incomplete === 'unproven' ||
      (incomplete === 'visibility' && judgeVisibility(describe, permissions).complete) ||
      entry.print !== schemaPrint(describe)
    );
  });
}

/** What an interrupted run has stored of an object that it did not finish, by the describe as it is now. */
function partsOf({ journal, schemas }: Given, { describe: { name } }: Chosen): readonly JournalPart[] {
  const parts = journal.parts.get(name) ?? [];
  return parts.every(({ print }) => print === schemas.get(name)?.print) ? parts : [];
}

/** A large object is read so that a run that ends early can be gone on with in the middle of it; one with files is not, nor one with archived versions, which its
 * rows tell of. */
function partsFor(
  { journal, schemas, request }: Given,
  writer: PointWriter,
  { describe: { name }, plan }: Chosen,
  done: readonly JournalPart[],
  before: number | undefined,
  rowsExpected: number | undefined,
): Parts | undefined {
  const isWhole = plan.blobFields.length > 0 || name.endsWith('__kav') || !plan.fields.includes('Id');
  if (isWhole || !((rowsExpected ?? 0) > largeRows)) return undefined;
  const { print } = schemas.get(name)!;
  return {
    done,
    bytes: request.partBytes ?? partBytes,
    keep: async ({ base, gone, detail, ...part }) => {
      const stored = { base: [...base], gone: [...gone], detail: [...detail], numbers: writer.numbers };
      const entry: JournalPart = { type: 'part', object: name, print, before: before ?? null, ...part, ...stored };
      await journal.run.append(entry);
    },
  };
}

/** What is counted of an object: rows that are to be in the point. */
function counting({ describe, rowsOut }: Chosen) {
  return { object: describe, where: rowsOut?.kept };
}

/** Groups of objects that are taken from several queues; the first that throws stops all at their next group. */
class Work {
  #failed = false;
  #reason: unknown;

  /** Resolves when nothing of any queue is under way any more. */
  async run<T>(queues: readonly { items: readonly T[]; parallel: number }[], each: (item: T) => Promise<void>) {
    const workers = queues.flatMap(({ items, parallel }) => {
      const left = items.values();
      return Array.from({ length: Math.min(parallel, items.length) }, () => this.#worker(left, each));
    });
    await Promise.all(workers);
    if (this.#failed) throw this.#reason;
  }

  async #worker<T>(items: Iterable<T>, each: (item: T) => Promise<void>): Promise<void> {
    for (const item of items) {
      if (this.#failed) return;
      try {
        await each(item);
      } catch (error) {
        if (!this.#failed) this.#reason = error;
        this.#failed = true;
      }
    }
  }
}

/** A read, tried once more when the counts within it did not agree; or the reason why the object is not in the point. */
async function tryRead(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  chosen: Chosen,
  rowsExpected?: number,
  parts?: Parts,
): Promise<ObjectRead | Unread> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readObject(ctx, org, writer, chosen, rowsExpected, attempt === 1 ? parts : undefined);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      if (attempt === 2 || error.name !== 'count-mismatch')
        return { reason: error.message, never: error.data.never === true };
      ctx.report({ type: 'retry', what: chosen.describe.name, attempt, waitMs: 0, reason: error.message });
    }
  }
}

async function leaveOut(ctx: Context, given: Given, { describe }: Chosen, reason: string): Promise<JournalRefused> {
  const entry: JournalRefused = { type: 'refused', object: describe.name, reason };
  await given.journal.run.append(entry);
  reportFinished(ctx, { ...failed(describe.name, 'none', { complete: true, reason }) });
  return entry;
}

async function finish(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  given: Given,
  chosen: Chosen,
  first: ObjectRead | Unread,
  counted: Counted,
  hidden: readonly LeftOut[],
  naming: Naming,
  lists: FileList[],
): Promise<JournalObject> {
  const { name } = chosen.describe;
  let read = first;
  let verdict: Verdict =
    'reason' in read ? { complete: false, incomplete: 'failed', reason: read.reason } : judgeCount(read.rows, counted);
  let counts = counted;
  if (!('reason' in read) && !verdict.complete) {
    ctx.report({ type: 'retry', what: name, attempt: 1, waitMs: 0, reason: verdict.reason! });
    const since = await org.serverTime();
    const [before] = await org.counts([counting(chosen)]);
    read = await tryRead(ctx, org, writer, chosen, counted.after ?? undefined);
    const [after, changes] = await org.counts([counting(chosen), { object: chosen.describe, since }]);
    counts = { before: before ?? null, after: after ?? null, changes: changes ?? null };
    verdict =
      'reason' in read ? { complete: false, incomplete: 'failed', reason: read.reason } : judgeCount(read.rows, counts);
  }
  if (verdict.complete) verdict = judgeVisibility(chosen.describe, given.permissions);
  const entry: JournalObject =
    'reason' in read
      ? {
          type: 'object',
          object: failed(name, chosen.plan.way, verdict),
          print: given.schemas.get(name)!.print,
          written: [],
          hidden: [...hidden],
          numbers: writer.numbers,
        }
      : await fullPage(
          writer,
          chosen,
          read,
          await spentOf(ctx, org, writer, given, chosen, read, naming),
          { schema: given.schemas.get(name)!, counted: counts, verdict, hidden },
          ctx.signal,
        );
  if (!('reason' in read)) lists.push(read.files);
  await given.journal.run.append(entry);
  reportFinished(ctx, entry.object);
  return entry;
}

function reportFinished(ctx: Context, { object, rows, bytes, segments, complete, reason }: RootObject): void {
  const why = reason === undefined ? {} : { reason };
  ctx.report({ type: 'object-finished', object, rows, bytes, segments, complete, ...why });
}

/** What an object that was read in full still has to say of deletions before. */
async function spentOf(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { earlier }: Given,
  chosen: Chosen,
  read: ObjectRead,
  naming: Naming,
): Promise<Spent> {
  const before = earlier.get(chosen.describe.name)?.page;
  if (!read.hasId) return { spent: [], written: [] };
  if (!before) return unknownBefore(writer, chosen, naming);
  return storeSpent(ctx, org, writer, { chosen, before, read }, naming);
}

async function finishChanged(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  given: Given,
  { chosen, parent }: Known,
  outcome: Extract<Outcome, { kind: 'delta' }>,
  naming: Naming,
  lists: FileList[],
): Promise<JournalObject> {
  const schema = given.schemas.get(chosen.describe.name)!;
  const [hidden] = await given.hiddenFields.ask([chosen.describe]);
  const { window, read, counted } = outcome;
  const verdict = outcome.verdict.complete ? judgeVisibility(chosen.describe, given.permissions) : outcome.verdict;
  const facts = { schema, counted, verdict, hidden: hidden! };
  const { spent = [], forgets } = parent.page;
  const kept = window.replaces
    ? await storeSpent(ctx, org, writer, { chosen, before: parent.page, read: undefined }, naming)
    : { spent, forgets, written: [] };
  const entry = await deltaPage(writer, chosen, parent, window, read, kept, facts, ctx.signal);
  lists.push(read.files);
  await given.journal.run.append(entry);
  reportFinished(ctx, entry.object);
  return entry;
}

function failed(object: string, path: string, verdict: Verdict): RootObject {
  return { object, rows: 0, changed: 0, deleted: 0, segments: 0, bytes: 0, path, ...verdict };
}
