import type { Describe, Row, RowSource, Value } from './database.ts';
import { emptyValue } from './describe.ts';
import { recordNumber } from './record-ids.ts';

/** Rows of one object from outside: columns are field names, cells are text as Bulk API 2.0 writes it, '' for null. */
export interface GivenRows {
  readonly object: string;
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<readonly (readonly string[])[]> | Iterable<readonly (readonly string[])[]>;
}

/**
 * The numbers that Ids of new rows go on with. No org gives out the Id of a record that it once had: these lie far above all that are in
 * use, in the place that Salesforce keeps at 0.
 */
const firstNew = 62 ** 8 * 30;

const numbers = new Set(['int', 'long', 'double', 'currency', 'percent']);

/** Rows that were handed over: they keep their Ids, stamps and all other values. */
export class StandingRows implements RowSource {
  readonly newIds: RowSource['newIds'];
  readonly #fields: Describe['fields'];
  readonly #types: ReadonlyMap<string, string>;
  #columns: readonly string[] = [];
  #places: ReadonlyMap<string, number> = new Map();
  readonly #rows: (readonly Value[])[] = [];
  readonly #numbers = new Map<string, number>();

  /** `prefix`: of the Ids of new rows. */
  constructor({ fields }: Describe, prefix: string) {
    this.newIds = { prefix, from: firstNew };
    this.#fields = fields;
    this.#types = new Map(fields.map(({ name, type }) => [name, type]));
  }

  /** Takes rows; further ones must have the same columns. Columns without a field are left out. */
  add(columns: readonly string[], rows: readonly (readonly string[])[]): void {
    if (this.#rows.length === 0) {
      this.#columns = columns.filter((name) => this.#types.has(name));
      this.#places = new Map(this.#columns.map((name, place) => [name, place]));
    }
    const from = this.#columns.map((name) => columns.indexOf(name));
    const types = this.#columns.map((name) => this.#types.get(name)!);
    const id = this.#places.get('Id');
    for (const row of rows) {
      const values = from.map((at, place) => typed(types[place]!, row[at] ?? ''));
      if (id !== undefined) this.#numbers.set(String(values[id]), this.#rows.length);
      this.#rows.push(values);
    }
  }

  get size(): number {
    return this.#rows.length;
  }

  row(number: number): Row {
    const row: Record<string, Value> = {};
    for (const { name } of this.#fields) row[name] = this.cell(number, name);
    return row;
  }

  cell(number: number, field: string): Value {
    const place = this.#places.get(field);
    return place === undefined ? emptyValue(this.#types.get(field)) : this.#rows[number]![place]!;
  }

  find(id: string): number {
    return this.#numbers.get(id) ?? -1;
  }
}

/** Users that nobody knows more of than their Ids: each Id that is looked for is one, active and of the standard kind. */
export class AnyUsers implements RowSource {
  readonly newIds = { prefix: '005', from: firstNew };
  readonly #describe: Describe;
  readonly #ids: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #known: ReadonlyMap<string, Row>;

  /** `known`: cells of users by Id, instead. */
  constructor(describe: Describe, known: ReadonlyMap<string, Row>) {
    this.#describe = describe;
    this.#known = known;
    for (const id of known.keys()) this.find(id);
  }

  get size(): number {
    return this.#ids.length;
  }

  row(number: number): Row {
    const id = this.#ids[number]!;
    const row: Record<string, Value> = {};
    for (const { name, type } of this.#describe.fields) row[name] = emptyValue(type);
    return { ...row, IsActive: true, UserType: 'Standard', ...this.#known.get(id), Id: id };
  }

  find(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    if (!id.startsWith('005') || recordNumber('005', id) >= firstNew) return -1;
    this.#numbers.set(id, this.#ids.length);
    return this.#ids.push(id) - 1;
  }
}

function typed(type: string, cell: string): Value {
  if (type === 'boolean') return cell === 'true';
  if (cell === '') return null;
  return numbers.has(type) ? Number(cell) : cell;
}
