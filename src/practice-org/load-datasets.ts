import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import type { Row, Value } from './database.ts';
import { DatasetObject, type Pointer } from './dataset-object.ts';
import type { ObjectDeclaration } from './declaration.ts';
import { type Filling, filledRow } from './fill.ts';
import { filesBelow, type RecordedDescribe, readJson, type Skipped } from './load-describes.ts';

export { DatasetObject } from './dataset-object.ts';

type Json = Record<string, unknown>;
/** What `@names` of records stand for. */
type References = Map<string, Pointer>;

interface Collected {
  readonly file: string;
  readonly object: DatasetObject;
  readonly at: number;
  readonly values: readonly (readonly [string, unknown])[];
  /** Its plan's names first, then those of its folder. */
  readonly scopes: readonly References[];
}

export interface Datasets {
  readonly objects: ReadonlyMap<string, DatasetObject>;
  readonly skipped: readonly Skipped[];
}

/**
 * The records below a folder: the files that `sf data tree` plans name, in their order, other record files, then CSVs.
 * `@references` are resolved within the plan, then within the folder.
 */
export async function readDatasets(
  folder: string,
  recorded: readonly RecordedDescribe[],
  sample: readonly ObjectDeclaration[],
): Promise<Datasets> {
  const reader = new Reader(folder, recorded, sample);
  const csvs: string[] = [];
  const trees = new Map<string, unknown[]>();
  const plans: [string, { files?: unknown[] }[]][] = [];
  for (const file of await filesBelow(folder)) {
    if (file.endsWith('.csv')) csvs.push(file);
    else if (/\.(json|sdx)$/.test(file)) {
      const json = await readJson(path.join(folder, file));
      const records = (json as { records?: unknown } | undefined)?.records;
      if (Array.isArray(records)) trees.set(file, records);
      else if (Array.isArray(json) && json.some((entry) => Array.isArray(entry?.files))) plans.push([file, json]);
      else reader.skip(file, json === undefined ? 'not valid JSON' : 'neither a plan nor a file of records');
    } else reader.skip(file, 'not a plan, a file of records or a CSV');
  }
  const left = new Map(trees);
  for (const [file, plan] of plans) {
    const names: References = new Map();
    for (const entry of plan.flatMap((step) => step.files ?? [])) {
      const name = typeof entry === 'string' ? entry : String((entry as { file?: unknown }).file);
      const named = path.posix.join(path.posix.dirname(file), name);
      if (!trees.has(named)) reader.skip(file, `names ${name}, which is not a file of records`);
      const records = left.get(named);
      if (records) reader.records(named, records, [names]);
      left.delete(named);
    }
  }
  for (const [file, records] of left) reader.records(file, records, []);
  for (const file of csvs) await reader.csv(file);
  return reader.finish();
}

class Reader {
  readonly #folder: string;
  readonly #objects = new Map<string, DatasetObject>();
  readonly #known = new Map<string, () => DatasetObject>();
  readonly #skipped = new Map<string, Skipped>();
  readonly #collected: Collected[] = [];
  readonly #folders = new Map<string, References>();

  constructor(folder: string, recorded: readonly RecordedDescribe[], sample: readonly ObjectDeclaration[]) {
    this.#folder = folder;
    for (const declared of sample) this.#known.set(declared.name, () => DatasetObject.ofSample(declared));
    for (const { describe } of recorded) this.#known.set(describe.name, () => DatasetObject.ofRecorded(describe));
  }

  skip(file: string, reason: string): void {
    this.#skipped.set(`${file}\n${reason}`, { file, reason });
  }

