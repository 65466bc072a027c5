import type { Database, Describe, Row, Table, Treatment } from './database.ts';
import { describeObjects } from './describe.ts';
import { type Filling, filledDeleted, filledRow, type Lookups } from './fill.ts';
import { defaultNow, sampleDatabase } from './generate.ts';
import { type DatasetObject, finishRow, readDatasets } from './load-datasets.ts';
import { readDescribes, type Skipped } from './load-describes.ts';
import { mix } from './random.ts';
import { recordId, recordNumber } from './record-ids.ts';
import { fileOf } from './sample/file-contents.ts';
import { sampleObjects } from './sample/objects.ts';

export interface LoadOptions {
  /** Folder of recorded describes, read as they are. */
  readonly describes?: string;
  /** Folder of `sf data tree` plans, record files and CSVs, read as they are. */
  readonly datasets?: string;
  /** Made-up rows for each recorded object; 40 without it. */
  readonly rows?: number;
  readonly seed?: number;
  readonly now?: Date;
}

export interface LoadedObject {
  readonly object: string;
  /** Where its describe is from: a recording, the sample org, or the columns of its data. */
  readonly describe: 'recorded' | 'sample' | 'derived';
  /** Made-up rows. */
  readonly generated: number;
  /** Rows of data sets, which come after the made-up ones. */
  readonly read: number;
  readonly files: readonly string[];
}

export interface Loaded {
  readonly database: Database;
  readonly loaded: readonly LoadedObject[];
  /** Files, fields and references that were left out, each with the reason. */
  readonly skipped: readonly Skipped[];
}

/** What a login needs, taken from the sample org when no describe of it is loaded. */
const needed = ['Organization', 'User', 'Profile', 'UserRole', 'PermissionSet', 'PermissionSetAssignment'];
/** The sample's rows point at this many rows of these objects. */
const atLeast = 30;

/** An org of recorded describes and data sets; what a login needs is added. Throws what reading the folders throws. */
export async function loadDatabase(options: LoadOptions): Promise<Loaded> {
  const now = options.now ?? defaultNow;
  const seed = options.seed ?? 1;
  const sample = sampleObjects({ personAccounts: false, everyKind: false }).map((object) => object.declaration);
  const known = new Map(sample.map((object) => [object.name, object.prefix]));
  const recorded =
    options.describes === undefined ? { found: [], skipped: [] } : await readDescribes(options.describes, known);
  const data =
    options.datasets === undefined ? undefined : await readDatasets(options.datasets, recorded.found, sample);
  const org = new LoadedOrg(seed, now.getTime());
  const prefixes = new Prefixes(known);

  for (const { describe, file } of recorded.found) {
    const wanted = options.rows ?? 40;
    const generated = needed.includes(describe.name) ? Math.max(wanted, atLeast) : wanted;
    const set = data?.objects.get(describe.name);
    org.add({ describe, prefix: prefixes.of(describe), generated, set, origin: 'recorded', files: [file] });
  }
  const rest = [...(data?.objects.values() ?? [])].filter((set) => !org.has(set.name));
  const described = describeObjects(rest.map((set) => set.declaration(prefixes.ofName(set.name))));
  for (const [index, set] of rest.entries()) {
    const describe = described[index]!;
    org.add({ describe, prefix: prefixes.of(describe), generated: 0, set, origin: set.origin, files: [] });
  }
  const { tables, facts } = sampleDatabase({ seed, now });
  for (const name of needed) if (!org.has(name)) org.addSample(tables.get(name)!);

  const users = org.table('User').source;
  return {
    database: {
      facts: { ...facts, username: String(users.row(0).Username) },
      tables: org.tables,
    },
    loaded: org.loaded,
    skipped: [...recorded.skipped, ...(data?.skipped ?? [])],
  };
}

/** Three characters for each object: its own, the one that the sample org has for it, or one that is free. */
class Prefixes {
  readonly #known: ReadonlyMap<string, string>;
  readonly #given = new Map<string, string>();

  constructor(known: ReadonlyMap<string, string>) {
    this.#known = known;
  }

  of(describe: Describe): string {
    if (describe.keyPrefix) this.#given.set(describe.name, describe.keyPrefix);
    return this.ofName(describe.name);
  }

  ofName(name: string): string {
    const prefix =
      this.#given.get(name) ?? this.#known.get(name) ?? `z${this.#given.size.toString(36).padStart(2, '0')}`;
    this.#given.set(name, prefix);
    return prefix;
  }
}

interface Addition {
  readonly describe: Describe;
  readonly prefix: string;
  readonly generated: number;
  readonly set: DatasetObject | undefined;
  readonly origin: LoadedObject['describe'];
  readonly files: readonly string[];
}

class LoadedOrg implements Lookups {
  readonly tables = new Map<string, Table>();
  readonly loaded: LoadedObject[] = [];
  readonly #seed: number;
  readonly #now: number;
  readonly #generated = new Map<string, { prefix: string; size: number; describe: Describe }>();

  constructor(seed: number, now: number) {
    this.#seed = seed;
    this.#now = now;
  }

  has(name: string): boolean {
    return this.tables.has(name);
  }

  table(name: string): Table {
    return this.tables.get(name)!;
  }

  id(object: string, number: number): string | undefined {
    const target = this.#generated.get(object);
    if (target) {
      if (target.size === 0) return undefined;
      const at = number % target.size;
      return recordId(target.prefix, filledDeleted(target.describe, at) ? at - 1 : at);
    }
    const table = this.tables.get(object);
    if (!table || table.source.size === 0) return undefined;
    const id = table.source.row(number % table.source.size).Id;
    return typeof id === 'string' ? id : undefined;
  }

  add({ describe, prefix, generated, set, origin, files }: Addition): void {
    const read = set?.rows.length ?? 0;
    const size = generated + read;
    const fileSize = (number: number) => mix(this.#seed, number, 5) % 20_000;
    const filling: Filling = { describe, prefix, seed: this.#seed, now: this.#now, lookups: this, fileSize };
    const rows: Row[] = [];
    const make = (number: number): Row =>
      number < generated
        ? filledRow(filling, number)
        : finishRow(filling, number, set!.rows[number - generated]!, (name, at) => {
            const target = this.tables.get(name);
            return target?.source.row((this.#generated.get(name)?.size ?? 0) + at).Id ?? null;
          });
    const withFiles = describe.fields.some((field) => field.type === 'base64');
    const find = (id: string): number => {
      const number = recordNumber(prefix, id);
      return number < size ? number : -1;
    };
    this.#generated.set(describe.name, { prefix, size: generated, describe });
    const treatment: Treatment = withFiles && describe.name === 'Attachment' ? { bulkRefused: true } : {};
    this.tables.set(describe.name, {
      describe,
      treatment,
      source: {
        size,
        row: (number) => {
          rows[number] ??= make(number);
          return rows[number];
        },
        find,
      },
      ...(withFiles && {
        blob: (id: string, field: string) => {
          const number = find(id);
          const isFile = describe.fields.some((each) => each.name === field && each.type === 'base64');
          return number < 0 || !isFile
            ? undefined
            : fileOf('bin', fileSize(number), mix(this.#seed, number, 6)).bytes();
        },
      }),
    });
    this.loaded.push({
      object: describe.name,
      describe: origin,
      generated,
      read,
      files: [...files, ...(set?.files ?? [])],
    });
  }

  addSample(table: Table): void {
    const { name } = table.describe;
    this.tables.set(name, table);
    this.loaded.push({ object: name, describe: 'sample', generated: table.source.size, read: 0, files: [] });
  }
}
