import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Database, Describe, Row, Table, Value } from '../../src/practice-org/database.ts';

/** One HTTP exchange that others recorded (../shared/data/exchanges). */
export interface Exchange {
  readonly source: string;
  readonly method: string;
  readonly url: string;
  readonly request: string | null;
  readonly status: number;
  readonly response: ReturnType<typeof JSON.parse>;
}

export const data = path.resolve(import.meta.dirname, '../../../shared/data');
export const missing = existsSync(data) ? false : 'the folder ../shared/data is not there';

export function recordedExchanges(): Exchange[] {
  return ['CumulusCI.jsonl', 'Snowfakery.jsonl'].flatMap((file) =>
    readFileSync(path.join(data, 'exchanges', file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Exchange),
  );
}

interface Found {
  readonly fields: Map<string, unknown>;
  readonly rows: Map<string, Row>;
}

const queries = /SELECT\s+([\w\s,.]+?)\s+FROM\s+(\w+)(?:\s+WHERE\s+(\w+))?/gi;

/** An org made of recorded describes, with the records that the exchanges' own answers show. */
export function recordedDatabase(exchanges: readonly Exchange[]): Database {
  const found = new Map<string, Found>();
  const described = new Map<string, Describe>();
  const of = (object: string): Found => {
    const known = found.get(object) ?? { fields: new Map(), rows: new Map() };
    found.set(object, known);
    return known;
  };
  for (const exchange of exchanges) {
    if (exchange.status >= 400 || exchange.url.includes('/services/async/')) continue;
    for (const [, select, object, filtered] of decoded(exchange).matchAll(queries)) {
      if (object!.toUpperCase() === 'XYZZY') continue;
      const names = [...select!.split(','), filtered ?? ''].map((one) => one.trim());
      for (const name of names)
        if (/^\w+$/.test(name)) of(object!).fields.set(name, of(object!).fields.get(name) ?? '');
    }
    const { response } = exchange;
    if (/\/describe$/.test(exchange.url) && !('sobjectDescribeOption' in (described.get(response.name) ?? {})))
      described.set(response.name, response);
    harvest(exchange.response, of);
  }
  // A record that a recording made has no values here: our answer to the same request makes another one with them.
  for (const exchange of exchanges)
    if (exchange.method !== 'GET')
      for (const [object, id, isNew] of written(exchange)) {
        const { rows } = of(object);
        if (isNew || !rows.has(id)) rows.set(id, { Id: id });
      }
  const describes = new Map([...recordedDescribes(), ...described]);
  const tables = new Map<string, Table>();
  for (const [name, describe] of describes) tables.set(name, tableOf(describe, found.get(name)?.rows));
  for (const [name, { fields, rows }] of found)
    if (!tables.has(name)) tables.set(name, tableOf(inferredDescribe(name, fields, rows), rows));
  return {
    facts: {
      organizationId: '00D000000000001EAA',
      organizationName: 'Recorded',
      isSandbox: false,
      instanceName: 'REC1',
      userId: '005000000000001AAA',
      username: 'recorded@example.org',
    },
    tables,
  };
}

/** Key prefixes of the objects that the recordings write to, as in every org. */
const prefixes: Readonly<Record<string, string>> = { '001': 'Account', '003': 'Contact' };

/** The records that a write names by their Ids, and those it made. */
function written({ request, response }: Exchange): [object: string, id: string, isNew: boolean][] {
  const named = [...(request ?? '').matchAll(/"((?:001|003)[A-Za-z0-9]{15})"/g)].map(([, id]) => [id!, false] as const);
  const results: { id?: unknown; created?: boolean }[] = Array.isArray(response) ? response : [];
  const made = results.flatMap(({ id, created }) => (typeof id === 'string' && created ? [[id, true] as const] : []));
  return [...named, ...made].flatMap(([id, isNew]) => {
    const object = prefixes[id.slice(0, 3)];
    return object === undefined ? [] : [[object, id, isNew]];
  });
}

function decoded({ url, request }: Exchange): string {
  return `${decodeURIComponent(url.replaceAll('+', ' '))} ${request ?? ''}`;
}

/** Walks an answer for records: objects with `attributes.type` and a URL. */
function harvest(value: unknown, of: (object: string) => Found): void {
  if (value === null || typeof value !== 'object') return;
  const attributes = (value as { attributes?: { type?: unknown; url?: unknown } }).attributes;
  if (typeof attributes?.type === 'string' && typeof attributes.url === 'string') {
    const found = of(attributes.type);
    const id = attributes.url.slice(attributes.url.lastIndexOf('/') + 1);
    const row: Record<string, Value> = { ...found.rows.get(id), Id: id };
    for (const [name, cell] of Object.entries(value)) {
      if (name === 'attributes') continue;
      const isRelated = cell !== null && typeof cell === 'object' && ('attributes' in cell || 'records' in cell);
      if (isRelated) continue;
      found.fields.set(name, cell ?? found.fields.get(name));
      if (typeof cell === 'string') row[name] = cell.replace(/\+0000$/, 'Z');
      else if (typeof cell === 'number' || typeof cell === 'boolean') row[name] = cell;
    }
    row.Id = id;
    found.rows.set(id, row);
  }
  for (const inner of Object.values(value)) harvest(inner, of);
}

function recordedDescribes(): Map<string, Describe> {
  const describes = new Map<string, Describe>();
  const folder = path.join(data, 'describes');
  for (const file of readdirSync(folder).sort()) {
    if (file === 'minSObjects.json') continue;
    const describe = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Describe;
    if (typeof describe.name === 'string' && Array.isArray(describe.fields)) describes.set(describe.name, describe);
  }
  return describes;
}

const addressParts = ['City', 'Country', 'GeocodeAccuracy', 'Latitude', 'Longitude', 'PostalCode', 'State', 'Street'];

function inferredDescribe(name: string, fields: Found['fields'], rows: Found['rows']): Describe {
  const typeOf = (field: string, value: unknown): string => {
    if (field === 'Id') return 'id';
    if (value !== null && typeof value === 'object') return 'address';
    if (typeof value === 'number') return 'double';
    if (typeof value === 'boolean') return 'boolean';
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*\+0000$/.test(value) ? 'datetime' : 'string';
  };
  const all = new Map([['Id', ''], ...fields]);
  const asDescribed = [...all].map(([field, value]) => ({
    name: field,
    type: typeOf(field, value),
    compoundFieldName: addressParts.includes(field) && all.has('Address') ? 'Address' : null,
    filterable: true,
  }));
  const keyPrefix = [...rows.keys()][0]?.slice(0, 3) ?? null;
  return {
    name,
    label: name,
    labelPlural: `${name}s`,
    keyPrefix,
    queryable: true,
    replicateable: true,
    fields: asDescribed,
    childRelationships: [],
  };
}

/** The same org with the records of one recording only: those whose Ids stand in its requests and answers. */
export function orgOfRecording(database: Database, recording: readonly Exchange[]): Database {
  const texts = recording.map(({ url, request, response }) => `${url} ${request} ${JSON.stringify(response)}`);
  const named = new Set(texts.flatMap((text) => text.match(/\b[A-Za-z0-9]{12,18}\b/g) ?? []));
  const tables = [...database.tables.values()].map(({ describe, source }): [string, Table] => {
    const rows = Array.from({ length: source.size }, (_, number) => source.row(number));
    return [
      describe.name,
      tableOfRows(
        describe,
        rows.filter(({ Id }) => named.has(String(Id))),
      ),
    ];
  });
  return { ...database, tables: new Map(tables) };
}

function tableOf(describe: Describe, rows: ReadonlyMap<string, Row> = new Map()): Table {
  return tableOfRows(describe, [...rows.values()]);
}

function tableOfRows(describe: Describe, rows: readonly Row[]): Table {
  return {
    describe,
    treatment: {},
    source: { size: rows.length, row: (number) => rows[number]!, find: (id) => rows.findIndex((row) => row.Id === id) },
  };
}
