import { Fault } from '../errors.ts';
import { isObjectLevel } from './faults.ts';
import { cellOf, type QueryPage, type RestRecord } from './rest-json.ts';
import { firstPageOf } from './rest-query.ts';
import type { RestRead } from './rest-rows.ts';
import { and, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** Fields that an index may have (field guide, extract 4.1). */
const longestIndex = 5;

/** A row's place in the index: values of its fields as SOQL literals. */
type Key = readonly string[];

/**
 * Every record of a big object once, in the order of its index, by queries that a big object answers: equalities on the first index
 * fields and one range behind them. Behind the last record of a page the walk goes on with the deepest field, then steps out field by
 * field. It needs no further page of any query. `mayBeIndex`: fields that the index may consist of; which do, in which order and
 * direction, is found out by asking. Throws `object-refused` when there is more and the org takes a filter on none of them.
 */
export async function* indexWalk(
  wire: Wire,
  read: RestRead,
  mayBeIndex: readonly string[],
): AsyncGenerator<readonly RestRecord[]> {
  const walk = new Walk(wire, read, mayBeIndex);
  let page = await walk.page(read.where);
  if (page.records.length > 0) yield page.records;
  if (page.done) return;
  await walk.learn(page.records.at(-1));
  let key = walk.keyOf(page.records.at(-1)!);
  for (let level = walk.depth - 1; level >= 0; ) {
    const sign = await walk.direction(key, level);
    if (sign === undefined) {
      level -= 1;
      continue;
    }
    page = await walk.page(walk.behind(key, level, sign));
    const [first] = page.records;
    if (first && walk.keyOf(first).join() === key.join()) throw walk.again();
    if (page.records.length > 0) {
      yield page.records;
      key = walk.keyOf(page.records.at(-1)!);
    }
    level = page.done ? level - 1 : walk.depth - 1;
  }
}

class Walk {
  readonly #wire: Wire;
  readonly #read: RestRead;
  readonly #mayBeIndex: readonly string[];
  readonly #index: string[] = [];
  readonly #directions = new Map<number, '>' | '<'>();

  constructor(wire: Wire, read: RestRead, mayBeIndex: readonly string[]) {
    this.#wire = wire;
    this.#read = read;
    this.#mayBeIndex = mayBeIndex;
  }

  get depth(): number {
    return this.#index.length;
  }

  /** `done`: the org says that there is no more, and has sent what it counted. */
  async page(where: string | undefined, fields = this.#read.fields, most = ''): Promise<QueryPage> {
    const { object } = this.#read;
    const soql = `${select(fields, object, where)}${most}`;
    const page = await firstPageOf(this.#wire, soql, `the query of ${object}`);
    const done = page.done && page.totalSize <= page.records.length;
    if (!done && page.records.length === 0) throw this.#refused('it says that there is more and sends nothing');
    return { ...page, done };
  }

  /** Which fields make up the index: each is one that the org takes a filter on, behind filters on those before it. */
  async learn(record: RestRecord | undefined): Promise<void> {
    const left = [...this.#mayBeIndex];
    while (this.#index.length < longestIndex) {
      const next = await this.#nextOf(left, record!);
      if (next === undefined) break;
      this.#index.push(...left.splice(left.indexOf(next), 1));
    }
    if (this.#index.length === 0) throw this.#refused('a filter on none of its fields is taken');
  }

  async #nextOf(left: readonly string[], record: RestRecord): Promise<string | undefined> {
    for (const field of left) {
      const value = this.#literal(field, record[field]);
      if (value === undefined) continue;
      try {
        await this.#any([...this.#equal(this.keyOf(record), this.#index.length), `${field} = ${value}`]);
        return field;
      } catch (error) {
        if (!isObjectLevel(error)) throw error;
      }
    }
    return undefined;
  }

  keyOf(record: RestRecord): Key {
    return this.#index.map((field) => {
      const value = this.#literal(field, record[field]);
      if (value === undefined) throw this.#refused(`a row has no ${field}, which is in its index`);
      return value;
    });
  }

  behind(key: Key, level: number, sign: '>' | '<'): string {
    return and(this.#read.where, ...this.#equal(key, level), `${this.#index[level]} ${sign} ${key[level]}`)!;
  }

  /**
   * Whether the values of a level grow or fall; undefined where all rows of this key's level have one value. The first row of a level is at
   * its edge: all others are on one side of it.
   */
  async direction(key: Key, level: number): Promise<'>' | '<' | undefined> {
    const known = this.#directions.get(level);
    if (known) return known;
    const [first] = await this.#any(this.#equal(key, level));
    if (!first) throw this.#refused('rows that it sent are gone');
    const edge = this.#literal(this.#index[level]!, first[this.#index[level]!])!;
    for (const sign of ['>', '<'] as const) {
      const others = await this.#any([...this.#equal(key, level), `${this.#index[level]} ${sign} ${edge}`]);
      if (others.length === 0) continue;
      this.#directions.set(level, sign);
      return sign;
    }
    return undefined;
  }

  again(): Fault {
    return new Fault(
      'count-mismatch',
      `The org sends rows of ${this.#read.object} again that stand before the ones asked for.`,
      {
        data: { object: this.#read.object },
      },
    );
  }

  async #any(conditions: readonly string[]): Promise<readonly RestRecord[]> {
    const fields = this.#index.length > 0 ? this.#index : this.#mayBeIndex;
    return (await this.page(and(this.#read.where, ...conditions), fields, ' LIMIT 1')).records;
  }

  #equal(key: Key, levels: number): string[] {
    return this.#index.slice(0, levels).map((field, i) => `${field} = ${key[i]}`);
  }

  /** undefined: no value to compare with. */
  #literal(field: string, value: unknown): string | undefined {
    const type = this.#read.types.get(field);
    const cell = cellOf(value, type);
    if (cell === '') return undefined;
    return plain.has(type ?? '') ? cell : text(cell);
  }

  #refused(why: string): Fault {
    const { object } = this.#read;
    return new Fault('object-refused', `${object} cannot be read along its index: ${why}.`, { data: { object } });
  }
}

/** Types whose literals stand without quotes. */
const plain = new Set(['datetime', 'date', 'time', 'double', 'currency', 'percent', 'int', 'long', 'boolean']);
