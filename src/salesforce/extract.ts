import { Fault, isFault } from '../errors.ts';
import type { Way } from '../events.ts';
import type { RowBatch } from '../rows/batch.ts';
import { ArchivedVersions } from './articles.ts';
import { bulkRows } from './bulk.ts';
import { isObjectLevel } from './faults.ts';
import { type FirstPage, fewRows, readingPath } from './first-pages.ts';
import { idPages, wantsOnePage } from './id-pages.ts';
import { indexWalk } from './index-walk.ts';
import type { Extraction, ExtractionSummary, ExtractRequest } from './org.ts';
import { encoded, type RestRead, restRows } from './rest-rows.ts';
import { slicedRows, wantsParentFilter } from './sliced.ts';
import { fitsUrl } from './soql.ts';
import { serverNow, type Wire } from './wire.ts';

/** What the client has learned about objects in this run. */
export interface Learned {
  /** Objects that Bulk has refused. */
  readonly notBulk: Set<string>;
  /** Type of each field. */
  typesOf(object: string): Promise<ReadonlyMap<string, string>>;
}

/** Up to this many rows a job that failed is worth another try by REST. */
const stillSmall = 50_000;

/** One reading of one object, by the way that suits it; see `Extraction`. */
export class ObjectExtraction implements Extraction {
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<RowBatch>;
  readonly #wire: Wire;
  readonly #learned: Learned;
  readonly #request: ExtractRequest;
  readonly #first: FirstPage | undefined;
  #way: Way;
  #job: string | undefined;
  #rows = 0;
  #summary: ExtractionSummary | undefined;

  /** `first`: a page that was asked for already, by REST. */
  constructor(wire: Wire, learned: Learned, request: ExtractRequest, first?: FirstPage) {
    this.#wire = wire;
    this.#learned = learned;
    this.#request = request;
    this.#first = first;
    this.#way = request.plan.way;
    this.#rows = request.from?.rows ?? 0;
    this.columns = request.plan.fields;
    this.batches = this.#run();
  }

  summary(): ExtractionSummary {
    if (!this.#summary) throw new TypeError('summary() before the batches have ended');
    return this.#summary;
  }

  async *#run(): AsyncGenerator<RowBatch> {
    const { from } = this.#request;
    const started = from ? new Date(from.started) : (this.#first?.started ?? (await serverNow(this.#wire)));
    let bytes = 0;
    for await (const batch of this.#all(started.toISOString())) {
      this.#rows += batch.ends.length;
      bytes += batch.bytes.length;
      yield batch;
    }
    const ended = await serverNow(this.#wire);
    this.#summary = { way: this.#way, rows: this.#rows, bytes, started, ended, job: this.#job };
  }

  async *#all(started: string): AsyncGenerator<RowBatch> {
    const { object, plan, where } = this.#request;
    const archived = where === undefined ? ArchivedVersions.of(object, plan.fields) : undefined;
    for await (const batch of this.#ways(started)) {
      archived?.note(batch);
      yield batch;
    }
    if (archived) yield* archived.rows(this.#wire, await this.#read());
  }

  async *#ways(started: string): AsyncGenerator<RowBatch> {
    if (this.#first) {
      this.#way = 'rest';
      return yield* restRows(this.#wire, await this.#read(), this.#first.page);
    }
    const { slicing } = this.#request.plan;
    if (!slicing) return yield* this.#unfiltered('bulk', started);
    try {
      if (slicing.unfilteredFirst) return yield* this.#unfiltered('sliced', started);
    } catch (error) {
      if (!this.#wantsFilter(error)) throw error;
    }
    this.#way = 'sliced';
    yield* slicedRows(this.#wire, await this.#read(), slicing);
  }

  /** Custom metadata that is more than a page. */
  async *#byPages(): AsyncGenerator<RowBatch> {
    const read = await this.#read();
    try {
      yield* restRows(this.#wire, read);
    } catch (error) {
      if (this.#rows > 0 || !isObjectLevel(error) || !wantsOnePage.test(error.message)) throw error;
      yield* encoded(idPages(this.#wire, read), read);
    }
  }

  #wantsFilter(error: unknown): boolean {
    return this.#rows === 0 && isObjectLevel(error) && wantsParentFilter.test(error.message);
  }

  async *#unfiltered(planned: Way, started: string): AsyncGenerator<RowBatch> {
    const { object } = this.#request;
    if (this.#byBulk()) {
      this.#way = 'bulk';
      try {
        return yield* bulkRows(this.#wire, this.#request, started, (job) => {
          this.#job = job;
        });
      } catch (error) {
        if (planned === 'sliced' && this.#wantsFilter(error)) throw error;
        if (this.#rows > 0 || this.#request.from || !this.#goesOnByRest(error)) throw error;
        if (isFault(error, 'bulk-refused')) this.#learned.notBulk.add(object);
        this.#job = undefined;
      }
    }
    const { mayBeIndex } = this.#request.plan;
    this.#way = mayBeIndex ? 'index-walk' : 'rest';
    if (!mayBeIndex) return yield* this.#byPages();
    const read = await this.#read();
    yield* encoded(indexWalk(this.#wire, read, mayBeIndex), read);
  }

  #byBulk(): boolean {
    const { object, plan, rowsExpected, from } = this.#request;
    if (from) return true;
    if (plan.way === 'rest' || plan.way === 'index-walk' || this.#learned.notBulk.has(object)) return false;
    if (object.endsWith('__b') || rowsExpected === undefined || rowsExpected >= fewRows) return true;
    return !fitsUrl(this.#wire.instanceUrl, readingPath(this.#wire, this.#request));
  }

  #goesOnByRest(error: unknown): boolean {
    if (isFault(error, 'bulk-refused')) return true;
    const { rowsExpected } = this.#request;
    return isFault(error, 'object-refused') && rowsExpected !== undefined && rowsExpected < stillSmall;
  }

  async #read(): Promise<RestRead> {
    const { object, plan, where, all } = this.#request;
    const types = await this.#learned.typesOf(object);
    return { object, fields: plan.fields, types, where, all: all && !object.endsWith('__b') };
  }
}

/** The types of an object's fields; throws `object-refused` when the org does not describe it. */
export function fieldTypes(
  object: string,
  describe: { readonly fields: readonly { name: string; type: string }[] } | { readonly reason: string } | undefined,
): ReadonlyMap<string, string> {
  if (!describe || 'reason' in describe) {
    throw new Fault('object-refused', describe?.reason ?? `The org does not describe ${object}.`, { data: { object } });
  }
  return new Map(describe.fields.map(({ name, type }) => [name, type]));
}
