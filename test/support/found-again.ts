import type { Database, Row, Table, Value } from '../../src/practice-org/database.ts';
import type { ForeignFile, ForeignReader } from './foreign-reader.ts';

/** Differences named before the comparison of one object is given up. */
const most = 20;
const numeric = new Set(['double', 'currency', 'percent', 'int', 'anyType']);
const compound = new Set(['address', 'location']);

export interface Wanted {
  /** Objects that were asked for; every one without. */
  readonly objects?: readonly string[];
}

/**
 * What of a practice org's database is not in the vault as it should be, one sentence for each difference; empty: each row, each value,
 * each tombstone and each file is there and nothing else. The database is read directly, never through the org's protocols.
 */
export function differences(database: Database, reader: ForeignReader, wanted: Wanted = {}): string[] {
  const found: string[] = coverageDifferences(database, reader, wanted);
  for (const table of database.tables.values()) {
    const { name } = table.describe;
    if (wanted.objects && !wanted.objects.includes(name)) continue;
    if (cannotBeRead(table) || !reader.objects().includes(name)) continue;
    found.push(...new ObjectComparison(table, reader).run());
  }
  found.push(...fileDifferences(database, reader, wanted));
  return found;
}

/** What answers only queries that name a parent, and whose parents are all known. */
const readByParents = new Set(['ContentFolderItem', 'ContentFolderMember', 'IdeaComment', 'Vote']);

/** No query of it finds its rows, whoever asks. */
export function cannotBeRead({ describe, treatment }: Table): boolean {
  const { queryError, requiredFilter } = treatment;
  return (
    !describe.queryable ||
    queryError !== undefined ||
    (requiredFilter !== undefined && !requiredFilter.unlessPermission && !readByParents.has(describe.name))
  );
}

interface Readable {
  readonly name: string;
  readonly type: string;
}

/** Fields whose values have to be in the vault; the others, each with its `Object.Field`, have to be named as left out. */
export function fieldsOf({ describe, treatment }: Table): { readable: Readable[]; leftOut: string[] } {
  const readable: Readable[] = [];
  const leftOut: string[] = [];
  const known = new Set(describe.fields.map(({ name }) => name));
  for (const field of describe.fields) {
    const hidden = treatment.hiddenFields?.includes(field.name);
    const noId = treatment.bigObjectIndex && field.name === 'Id';
    if (hidden || noId || compound.has(field.type) || field.deprecatedAndHidden)
      leftOut.push(`${describe.name}.${field.name}`);
    else if (field.type !== 'base64') readable.push(field);
  }
  for (const name of treatment.hiddenFields ?? []) if (!known.has(name)) leftOut.push(`${describe.name}.${name}`);
  return { readable, leftOut };
}

function coverageDifferences(database: Database, reader: ForeignReader, { objects }: Wanted): string[] {
  const found: string[] = [];
  const expected = new Set<string>();
  const covered = new Set(reader.objects());
  for (const [name, table] of database.tables) {
    const out = cannotBeRead(table) || (objects && !objects.includes(name));
    if (out) expected.add(name);
    else for (const field of fieldsOf(table).leftOut) expected.add(field);
    if (out && covered.has(name)) found.push(`${name} is listed as an object of the point`);
    if (!out && !covered.has(name)) found.push(`${name} is not in the point`);
  }
  for (const name of covered) if (!database.tables.has(name)) found.push(`${name} is in the point and not in the org`);
  for (const { object, field, reason } of reader.root.notCovered) {
    const name = field === undefined ? object : `${object}.${field}`;
    if (!expected.delete(name)) found.push(`${name} is named as not covered: ${reason}`);
    if (typeof reason !== 'string' || reason.length < 10) found.push(`${name} is not covered for no reason: ${reason}`);
  }
  for (const name of expected) found.push(`${name} is not covered and nothing says so`);
  return found;
}

/** One object's rows against its segments, twins and tombstones. */
class ObjectComparison {
  readonly #name: string;
  readonly #table: Table;
  readonly #reader: ForeignReader;
  readonly #fields: Readable[];
  readonly #found: string[] = [];
  readonly #seen: Uint8Array;
  /** Row numbers by Id; of a big object by what its index says, of another without Id by its first field. */
  readonly #numbers = new Map<string, number>();
  readonly #index: readonly Readable[] | undefined;

