import type { z } from 'zod';
import { isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { schemaPrint } from '../../schema/print.ts';
import { blankableLookups } from '../../vault/dead-rows.ts';
import { pointRoot } from '../../vault/layout.ts';
import {
  type Detail,
  detailSchema,
  type MapPage,
  mapSchema,
  parseStored,
  type Root,
  type RootObject,
  schemaPageSchema,
} from '../../vault/manifest.ts';
import type { Ref } from '../../vault/record.ts';
import { openRoot, rootRefOf } from '../../vault/root.ts';
import { decompress, openAge } from '../../vault/sealed.ts';
import type { Ladder } from './ladder.ts';
import type { Reach } from './reach.ts';
import type { StoredObjects } from './stored.ts';

/** Pages are small: more of them are read at the same time than of segments. */
const parallelPages = 6;

/** What a point's pages say of one object. */
export interface ObjectContents {
  readonly root: RootObject;
  readonly map: MapPage;
  /** Key of a segment -> what the run that wrote it noted. Empty without an identity. */
  readonly details: ReadonlyMap<string, Detail['segments'][number]>;
  /** False when a detail could not be read: then a segment without one is no further problem. */
  readonly detailsWhole: boolean;
}

/** Of a describe, what verification needs. */
export interface Described {
  readonly print: string;
  /** The print that the describe itself comes to. */
  readonly computed: string;
  readonly keyPrefix: string | null;
  /** Lookup field -> the objects that it may refer to. */
  readonly references: ReadonlyMap<string, readonly string[]>;
  /** Those of them that the org empties when the row that they name is deleted. */
  readonly blankable: ReadonlySet<string>;
}

export interface PointContents {
  readonly root: Root;
  /** Where the root lies. */
  readonly rootKey: string;
  readonly objects: readonly ObjectContents[];
  /** By object name: the describe on the schema page that the object's own page names. Empty without an identity. */
  readonly described: ReadonlyMap<string, Described>;
  /** Keys of schema pages that could be read. */
  readonly schemas: ReadonlySet<string>;
}

/** Decrypts stored objects and notes under which rung that failed. */
export class Opener {
  readonly stored: StoredObjects;
  readonly identities: readonly string[];
  readonly ladder: Ladder;
  readonly #tolerant: boolean;
  opened = 0;
  bytes = 0;
  /** Objects that are for other keys; only counted when `tolerant`. */
  foreign = 0;

  /** `tolerant`: what the identities do not open is no problem (the writer key opens no rows, and not what was before it). */
  constructor(stored: StoredObjects, identities: readonly string[], ladder: Ladder, tolerant: boolean) {
    this.stored = stored;
    this.identities = identities;
    this.ladder = ladder;
    this.#tolerant = tolerant;
  }

  /** Runs `work` on the stored bytes; undefined when these or the work failed, which is noted then. */
  async with<T>(ref: Ref, work: (stored: Buffer) => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work(await this.stored.read(ref));
      this.count([ref]);
      return result;
    } catch (error) {
      if (this.#tolerant && isFault(error, 'wrong-identity')) this.foreign += 1;
      else this.ladder.blame(error, ref.key);
      return undefined;
    }
  }

  /** Notes that these objects were opened to their end. */
  count(refs: readonly Ref[]): void {
    this.opened += refs.length;
    for (const { size } of refs) this.bytes += size;
  }

  /** A page or detail: an age file of zstd frames of JSON. */
  async page<T>(ref: Ref, schema: z.ZodType<T>): Promise<T | undefined> {
    return this.with(ref, async (body) =>
      parseStored(ref.key, await decompress(ref.key, await openAge(ref.key, body, this.identities)), schema),
    );
  }
}

/** Reads root, pages and details of a point; undefined when its root cannot be read. A page that fails leaves out its object. */
export async function contentsOf(
  opener: Opener,
  entryPoint: string,
  reach: Reach,
  withRows: boolean,
): Promise<PointContents | undefined> {
  const ref = rootOf(opener.ladder, entryPoint, reach);
  const root = ref && (await opener.with(ref, (body) => openRoot(ref.key, body, opener.identities)));
  if (!root) return undefined;
  const objects: ObjectContents[] = [];
  const maps = inOrder(root.objects, parallelPages, async (object) => {
    const map = object.page && (await opener.page(object.page, mapSchema));
    if (!map) return undefined;
    return {
      root: object,
      map,
      ...(withRows ? await detailsOf(opener, map) : { details: new Map(), detailsWhole: false }),
    };
  });
  for await (const object of maps) if (object) objects.push(object);
  const schemas = withRows ? await schemasOf(opener, root) : new Map<string, Map<string, Described>>();
  const described = new Map<string, Described>();
  for (const { map } of objects) {
    const found = schemas.get(map.schema.page.key)?.get(map.object);
    if (found) described.set(map.object, found);
  }
  return { root, rootKey: ref.key, objects, described, schemas: new Set(schemas.keys()) };
}

function rootOf(ladder: Ladder, point: string, { own }: Reach): Ref | undefined {
  try {
    return rootRefOf(point, own);
  } catch (error) {
    ladder.blame(error, pointRoot(point));
    return undefined;
  }
}

async function detailsOf(opener: Opener, map: MapPage): Promise<Pick<ObjectContents, 'details' | 'detailsWhole'>> {
  let detailsWhole = true;
  const details = new Map<string, Detail['segments'][number]>();
  for (const ref of map.detail) {
    const detail = await opener.page(ref, detailSchema);
    if (!detail) {
      detailsWhole = false;
      continue;
    }
    if (detail.object !== map.object)
      opener.ladder.problem(
        'counts',
        ref.key,
        `${ref.key} is of ${detail.object}, and the page of ${map.object} names it`,
      );
    for (const segment of detail.segments) details.set(segment.key, segment);
  }
  return { details, detailsWhole };
}

/** Key of a schema page -> object name -> what it says. */
async function schemasOf(opener: Opener, root: Root): Promise<Map<string, Map<string, Described>>> {
  const schemas = new Map<string, Map<string, Described>>();
  const pages = inOrder(root.schema, parallelPages, async (ref) => ({
    ref,
    page: await opener.page(ref, schemaPageSchema),
  }));
  for await (const { ref, page } of pages) {
    if (!page) continue;
    const described = new Map<string, Described>();
    schemas.set(ref.key, described);
    for (const { print, describe } of page.objects) {
      const fields = Array.isArray(describe.fields) ? (describe.fields as ObjectDescribe['fields']) : undefined;
      if (!fields) {
        opener.ladder.problem('parse', ref.key, `${ref.key} holds a describe without fields`);
        continue;
      }
      const references = fields
        .filter(({ type }) => type === 'reference')
        .map(({ name, referenceTo }) => [name, referenceTo ?? []] as const);
      described.set(describe.name, {
        print,
        computed: schemaPrint(describe as ObjectDescribe),
        keyPrefix: typeof describe.keyPrefix === 'string' ? describe.keyPrefix : null,
        references: new Map(references),
        blankable: new Set(blankableLookups(describe as ObjectDescribe).map(({ field }) => field)),
      });
    }
  }
  return schemas;
}
