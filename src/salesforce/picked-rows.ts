import type { RowBatch, RowFlow } from '../rows/batch.ts';
import { BatchWriter } from '../rows/batch-writer.ts';
import { cell, Keys, rowStart } from '../rows/cells.ts';
import { IdSet } from '../rows/id-set.ts';
import { inOrder } from '../rows/in-order.ts';
import { RunBuffer } from '../rows/run-buffer.ts';
import { RowSorter } from '../rows/sort.ts';
import type { ObjectDescribe } from '../schema/describe.ts';
import { groups } from './composite.ts';
import { fieldTypes, type Learned, ObjectExtraction } from './extract.ts';
import { isObjectLevel } from './faults.ts';
import { condition, distinct, type InList, sortedOnce, urlGroups } from './in-list.ts';
import type { ExtractRequest, Match } from './org.ts';
import { planFor } from './plan.ts';
import { parseWithSources, type RestRecord } from './rest-json.ts';
import { encodeRecords, restRows } from './rest-rows.ts';
import type { Wire } from './wire.ts';

/** Records of one POST composite/sobjects (field guide, extract 2.6). */
const perRetrieve = 2_000;
const inFlight = 4;
/** Calls that reading a whole object by Bulk is worth, and rows of it that take as long as one more. */
const bulkCalls = 12;
const rowsPerCall = 20_000;
const batchBytes = 1024 * 1024;

type Whole = Pick<ExtractRequest, 'object' | 'plan' | 'rowsExpected'>;

/** Reads some rows of an object, by as few calls as their number wants. */
export class PickedRows {
  readonly #wire: Wire;
  readonly #learned: Learned;
  /** Objects whose records the org does not give by their Ids. */
  readonly #notRetrieved = new Set<string>();
  /** About how many rows an object has; undefined: unknown. */
  readonly #countOf: (object: ObjectDescribe) => Promise<number | undefined>;

  constructor(wire: Wire, learned: Learned, countOf: (object: ObjectDescribe) => Promise<number | undefined>) {
    this.#wire = wire;
    this.#learned = learned;
    this.#countOf = countOf;
  }