  constructor(table: Table, reader: ForeignReader) {
    this.#name = table.describe.name;
    this.#table = table;
    this.#reader = reader;
    this.#fields = fieldsOf(table).readable;
    this.#seen = new Uint8Array(table.source.size);
    const withId = this.#fields.some(({ name }) => name === 'Id');
    const index = table.treatment.bigObjectIndex?.map((field) => this.#fields.find(({ name }) => name === field)!);
    this.#index = index ?? (withId ? undefined : [this.#fields[0]!]);
    for (let n = 0; n < table.source.size; n++) {
      const row = table.source.row(n);
      this.#numbers.set(this.#index ? keyOf(this.#index, row) : String(row.Id), n);
    }
  }

  run(): string[] {
    const { page, base, gone, hasId } = this.#reader.object(this.#name);
    if (hasId === (this.#index !== undefined)) this.#say(`hasId is ${hasId}`);
    const ranges: [string, string][] = [];
    let rows = 0;
    for (const listed of base) {
      const segment = this.#reader.table(listed.key);
      rows += segment.rows.length;
      if (segment.rows.length !== listed.rows)
        this.#say(`${listed.key} has ${segment.rows.length} rows, not ${listed.rows}`);
      if (segment.columns.join() !== page.columns.join()) this.#say(`${listed.key} has other columns than its page`);
      this.#compareRows(segment);
      if (hasId) ranges.push(this.#rangeOf(segment));
      if (hasId && !listed.index) this.#say(`${listed.key} has no index twin`);
    }
    ranges.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [i, [first]] of ranges.entries())
      if (i > 0 && first <= ranges[i - 1]![1]) this.#say(`the segments overlap at ${first}`);
    if (page.rows !== rows) this.#say(`the page says ${page.rows} rows, the segments have ${rows}`);
    this.#compareGone(gone.map(({ key }) => this.#reader.table(key)));
    for (const [number, seen] of this.#seen.entries())
      if (seen !== 1)
        this.#say(`row ${number} (${this.#table.source.row(number).Id}) stands ${seen} times in the vault`);
    return this.#found;
  }

  #say(difference: string): void {
    if (this.#found.length < most) this.#found.push(`${this.#name}: ${difference}`);
  }

  #compareRows({ columns, rows }: { columns: readonly string[]; rows: readonly (readonly string[])[] }): void {
    const fields = columns.map((column) => this.#fields.find(({ name }) => name === column));
    for (const { name } of this.#fields) if (!columns.includes(name)) this.#say(`there is no column ${name}`);
    if (fields.includes(undefined) || columns.length !== this.#fields.length) this.#say(`the columns are ${columns}`);
    const leading = ['Id', 'SystemModstamp', 'IsDeleted'].filter((name) => columns.includes(name));
    if (columns.slice(0, leading.length).join() !== leading.join())
      this.#say(`the columns begin with ${columns.slice(0, 3)}`);
    for (const cells of rows) {
      const number = this.#numberOf(columns, cells);
      if (number < 0) {
        this.#say(`there is a row that the org does not have: ${cells[0]}`);
        continue;
      }
      this.#see(number);
      const row = this.#table.source.row(number);
      if (row.IsDeleted === true) this.#say(`${row.Id} is deleted and stands among the rows`);
      for (const [i, field] of fields.entries()) {
        const value = row[field!.name] ?? null;
        if (!sameValue(cells[i]!, value, field!.type))
          this.#say(`${row.Id}.${field!.name} (${field!.type}) is ${shown(value)} and stands as ${shown(cells[i]!)}`);
      }
    }
  }

  #numberOf(columns: readonly string[], cells: readonly string[]): number {
    if (!this.#index) return this.#numbers.get(cells[columns.indexOf('Id')]!) ?? -1;
    const row = Object.fromEntries(columns.map((column, i) => [column, cells[i]!]));
    return this.#numbers.get(keyOf(this.#index, row)) ?? -1;
  }

  #see(number: number): void {
    this.#seen[number]! += 1;
  }

  #rangeOf({ columns, rows }: { columns: readonly string[]; rows: readonly (readonly string[])[] }): [string, string] {
    const id = columns.indexOf('Id');
    for (let i = 1; i < rows.length; i++)
      if (rows[i]![id]! <= rows[i - 1]![id]!) this.#say(`${rows[i]![id]} stands behind ${rows[i - 1]![id]}`);
    return [rows[0]?.[id] ?? '', rows.at(-1)?.[id] ?? ''];
  }

  /** Tombstones are the rows of the recycle bin, in the order of their Ids. */
  #compareGone(tables: readonly { columns: readonly string[]; rows: readonly (readonly string[])[] }[]): void {
    let last = '';
    for (const { columns, rows } of tables) {
      if (columns.join() !== 'Id,DeletedDate,DeletedById,CascadeRoot,Learned')
        this.#say(`tombstones have the columns ${columns}`);
      for (const [id, date, by, , learned] of rows) {
        const number = this.#numbers.get(id!);
        const row = number === undefined ? undefined : this.#table.source.row(number);
        if (row?.IsDeleted !== true) this.#say(`${id} is not deleted and has a tombstone`);
        else this.#see(number!);
        if (date !== (row?.SystemModstamp ?? ''))
          this.#say(`${id} was deleted at ${row?.SystemModstamp}, its tombstone says ${date}`);
        if (by !== (row?.LastModifiedById ?? ''))
          this.#say(`${id} was deleted by ${row?.LastModifiedById}, its tombstone says ${by}`);
        if (learned !== 'recycle bin') this.#say(`the tombstone of ${id} was learned from ${learned}`);
        if (id! <= last) this.#say(`the tombstone of ${id} stands behind that of ${last}`);
        last = id!;
      }
    }
  }
}

/** Numbers are the same however they are written. */
function keyOf(fields: readonly Readable[], row: Row): string {
  return JSON.stringify(fields.map(({ name, type }) => (numeric.has(type) ? Number(row[name]) : row[name])));
}

/**
 * Text byte for byte, null as the empty cell, numbers by their value; whole numbers that a double does not hold exactly also
 * digit by digit. A number that the database holds as text stands as that text.
 */
export function sameValue(cell: string, value: Value, type: string): boolean {
  if (value === null) return cell === '';
  if (typeof value === 'boolean') return cell === String(value);
  // The cell comes from bytes that are UTF-8, where a half of a surrogate pair cannot be.
  if (typeof value === 'string') return cell === value || cell === value.toWellFormed();
  if (!numeric.has(type) || cell === '') return false;
  if (Number(cell) !== value) return false;
  return Number.isSafeInteger(value) || !Number.isInteger(value) || plainDigits(cell) === String(value);
}

/** `1.2345E17` as `123450000000000000`, `100.0` as `100`. */
function plainDigits(cell: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:E(\d+))?$/.exec(cell) ?? [];
  const significant = fraction.replace(/0+$/, '');
  return `${sign}${whole}${significant.padEnd(Number(exponent), '0')}`;
}

function shown(value: Value): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

/** Each live row's blobs are in the vault byte by byte, no others, and equal contents only once. */
function fileDifferences(database: Database, reader: ForeignReader, { objects }: Wanted): string[] {
  const found: string[] = [];
  const files = new Map<string, ForeignFile>();
  for (const file of reader.files()) {
    const name = nameOf(file);
    if (files.has(name)) found.push(`${name} is listed twice`);
    files.set(name, file);
  }
  const places = new Map<string, string>();
  for (const [object, table] of database.tables) {
    if (!table.blob || cannotBeRead(table) || (objects && !objects.includes(object))) continue;
    const fields = table.describe.fields.filter(({ type }) => type === 'base64').map(({ name }) => name);
    for (let number = 0; number < table.source.size; number++) {
      const row = table.source.row(number);
      if (row.IsDeleted === true) continue;
      for (const field of fields) {
        const bytes = table.blob(String(row.Id), field);
        const name = nameOf({ object, id: String(row.Id), field });
        const file = files.get(name);
        files.delete(name);
        if (!bytes && !file) continue;
        if (!bytes || !file)
          found.push(`${name} ${bytes ? 'is not in the vault' : 'has no bytes and is in the vault'}`);
        else if (!reader.bytes(file).equals(bytes) || file.size !== bytes.length) found.push(`${name} has other bytes`);
        else {
          const place = `${file.stored.join(' ')} ${file.entry}`;
          const known = places.get(file.sha256) ?? place;
          if (known !== place) found.push(`${name} is stored at ${place}, and its content at ${known}`);
          places.set(file.sha256, place);
        }
      }
    }
  }
  for (const name of files.keys()) found.push(`${name} is in the vault and not in the org`);
  return found;
}

function nameOf({ object, id, field }: { object: string; id: string; field: string }): string {
  return `${object}/${id}/${field}`;
}

/**
 * What the writer's identity should open and does not, or opens and should not: index twins, tombstones, maps and roots it reads, and
 * they say what the rows say; rows, details, describes and files it does not.
 */
export function writerDifferences(reader: ForeignReader, writerIdentity: string): string[] {
  const found: string[] = [];
  for (const name of reader.objects()) {
    const { base, hasId } = reader.object(name);
    for (const { key, index } of hasId ? base : []) {
      const twin = reader.table(index!.key, writerIdentity);
      const rows = reader.table(key);
      const columns = ['Id', 'SystemModstamp'].map((column) => rows.columns.indexOf(column));
      if (twin.columns.join() !== 'Id,SystemModstamp') found.push(`${index!.key} has the columns ${twin.columns}`);
      if (twin.rows.length !== rows.rows.length) found.push(`${index!.key} has other rows than ${key}`);
      const odd = twin.rows.findIndex((row, i) => row.some((cell, c) => cell !== (rows.rows[i]?.[columns[c]!] ?? '')));
      if (odd >= 0) found.push(`${index!.key} says other than ${key} in row ${odd}`);
    }
  }
  const may = /^(points\/.*\/root|pages\/.*\.(map|files)\.|index\/|gone\/)/;
  for (const key of reader.keys().filter((each) => each.endsWith('.age') && !each.startsWith('runs/'))) {
    const opened = reader.opens(key, writerIdentity);
    if (opened !== may.test(key)) found.push(`the writer key ${opened ? 'opens' : 'does not open'} ${key}`);
  }
  return found;
}
