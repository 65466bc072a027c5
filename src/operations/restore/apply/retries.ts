import { IdTable } from '../../../rows/id-table.ts';
import { groups, mostRecords, type Sent, sendGroup } from './collections.ts';
import type { Outcome, Step } from './entries.ts';
import { insertFiles } from './files.ts';
import { lostReference } from './judge-row.ts';
import type { Retry } from './state.ts';
import { findTwins } from './twins.ts';
import { insertColumns, recordOf, renderInsert, renderUpdate, updatedFields } from './values.ts';
import type { ObjectWork, Work } from './work.ts';

const firstWaitMs = 1000;
const longestWaitMs = 30_000;
/** Rows of a request by the number of tries: fewer are more likely to pass. */
const sizes = { wait: [mostRecords, 50, 10, 1], smaller: [50, 10, 1] };

/**
 * Tries rows of a step again that did not pass, each as its error asks for, until they have passed or failed for good: never for ever, since every
 * remedy has so many tries. `final`: also those that wait for everything else.
 */
export async function retryRows(work: Work, o: ObjectWork, step: Step, final: boolean): Promise<void> {
  for (;;) {
    const turn = work.state.retries(o.object, step).filter(({ remedy }) => final || remedy.kind !== 'late');
    if (turn.length === 0) return;
    const twins = turn.filter(({ remedy }) => remedy.kind === 'twin');
    if (twins.length > 0) await findTwins(work, o, twins);
    const others = turn.filter(({ remedy }) => remedy.kind !== 'twin');
    for (const alike of byManner(others)) await retryAlike(work, o, step, alike, final);
  }
}

/** Rows that are tried in the same manner. */
function byManner(rows: readonly Retry[]): Retry[][] {
  const manners = new Map<string, Retry[]>();
  for (const row of rows) {
    const manner = JSON.stringify([row.remedy.kind, sizeOf(row), row.without, allowsDuplicates(row)]);
    const alike = manners.get(manner);
    if (alike) alike.push(row);
    else manners.set(manner, [row]);
  }
  return [...manners.values()];
}

function sizeOf({ of }: Retry): number {
  const at = (sizes: readonly number[], tries: number | undefined) =>
    tries === undefined ? mostRecords : sizes[Math.min(tries, sizes.length) - 1]!;
  return Math.min(at(sizes.wait, of.wait), at(sizes.smaller, of.smaller));
}

function allowsDuplicates({ of }: Retry): boolean {
  return of['allow-duplicates'] !== undefined;
}

async function retryAlike(
  work: Work,
  o: ObjectWork,
  step: Step,
  rows: readonly Retry[],
  final: boolean,
): Promise<void> {
  const [first] = rows as [Retry];
  if (first.remedy.kind === 'wait' || first.remedy.kind === 'resend') await backOff(work, first);
  const ids = IdTable.of(rows.map(({ id }) => id));
  if (step === 'insert' && o.blob !== undefined) {
    await insertFiles(work, o, ids, final);
    return;
  }
  const sent = step === 'delete' ? deletions(rows) : await records(work, o, step, ids, first, final);
  // Rows of one parent lock each other out less when they go together.
  sent.sort((a, b) => (parentOf(o, a) < parentOf(o, b) ? -1 : 1));
  for (const group of groups(sent, sizeOf(first))) {
    await sendGroup(work, o, step, group, { allowDuplicates: allowsDuplicates(first) });
  }
}

async function backOff(work: Work, { of, code, message }: Retry): Promise<void> {
  const attempt = of.wait ?? of.resend ?? 1;
  const waitMs = Math.round(Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));
  work.ctx.report({
    type: 'retry',
    what: of.wait === undefined ? 'rows that the org did not answer about' : 'rows that were locked',
    attempt,
    waitMs,
    reason: code || message,
  });
  await work.wait(waitMs);
}

function deletions(rows: readonly Retry[]): Sent[] {
  return rows.map(({ id }) => ({ id, record: {} }));
}

function parentOf({ target }: ObjectWork, { record }: Sent): string {
  const field = target.fields.find(({ type, name }) => type === 'reference' && name !== 'OwnerId' && record[name]);
  return field ? (record[field.name] ?? '') : '';
}

/** The rows as they are sent this time; those that cannot be sent any more are noted as failed. */
async function records(
  work: Work,
  o: ObjectWork,
  step: Step,
  ids: IdTable,
  { without }: Retry,
  final: boolean,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const failed: Outcome[] = [];
  const inserts = insertColumns(o);
  for await (const { id, cells } of work.rows(o, ids, o.columns)) {
    const row = work.state.row(id)!;
    const columns = step === 'insert' ? inserts : ['Id', ...updatedFields(work, o, row, cells, step)];
    const options = { bulk: false, final: true, without };
    const rendered =
      step === 'insert'
        ? renderInsert(work, o, row, cells, options)
        : renderUpdate(work, o, row, cells, columns, step, options);
    if (rendered.lost === undefined) sent.push({ id, record: recordOf(columns, rendered) });
    else failed.push(lostReference(id, rendered.lost));
  }
  // What the source no longer has would be asked for again for ever.
  const found = new Set([...sent, ...failed].map(({ id }) => id));
  for (const id of ids) if (!found.has(id)) failed.push(lostReference(id, final ? 'Id' : ''));
  await work.settle(o, step, failed);
  return sent;
}
