import type { ObjectDescribe, ObjectSummary } from '../schema/describe.ts';
import { blobBytes } from './blob.ts';
import { approximateCounts, exactCounts } from './counts.ts';
import { fieldNames, objectNames } from './definitions.ts';
import { describeGlobal, describeObjects } from './describe.ts';
import { fieldTypes, ObjectExtraction } from './extract.ts';
import type { Extraction, ExtractionPlan, ExtractRequest, NotDescribed, Org, OrgIdentity, Permissions } from './org.ts';
import { readPermissions } from './permissions.ts';
import { planFor } from './plan.ts';
import { serverTime, type Wire } from './wire.ts';
import { OrgWriterClient } from './writer.ts';
import type { OrgWriter } from './writing.ts';

/** An org that answers over HTTP. Made by `connect`. */
export class OrgClient implements Org {
  readonly identity: OrgIdentity;
  readonly writer: OrgWriter;
  readonly #wire: Wire;
  readonly #notBulk = new Set<string>();
  readonly #types = new Map<string, ReadonlyMap<string, string>>();

  constructor(wire: Wire, identity: OrgIdentity) {
    this.#wire = wire;
    this.identity = identity;
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

  fieldNames(object: string): Promise<readonly string[] | undefined> {
    return fieldNames(this.#wire, object);
  }

  objectNames(): Promise<readonly string[]> {
    return objectNames(this.#wire);
  }

  approximateCounts(): Promise<Map<string, number>> {
    return approximateCounts(this.#wire);
  }

  counts(requests: readonly { object: ObjectDescribe; since?: Date }[]): Promise<(number | undefined)[]> {
    return exactCounts(this.#wire, requests);
  }

  plan(object: ObjectDescribe): ExtractionPlan {
    return planFor(object);
  }

  extract(request: ExtractRequest): Extraction {
    const learned = { notBulk: this.#notBulk, typesOf: (object: string) => this.#typesOf(object) };
    return new ObjectExtraction(this.#wire, learned, request);
  }

  blob(object: string, id: string, field: string): AsyncIterable<Buffer> {
    return blobBytes(this.#wire, object, id, field);
  }

  close(): Promise<void> {
    return this.#wire.http.close();
  }

  /** A point that is resumed may extract an object that was described in an earlier run. */
  async #typesOf(object: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#types.get(object);
    if (known) return known;
    const described = await this.describe([object]);
    return fieldTypes(object, described.get(object));
  }
}
