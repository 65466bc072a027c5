import type { RowFlow } from '../rows/batch.ts';
import type { ObjectDescribe, ObjectSummary } from '../schema/describe.ts';
import { blobBytes } from './blob.ts';
import { approximateCounts, exactCounts } from './counts.ts';
import { fieldNames, objectNames } from './definitions.ts';
import { describeGlobal, describeObjects } from './describe.ts';
import { exchange } from './exchange.ts';
import { fieldTypes, type Learned, ObjectExtraction } from './extract.ts';
import { firstPages } from './first-pages.ts';
import { type MetadataZip, metadataCalls, metadataZips } from './metadata.ts';
import type {
  Extraction,
  ExtractionPlan,
  ExtractRequest,
  Match,
  NotDescribed,
  Org,
  OrgIdentity,
  Permissions,
  RawAnswer,
  RawRequest,
  Standing,
} from './org.ts';
import { readPermissions } from './permissions.ts';
import { PickedRows } from './picked-rows.ts';
import { planFor } from './plan.ts';
import { standings } from './standings.ts';
import { serverTime, type Wire } from './wire.ts';
import { OrgWriterClient } from './writer.ts';
import type { OrgWriter } from './writing.ts';

/** An org that answers over HTTP. Made by `connect`. */
export class OrgClient implements Org {
  readonly identity: OrgIdentity;
  readonly writer: OrgWriter;
  readonly #wire: Wire;
  readonly #learned: Learned;
  readonly #picked: PickedRows;
  #approximate: Map<string, number> | undefined;
  readonly #types = new Map<string, ReadonlyMap<string, string>>();

  constructor(wire: Wire, identity: OrgIdentity) {
    this.#wire = wire;
    this.identity = identity;
    this.#learned = { notBulk: new Set(), typesOf: (object) => this.#typesOf(object) };
    this.#picked = new PickedRows(wire, this.#learned, (object) => this.#countOf(object));
    this.writer = new OrgWriterClient(wire, (object) => this.#typesOf(object));
  }

  get apiCalls(): number {
    return this.#wire.http.usage.own;
  }

  get apiUsage(): { readonly used: number; readonly max: number } | undefined {
    return this.#wire.http.usage.newest;
  }

  serverTime(): Promise<Date> {
    return serverTime(this.#wire);
  }

  permissions(): Promise<Permissions> {
    return readPermissions(this.#wire, this.identity.userId);
  }

  objects(): Promise<ObjectSummary[]> {
    return describeGlobal(this.#wire);
  }

  async describe(names: readonly string[]): Promise<Map<string, ObjectDescribe | NotDescribed>> {
    const found = await describeObjects(this.#wire, names);
    for (const [name, describe] of found) {
      if (!('reason' in describe)) this.#types.set(name, fieldTypes(name, describe));
    }
    return found;
  }

  fieldNames(objects: readonly string[]): Promise<(readonly string[] | undefined)[]> {
    return fieldNames(this.#wire, objects);
  }

  objectNames(): Promise<readonly string[]> {
    return objectNames(this.#wire);
  }

  approximateCounts(): Promise<Map<string, number>> {
    return approximateCounts(this.#wire);
  }

  counts(...[requests]: Parameters<Org['counts']>): Promise<(number | undefined)[]> {
    return exactCounts(this.#wire, requests);
  }

  standings(...[requests]: Parameters<Org['standings']>): Promise<(Standing | undefined)[]> {
    return standings(this.#wire, requests);
  }

  plan(object: ObjectDescribe): ExtractionPlan {
    return planFor(object);
  }

  extract(request: ExtractRequest): Extraction {
    return new ObjectExtraction(this.#wire, this.#learned, request);
  }

  async extractFew(requests: readonly ExtractRequest[]): Promise<Extraction[]> {
    const pages = await firstPages(this.#wire, requests);
    return requests.map((request, i) => new ObjectExtraction(this.#wire, this.#learned, request, pages[i]));
  }

  records(
    object: ObjectDescribe,
    ids: readonly string[],
    fields: readonly string[],
    { all = false }: { readonly all?: boolean } = {},
  ): RowFlow {
    return this.#picked.records(object, ids, fields, all);
  }

  matching(
    object: ObjectDescribe,
    match: Match,
    fields: readonly string[],
    { all = false }: { readonly all?: boolean } = {},
  ): RowFlow {
    return this.#picked.matching(object, match, fields, all);
  }

  blob(object: string, id: string, field: string): AsyncIterable<Buffer> {
    return blobBytes(this.#wire, object, id, field);
  }

  exchange(request: RawRequest): Promise<RawAnswer> {
    return exchange(this.#wire, request);
  }

  metadata(): AsyncIterable<MetadataZip> {
    return metadataZips(this.#wire);
  }

  metadataCalls(): Promise<number> {
    return metadataCalls(this.#wire);
  }

  close(): Promise<void> {
    return this.#wire.http.close();
  }

  /** Good enough to choose a way by. */
  async #countOf(object: ObjectDescribe): Promise<number | undefined> {
    this.#approximate ??= await this.approximateCounts();
    return this.#approximate.get(object.name) ?? (await this.counts([{ object }]))[0];
  }

  /** A point that is resumed may extract an object that was described in an earlier run. */
  async #typesOf(object: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#types.get(object);
    if (known) return known;
    const described = await this.describe([object]);
    return fieldTypes(object, described.get(object));
  }
}
