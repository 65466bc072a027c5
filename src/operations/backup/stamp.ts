import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import type { MapPage } from '../../vault/manifest.ts';

/**
 * The field that windows are cut on (field guide, extract 5.1): SystemModstamp, which moves with every change; LastModifiedDate, where shares have no
 * other; CreatedDate of rows that nobody can change. null: the object is read in full each time.
 */
export function stampOf({ fields }: ObjectDescribe): string | null {
  const has = (name: string) => fields.some((field) => field.name === name && field.filterable !== false);
  if (!fields.some(({ name }) => name === 'Id')) return null;
  if (has('SystemModstamp')) return 'SystemModstamp';
  if (has('LastModifiedDate')) return 'LastModifiedDate';
  return has('CreatedDate') && fields.every(({ updateable }) => !updateable) ? 'CreatedDate' : null;
}

/** Of each column, what decides how its values are written: when it changes, all rows have to be read again. */
export function typesOf({ fields }: ObjectDescribe, columns: readonly string[]): string[] {
  const byName = new Map(fields.map((field) => [field.name, field]));
  return columns.map((name) => {
    const field = byName.get(name);
    return field ? typeOf(field) : '';
  });
}

function typeOf({ type, scale, calculated }: FieldDescribe): string {
  const numeric = type === 'double' || type === 'currency' || type === 'percent';
  return `${calculated ? 'formula ' : ''}${type}${numeric ? ` ${scale ?? 0}` : ''}`;
}

/** What became of an object's columns since its page was written. */
export interface ColumnsMoved {
  /** True: the rows that are there do not say what they would say now. */
  readonly anew: boolean;
  /** Fields that came since, and that rows may have a value in: those rows are read too. Formulas are not among them. */
  readonly added: readonly FieldDescribe[];
}

/** Compares the columns of a page with those of now. A field that came and that SOQL cannot filter by means that everything is read anew. */
export function columnsMoved(
  page: Pick<MapPage, 'columns' | 'types' | 'left'>,
  describe: ObjectDescribe,
  columns: readonly string[],
): ColumnsMoved {
  const { types, left = [] } = page;
  const known = new Map(page.columns.map((name, i) => [name, types?.[i]]));
  const byName = new Map(describe.fields.map((field) => [field.name, field]));
  const added: FieldDescribe[] = [];
  let anew = types === undefined;
  for (const name of columns) {
    const field = byName.get(name)!;
    if (!known.has(name)) {
      if (!field.calculated) added.push(field);
      // It was gone for a time: what older segments say of it is not what it says now.
      if (left.includes(name)) anew = true;
    } else if (known.get(name) !== typeOf(field)) anew = true;
  }
  return { anew: anew || added.some(({ filterable }) => filterable === false), added };
}
