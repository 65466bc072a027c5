import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Fault, systemCode } from '../../errors.ts';
import { IdMap } from '../../rows/id-table.ts';
import { printCharacters } from './now-print.ts';
import { actions, type ObjectPlan, type Plan, type PlannedRow } from './plan.ts';
import { PlannedRows } from './planned-rows.ts';

/*
 * A plan as lines of JSON. The first is the header, with the digest of the whole as its first key. Then
 *
 *   ["is", Id, Id in the org]                                       of a row that is referred to
 *
 * and for each object
 *
 *   ["object", name, [together], {keys, keysOfMadeOnly, counts}]    counts: of rows that stand in no line, by action
 *   ["with", [fields], [later], [without], reason, made]            what the rows that name its number (from 1) share; 0: nothing
 *   [Id, action, level, number, target, now]                        a row; what is behind the number may be left out
 *
 * No line holds a record value.
 */

const chunkBytes = 4 * 1024 * 1024;
/** Lines become bytes early: as texts on the heap they would be carried along by every collection. */
const pieceCharacters = 64 * 1024;

/** SHA-256 of the lines of the plan, in hex; the digest itself is not among what is digested. */
export function planDigest(plan: Plan): string {
  const hash = createHash('sha256');
  for (const chunk of chunks(bodyLines(plan))) hash.update(chunk);
  return hash.digest('hex');
}

/** The plan's lines in chunks of about 4 MiB that end with a line. `digest`: of the plan (`planDigest`). */
export function* planChunks(plan: Plan, digest: string): Generator<Buffer> {
  yield* chunks(withDigest(bodyLines(plan), digest));
}

/** Whether there is room for the file of a plan, before the plan is made, which may take an hour. Throws `usage`, `disk-error`. */
export async function assertPlanFile(name: string): Promise<void> {
  try {
    await access(path.dirname(name), constants.W_OK);
  } catch (cause) {
    throw notWritten(name, cause);
  }
  const there = await access(name).then(
    () => true,
    () => false,
  );
  if (there) throw new Fault('usage', `there is a file ${name} already`);
}

/**
 * Writes a plan to a new file that only its owner may read; whole, or there is none. Throws `usage` when there is such a file, `disk-full`,
 * `disk-error`.
 */
export async function writePlanFile(name: string, plan: Plan): Promise<void> {
  try {
    const file = await open(name, 'wx', 0o600);
    try {
      for (const chunk of planChunks(plan, planDigest(plan))) await file.writeFile(chunk);
      await file.sync();
    } catch (error) {
      await rm(name, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw notWritten(name, cause);
  }
}

function notWritten(name: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  if (code === 'EEXIST') return new Fault('usage', `there is a file ${name} already`);
  const kind = code === 'ENOSPC' ? 'disk-full' : 'disk-error';
  return new Fault(kind, `could not write the plan to ${name}: ${code}`, { cause });
}

/** Throws `usage` when there is no such file, and what `readPlan` throws. */
export async function readPlanFile(name: string): Promise<Plan> {
  try {
    return await readPlan(name, createReadStream(name));
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || cause instanceof Fault) throw cause;
    throw new Fault('usage', `could not read the plan from ${name}: ${code}`, { cause });
  }
}

/** Reads a plan from its lines, cut anywhere. Throws `plan-edited` when it is not whole and as it was written, `newer-format`. */
export async function readPlan(name: string, bytes: AsyncIterable<Buffer>): Promise<Plan> {
  const reader = new PlanParser(name);
  let rest = '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) reader.line(line);
  }
  if (rest !== '') throw reader.edited();
  return reader.end();
}

const headerSchema = z.looseObject({
  v: z.number(),
  kind: z.literal('plan'),
  vault: z.string(),
  point: z.object({ id: z.string(), digest: z.string(), ended: z.string() }),
  sourceOrg: z.string(),
  org: z.object({ id: z.string(), name: z.string(), isSandbox: z.boolean(), username: z.string() }),
  made: z.string(),
  request: z.record(z.string(), z.unknown()),
  schema: z.record(z.string(), z.string()),
  restores: z.string(),
  salt: z.string(),
  // Where an earlier salvor kept what now stands in lines.
  references: z.never().optional(),
});
const names = z.array(z.string());
const objectMore = z.object({
  keys: z.array(names).optional(),
  keysOfMadeOnly: z.literal(true).optional(),
  counts: z.partialRecord(z.enum(actions), z.number().int()),
});
const objectLine = z.tuple([z.literal('object'), z.string(), names, objectMore]);
const id = z.string().regex(/^[0-9A-Za-z]{18}$/);
const isLine = z.tuple([z.literal('is'), id, id]);
const withLine = z.tuple([z.literal('with'), names, names, names, z.string().nullable(), z.literal(true).nullable()]);

type Shared = Pick<PlannedRow, 'fields' | 'later' | 'without' | 'reason' | 'made'>;
const nothing: Shared = { fields: [], later: [], without: [] };

class PlanParser {
  readonly #name: string;
  readonly #hash: Hash = createHash('sha256');
  #digest: string | undefined;
  #header: Plan['header'] | undefined;
  readonly #references = new IdMap();
  readonly #objects: ObjectPlan[] = [];
  #shared: Shared[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  line(text: string): void {
    if (this.#header === undefined) this.#first(text);
    else {
      this.#hash.update(`${text}\n`);
      this.#next(this.#json(text));
    }
  }

