import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { Fault, systemCode } from '../../errors.ts';
import { IdTable } from '../../rows/id-table.ts';
import { looksLikeId } from '../../schema/ids.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { RecordDiff } from './request.ts';

/*
 * A patch as lines of JSON: a header, a line `[object, Id, change, fields]` for each record that differs, in any order, and at the end the number of records
 * and the SHA-256 of all lines before. `fields` are names; with values `{name: {from, to}}`.
 */

const endSchema = z.strictObject({ records: z.number().int(), sha256: z.string() });
const headerSchema = z.object({
  v: z.number().int(),
  kind: z.literal('patch'),
  vault: z.string(),
  org: z.string(),
  /** Digests are those of the records that seal the points. */
  from: z.object({ point: z.string(), digest: z.string() }),
  /** `live`, without a digest: the org as it was `at` that time. */
  to: z.object({ point: z.string(), digest: z.string().optional(), at: z.string().optional() }),
  values: z.boolean(),
});
export type PatchHeader = z.infer<typeof headerSchema>;
const lineSchema = z.tuple([
  z.string(),
  z.string().refine(looksLikeId),
  z.enum(['added', 'changed', 'deleted']),
  z.any(),
]);

const bufferedCharacters = 256 * 1024;

/** A patch that is being written. Only its owner may read it. */
export class PatchWriter {
  readonly #name: string;
  readonly #file: number;
  readonly #hash: Hash = createHash('sha256');
  #text = '';
  #records = 0;

  /** Throws `usage` when there is such a file, `disk-full`, `disk-error`. */
  constructor(name: string, header: PatchHeader) {
    this.#name = name;
    this.#file = this.#orFault(() => openSync(name, 'wx', 0o600));
    this.#line(header);
  }

  /** Takes the next record. Throws `disk-full`, `disk-error`. */
  add({ object, id, change, fields }: RecordDiff): void {
    this.#records += 1;
    this.#line([object, id, change, fields]);
  }

  /** Ends the file, which is whole then. */
  finish(): { file: string; records: number; sha256: string } {
    this.#flush();
    const end = { records: this.#records, sha256: this.#hash.digest('hex') };
    this.#orFault(() => {
      writeSync(this.#file, `${JSON.stringify(end)}\n`);
      fsyncSync(this.#file);
      closeSync(this.#file);
    });
    return { file: this.#name, ...end };
  }

  /** Removes what was written. */
  abandon(): void {
    closeSync(this.#file);
    rmSync(this.#name, { force: true });
  }

  #line(value: unknown): void {
    this.#text += `${JSON.stringify(value)}\n`;
    if (this.#text.length >= bufferedCharacters) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#hash.update(bytes);
    this.#orFault(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }

  #orFault<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const code = systemCode(cause);
      if (code === 'EEXIST') throw new Fault('usage', `there is a file ${this.#name} already`);
      const kind = code === 'ENOSPC' ? 'disk-full' : 'disk-error';
      throw new Fault(kind, `could not write the patch to ${this.#name}: ${code}`, { cause });
    }
  }
}

/** What a restore takes from a patch. */
export interface Patch {
  readonly header: PatchHeader;
  /** Object -> its changed and deleted rows, which stand in the point that the patch begins with. */
  readonly ids: ReadonlyMap<string, IdTable>;
}

/**
 * Reads the Ids of a patch, of objects that `takes` says yes to. Throws `usage` for a file that cannot be read or is no patch, `patch-edited` when it is not whole
 * and as it was written, `newer-format`, `nothing-selected` when no row of it stands in its first point.
 */
export async function readPatch(name: string, takes: (object: string) => boolean): Promise<Patch> {
  const parser = new PatchParser(name, takes);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(name)) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
        parser.line(bytes.subarray(from, end + 1));
        from = end + 1;
      }
      rest = bytes.subarray(from);
    }
    return parser.end(rest.length);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    throw new Fault('usage', `${name} cannot be read: ${why}`, { cause: error });
  }
}

class PatchParser {
  readonly #name: string;
  readonly #takes: (object: string) => boolean;
  readonly #hash = createHash('sha256');
  readonly #ids = new Map<string, IdTable>();
  #header: PatchHeader | undefined;
  #records = 0;
  #ended = false;

  constructor(name: string, takes: (object: string) => boolean) {
    this.#name = name;
    this.#takes = takes;
  }

  line(bytes: Buffer): void {
    if (this.#ended) throw this.#edited();
    const value = this.#json(bytes);
    if (!this.#header) this.#header = this.#begin(value);
    else if (Array.isArray(value)) this.#record(value);
    else this.#finish(value);
    // The last line tells the digest of those before.
    if (!this.#ended) this.#hash.update(bytes);
  }

  end(left: number): Patch {
    if (!this.#header) throw this.#noPatch();
    if (!this.#ended || left > 0) throw this.#edited();
    if (this.#ids.size === 0)
      throw new Fault('nothing-selected', `${this.#name} names no selected row of point ${this.#header.from.point}`);
    return { header: this.#header, ids: this.#ids };
  }

  #begin(value: unknown): PatchHeader {
    const parsed = headerSchema.safeParse(value);
    if (!parsed.success) throw this.#noPatch();
    if (parsed.data.v > 1)
      throw new Fault('newer-format', `${this.#name} is a patch of version ${parsed.data.v}; this salvor reads 1`);
    return parsed.data;
  }

  #record(value: unknown): void {
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) throw this.#edited();
    const [object, id, change] = parsed.data;
    this.#records += 1;
    if (change === 'added' || !this.#takes(object)) return;
    const ids = this.#ids.get(object) ?? new IdTable();
    this.#ids.set(object, ids);
    ids.add(id);
  }

  #finish(value: unknown): void {
    const parsed = endSchema.safeParse(value);
    this.#ended = true;
    const sha256 = this.#hash.digest('hex');
    if (!parsed.success || parsed.data.records !== this.#records || parsed.data.sha256 !== sha256) throw this.#edited();
  }

  #json(bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch {
      throw this.#header ? this.#edited() : this.#noPatch();
    }
  }

  #noPatch(): Fault {
    return new Fault('usage', `${this.#name} is no patch of salvor diff`);
  }

  #edited(): Fault {
    return new Fault('patch-edited', `${this.#name} is not whole, or not as it was written`);
  }
}

/** Throws `patch-mismatch` when the patch does not begin with this point, or when the point that it ends with is another one by now. */
export function assertPatchOf(
  { from, to, vault }: PatchHeader,
  given: string,
  entry: LogEntry,
  points: readonly LogEntry[],
): void {
  const refuse = (why: string) => {
    throw new Fault('patch-mismatch', why, { data: { from: from.point, to: to.point } });
  };
  if (vault !== given) refuse('the patch was made from another vault');
  if (from.point !== entry.record.point || from.digest !== entry.digest)
    refuse(`the patch begins with point ${from.point}, not with ${entry.record.point}`);
  const end = points.find(({ record }) => record.point === to.point);
  if (end && to.digest !== end.digest) refuse(`point ${to.point} is not the one that the patch ends with`);
}
