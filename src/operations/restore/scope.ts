import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { Keys } from '../../rows/cells.ts';
import { IdMarks, type MarkedIds } from '../../rows/id-marks.ts';
import { IdMap, IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import type { PointReader } from '../../vault/point-reader.ts';

/** How a row of the point stands in the org now. */
export type Standing = 'live' | 'bin' | 'vanished';

/** What is known of one object's rows while a plan is made. Tables hold Ids of the point. */
export interface ObjectScope {
  readonly object: string;
  /** As it was when the point was taken. */
  readonly source: ObjectDescribe;
  /** As it is in the org; undefined: the org does not have it, or hides it. */
  readonly target: ObjectDescribe | undefined;
  /** Columns of the point's rows. */
  readonly columns: readonly string[];
  /** Rows that are to be as in the point. */
  readonly wanted: MarkedIds;
  readonly live: MarkedIds;
  readonly bin: MarkedIds;
  readonly vanished: MarkedIds;
  /** Rows in the recycle bin that a deletion took along, and that come back with the row that it was of. */
  readonly along: MarkedIds;
  /** Live rows that are not wanted themselves, and whose lookups may have lost a row that comes back. */
  readonly survivors: MarkedIds;
}

/** Everything that the steps of planning share. */
export class PlanScope {
  readonly ctx: Context;
  readonly reader: PointReader;
  readonly org: Org;
  /** Rows that earlier restores made again in this org: Id in the point -> Id there, of which nobody has looked whether it still stands. */
  readonly remade: IdMap;
  /** Those of them that stand. */
  readonly earlier = new IdMap();
  /** Rows of the point that stand in the org under another Id and are only referred to: users, record types of another org. */
  readonly references = new IdMap();
  /** One sentence for each object that could not be searched for an incident. */
  readonly notSearched: string[] = [];
  readonly #objects = new Map<string, ObjectScope>();
  readonly #byPrefix = new Map<string, string>();
  readonly #withoutPrefix: ObjectScope[] = [];
  #describes: ReadonlyMap<string, ObjectDescribe> = new Map();
  readonly #targets = new Map<string, ObjectDescribe | undefined>();

  private constructor(ctx: Context, reader: PointReader, org: Org, remade: IdMap) {
    this.ctx = ctx;
    this.reader = reader;
    this.org = org;
    this.remade = remade;
  }

  static async open(ctx: Context, reader: PointReader, org: Org, remade = new IdMap()): Promise<PlanScope> {
    const scope = new PlanScope(ctx, reader, org, remade);
    scope.#describes = await reader.describes();
    for (const { name, keyPrefix } of scope.#describes.values()) if (keyPrefix) scope.#byPrefix.set(keyPrefix, name);
    return scope;
  }

  /** True when the org is not the one that the point is of: no Id of the point means anything there. */
  get anotherOrg(): boolean {
    return this.reader.root.org.id.slice(0, 15) !== this.org.identity.orgId.slice(0, 15);
  }

  /** Objects of the point that have rows of their own Ids, as they were described. */
  get sources(): ReadonlyMap<string, ObjectDescribe> {
    return this.#describes;
  }

  /** The object that an Id of the point belongs to, by its key prefix. */
  objectOfId(id: string): string | undefined {
    const found = this.#byPrefix.get(id.slice(0, 3));
    if (found !== undefined) return found;
    // Shares and their like have Ids without a prefix of their own.
    return this.#withoutPrefix.find(({ wanted }) => wanted.has(id))?.object;
  }

  /** Objects with any row in the plan so far, in the order in which they were first asked for. */
  get objects(): readonly ObjectScope[] {
    return [...this.#objects.values()];
  }

  known(object: string): ObjectScope | undefined {
    return this.#objects.get(object);
  }

  /** Reads the org's describes of these objects, several at once; objects that it does not have are remembered as missing. */
  async describeTargets(objects: readonly string[]): Promise<void> {
    const names = objects.filter((name) => !this.#targets.has(name));
    if (names.length === 0) return;
    const found = await this.org.describe(names);
    for (const name of names) {
      const described = found.get(name);
      if (described && 'reason' in described && !described.never) {
        throw new Fault('object-refused', `the org does not describe ${name}: ${described.reason}`, {
          data: { object: name },
        });
      }
      this.#targets.set(name, described && !('reason' in described) ? described : undefined);
    }
  }

  async object(name: string): Promise<ObjectScope> {
    const known = this.#objects.get(name);
    if (known) return known;
    await this.describeTargets([name]);
    const source = this.#describes.get(name);
    if (!source) throw new Fault('no-such-object', `point ${this.reader.root.point} does not describe ${name}`);
    const marks = new IdMarks();
    const made: ObjectScope = {
      object: name,
      source,
      target: this.#targets.get(name),
      columns: (await this.reader.map(name)).columns,
      wanted: marks.mark(),
      live: marks.mark(),
      bin: marks.mark(),
      vanished: marks.mark(),
      along: marks.mark(),
      survivors: marks.mark(),
    };
    this.#objects.set(name, made);
    if (!source.keyPrefix) this.#withoutPrefix.push(made);
    return made;
  }

  /** The Ids of all rows that the point has of an object. */
  async idsInPoint(object: string): Promise<IdTable> {
    const ids = new IdTable();
    const flow = await this.reader.rows(object, { columns: ['Id'], signal: this.ctx.signal });
    const keys = new Keys(flow.columns);
    for await (const batch of flow.batches) {
      for (let i = 0; i < batch.ends.length; i++) ids.add(keys.id(batch, i));
      batch.release?.();
    }
    return ids;
  }

  /** Fields of the point's rows of an object that hold Ids, with their columns. */
  lookups(scope: Pick<ObjectScope, 'source' | 'columns'>): { field: FieldDescribe; column: number }[] {
    return scope.source.fields
      .filter(({ type }) => type === 'reference')
      .map((field) => ({ field, column: scope.columns.indexOf(field.name) }))
      .filter(({ column }) => column >= 0)
      .sort((a, b) => a.column - b.column);
  }

  /** True when this row of the point is to come back under a new Id. */
  comesAnew(id: string): boolean {
    const scope = this.#scopeOfId(id);
    const number = scope?.wanted.number(id) ?? -1;
    return number >= 0 && this.comesAnewAt(scope!, number);
  }

  /** As `comesAnew`, of a row by its number in the tables of its object. */
  comesAnewAt(scope: ObjectScope, number: number): boolean {
    const { wanted, vanished, bin } = scope;
    if (!wanted.at(number)) return false;
    const anew = vanished.at(number) || (bin.at(number) && !returns(scope, number));
    return anew && !(this.earlier.size > 0 && this.earlier.has(wanted.id(number)));
  }

  /** True when this row of the point is to come out of the recycle bin, by itself or with another. */
  isUndeleted(id: string): boolean {
    const scope = this.#scopeOfId(id);
    const number = scope?.wanted.number(id) ?? -1;
    if (number < 0 || this.earlier.has(id)) return false;
    return scope!.bin.at(number) && returns(scope!, number);
  }

  #scopeOfId(id: string): ObjectScope | undefined {
    const object = this.objectOfId(id);
    return object === undefined ? undefined : this.#objects.get(object);
  }
}

function returns({ target, along }: ObjectScope, number: number): boolean {
  return target?.undeletable === true || along.at(number);
}
