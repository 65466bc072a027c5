import { Fault } from '../errors.ts';
import type { RowFlow } from '../rows/batch.ts';
import type { ObjectDescribe } from '../schema/describe.ts';
import { blankableLookups, DeadRows } from './dead-rows.ts';
import type { FileEntry } from './files-page.ts';
import type { LogEntry } from './log.ts';
import type { MapPage, Root, RootObject, SchemaPage } from './manifest.ts';
import { type Blanked, objectRows, type RowsWanted } from './object-rows.ts';
import { PointFiles } from './point-files.ts';
import type { Ref } from './record.ts';
import type { Vault } from './vault.ts';

/**
 * One recovery point as a reader sees it: objects as rows, their describes, files. Names of objects are compared without case. Pages are read
 * once and kept. Rows, describes and files need an identity: without one they throw `no-identity` or `wrong-identity`; whatever cannot be
 * proven throws a fault of exit code 4.
 */
export class PointReader {
  readonly vault: Vault;
  readonly entry: LogEntry;
  readonly root: Root;
  readonly #objects: ReadonlyMap<string, RootObject>;
  readonly #maps = new Map<string, Promise<MapPage>>();
  readonly #schemas = new Map<string, Promise<SchemaPage>>();
  readonly #dead = new Map<string, Promise<DeadRows>>();
  #files: PointFiles | undefined;

  private constructor(vault: Vault, entry: LogEntry, root: Root) {
    this.vault = vault;
    this.entry = entry;
    this.root = root;
    this.#objects = new Map(root.objects.map((one) => [one.object.toLowerCase(), one]));
  }

  static async open(vault: Vault, entry: LogEntry): Promise<PointReader> {
    return new PointReader(vault, entry, await vault.root(entry));
  }

  /** Names of the objects whose rows are in the point, whole or not (`found` tells), in the order of the root. */
  objects(): string[] {
    return this.root.objects.filter(({ page }) => page !== undefined).map(({ object }) => object);
  }

  /** Objects that failed before anything of them was written. */
  failed(): { object: string; reason: string }[] {
    return this.root.objects
      .filter(({ page }) => page === undefined)
      .map(({ object, reason }) => ({ object, reason: reason ?? 'it failed' }));
  }

  /** True when rows of the object are in the point. */
  has(object: string): boolean {
    return this.#objects.get(object.toLowerCase())?.page !== undefined;
  }

  /** What the root says of an object. Throws `no-such-object`, with the reason where the point knows one. */
  found(object: string): RootObject {
    const found = this.#objects.get(object.toLowerCase());
    if (found) return found;
    const leftOut = this.root.notCovered.find(
      (one) => one.object.toLowerCase() === object.toLowerCase() && one.field === undefined,
    );
    const reason = leftOut ? `: ${leftOut.reason}` : '';
    const earlier = this.root.rest?.find(({ objects }) => leftOut && objects.includes(leftOut.object));
    throw new Fault('no-such-object', `point ${this.root.point} does not hold ${object}${reason}`, {
      ...(earlier && {
        actions: [`take point ${earlier.point}: of those before it, the newest good one that holds ${leftOut!.object}`],
      }),
    });
  }

  /** The object's page. Throws `no-such-object` also when it failed. */
  async map(object: string): Promise<MapPage> {
    const { page, object: name, reason } = this.found(object);
    if (!page)
      throw new Fault('no-such-object', `point ${this.root.point} has no rows of ${name}: ${reason ?? 'it failed'}`);
    return kept(this.#maps, page.key, () => this.vault.map(page));
  }

  /** The object as the org described it then. */
  async describe(object: string): Promise<ObjectDescribe> {
    const map = await this.map(object);
    const { page, print } = map.schema;
    const schema = await this.#schema(page);
    const found = schema.objects.find((one) => one.print === print && one.describe.name === map.object);
    if (!found || !Array.isArray(found.describe.fields))
      throw new Fault('segment-invalid', `${page.key} does not describe ${map.object}`, { data: { key: page.key } });
    return found.describe as unknown as ObjectDescribe;
  }

  /** By name, the describes of all objects whose rows are in the point. */
  async describes(): Promise<Map<string, ObjectDescribe>> {
    const all = new Map<string, ObjectDescribe>();
    for (const object of this.objects()) all.set(object, await this.describe(object));
    return all;
  }

  /** The object's live rows at this point, ascending by Id; see `objectRows`. */
  async rows(object: string, wanted: RowsWanted = {}): Promise<RowFlow> {
    return objectRows(this.vault, await this.map(object), wanted, await this.#blanked(object, wanted));
  }

  /**
   * True when lookups of the object may have been emptied between `earlier` and this point, by deletions that moved no stamp of its rows: rows that
   * it may refer to were found deleted since.
   */
  async mayBeBlankedSince(earlier: PointReader, object: string): Promise<boolean> {
    const map = await this.map(object);
    const lookups = blankableLookups(await this.describe(object)).filter(({ field }) => map.columns.includes(field));
    for (const parent of new Set(lookups.flatMap(({ objects }) => objects))) {
      if (!this.has(parent)) continue;
      const before = earlier.has(parent) ? await earlier.map(parent) : undefined;
      const now = await this.map(parent);
      const known = new Set(before && tombstonesOf(before));
      if (tombstonesOf(now).some((key) => !known.has(key))) return true;
      // Points of older versions say less of rows that came back.
      if (known.size > 0 && (before!.spent === undefined) !== (now.spent === undefined)) return true;
    }
    return false;
  }

  /** Lookups that were emptied when the rows they name were deleted: the rows that hold them may have been read before. */
  async #blanked(object: string, { columns, signal }: RowsWanted): Promise<Blanked | undefined> {
    const map = await this.map(object);
    const asked = columns && new Set(columns.map((name) => name.toLowerCase()));
    const held = new Set(map.columns);
    const lookups = blankableLookups(await this.describe(object)).filter(
      ({ field }) => held.has(field) && (!asked || asked.has(field.toLowerCase())),
    );
    const parents = [...new Set(lookups.flatMap(({ objects }) => objects))].filter((name) => this.has(name)).sort();
    if (parents.length === 0) return undefined;
    const dead = await kept(this.#dead, parents.join(), async () => {
      const found = new DeadRows();
      for (const parent of parents) await found.add(this.vault, await this.map(parent), signal);
      return found;
    });
    return dead.newest === '' ? undefined : { dead, fields: lookups.map(({ field }) => field) };
  }

  /** What the point says of one file; undefined when it holds none. */
  async fileEntry(object: string, id: string, field: string): Promise<FileEntry | undefined> {
    return this.#pointFiles().entry(object, id, field);
  }

  /** The original bytes of one file, undefined when the point holds none; proven when the iteration has ended. */
  async file(object: string, id: string, field: string): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#pointFiles().open(object, id, field);
  }

  #pointFiles(): PointFiles {
    this.#files ??= new PointFiles(this.vault, this.root.files);
    return this.#files;
  }

  #schema(page: Ref): Promise<SchemaPage> {
    return kept(this.#schemas, page.key, () => this.vault.schema(page));
  }
}

function tombstonesOf({ gone, spent = [] }: MapPage): string[] {
  return [...gone, ...spent].map(({ key }) => key);
}

/** The value under a key, made once; what failed is tried again the next time. */
function kept<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = values.get(key);
  if (known) return known;
  const value = make();
  values.set(key, value);
  value.catch(() => values.delete(key));
  return value;
}
