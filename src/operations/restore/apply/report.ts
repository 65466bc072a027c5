import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../../../errors.ts';
import { makeFolders } from '../../../folders.ts';
import type { RowBatch } from '../../../rows/batch.ts';
import { encodeHeader, encodeRows } from '../../../rows/csv.ts';
import type { StoredTable } from '../../../vault/restores.ts';
import type { Done, FailedRow, KeptRow } from './state.ts';
import { storedRows, TableWriter } from './tables.ts';
import type { Work } from './work.ts';

/** What a restore has done. Figures by object, in the order of the plan. */
export interface ApplyResult {
  readonly restoreId: string;
  readonly done: Readonly<Record<string, Done>>;
  /** Rows that were kept since somebody changed them, before the plan was made or since. */
  readonly conflicts: readonly KeptRow[];
  readonly failed: readonly FailedRow[];
  /** CSV: Id, Object, Step, Code, Reason, Advice; absent when no row failed. */
  readonly failedFile?: string;
  /** CSV: Object, Id (in the point), Target (in the org); absent when nothing came back under another Id. */
  readonly idMapFile?: string;
  /** Fields that were not written, lookups to what could not be restored and fields that the org refused: `Object.Field` -> rows. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Why it ended before everything was done; the same restore can go on. */
  readonly stopped?: Fault;
  /** Why one of the files is not there. */
  readonly unwritten?: Fault;
}

const idColumns = ['Object', 'Id', 'Target'] as const;
const failedColumns = ['Id', 'Object', 'Step', 'Code', 'Reason', 'Advice'] as const;

/** The result, with its files. A file that cannot be written does not hide what was done: `unwritten` says so. */
export async function report(work: Work, stopped?: Fault): Promise<ApplyResult> {
  const { state, options, journal } = work;
  let unwritten: Fault | undefined;
  const write = async (kind: string, columns: readonly string[], rows: Parameters<typeof writeTable>[2]) => {
    if (options.folder === undefined) return undefined;
    const name = path.join(options.folder, `${journal.restore}-${kind}.csv`);
    try {
      await writeTable(name, columns, rows);
      return name;
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause;
      unwritten ??= notWritten(journal.restore, name, cause);
      return undefined;
    }
  };
  const failed = state.failures;
  const failedFile = failed.length > 0 ? await write('failed', failedColumns, failedRows(failed)) : undefined;
  const idMapFile = work.idTables.length > 0 ? await write('ids', idColumns, idRows(work)) : undefined;
  return {
    restoreId: journal.restore,
    done: Object.fromEntries(state.done),
    conflicts: conflictsOf(work),
    failed,
    ...(failedFile ? { failedFile } : {}),
    ...(idMapFile ? { idMapFile } : {}),
    leftOut: Object.fromEntries(work.leftOut),
    ...(stopped ? { stopped } : {}),
    ...(unwritten ? { unwritten } : {}),
  };
}

function notWritten(restore: string, name: string, cause: unknown): Fault {
  const code = systemCode(cause);
  return new Fault(code === 'ENOSPC' ? 'disk-full' : 'disk-error', `could not write ${name}: ${code}`, {
    actions: [`the rows were written to the org; the list is in the vault too, encrypted, in restores/${restore}/`],
    cause,
  });
}

/** Makes the folder of the lists where there is none, before anything is written to the org. Throws `disk-error`, `disk-full`. */
export async function makeFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  try {
    await makeFolders(folder);
    await access(folder, constants.W_OK);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    const name = code === 'ENOSPC' ? 'disk-full' : 'disk-error';
    throw new Fault(name, `the folder of the lists of Ids and failed rows, ${folder}, cannot be written to: ${code}`, {
      actions: ['choose another with --result-folder'],
      cause,
    });
  }
}

/** Ends the journal: nothing is left to be done. */
export async function endJournal(work: Work): Promise<void> {
  const { state, journal } = work;
  const tables: StoredTable[] = [];
  const ids = new TableWriter(journal, 'ids', idColumns);
  for await (const batch of idRows(work)) await ids.addBatch(batch);
  if (ids.rows > 0) tables.push(await ids.end({ apart: true }));
  const failed = new TableWriter(journal, 'failed', failedColumns);
  for (const row of state.failures) await failed.add(failedCells(row));
  if (failed.rows > 0) tables.push(await failed.end({ apart: true }));
  const conflicts = conflictsOf(work);
  const kept = new TableWriter(journal, 'conflicts', ['Object', 'Id', 'Fields', 'Reason']);
  for (const { object, id, fields, reason } of conflicts) await kept.add([object, id, fields.join(' '), reason]);
  if (kept.rows > 0) tables.push(await kept.end());
  const whole = state.failures.length === 0 && conflicts.length === 0;
  const done = Object.fromEntries([...state.done].map(([object, counts]) => [object, { ...counts }]));
  await journal.end({ whole, done }, tables, work.ctx.now);
}

async function* idRows(work: Work): AsyncGenerator<RowBatch> {
  for (const table of work.idTables) yield* storedRows(work.place, table, idColumns);
}

const writtenAtOnce = 1000;

function* failedRows(failed: readonly FailedRow[]): Generator<RowBatch> {
  for (let from = 0; from < failed.length; from += writtenAtOnce) {
    yield encodeRows(failed.slice(from, from + writtenAtOnce).map(failedCells));
  }
}

function failedCells({ id, object, step, code, reason, advice }: FailedRow): string[] {
  return [id, object, step, code, reason, advice];
}

function conflictsOf({ plan, state }: Work): KeptRow[] {
  const planned = plan.objects.flatMap(({ object, rows }) =>
    [...rows.of('conflict')].map(({ id, fields, reason = '' }) => ({ object, id, fields, reason })),
  );
  return [...planned, ...state.kept];
}

/** Files that may hold values of records are for their owner only. */
async function writeTable(
  name: string,
  columns: readonly string[],
  batches: Iterable<RowBatch> | AsyncIterable<RowBatch>,
): Promise<void> {
  const file = await open(name, 'w', 0o600);
  try {
    await file.writeFile(encodeHeader(columns));
    for await (const { bytes, release } of batches) {
      await file.writeFile(bytes);
      release?.();
    }
  } finally {
    await file.close();
  }
}