  end(): Plan {
    if (!this.#header || this.#hash.digest('hex') !== this.#digest) throw this.edited();
    return { header: this.#header, references: this.#references, objects: this.#objects };
  }

  edited(cause?: unknown): Fault {
    return new Fault('plan-edited', `${this.#name} is not a plan as salvor wrote it: it was changed or cut`, { cause });
  }

  #first(text: string): void {
    const found = /^\{"digest":"([0-9a-f]{64})",/.exec(text);
    if (!found) throw this.edited();
    this.#digest = found[1];
    const header = `{${text.slice(found[0].length)}`;
    this.#hash.update(`${header}\n`);
    const value = this.#json(header);
    const v = (value as { v?: unknown }).v;
    if (typeof v === 'number' && v > 1) {
      throw new Fault('newer-format', `${this.#name} is a plan of format ${v}; this salvor reads format 1`);
    }
    this.#parsed(headerSchema, value);
    // As it came: a parsed copy has its keys in another order, and another digest.
    this.#header = value as Plan['header'];
  }

  #next(value: unknown): void {
    if (!Array.isArray(value)) throw this.edited();
    const rows = this.#objects.at(-1)?.rows;
    if (value[0] === 'object') {
      const [, object, together, { counts, ...keys }] = this.#parsed(objectLine, value);
      const rows = new PlannedRows();
      for (const action of actions) for (let n = counts[action] ?? 0; n > 0; n--) rows.tally(action);
      this.#objects.push({ object, together, rows, ...keys });
      this.#shared = [nothing];
    } else if (value[0] === 'with') {
      const [, fields, later, without, reason, made] = this.#parsed(withLine, value);
      const more = { ...(reason === null ? {} : { reason }), ...(made ? { made } : {}) };
      this.#shared.push({ fields, later, without, ...more });
    } else if (rows) this.#row(rows, value);
    else if (value[0] === 'is') {
      const [, from, to] = this.#parsed(isLine, value);
      this.#references.set(from, to);
    } else throw this.edited();
  }

  /** By hand: there are millions of them. */
  #row(rows: PlannedRows, [id, action, level, number, target, now]: unknown[]): void {
    const shared = typeof number === 'number' ? this.#shared[number] : undefined;
    if (typeof id !== 'string' || id.length !== 18 || typeof level !== 'number' || !shared) throw this.edited();
    const known = actions.find((one) => one === action);
    if (!known) throw this.edited();
    if (typeof target === 'string' && target.length !== 18) throw this.edited();
    if (typeof now === 'string' && now.length !== printCharacters) throw this.edited();
    const more = { ...(typeof target === 'string' ? { target } : {}), ...(typeof now === 'string' ? { now } : {}) };
    rows.add({ id, action: known, level, ...shared, ...more });
  }

  #parsed<T>(schema: z.ZodType<T>, value: unknown): T {
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw this.edited(parsed.error);
    return parsed.data;
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.edited(cause);
    }
  }
}

function* bodyLines({ header, references, objects }: Plan): Generator<string> {
  yield JSON.stringify(header);
  for (const [from, to] of references) yield JSON.stringify(['is', from, to]);
  for (const { object, rows, together, keys, keysOfMadeOnly } of objects) {
    yield JSON.stringify(['object', object, together, { keys, keysOfMadeOnly, counts: tallied(rows) }]);
    yield* rowLines(rows);
  }
}

/** The rows of an object. There are millions of them: what they share is looked at once, and no row is made into an object. */
function* rowLines(rows: PlannedRows): Generator<string> {
  const lines = new Map<string, number>([[sharedLine(nothing), 0]]);
  /** By the number under which the rows share it: the number in the file. */
  const numbers: number[] = [];
  for (let n = 0; n < rows.size; n++) {
    const rest = rows.restNumberAt(n);
    let number = numbers[rest];
    if (number === undefined) {
      const line = sharedLine(rows.restAt(n));
      number = lines.get(line) ?? lines.size;
      numbers[rest] = number;
      if (!lines.has(line)) {
        lines.set(line, number);
        yield line;
      }
    }
    const target = rows.targetAt(n);
    const now = rows.printAt(n);
    const more = `${now === undefined && target === undefined ? '' : `,${cell(target)}`}${now === undefined ? '' : `,${cell(now)}`}`;
    yield `[${cell(rows.idAt(n))},"${rows.actionAt(n)}",${rows.levelAt(n)},${number}${more}]`;
  }
}

function cell(text: string | undefined): string {
  if (text === undefined) return 'null';
  return /^\w+$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Rows that are counted and not listed. */
function tallied(rows: PlannedRows): Partial<Record<PlannedRow['action'], number>> {
  const listed = new Map<PlannedRow['action'], number>();
  for (let n = 0; n < rows.size; n++) listed.set(rows.actionAt(n), (listed.get(rows.actionAt(n)) ?? 0) + 1);
  const counts = actions.map((action) => [action, rows.count(action) - (listed.get(action) ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function sharedLine({ fields, later, without, reason, made }: Shared): string {
  return JSON.stringify(['with', fields, later, without, reason ?? null, made ?? null]);
}

function* withDigest(lines: Iterable<string>, digest: string): Generator<string> {
  let first = true;
  for (const line of lines) {
    yield first ? `{"digest":"${digest}",${line.slice(1)}` : line;
    first = false;
  }
}

function* chunks(lines: Iterable<string>): Generator<Buffer> {
  let done: Buffer[] = [];
  let size = 0;
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < pieceCharacters) continue;
    size += done[done.push(Buffer.from(text)) - 1]!.length;
    text = '';
    if (size < chunkBytes) continue;
    yield Buffer.concat(done);
    done = [];
    size = 0;
  }
  if (size + text.length > 0) yield Buffer.concat([...done, Buffer.from(text)]);
}
