import type { Value } from '../database.ts';

/** The names of the cells that a row keeps; rows that keep the same cells share one. */
class Shape {
  readonly fields: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #longer = new Map<string, Shape>();

  constructor(fields: readonly string[]) {
    this.fields = fields;
    this.#places = new Map(fields.map((field, place) => [field, place]));
  }

  place(field: string): number | undefined {
    return this.#places.get(field);
  }

  with(field: string): Shape {
    let longer = this.#longer.get(field);
    if (!longer) {
      longer = new Shape([...this.fields, field]);
      this.#longer.set(field, longer);
    }
    return longer;
  }
}

const noFields = new Shape([]);

/** Cells of one row that were written, and no others: a million rows of sixty fields keep what they have. Never changes. */
export class Cells {
  static readonly none = new Cells(noFields, []);
  readonly #shape: Shape;
  readonly #values: readonly Value[];

  private constructor(shape: Shape, values: readonly Value[]) {
    this.#shape = shape;
    this.#values = values;
  }

  /** Of a new row: cells that hold what every row holds where nobody set it (`empty`) are not kept. */
  static unlike(empty: ReadonlyMap<string, Value>, cells: Readonly<Record<string, Value>>): Cells {
    const values: Value[] = [];
    let shape = noFields;
    for (const field in cells) {
      const value = cells[field]!;
      if (value === null || value === empty.get(field)) continue;
      shape = shape.with(field);
      values.push(value);
    }
    return new Cells(shape, values);
  }

  /** Undefined: this cell was not written. */
  get(field: string): Value | undefined {
    const place = this.#shape.place(field);
    return place === undefined ? undefined : this.#values[place];
  }

  entries(): [string, Value][] {
    return this.#shape.fields.map((field, place) => [field, this.#values[place]!]);
  }

  /** These cells with `changes` over them. */
  with(changes: Readonly<Record<string, Value>>): Cells {
    const values = [...this.#values];
    let shape = this.#shape;
    for (const field in changes) {
      const place = shape.place(field);
      if (place !== undefined) values[place] = changes[field]!;
      else {
        shape = shape.with(field);
        values.push(changes[field]!);
      }
    }
    return new Cells(shape, values);
  }
}
