import type { Database, Describe, OrgFacts, Row, RowSource, Table, Value } from './database.ts';
import { describeObjects, emptyValue } from './describe.ts';
import { hashOf, mix, Random } from './random.ts';
import { recordId, recordNumber } from './record-ids.ts';
import { sampleObjects } from './sample/objects.ts';
import { instant, type SampleObject, type SampleOrg, serial } from './sample.ts';
import { scaledSource, templates } from './scale.ts';

export interface SampleOptions {
  /** Another seed, other names, numbers and texts; the shape stays. */
  readonly seed?: number;
  /** Adds IsPersonAccount and its kin, and accounts that are people with their twin contacts. */
  readonly personAccounts?: boolean;
  /**
   * Adds objects that few orgs use and that answer queries unlike the rest: several currencies, Knowledge, ideas, feeds, content folders,
   * a big object of many pages.
   */
  readonly everyKind?: boolean;
  /** Bytes of the largest file, which is made while it is sent. Default 40 MiB. */
  readonly largestFile?: number;
  /** Rows by object name, instead of what the sample has: `{Account: 1_000_000}`. */
  readonly scale?: Readonly<Record<string, number>>;
  /** No record is younger. The default is a fixed moment, so that the same seed gives the same bytes on any day. */
  readonly now?: Date;
  /** What the login user lacks, as PermissionSet names it: `['PermissionsQueryAllFiles']`. */
  readonly withoutPermissions?: readonly string[];
}

export const defaultNow = new Date('2026-11-20T12:00:00.000Z');
const day = 86_400_000;
/** The org's first record is this old. */
const age = 3 * 365 * day;
/** The youngest record is this old, so that every change fits between it and now. */
const youngest = 20 * day;

/** Lookups of the sample org that point at records that are gone for good, as real orgs have them: `Object.Field`. */
export const danglingReferences: readonly string[] = ['Task.WhatId'];

/** The built-in sample org: about 60 objects and 12,000 rows, all computed from the seed when they are asked for. */
export function sampleDatabase(options: SampleOptions = {}): Database {
  const { personAccounts = false, everyKind = false } = options;
  const objects = sampleObjects({ personAccounts, everyKind });
  const org = new ComputedOrg(objects, options);
  const describes = describeObjects(objects.map((object) => object.declaration));
  const tables = new Map<string, Table>();
  for (const [index, object] of objects.entries()) {
    tables.set(object.declaration.name, tableOf(object, describes[index]!, org));
  }
  return { facts: factsOf(org), tables };
}

function factsOf(org: ComputedOrg): OrgFacts {
  return {
    organizationId: org.id('Organization', 0),
    organizationName: 'Practice Org',
    isSandbox: true,
    instanceName: 'PRA1',
    userId: org.id('User', 0),
    username: 'backup@practice-org.example',
  };
}

class ComputedOrg implements SampleOrg {
  readonly seed: number;
  readonly now: number;
  readonly personAccounts: boolean;
  readonly largestFile: number;
  readonly withoutPermissions: readonly string[];
  readonly #objects: ReadonlyMap<string, { object: SampleObject; hash: number }>;
  readonly #scale: ReadonlyMap<string, number>;
  readonly #sizes = new Map<string, number>();

