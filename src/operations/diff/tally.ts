import { cells } from '../../rows/cells.ts';
import type { IdTable } from '../../rows/id-table.ts';
import type { ObjectSelection } from '../select/selection.ts';
import type { ComparedColumns } from './columns.ts';
import type { Change, RowAt, RowChange } from './compare.ts';
import type { DiffRequest, ObjectDiff, OnRecord } from './request.ts';
import type { ChangeSink } from './sink.ts';

/** Rows of the recycle bin: deleted by whom and when is asked for, or by others and at other times. In neither: nobody can say. */
export interface DeadRows {
  readonly asked: IdTable;
  readonly others: IdTable;
}

/** Counts what differs in one object, less what is not selected, and hands the records on. */
export class Tally implements ChangeSink {
  readonly #object: string;
  readonly #columns: ComparedColumns;
  readonly #request: DiffRequest;
  readonly #selected: (change: RowChange) => boolean;
  readonly #onRecord: OnRecord | undefined;
  readonly #counts: Record<Change, number> = { added: 0, changed: 0, deleted: 0 };
  readonly #fields: number[];
  unattributed = 0;

  constructor(
    selection: ObjectSelection,
    columns: ComparedColumns,
    request: DiffRequest,
    onRecord: OnRecord | undefined,
  ) {
    this.#object = selection.object;
    this.#columns = columns;
    this.#request = request;
    this.#onRecord = onRecord;
    this.#selected = selectedBy(selection, columns);
    this.#fields = columns.fields.map(() => 0);
  }

  take(change: RowChange, dead?: DeadRows): void {
    if (!this.#selected(change)) return;
    if (this.#asksWho && !this.#isAskedFor(change, dead)) return;
    this.#counts[change.change]++;
    for (const n of change.fields) this.#fields[n]!++;
    this.#onRecord?.({ object: this.#object, id: change.id, change: change.change, fields: this.#fieldsOf(change) });
  }

  result(): Pick<ObjectDiff, 'object' | 'added' | 'changed' | 'deleted' | 'fields'> {
    const counted = this.#columns.fields.map(({ name }, n) => [name, this.#fields[n]!] as const);
    const fields = counted.filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
    return { object: this.#object, ...this.#counts, fields: Object.fromEntries(fields) };
  }

  get #asksWho(): boolean {
    return this.#request.changedBy !== undefined || this.#request.between !== undefined;
  }

  #isAskedFor({ id, to }: RowChange, dead: DeadRows | undefined): boolean {
    if (to) return this.#columns.isStampedBy(this.#request, to);
    if (dead?.asked.has(id)) return true;
    if (!dead?.others.has(id)) this.unattributed++;
    return false;
  }

  #fieldsOf({ change, fields, from, to }: RowChange): string[] | Record<string, { from: string; to: string }> {
    const { fields: compared, offset } = this.#columns;
    if (!this.#request.withValues) return fields.map((n) => compared[n]!.name);
    const x = from && cells(from.batch, from.row);
    const y = to && cells(to.batch, to.row);
    const value = (row: string[] | undefined, n: number) => row?.[offset + n] ?? '';
    const shown =
      change === 'changed' ? fields : [...compared.keys()].filter((n) => value(x, n) !== '' || value(y, n) !== '');
    return Object.fromEntries(shown.map((n) => [compared[n]!.name, { from: value(x, n), to: value(y, n) }]));
  }
}

/** A row is selected when its Id is named and it meets the condition before or after. */
function selectedBy({ ids, condition }: ObjectSelection, { columns }: ComparedColumns): (change: RowChange) => boolean {
  const known = condition?.fields.every((name) => columns.includes(name)) ?? false;
  const test = known ? condition!.test(columns) : () => false;
  const meets = (row: RowAt | undefined) => row !== undefined && test(row.batch, row.row);
  return ({ id, from, to }) => (ids?.has(id) ?? true) && (!condition || meets(from) || meets(to));
}
