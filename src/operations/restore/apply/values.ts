import { bulkUnfit, cellUnfit } from '../../../salesforce/bulk-csv.ts';
import type { WriteRecord } from '../../../salesforce/writing.ts';
import type { FieldDescribe } from '../../../schema/describe.ts';
import { longId, looksLikeId } from '../../../schema/ids.ts';
import type { PlannedRow } from '../plan.ts';
import { isDraft, platformRules } from '../platform.ts';
import type { Step } from './entries.ts';
import { activation } from './state.ts';
import type { ObjectWork, Work } from './work.ts';

type Cells = (field: string) => string;

/** A row as it is to be written. */
export interface Rendered {
  /** By column: null clears the field, undefined leaves it alone. */
  readonly values: readonly (string | null | undefined)[];
  /** Fields whose cells this way cannot carry. */
  readonly rest: readonly string[];
  /** A row that it refers to is still to be made. */
  readonly awaited: boolean;
  /** A lookup that it needs leads to a row that is not there; '': nothing is left to be written. */
  readonly lost: string | undefined;
  /** Lookups that are left out since what they lead to is not there. */
  readonly left: readonly string[];
}

export interface RenderOptions {
  /** Bulk: cells that it cannot carry are left out. */
  readonly bulk: boolean;
  /** No more rows will come: what is awaited counts as lost. */
  readonly final: boolean;
  /** Fields that are not sent. */
  readonly without?: readonly string[];
}

const masterRecordType = '012000000000000';
const mostRowCharacters = 400_000;

/** The Id under which the row that a cell refers to stands in the org. */
export function resolved(work: Work, value: string): { to: string } | 'awaited' | 'lost' {
  if (!looksLikeId(value)) return { to: value };
  const known = work.state.ids.get(value);
  if (known) return { to: known };
  const standing = work.state.standing(value);
  if (standing !== 'stands') return standing;
  return work.anotherOrg ? 'lost' : { to: longId(value) };
}

/** The fields that an insert writes, in the order of the source. */
export function insertColumns(o: ObjectWork): string[] {
  return o.writable.map(({ name }) => name);
}

/** A row as it is made. */
export function renderInsert(
  work: Work,
  o: ObjectWork,
  row: PlannedRow,
  cells: Cells,
  options: RenderOptions,
): Rendered {
  const { fills = [], derives, without } = platformRules(o.object);
  // The plan did not know that this row is made: it was to come out of the recycle bin.
  const derived = row.action === 'insert' ? [] : Object.keys({ ...derives?.(cells), ...without?.(cells) });
  const leavesOut = row.without.length + row.later.length + derived.length > 0 || options.without !== undefined;
  const out = leavesOut ? new Set([...row.without, ...row.later, ...(options.without ?? []), ...derived]) : none;
  const unfit = options.bulk ? unfitFields(o, cells) : none;
  let awaited = false;
  let lost: string | undefined;
  const left: string[] = [];
  const values = o.writable.map(({ name, describe, required }) => {
    if (required && name === activation && row.later.includes(name)) return draftStatus(describe, cells(name));
    if (out.has(name)) return undefined;
    const value = cells(name);
    if (value === '') return clearsDefault(describe) || fills.includes(name) ? null : undefined;
    if (unfit.has(name)) return required ? placeholder(value) : undefined;
    if (describe.type !== 'reference') return value;
    if (name === 'RecordTypeId' && value.startsWith(masterRecordType)) return undefined;
    const found = resolved(work, value);
    if (typeof found === 'object') return found.to;
    if (found === 'awaited' && !options.final) awaited = true;
    else if (required) lost ??= name;
    else left.push(name);
    return undefined;
  });
  const rest = unfit.size === 0 ? [] : [...unfit].filter((name) => !out.has(name));
  return { values, rest, awaited, lost, left };
}

/** What a record is made with that is activated at the end (field guide, restore 5.4). */
function draftStatus({ picklistValues = [] }: FieldDescribe, value: string): string {
  const values = picklistValues as readonly { readonly value: string; readonly defaultValue?: boolean }[];
  const found = values.find(({ defaultValue }) => defaultValue) ?? values.find((one) => isDraft(one.value));
  return found?.value ?? value;
}