  /** See `Org.records`. */
  records(object: ObjectDescribe, ids: readonly string[], fields: readonly string[], all: boolean): RowFlow {
    const columns = ['Id', ...fields.filter((field) => field !== 'Id')];
    const list = { object: object.name, fields: columns, field: 'Id', type: 'id', all };
    return { columns, batches: this.#byIds(object, list, ids) };
  }

  /** See `Org.matching`. */
  matching(object: ObjectDescribe, { field, values, where }: Match, fields: readonly string[], all: boolean): RowFlow {
    const type = object.fields.find(({ name }) => name === field)?.type ?? 'string';
    const list = { object: object.name, fields, field, type, where, all };
    return { columns: fields, batches: this.#byValues(object, list, values) };
  }

  async *#byIds(object: ObjectDescribe, list: InList, ids: readonly string[]): AsyncGenerator<RowBatch> {
    const sorted = sortedOnce(ids);
    const keys = new Keys(list.fields);
    const calls = sorted.length / (list.all ? this.#perUrl(list, sorted) : perRetrieve);
    const whole = await this.#worthAll(object, calls);
    if (whole) {
      yield* this.#sorted(keys, this.#filtered(whole, list, sorted));
      return;
    }
    const read = (group: string[]) => this.#group(object, list, group);
    const stretches = list.all ? this.#urlGroups(list, sorted) : groups(sorted, perRetrieve);
    for await (const batches of inOrder(stretches, inFlight, read)) yield* inIdOrder(keys, batches);
  }

  async *#byValues(object: ObjectDescribe, list: InList, values: readonly string[]): AsyncGenerator<RowBatch> {
    const each = distinct(values, list.type);
    const whole = list.fields.includes(list.field)
      ? await this.#worthAll(object, each.length / this.#perUrl(list, each))
      : undefined;
    if (whole) {
      yield* this.#filtered(whole, list, each);
      return;
    }
    for (const group of this.#urlGroups(list, each)) yield* this.#query(object, list, group);
  }

  /** The rows of one group of Ids, which are few. */
  async #group(object: ObjectDescribe, list: InList, ids: readonly string[]): Promise<RowBatch[]> {
    if (!list.all && !this.#notRetrieved.has(object.name)) {
      const batch = await this.#retrieved(object, list, ids);
      if (batch) return [batch];
    }
    const batches: RowBatch[] = [];
    for (const group of this.#urlGroups(list, ids)) {
      for await (const batch of this.#query(object, list, group)) batches.push(batch);
    }
    return batches;
  }

  /** Live rows by their Ids, in one call; undefined where the org does not do that for this object. */
  async #retrieved(object: ObjectDescribe, list: InList, ids: readonly string[]): Promise<RowBatch | undefined> {
    const request = {
      what: `${ids.length} rows of ${list.object}`,
      method: 'POST' as const,
      url: `${this.#wire.root}/composite/sobjects/${list.object}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids, fields: list.fields }),
    };
    try {
      const records = await this.#wire.http.json(request, (text) => recordList(text, ids.length));
      const found = (records as (RestRecord | null)[]).filter((record) => record !== null);
      return encodeRecords(found, { ...list, types: fieldTypes(list.object, object) });
    } catch (error) {
      if (!isObjectLevel(error)) throw error;
      this.#notRetrieved.add(object.name);
      return undefined;
    }
  }

  #query(object: ObjectDescribe, list: InList, values: readonly string[]): AsyncGenerator<RowBatch> {
    const types = fieldTypes(list.object, object);
    return restRows(this.#wire, { ...list, types, where: condition(list, values) });
  }

  #urlGroups(list: InList, values: readonly string[]): Generator<string[]> {
    return urlGroups(this.#wire.instanceUrl, this.#wire.root, list, values);
  }

  /** About how many of `values` go into one query. */
  #perUrl(list: InList, values: readonly string[]): number {
    const first = this.#urlGroups(list, values.slice(0, 2_000)).next();
    return first.done ? 1 : first.value.length;
  }

  /** The object as a whole, when it is better read like that than by so many calls. */
  async #worthAll(object: ObjectDescribe, calls: number): Promise<Whole | undefined> {
    const plan = planFor(object);
    if (calls <= bulkCalls || plan.way === 'none') return undefined;
    const rowsExpected = await this.#countOf(object);
    if (rowsExpected === undefined || calls <= bulkCalls + rowsExpected / rowsPerCall) return undefined;
    return { object: object.name, plan, rowsExpected };
  }

  /** All rows of the object, of which those with one of `values` are kept. */
  async *#filtered(whole: Whole, list: InList, values: readonly string[]): AsyncGenerator<RowBatch> {
    const { fields, where, all } = list;
    const request = { ...whole, plan: { ...whole.plan, fields }, where, all };
    const { batches } = new ObjectExtraction(this.#wire, this.#learned, request);
    const wanted = membership(values);
    const column = fields.indexOf(list.field);
    const kept = new BatchWriter(batchBytes);
    for await (const batch of batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        if (!wanted(cell(batch, i, column))) continue;
        kept.add(batch.bytes, rowStart(batch, i), batch.ends[i]!);
        if (kept.full) yield kept.take();
      }
      batch.release?.();
    }
    if (!kept.empty) yield kept.take();
  }

  async *#sorted(keys: Keys, batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
    const { tempDir, signal } = this.#wire.ctx;
    const sorter = new RowSorter(keys, { tempDir, signal });
    try {
      for await (const batch of batches) {
        await sorter.add(batch);
        batch.release?.();
      }
      yield* sorter.sorted();
    } finally {
      await sorter.remove();
    }
  }
}

function* inIdOrder(keys: Keys, batches: readonly RowBatch[]): Generator<RowBatch> {
  const buffer = new RunBuffer(
    keys,
    batches.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  for (const batch of batches) buffer.add(batch);
  yield* buffer.sorted(batchBytes, () => {});
}

/** Throws SyntaxError on anything but `count` records or nulls. */
function recordList(text: string, count: number): (RestRecord | null)[] {
  const json = parseWithSources(text);
  if (!Array.isArray(json) || json.length !== count) throw new SyntaxError(`not ${count} records`);
  return json as (RestRecord | null)[];
}

/** Tells whether a cell is one of `values`, as SOQL would: Ids to the letter, everything else whatever the case. */
function membership(values: readonly string[]): (cell: string) => boolean {
  if (values.every((value) => /^[A-Za-z0-9]{18}$/.test(value))) {
    const ids = new IdSet();
    for (const value of sortedOnce(values)) ids.add(Buffer.from(value));
    return (one) => one.length === 18 && ids.has(Buffer.from(one));
  }
  const folded = new Set(values.map((value) => value.toLowerCase()));
  return (one) => folded.has(one.toLowerCase());
}
