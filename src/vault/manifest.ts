import { z } from 'zod';
import { Fault } from '../errors.ts';
import { parseJson } from './json.ts';
import { refSchema } from './record.ts';

/**
 * A point's table of contents: its root, and the pages that it reaches. Tolerant of keys that later versions add, strict about those
 * that this version knows.
 */

/**
 * A list that ends at its first item that does not fit. Zod goes on and keeps what is wrong with each: of a page with millions of items that is more than
 * fits into memory.
 */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).transform((values, check) => {
    const items: T[] = [];
    for (const [at, value] of values.entries()) {
      const parsed = item.safeParse(value);
      if (!parsed.success) {
        check.issues.push({ code: 'custom', message: parsed.error.message, path: [at], input: undefined });
        return z.NEVER;
      }
      items.push(parsed.data);
    }
    return items;
  });
}

/**
 * The API name of an object or a field. These become names of files, tables and entries of a zip, so that nothing else may pass for one; 80 characters are the most that
 * the org takes, in namespaces somewhat more.
 */
const apiName = z.string().regex(/^[A-Za-z]\w{0,254}$/);

/** True when no two names differ in nothing but case: the org compares them without it, and so do file systems and databases. */
function areApart(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.toLowerCase())).size === names.length;
}

/** What is not in a point: a whole object, a field of it, or rows of it (`where`). */
export const leftOutSchema = z.object({
  object: z.string(),
  field: z.string().optional(),
  /** A SOQL condition: the rows that it holds for are left out, the others are in the point. */
  where: z.string().optional(),
  reason: z.string(),
  /** How many rows that were when the point was taken; absent where the org did not count them. */
  rows: z.number().int().optional(),
  /** Who answers for it; absent where nobody decided it. */
  owner: z.string().optional(),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

/** Why an object is not complete (vault format 5). */
export const incompletenessSchema = z.enum(['failed', 'unproven', 'visibility']);
export type Incompleteness = z.infer<typeof incompletenessSchema>;

export const segmentSchema = z.object({
  ...refSchema.shape,
  /** Rows, header line not counted. */
  rows: z.number().int(),
  /** Bytes of CSV, header line included. */
  bytes: z.number().int(),
  /** The twin with Id and SystemModstamp of each row; objects without Id have none. */
  index: refSchema.optional(),
  /** The first and the last Id that it holds. */
  minId: z.string().optional(),
  maxId: z.string().optional(),
  /** The window of stamps that it was read by; a base has none. */
  read: z.object({ from: z.string(), to: z.string() }).optional(),
  /** Of a merged segment: the oldest run whose rows it holds. */
  oldest: z.string().optional(),
});
export type SegmentRef = z.infer<typeof segmentSchema>;

/** One object's page. */
export const mapSchema = z.object({
  v: z.literal(1),
  object: apiName,
  /** In the order in which they stand in the segments. */
  columns: listOf(apiName).refine(areApart),
  /** The type of each column, as far as it decides how values are written; `formula` before it where the org computes them. */
  types: listOf(z.string()).optional(),
  /** Fields that are no longer there and that older segments may have. */
  left: listOf(z.string()).optional(),
  /** False for big objects: rows stand in the order in which the org gave them. */
  hasId: z.boolean(),
  /** A SOQL condition: only rows that meet it are in the point, since the policy leaves out the others; absent: all rows. */
  kept: z.string().optional(),
  /** The field that windows are cut on; null: the object is read in full each time. */
  stamp: z.string().nullable(),
  /** The server's clock when the read began: the next window's low end is this less the overlap. */
  watermark: z.string(),
  window: z.object({ from: z.string().nullable(), to: z.string() }),
  /** When all its Ids were last held against those of the org. */
  reconciled: z.string().optional(),
  way: z.string(),
  /** Live rows of the object in this point. */
  rows: z.number().int(),
  /** Rows in the recycle bin, found by this read. */
  deleted: z.number().int(),
  /** Bytes of CSV of all segments. */
  bytes: z.number().int(),
  base: listOf(segmentSchema),
  deltas: listOf(segmentSchema),
  gone: listOf(segmentSchema),
  /** Tombstones that take nothing away any more, and empty lookups still; absent in pages of older versions. */
  spent: listOf(segmentSchema).optional(),
  /** The run up to which tombstones may be missing in `spent`: an object with older rows that may name those of this one is read anew. */
  forgets: z.string().optional(),
  /** By object that rows may name: the newest run of its page when they were last asked for because rows of it had come out of the recycle bin. */
  refills: z.record(z.string(), z.string()).optional(),
  /** What the runs that wrote these segments know of them: min and max Id, digests, block index. */
  detail: listOf(refSchema),
  /** SHA-256 of the object's canonical describe; the page that holds it. */
  schema: z.object({ print: z.string(), page: refSchema }),
  /** What the org counted, for the proof of completeness. */
  counted: z.object({ before: z.number().nullable(), after: z.number().nullable(), changes: z.number().nullable() }),
  complete: z.boolean(),
  incomplete: incompletenessSchema.optional(),
  reason: z.string().optional(),
});
export type MapPage = z.infer<typeof mapSchema>;

export const rootObjectSchema = z.object({
  object: apiName,
  /** The object's page and the list of what the page needs; absent when the object failed before anything was written. */
  page: refSchema.optional(),
  refs: refSchema.optional(),
  rows: z.number().int(),
  changed: z.number().int(),
  deleted: z.number().int(),
  segments: z.number().int(),
  /** Stored bytes that this run wrote for the object. */
  bytes: z.number().int(),
  /** bulk, rest, sliced, index-walk or none */
  path: z.string(),
  complete: z.boolean(),
  incomplete: incompletenessSchema.optional(),
  reason: z.string().optional(),
});
export type RootObject = z.infer<typeof rootObjectSchema>;

/** What a permission that the user lacks hides: so many `count` of rows, fields, values or objects, in so many `objects`; null: nobody could count. */
export const blindSpotSchema = z.object({
  permission: z.string(),
  hides: z.enum(['rows', 'fields', 'values', 'objects']),
  objects: z.number().int(),
  count: z.number().int().nullable(),
  /** The same in a sentence, and what would mend it. */
  message: z.string(),
  mend: z.string(),
});
export type BlindSpot = z.infer<typeof blindSpotSchema>;

/** What is out of the ordinary in a point: `figure` passed `limit`. Rules named `…-percent` count percent, others rows. */
export const alertSchema = z.object({ object: z.string(), rule: z.string(), figure: z.number(), limit: z.number() });
export type Alert = z.infer<typeof alertSchema>;

export const exclusionSchema = z.object({
  objects: listOf(z.string()).optional(),
  fields: listOf(z.string()).optional(),
  where: z.string().optional(),
  reason: z.string(),
  owner: z.string(),
  until: z.string().optional(),
});

/** Where the last state of some objects is that a point does not hold. */
export const restSchema = z.object({ point: z.string(), started: z.string(), objects: listOf(z.string()) });
export type Rest = z.infer<typeof restSchema>;

export const rootSchema = z.object({
  v: z.literal(1),
  vault: z.string(),
  point: z.string(),
  org: z.object({
    id: z.string(),
    instanceUrl: z.string(),
    name: z.string(),
    isSandbox: z.boolean(),
    username: z.string(),
    apiVersion: z.string(),
  }),
  kind: z.enum(['full', 'incremental']),
  status: z.enum(['complete', 'partial']),
  suspect: z.boolean(),
  /** Why it is suspect. */
  alerts: listOf(alertSchema).optional(),
  /** Suspect points before it, newest first, that nobody had acknowledged: what went wrong there is in this one too. */
  suspects: listOf(z.string()).optional(),
  started: z.string(),
  ended: z.string(),
  tags: listOf(z.string()),
  /** What the user asked for: kept so that a restore knows what was left out on purpose. */
  policy: z.object({
    objects: listOf(z.string()),
    exclude: listOf(z.string()),
    exclusions: listOf(exclusionSchema).optional(),
  }),
  objects: listOf(rootObjectSchema).refine((objects) => areApart(objects.map(({ object }) => object))),
  /** Describes of all objects of the point. */
  schema: listOf(refSchema),
  files: z.object({
    count: z.number().int(),
    bytes: z.number().int(),
    pages: listOf(refSchema),
    refs: listOf(refSchema),
  }),
  /** The org's metadata, where it was asked for: zips of the Metadata API, files of the pseudo object `Metadata`. */
  metadata: z
    .object({
      components: z.number().int(),
      bytes: z.number().int(),
      /** Ids of the retrievals, in order: a zip each. */
      ids: listOf(z.string()),
      /** The files page that names them, one of `files.pages`. */
      page: z.string().optional(),
      complete: z.boolean(),
      reason: z.string().optional(),
    })
    .optional(),
  notCovered: listOf(leftOutSchema),
  /** Of objects that nobody asked for (`--objects`): the newest good points before this one that hold them, newest first. */
  rest: listOf(restSchema).optional(),
  /** When the org was last asked which fields of all objects it hides from the user. */
  fieldsAsked: z.string().optional(),
  /** What the permissions of the user hide. */
  blindSpots: listOf(blindSpotSchema).optional(),
  /** How much of what the org holds is in the point, in percent (`coverage.ts` of the backup says what counts). */
  coverage: z.number(),
  apiCalls: z.number().int(),
  /** Requests of the org's day when the point ended: used by anybody, and allowed. */
  apiUsage: z.object({ used: z.number(), max: z.number() }).optional(),
  rows: z.number().int(),
  /** Stored bytes of the rows, tombstones, indexes and files that this point wrote. */
  bytes: z.number().int(),
});
export type Root = z.infer<typeof rootSchema>;

/** What only holders of an identity read about one object's segments. */
export const detailSchema = z.object({
  v: z.literal(1),
  object: z.string(),
  segments: listOf(
    z.object({
      key: z.string(),
      columns: listOf(z.string()),
      rows: z.number().int(),
      minId: z.string().optional(),
      maxId: z.string().optional(),
      /** SHA-256 of the CSV. */
      plainSha256: z.string(),
      /** `[offset in the compressed stream, length there, rows, bytes of CSV, first Id]` of each zstd frame. */
      blocks: listOf(z.tuple([z.number().int(), z.number().int(), z.number().int(), z.number().int(), z.string()])),
    }),
  ),
});
export type Detail = z.infer<typeof detailSchema>;

/** Describes of some objects, as the org sent them, with their prints. */
export const schemaPageSchema = z.object({
  v: z.literal(1),
  objects: listOf(z.object({ print: z.string(), describe: z.looseObject({ name: z.string() }) })),
});
export type SchemaPage = z.infer<typeof schemaPageSchema>;

/** Parses stored JSON against its schema. Throws `newer-format` for a later `v`, `segment-invalid` for anything else that does not fit. */
export function parseStored<T>(key: string, bytes: Buffer, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    throw new Fault('segment-invalid', `${key} does not hold JSON`, { cause, data: { key } });
  }
  return fitting(key, value, schema);
}

/** A value that was read from JSON, held against its schema. Throws as `parseStored`. */
export function fitting<T>(key: string, value: unknown, schema: z.ZodType<T>): T {
  const v = (value as { v?: unknown } | null)?.v;
  if (typeof v === 'number' && v > 1) {
    throw new Fault('newer-format', `${key} is written in vault format ${v}; this salvor reads format 1`, {
      data: { key },
    });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new Fault('segment-invalid', `${key} does not have the form that the format states`, {
      cause: parsed.error,
      data: { key },
    });
  }
  return parsed.data;
}