  constructor(objects: readonly SampleObject[], options: SampleOptions) {
    this.seed = options.seed ?? 1;
    this.now = (options.now ?? defaultNow).getTime();
    this.personAccounts = options.personAccounts ?? false;
    this.largestFile = options.largestFile ?? 40 << 20;
    this.withoutPermissions = options.withoutPermissions ?? [];
    this.#objects = new Map(
      objects.map((object) => [object.declaration.name, { object, hash: hashOf(object.declaration.name) }]),
    );
    const byLowerCase = new Map(
      objects.map((object) => [object.declaration.name.toLowerCase(), object.declaration.name]),
    );
    this.#scale = new Map(
      Object.entries(options.scale ?? {}).map(([name, size]) => [byLowerCase.get(name.toLowerCase()) ?? name, size]),
    );
  }

  #of(name: string): { object: SampleObject; hash: number } {
    const known = this.#objects.get(name);
    if (!known) throw new TypeError(`the sample org has no object ${name}`);
    return known;
  }

  size(name: string): number {
    let size = this.#scale.get(name) ?? this.#sizes.get(name);
    if (size === undefined) {
      const { count } = this.#of(name).object;
      size = typeof count === 'number' ? count : count(this);
      this.#sizes.set(name, size);
    }
    return size;
  }

  /** Names of the objects that were asked for in volume, by the prefix of their Ids. */
  scaledByPrefix(): Map<string, string> {
    return new Map([...this.#scale.keys()].map((name) => [this.#of(name).object.declaration.prefix, name]));
  }

  scaled(name: string): boolean {
    return this.#scale.has(name);
  }

  deleted(name: string, number: number): boolean {
    const { object } = this.#of(name);
    const repeats = this.scaled(name) && this.size(name) > templates;
    return object.deleted?.(repeats ? number % templates : number, this) ?? false;
  }

  id(name: string, number: number): string {
    return recordId(this.#of(name).object.declaration.prefix, number);
  }

  live(name: string, number: number): string {
    let at = number % this.size(name);
    while (this.deleted(name, at)) at--;
    return this.id(name, at);
  }

  random(name: string, number: number, use = 0): Random {
    return new Random(mix(this.seed ^ this.#of(name).hash, number, use));
  }

  tag(name: string, number: number): string {
    return this.scaled(name) ? ` ${serial(number)}` : '';
  }
}

function tableOf(object: SampleObject, describe: Describe, org: ComputedOrg): Table {
  const { name, prefix } = object.declaration;
  const size = org.size(name);
  const make = rowMaker(object, describe, org);
  const source: RowSource =
    org.scaled(name) && size > templates
      ? scaledSource({
          describe,
          prefix,
          size,
          template: make,
          org,
          created: createdAt(object, size, org),
          scaled: org.scaledByPrefix(),
        })
      : plainSource(prefix, size, make, (number) => org.deleted(name, number));
  const { file } = object;
  return {
    describe,
    treatment: object.treatment ?? {},
    source,
    ...(file && {
      blob: (id: string, field: string) => {
        const number = source.find(id);
        return number < 0 ? undefined : file.call(object, number, field, org)?.bytes();
      },
      pieces: (id: string, field: string) => {
        const number = source.find(id);
        const found = number < 0 ? undefined : file.call(object, number, field, org);
        return found?.chunks && { size: found.size, chunks: () => found.chunks!() };
      },
    }),
  };
}

/** Rows are made when somebody looks at them; who only counts those that stand does not. */
function plainSource(
  prefix: string,
  size: number,
  make: (number: number) => Row,
  deleted: (number: number) => boolean,
): RowSource {
  const made: Row[] = [];
  const row = (number: number) => {
    made[number] ??= make(number);
    return made[number];
  };
  return {
    size,
    row,
    cell: (number, field) => (field === 'IsDeleted' ? deleted(number) : (row(number)[field] ?? null)),
    find: (id) => {
      const number = recordNumber(prefix, id);
      return number < size ? number : -1;
    },
  };
}

/** Milliseconds at which row `number` was made: never before the one in front of it. */
function createdAt(object: SampleObject, size: number, org: SampleOrg): (number: number) => number {
  const together = object.loadedTogether ?? 1;
  const from = Math.floor((org.now - age) / 1000);
  const seconds = (age - youngest) / 1000;
  return (number) => (from + Math.floor(((number - (number % together)) / size) * seconds)) * 1000;
}

/** Fields that are not cells of a row: they are made of others, or are files. */
const notStored = new Set(['address', 'location', 'base64']);

function rowMaker(object: SampleObject, describe: Describe, org: ComputedOrg): (number: number) => Row {
  const { name } = object.declaration;
  const empty: [string, Value][] = describe.fields
    .filter((field) => !notStored.has(field.type))
    .map((field) => [field.name, emptyValue(field.type)]);
  const has = new Set(empty.map(([field]) => field));
  const created = createdAt(object, org.size(name), org);
  const changes = org.scaled(name) ? 18 * day : 0;
  return (number) => {
    const given = object.row(number, org, org.random(name, number));
    const row: Record<string, Value> = Object.fromEntries(empty);
    const random = org.random(name, number, 99);
    const deleted = org.deleted(name, number);
    const made = created(number);
    const changed =
      made + (random.chance(40) ? 0 : random.int(0, changes || Math.floor((org.now - youngest - made) * 0.9)));
    const stamped = deleted
      ? org.now - random.int(3_600_000, 14 * day)
      : changed + (random.chance(80) ? 0 : random.int(0, day));
    const stamps: [string, Value][] = [
      ['Id', org.id(name, number)],
      ['IsDeleted', deleted],
      ['CreatedDate', instant(made)],
      ['LastModifiedDate', instant(changed)],
      ['SystemModstamp', instant(stamped)],
    ];
    for (const [field, value] of stamps) if (has.has(field)) row[field] = value;
    for (const field of ['OwnerId', 'CreatedById', 'LastModifiedById']) {
      if (has.has(field)) row[field] = org.live('User', random.int(0, 19));
    }
    for (const [field, value] of Object.entries(given)) {
      if (!has.has(field)) throw new TypeError(`${name} has no field ${field}`);
      row[field] = value;
    }
    return row;
  };
}