/** Some fields of a row that stands; Id comes first among the columns. */
export function renderUpdate(
  work: Work,
  o: ObjectWork,
  row: PlannedRow,
  cells: Cells,
  columns: readonly string[],
  step: Step,
  options: RenderOptions,
): Rendered {
  const fields = new Set(updatedFields(work, o, row, cells, step));
  for (const name of options.without ?? []) fields.delete(name);
  let awaited = false;
  const left: string[] = [];
  const rest: string[] = [];
  let sent = 0;
  const values = columns.map((name, at) => {
    if (at === 0) return work.state.target(row.id);
    if (!fields.has(name)) return undefined;
    const value = cells(name);
    if (value === '') {
      sent += 1;
      return null;
    }
    if (options.bulk && bulkUnfit([value]) !== undefined) rest.push(name);
    if (o.fields.get(name)?.type === 'reference') {
      const found = resolved(work, value);
      if (typeof found === 'object') {
        sent += 1;
        return found.to;
      }
      if (found === 'awaited' && !options.final) awaited = true;
      else left.push(name);
      return undefined;
    }
    sent += 1;
    return value;
  });
  return { values, rest, awaited, left, lost: sent === 0 ? (left[0] ?? '') : undefined };
}

/** The fields that a step writes to a row that stands. */
export function updatedFields(work: Work, o: ObjectWork, row: PlannedRow, cells: Cells, step: Step): string[] {
  if (step === 'update') return [...row.fields];
  if (step === 'activate') return row.later.filter((name) => name === activation);
  if (step === 'later') return row.later.filter((name) => name !== activation);
  const out = new Set([...row.without, ...row.later]);
  const updateable = o.writable.filter(({ name, describe }) => describe.updateable && !out.has(name));
  if (!work.state.isMatched(row.id)) {
    const unfit = unfitFields(o, cells);
    return updateable.flatMap(({ name }) => (unfit.has(name) ? [name] : []));
  }
  const keys = new Set(o.plan.keys?.flat());
  return updateable
    .filter(({ name, describe }) => !keys.has(name) && (cells(name) !== '' || describe.nillable))
    .map(({ name }) => name);
}

/** As Collections take it. */
export function recordOf(columns: readonly string[], { values }: Rendered): WriteRecord {
  const record: Record<string, string | null> = {};
  for (const [at, value] of values.entries()) if (value !== undefined) record[columns[at]!] = value;
  return record;
}

const none: ReadonlySet<string> = new Set();

/** Fields whose cells Bulk cannot carry: each for itself, and the longest of a row that is too long. */
function unfitFields({ writable }: ObjectWork, cells: Cells): ReadonlySet<string> {
  let unfit: Set<string> | undefined;
  let characters = 0;
  for (const { name } of writable) {
    const cell = cells(name);
    if (cellUnfit(cell) === undefined) characters += cell.length;
    else unfit = (unfit ?? new Set()).add(name);
  }
  if (characters <= mostRowCharacters) return unfit ?? none;
  unfit ??= new Set();
  const longest = writable.map(({ name }) => name).filter((name) => !unfit.has(name));
  longest.sort((a, b) => cells(b).length - cells(a).length);
  for (const name of longest) {
    if (characters <= mostRowCharacters) break;
    characters -= cells(name).length;
    unfit.add(name);
  }
  return unfit;
}

/** What stands in a field that is required until its value follows. */
function placeholder(value: string): string {
  const plain = value.replaceAll(/\r\n?/g, '\n').slice(0, 32_000);
  return plain === '#N/A' ? 'N/A' : plain;
}

/** True when an empty field has to be cleared on insert, since the org would put a default there (field guide, restore 1.5). */
function clearsDefault(field: FieldDescribe): boolean {
  if (!field.nillable || field.type === 'boolean') return false;
  const values = (field.picklistValues ?? []) as readonly { readonly defaultValue?: boolean }[];
  const given = field.defaultValue ?? field.defaultValueFormula ?? null;
  return field.defaultedOnCreate === true || given !== null || values.some(({ defaultValue }) => defaultValue);
}
