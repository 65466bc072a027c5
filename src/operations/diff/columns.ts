import { Fault } from '../../errors.ts';
import { cellsAt } from '../../rows/cells.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { comparedFields, instant, sameValue } from '../../schema/values.ts';
import type { RowCondition } from '../select/condition.ts';
import { inWindow } from '../select/window.ts';
import type { RowAt } from './compare.ts';
import type { DiffRequest } from './request.ts';

/** An object on one side of a comparison. */
export interface SideOfObject {
  readonly describe: ObjectDescribe;
  /** Fields that the side has values of. */
  readonly columns: readonly string[];
}

const modifiers = ['LastModifiedById', 'CreatedById'];
const times = ['LastModifiedDate', 'SystemModstamp', 'CreatedDate'];

/** The columns in which the rows of one object are read from both sides: Id, the compared fields, then what is looked at besides. */
export class ComparedColumns {
  readonly columns: readonly string[];
  readonly fields: readonly FieldDescribe[];
  /** Where the compared fields begin. */
  readonly offset = 1;
  /** Fields that only one side has values of. */
  readonly gone: readonly string[];
  readonly new: readonly string[];
  /** Columns that say who changed a row last, and when; undefined: the object does not say. */
  readonly #by: string | undefined;
  readonly #at: string | undefined;

  /** Fields have the types of `to`. Throws `usage` when `to` no longer has a field that the condition looks at. */
  constructor(from: SideOfObject, to: SideOfObject, request: DiffRequest, condition: RowCondition | undefined) {
    const wanted = wantedFields(request);
    const [before, after] = [wanted(from), wanted(to)];
    const both = new Set(from.columns.filter((name) => to.columns.includes(name)));
    this.fields = after.filter(({ name }) => both.has(name) && name !== 'Id');
    const names = (fields: readonly FieldDescribe[]) => fields.map(({ name }) => name);
    this.gone = names(before).filter((name) => !to.columns.includes(name));
    this.new = names(after).filter((name) => !from.columns.includes(name));
    const lost = condition?.fields.find((name) => !both.has(name));
    if (lost !== undefined)
      throw new Fault('usage', `${to.describe.name}.${lost}, which --where asks for, has values on one side only`);
    const by = modifiers.find((name) => both.has(name));
    const at = times.find((name) => both.has(name));
    const asksWho = request.changedBy !== undefined || request.between !== undefined;
    const besides = [...(condition?.fields ?? []), ...(asksWho ? [by, at] : [])];
    const compared = names(this.fields);
    this.columns = [...new Set(['Id', ...compared, ...besides.filter((name) => name !== undefined)])];
    this.#by = by;
    this.#at = at;
  }

  /** True when a row says that it was last changed by whom and when is asked for. */
  isStampedBy({ changedBy, between }: DiffRequest, row: RowAt): boolean {
    const by = cellOf(row, this.columns, this.#by);
    if (changedBy !== undefined && !sameValue({ type: 'reference' }, by, changedBy)) return false;
    return between === undefined || inWindow(between, instant(cellOf(row, this.columns, this.#at)));
  }

  /**
   * Who put a row into the recycle bin, and when: `asked` whom and when is asked for, `others`, or `unknown`: the deletion left no more than
   * its time (field guide, extract 5.4), and the last modifier is somebody who changed the row before.
   */
  deletedBy(
    { changedBy, between }: DiffRequest,
    row: RowAt,
    columns: readonly string[],
  ): 'asked' | 'others' | 'unknown' {
    const [deleted, modified] = ['SystemModstamp', this.#at].map((name) => instant(cellOf(row, columns, name)));
    if (between !== undefined && !inWindow(between, deleted ?? modified)) return 'others';
    if (changedBy === undefined) return 'asked';
    if (deleted === undefined || modified === undefined || Math.abs(deleted - modified) > 1000) return 'unknown';
    return sameValue({ type: 'reference' }, cellOf(row, columns, this.#by), changedBy) ? 'asked' : 'others';
  }
}

/** The cell under a name; '' where there is no such column. */
function cellOf({ batch, row }: RowAt, columns: readonly string[], name: string | undefined): string {
  const position = name === undefined ? -1 : columns.indexOf(name);
  return position < 0 ? '' : cellsAt(batch, row, [position])[0]!;
}

/** The fields of a side that are compared, given that it has values of them. */
function wantedFields({ fields: names, allFields }: DiffRequest): (side: SideOfObject) => FieldDescribe[] {
  const named = new Set(names.map((name) => name.toLowerCase()));
  return ({ describe, columns }) => {
    // What is asked for by name is compared, whatever it is.
    const all = allFields || named.size > 0 ? describe.fields : comparedFields(describe.fields);
    const inColumns = new Set(columns);
    return all.filter(({ name }) => inColumns.has(name) && (named.size === 0 || named.has(name.toLowerCase())));
  };
}
