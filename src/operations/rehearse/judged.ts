import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { comparedFields, derivedField, systemField } from '../../schema/values.ts';
import type { FieldLeftOut, ObjectPlan, PlannedRow } from '../restore/plan.ts';
import { insertable } from '../restore/writable.ts';
import type { NotJudged } from './scope.ts';

/** Stamps of the last change: writes of the restore itself move them, even where they may be set. */
const moved = new Set(['LastModifiedDate', 'LastModifiedById', 'SystemModstamp']);

/** Fields that nobody writes and that show whether rows were made in their order (field guide, restore 9). */
const following: Readonly<Record<string, readonly string[]>> = {
  ContentVersion: ['IsLatest', 'VersionNumber'],
  ContentDocument: ['LatestPublishedVersionId'],
};

/** Fields of rows that stood there which the platform works out anew when their children come back. */
const summed: Readonly<Record<string, readonly string[]>> = {
  Opportunity: ['Amount', 'TotalOpportunityQuantity'],
};

/** Which fields of the rows of an object are held against the point, row by row. */
export class JudgedFields {
  /** All that any row is judged by; fields as the org describes them. */
  readonly fields: readonly FieldDescribe[];
  /** Holds the bytes of a file; undefined for objects without files. */
  readonly blob: string | undefined;
  readonly #made: ReadonlySet<string>;
  readonly #summed: readonly string[];
  readonly #doubted: ReadonlySet<string>;
  readonly #lists = new Map<string, readonly number[]>();

  /** `leftOut`: what the plan says of this object. */
  constructor(
    source: ObjectDescribe,
    target: ObjectDescribe,
    columns: readonly string[],
    plan: ObjectPlan,
    leftOut: readonly FieldLeftOut[],
  ) {
    this.#doubted = doubtful(leftOut);
    this.#summed = summed[source.name] ?? [];
    const writable = insertable(source, target, columns).fields.map(({ name }) => name);
    const named = [...writable, ...laterFields(plan), ...(following[source.name] ?? [])];
    this.#made = new Set(named.filter((name) => columns.includes(name) && !moved.has(name)));
    const compared = new Set(comparedFields(target.fields).filter(({ name }) => columns.includes(name)));
    const numbered = target.fields.filter((field) => this.#made.has(field.name) || compared.has(field));
    this.fields = numbered.filter(({ name, type }) => name !== 'Id' && type !== 'base64');
    this.blob = target.fields.find(({ type, createable }) => type === 'base64' && createable)?.name;
  }

  /** Places in `fields` of those that a row of the point is judged by; `row`: as it was planned. */
  ofRow(row: PlannedRow | undefined): readonly number[] {
    if (!row) return [];
    const { action, fields, without } = row;
    if (action !== 'insert') return this.#list(`update ${fields}`, (name) => fields.includes(name));
    return this.#list(
      `insert ${without}`,
      (name) => this.#made.has(name) && (!without.includes(name) || this.#doubted.has(name)),
    );
  }

  /** True for a lookup that the plan left out since what it leads to is not there: so it is, unless that came back. */
  isDoubtful(row: PlannedRow | undefined, name: string): boolean {
    return this.#doubted.has(name) && row?.without.includes(name) === true;
  }

  /** Of a row that stood there before and that nothing, or only these fields, was to be written to. */
  ofStanding(written: readonly string[], compared: readonly string[]): readonly number[] {
    const changed = [...written, ...this.#summed];
    return this.#list(`standing ${written}`, (name) => !changed.includes(name) && compared.includes(name));
  }

  #list(key: string, takes: (name: string) => boolean): readonly number[] {
    let list = this.#lists.get(key);
    if (!list) {
      list = this.fields.flatMap(({ name }, place) => (takes(name) ? [place] : []));
      this.#lists.set(key, list);
    }
    return list;
  }

  /** Columns of the point that no row is judged by; `said`: fields of which the plan says why. */
  unjudged(
    { name: object, fields }: ObjectDescribe,
    columns: readonly string[],
    rows: number,
    said: ReadonlySet<string>,
  ): NotJudged[] {
    return fields.flatMap((field) => {
      if (!columns.includes(field.name) || this.#made.has(field.name) || said.has(field.name)) return [];
      const why = whyNot(field);
      return why ? [{ object, field: field.name, rows, ...why }] : [];
    });
  }
}

/** Lookups that the plan leaves out for no other reason than that nothing is there. */
function doubtful(leftOut: readonly FieldLeftOut[]): Set<string> {
  const isLost = ({ code }: FieldLeftOut) => code === 'reference-unresolved';
  const others = new Set(leftOut.flatMap((one) => (isLost(one) ? [] : [one.field])));
  return new Set(leftOut.flatMap((one) => (isLost(one) && !others.has(one.field) ? [one.field] : [])));
}

function whyNot(field: FieldDescribe): Pick<NotJudged, 'code' | 'reason'> | undefined {
  if (field.autoNumber === true || field.name === 'Id') return undefined;
  if (derivedField(field)) return { code: 'formula', reason: 'formulas and roll-ups follow from what is restored' };
  if (moved.has(field.name)) return { code: 'audit-field', reason: 'the restore itself moves the stamps of change' };
  if (systemField(field)) return { code: 'system-field', reason: 'the platform keeps it about the record' };
  return undefined;
}

function laterFields({ rows }: ObjectPlan): Set<string> {
  const fields = new Set<string>();
  for (const { later } of rows) for (const name of later) fields.add(name);
  return fields;
}
