import type { Database } from '../../src/practice-org/database.ts';
import type { ForeignReader } from './foreign-reader.ts';
import { cannotBeRead, fieldsOf } from './found-again.ts';

/** How much of something an org has, how much of it stands in the point, and how much is listed there with the reason. */
export interface Found {
  readonly org: number;
  readonly point: number;
  readonly listed: number;
}

/** Counted in the org's database on one side, and in the vault, by other programs, on the other. What the values are `differences` tells. */
export function found(
  database: Database,
  reader: ForeignReader,
): Record<'objects' | 'fields' | 'rows' | 'values' | 'files', Found> {
  const sums = { objects: none(), fields: none(), rows: none(), values: none(), files: none() };
  const covered = new Set(reader.objects());
  const named: { object: string; field?: string }[] = reader.root.notCovered;
  const objectsOut = new Set(named.filter(({ field }) => field === undefined).map(({ object }) => object));
  const fieldsOut = new Set(named.flatMap(({ object, field }) => (field === undefined ? [] : [`${object}.${field}`])));
  for (const [name, table] of database.tables) {
    const { readable, leftOut } = fieldsOf(table);
    const blobs = table.describe.fields.filter(({ type }) => type === 'base64').map((field) => field.name);
    const fields = [...readable.map((field) => field.name), ...blobs, ...leftOut.map((one) => one.split('.')[1]!)];
    const rows = table.source.size;
    const out = objectsOut.has(name);
    sums.objects.add(1, Number(covered.has(name)), Number(out));
    if (out || !covered.has(name)) {
      sums.fields.add(fields.length, 0, out ? fields.length : 0);
      sums.rows.add(rows, 0, out ? rows : 0);
      continue;
    }
    const { page, base, gone } = reader.object(name);
    const columns = new Set<string>([...page.columns, ...blobs]);
    const listed = fields.filter((field) => fieldsOut.has(`${name}.${field}`)).length;
    sums.fields.add(fields.length, fields.filter((field) => columns.has(field)).length, listed);
    const live = base.reduce((sum, segment) => sum + segment.rows, 0);
    const dead = gone.reduce((sum, { key }) => sum + reader.table(key).rows.length, 0);
    sums.rows.add(rows, live + dead, 0);
    sums.values.add(liveRows(table) * readable.length, live * page.columns.length, 0);
  }
  sums.files.add(filesOf(database), reader.files().length, 0);
  return sums;
}

function liveRows({
  source,
}: {
  readonly source: { size: number; row(number: number): { IsDeleted?: unknown } };
}): number {
  let live = 0;
  for (let number = 0; number < source.size; number++) if (source.row(number).IsDeleted !== true) live++;
  return live;
}

function filesOf(database: Database): number {
  let files = 0;
  for (const table of database.tables.values()) {
    if (!table.blob || cannotBeRead(table)) continue;
    const fields = table.describe.fields.filter(({ type }) => type === 'base64').map(({ name }) => name);
    for (let number = 0; number < table.source.size; number++) {
      const row = table.source.row(number);
      if (row.IsDeleted === true) continue;
      files += fields.filter((field) => table.blob!(String(row.Id), field) !== undefined).length;
    }
  }
  return files;
}

class Sum implements Found {
  org = 0;
  point = 0;
  listed = 0;

  add(org: number, point: number, listed: number): void {
    this.org += org;
    this.point += point;
    this.listed += listed;
  }
}

function none(): Sum {
  return new Sum();
}
