import type { RowFlow } from '../../rows/batch.ts';
import { cells, Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { alwaysThere, type RehearsalScope } from './scope.ts';

/** Rows of one object as text, in batches; cells as in the vault's CSV. */
export interface HandedRows {
  readonly object: string;
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<readonly (readonly string[])[]>;
}

/** What the org of a rehearsal is made from. Plain data: who makes it need not know where it is from. */
export interface RehearsalSchema {
  readonly facts: {
    readonly organizationId: string;
    readonly organizationName: string;
    readonly isSandbox: boolean;
    readonly instanceName: string;
    /** Undefined when the point does not show whom it was taken by. */
    readonly userId: string | undefined;
    readonly username: string;
  };
  readonly describes: readonly ObjectDescribe[];
  /** Each object once, to be read one after the other. */
  readonly rows: AsyncIterable<HandedRows>;
}

/**
 * The schema of a point and the rows that its org has before anything is restored. `onto`: a point of the same org whose rows stand there
 * already. `stood` is filled while `rows` is read: object -> Ids of the rows of restored objects that stand from the beginning.
 */
export async function rehearsalSchema(
  reader: PointReader,
  scope: RehearsalScope,
  onto: PointReader | undefined,
  stood: Map<string, IdTable>,
): Promise<RehearsalSchema> {
  const { id, name, isSandbox, username } = reader.root.org;
  return {
    facts: {
      organizationId: id,
      organizationName: name,
      isSandbox,
      instanceName: 'REHEARSAL',
      userId: await userNamed(reader, username),
      username,
    },
    describes: [...scope.describes.values()],
    rows: standingRows(reader, scope, onto, stood),
  };
}

async function* standingRows(
  reader: PointReader,
  scope: RehearsalScope,
  onto: PointReader | undefined,
  stood: Map<string, IdTable>,
): AsyncGenerator<HandedRows> {
  for (const object of scope.describes.keys()) {
    if (scope.standing.has(object)) yield handed(object, await (onto?.has(object) ? onto : reader).rows(object));
    else if (scope.restored.includes(object)) {
      const ids = new IdTable();
      stood.set(object, ids);
      const always = alwaysThere(object);
      if (onto?.has(object)) yield handed(object, await onto.rows(object), ids);
      else if (!onto && always) yield handed(object, await reader.rows(object), ids, always);
    }
  }
}

type Cells = (field: string) => string;

/** `takes`: only rows that it takes are handed over. `ids`: gets their Ids. */
function handed(object: string, flow: RowFlow, ids?: IdTable, takes?: (cells: Cells) => boolean): HandedRows {
  return { object, columns: flow.columns, batches: rowTexts(flow, ids, takes) };
}

async function* rowTexts(
  flow: RowFlow,
  ids: IdTable | undefined,
  takes: ((cells: Cells) => boolean) | undefined,
): AsyncGenerator<string[][]> {
  const keys = new Keys(flow.columns);
  const at = new Map(flow.columns.map((name, index) => [name, index]));
  for await (const batch of flow.batches) {
    const rows: string[][] = [];
    for (let i = 0; i < batch.ends.length; i++) {
      const row = cells(batch, i);
      if (takes && !takes((field) => row[at.get(field) ?? -1] ?? '')) continue;
      ids?.add(keys.id(batch, i));
      rows.push(row);
    }
    batch.release?.();
    yield rows;
  }
}

async function userNamed(reader: PointReader, username: string): Promise<string | undefined> {
  if (!reader.has('User') || !(await reader.map('User')).columns.includes('Username')) return undefined;
  const flow = await reader.rows('User', { columns: ['Id', 'Username'] });
  let found: string | undefined;
  for await (const batch of flow.batches)
    for (let i = 0; i < batch.ends.length; i++) {
      const [id, name] = cells(batch, i);
      if (name?.toLowerCase() === username.toLowerCase()) found ??= id;
    }
  return found;
}