  #object(name: string, file: string): DatasetObject {
    const object = this.#objects.get(name) ?? this.#known.get(name)?.() ?? DatasetObject.derived(name);
    this.#objects.set(name, object);
    object.files.add(file);
    return object;
  }

  records(file: string, records: readonly unknown[], scopes: readonly References[], parent?: [string, Pointer]): void {
    const folder = path.posix.dirname(file);
    const ofFolder = this.#folders.get(folder) ?? new Map();
    this.#folders.set(folder, ofFolder);
    const all = [...scopes.filter((scope) => scope !== ofFolder), ofFolder];
    for (const record of records as Json[]) {
      const { attributes, ...fields } = record;
      const { type, referenceId } = (attributes ?? {}) as { type?: unknown; referenceId?: unknown };
      if (typeof type !== 'string') {
        this.skip(file, 'a record does not say what it is (attributes.type)');
        continue;
      }
      const object = this.#object(type, file);
      const pointer: Pointer = { object: type, at: object.addRow() };
      if (typeof referenceId === 'string') for (const scope of all) scope.set(referenceId, pointer);
      const values: [string, unknown][] = parent ? [[this.#lookup(object, ...parent), parent[1]]] : [];
      for (const [field, value] of Object.entries(fields)) {
        const children = (value as { records?: unknown } | null)?.records;
        if (Array.isArray(children)) this.records(file, children, all, [field, pointer]);
        else values.push([object.mention(field), value]);
      }
      this.#collected.push({ file, object, at: pointer.at, values, scopes: all });
    }
  }

  /** The field by which a nested record points at its parent. */
  #lookup(child: DatasetObject, relationship: string, parent: Pointer): string {
    const field = this.#objects.get(parent.object)?.childField(relationship, child.name);
    return field ?? (parent.object.endsWith('__c') ? parent.object : `${parent.object}Id`);
  }

  async csv(file: string): Promise<void> {
    const text = decode(await readFile(path.join(this.#folder, file)));
    if (text === undefined) return this.skip(file, 'UTF-32, or not text');
    let lines: string[][];
    try {
      lines = parse(text, { delimiter: delimiterOf(text), relax_column_count: true, skip_empty_lines: true });
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      return this.skip(file, `not a CSV that holds together: ${error.code}`);
    }
    const header = lines[0] ?? [];
    if (!header.some((column) => column.toLowerCase() !== 'id')) return this.skip(file, 'no column but Id');
    const object = this.#object(this.#nameOf(file, header), file);
    const ofFolder = this.#folders.get(path.posix.dirname(file)) ?? new Map();
    for (const line of lines.slice(1)) {
      const values = header.map((column, at) => [object.columnName(column), line[at] || null] as const);
      this.#collected.push({ file, object, at: object.addRow(), values, scopes: [ofFolder] });
    }
  }

  /** The object that a CSV is named after and whose fields it has; else one named after the file. */
  #nameOf(file: string, header: readonly string[]): string {
    const base = path.posix.basename(file, '.csv');
    const words = base.replace(/([a-z0-9])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/);
    const singular = words.map((word) =>
      word
        .toLowerCase()
        .replace(/ies$/, 'y')
        .replace(/s$/, '')
        .replace(/^acct$/, 'account'),
    );
    for (const name of [...this.#objects.keys(), ...this.#known.keys()]) {
      if (!singular.includes(name.replace(/__c$/, '').replaceAll('_', '').toLowerCase())) continue;
      const object = this.#objects.get(name) ?? this.#known.get(name)!();
      if (header.some((column) => object.has(object.columnName(column)))) return name;
    }
    return `${base
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_|_$/g, '')
      .replace(/^(?=\d)/, 'X')}__c`;
  }

  finish(): Datasets {
    for (const { file, object, at, values, scopes } of this.#collected) {
      for (const [field, value] of values) {
        if (value === null || value === undefined || value === '') continue;
        const problem = object.set(at, field, this.#resolved(value, scopes));
        if (problem) this.skip(file, problem);
      }
    }
    return { objects: this.#objects, skipped: [...this.#skipped.values()] };
  }

  #resolved(value: unknown, scopes: readonly References[]): unknown {
    if (typeof value !== 'string' || !value.startsWith('@')) return value;
    for (const scope of scopes) {
      const pointer = scope.get(value.slice(1));
      if (pointer) return pointer;
    }
    return value;
  }
}

/** UTF-8 or UTF-16 by its byte order mark; undefined for anything else. */
function decode(bytes: Buffer): string | undefined {
  const start = bytes.subarray(0, 4).toString('hex');
  if (start === 'fffe0000' || start === '0000feff') return undefined;
  const encoding = start.startsWith('fffe') ? 'utf-16le' : start.startsWith('feff') ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.slice(0, 20).includes('\0') ? undefined : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The delimiter that stands in the header most often. */
function delimiterOf(text: string): string {
  const header = text.split(/\r?\n|\r/, 1)[0] ?? '';
  const count = (delimiter: string) => header.split(delimiter).length;
  return [',', ';', '\t', '|', '^', '`'].reduce((best, next) => (count(next) > count(best) ? next : best));
}

const given = new Set([
  'Id',
  'OwnerId',
  'CreatedDate',
  'CreatedById',
  'LastModifiedDate',
  'LastModifiedById',
  'SystemModstamp',
  'IsActive',
  'BodyLength',
  'ContentSize',
]);

/** A row of a data set with all fields of its object: what it says, what the org gives out, and null. */
export function finishRow(
  filling: Filling,
  number: number,
  values: Readonly<Record<string, Value | Pointer>>,
  idOf: (object: string, at: number) => Value,
): Row {
  const made = filledRow(filling, number);
  const row: Record<string, Value> = {};
  for (const field of Object.keys(made)) {
    const value = values[field];
    if (value !== undefined)
      row[field] = typeof value === 'object' && value !== null ? idOf(value.object, value.at) : value;
    else if (given.has(field)) row[field] = made[field]!;
    else row[field] = typeof made[field] === 'boolean' ? false : null;
  }
  const named = filling.describe.fields.find((field) => field.name === 'Name');
  if (named && row.Name === null && 'LastName' in row) {
    row.Name = [row.FirstName, row.LastName].filter((part) => part !== null).join(' ') || null;
  }
  return row;
}
