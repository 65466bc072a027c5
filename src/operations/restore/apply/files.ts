import { isFault } from '../../../errors.ts';
import { type Ids, IdTable } from '../../../rows/id-table.ts';
import type { Written } from '../../../salesforce/writing.ts';
import { longId } from '../../../schema/ids.ts';
import { announce, type Sent } from './collections.ts';
import type { Outcome } from './entries.ts';
import { ownCodes } from './errors.ts';
import { lostReference, outcomeOf, stopIfNeeded } from './judge-row.ts';
import { reconcile } from './reconcile.ts';
import { insertColumns, recordOf, renderInsert } from './values.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

/** Files whose sending is announced by one entry. */
const filesOfSlice = 10;
const document = 'ContentDocumentId';

interface Order {
  readonly id: string;
  readonly document: string;
  readonly version: number;
}

/**
 * Makes rows that hold a file, each with its bytes from the source, oldest version first: the first version of a document makes the document, and
 * later ones name it (field guide, restore 9).
 */
export async function insertFiles(work: Work, o: ObjectWork, ids: Ids, final: boolean): Promise<void> {
  const order: Order[] = [];
  for await (const { id, cells } of work.rows(o, ids, [document, 'VersionNumber'])) {
    order.push({ id, document: cells(document), version: Number(cells('VersionNumber')) || 0 });
  }
  order.sort((a, b) => (a.document < b.document ? -1 : a.document > b.document ? 1 : a.version - b.version));
  await findDocuments(work, o, order);
  // A version that names a document which another version of the same slice makes has to wait for it.
  for (let rest: readonly Order[] = order; rest.length > 0; ) {
    const now: Order[] = [];
    const documents = new Set<string>();
    for (const one of rest) {
      if (now.length === filesOfSlice) break;
      if (one.document !== '' && documents.has(one.document)) break;
      documents.add(one.document);
      now.push(one);
    }
    await sendFiles(work, o, now, final);
    work.checkErrors(o, 'insert');
    rest = rest.slice(now.length);
  }
}

/** Documents of the point that stand in the org are named as they are; the others come with their first version. */
async function findDocuments(work: Work, { object }: ObjectWork, order: readonly Order[]): Promise<void> {
  const ids = [...new Set(order.map((one) => one.document))]
    .filter((id) => id !== '' && !work.state.ids.has(id))
    .sort();
  if (object !== 'ContentVersion' || ids.length === 0 || work.anotherOrg) return;
  const described = (await work.org.describe(['ContentDocument'])).get('ContentDocument');
  if (!described || 'reason' in described) return;
  const flow = work.org.records(described, ids, ['Id']);
  for await (const { id } of rowsOf(flow, work.ctx.signal)) work.state.ids.set(id, id);
}

interface File extends Sent {
  readonly document: string;
}

async function sendFiles(work: Work, o: ObjectWork, order: readonly Order[], final: boolean): Promise<void> {
  const columns = insertColumns(o);
  const files: File[] = [];
  const lost: Outcome[] = [];
  for await (const { id, cells } of work.rows(o, IdTable.of(order.map((one) => one.id)), o.columns)) {
    const row = work.state.row(id)!;
    // What the version before has not made, this one makes.
    const made = work.state.ids.has(cells(document));
    const without = o.object === 'ContentVersion' && !made ? [document] : [];
    const rendered = renderInsert(work, o, row, cells, { bulk: false, final, without });
    if (rendered.lost !== undefined) lost.push(lostReference(id, rendered.lost));
    else if (!rendered.awaited)
      files.push({ id, record: recordOf(columns, rendered), document: made ? '' : cells(document) });
  }
  await work.settle(o, 'insert', lost);
  if (files.length === 0) return;
  const planned = await announce(work, o, 'insert', 'file', files);
  const outcomes: Outcome[] = [];
  const errors: Written['errors'][] = [];
  for (const file of files) {
    const outcome = await sendFile(work, o, file, errors);
    if (outcome) outcomes.push(outcome);
    else outcomes.push(...(await reconcile(work, o, planned, [file])));
  }
  await work.settle(o, 'insert', outcomes, planned.slice, await documentsOf(work, o, files, outcomes));
  stopIfNeeded('insert', errors);
}

/** Undefined: nobody knows what became of it. */
async function sendFile(
  work: Work,
  o: ObjectWork,
  { id, record }: File,
  errors: Written['errors'][],
): Promise<Outcome | undefined> {
  const content = await work.source.file(o.object, id, o.blob!);
  if (!content) return { id, kind: 'failed', code: ownCodes.lostFile, message: 'the point does not hold its bytes' };
  try {
    const written = await work.org.writer.insertFile(o.object, record, o.blob!, content);
    errors.push(written.errors);
    return outcomeOf(work, o, 'insert', id, written);
  } catch (error) {
    if (isFault(error, 'answer-lost')) return undefined;
    if (!isFault(error, 'object-refused')) throw error;
    const refused = [{ code: String(error.data.errorCode ?? ''), message: error.message, fields: [] }];
    errors.push(refused);
    return outcomeOf(work, o, 'insert', id, { errors: refused });
  }
}

/** Documents that these versions have made: the answer to a version does not name them. */
export async function documentsOf(
  work: Work,
  o: ObjectWork,
  files: readonly { readonly id: string; readonly document: string }[],
  outcomes: readonly Outcome[],
): Promise<(readonly [string, string, string])[]> {
  const made = new Map(outcomes.flatMap(({ id, target }) => (target === undefined ? [] : [[target, id] as const])));
  const of = new Map(files.map(({ id, document: one }) => [id, one]));
  if (o.object !== 'ContentVersion' || made.size === 0) return [];
  const found: (readonly [string, string, string])[] = [];
  const flow = work.org.records(o.target, [...made.keys()].sort(), ['Id', document]);
  for await (const { id, cells } of rowsOf(flow, work.ctx.signal)) {
    const from = of.get(made.get(id) ?? '');
    if (from) found.push(['ContentDocument', from, longId(cells(document))]);
  }
  return found;
}
