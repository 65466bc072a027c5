import { rowStart } from '../../rows/cells.ts';
import { closingQuote } from '../../rows/csv.ts';
import { type Ids, IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { isReferenceOnly, platformRules } from './platform.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import { findStandings, isGone } from './standing.ts';

/** How far related rows are taken in; 0: only what a deletion took along. */
export interface Related {
  readonly parents: number;
  readonly children: number;
  /** `Contact.AccountId` -> false: never by this lookup; true: by this lookup, whatever the depths say. */
  readonly relationships: ReadonlyMap<string, boolean>;
}

/** A row that was found by a lookup, and by which. */
type OnFound = (id: string, field: string, parent: string) => void;

/**
 * Takes related rows into the plan, until nothing more is found: children that went with a wanted row that is gone, children and parents as
 * deep as `related` says; and marks the survivors, rows that stand in the org and whose lookups may have lost what comes back.
 */
export async function takeRelated(plan: PlanScope, related: Related): Promise<void> {
  let newly = wantedNow(plan);
  for (let depth = 1; newly.size > 0; depth++) {
    for (const [object, ids] of newly) await findStandings(plan, await plan.object(object), ids);
    const parents = await parentsOf(plan, newly, related, depth);
    const children = await childrenOf(plan, newly, related, depth);
    const found = merged(parents, children);
    // Only now: what is found in one round is looked from in the next, or a depth of one would be two.
    for (const [object, ids] of found) {
      const { wanted } = await plan.object(object);
      for (const id of ids) wanted.add(id);
    }
    newly = found;
  }
}

type Found = Map<string, IdTable>;
type Newly = ReadonlyMap<string, Ids>;

function wantedNow(plan: PlanScope): Newly {
  return new Map(plan.objects.filter(({ wanted }) => wanted.size > 0).map(({ object, wanted }) => [object, wanted]));
}

function merged(...all: readonly Found[]): Found {
  const result: Found = new Map();
  for (const found of all) for (const [object, ids] of found) for (const id of ids) tableOf(result, object).add(id);
  return result;
}

function tableOf(found: Found, object: string): IdTable {
  let table = found.get(object);
  if (!table) {
    table = new IdTable();
    found.set(object, table);
  }
  return table;
}

/** Parents of rows that come back: those that are gone too, as deep as was asked. */
async function parentsOf(plan: PlanScope, newly: Newly, related: Related, depth: number): Promise<Found> {
  const result: Found = new Map();
  for (const [object, ids] of newly) {
    const scope = await plan.object(object);
    const fields = plan.lookups(scope).filter(({ field }) => {
      const said = related.relationships.get(`${object}.${field.name}`);
      return said ?? depth <= related.parents;
    });
    if (fields.length === 0) continue;
    const columns = ['Id', ...fields.map(({ field }) => field.name)];
    const flow = await plan.reader.rows(object, { ids, columns, signal: plan.ctx.signal });
    const positions = fields.map(({ field }) => flow.columns.indexOf(field.name));
    const asked: Found = new Map();
    for await (const batch of flow.batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        eachId(batch.bytes, rowStart(batch, i), batch.ends[i]!, positions, (start) => {
          const parent = batch.bytes.toString('latin1', start, start + 18);
          const of = plan.objectOfId(parent);
          if (of && plan.reader.objects().includes(of) && !isReferenceOnly(of)) tableOf(asked, of).add(parent);
        });
      }
      batch.release?.();
    }
    for (const [of, parents] of asked) {
      const parentScope = await plan.object(of);
      await findStandings(plan, parentScope, parents);
      for (const id of parents) {
        if (!isGone(plan, parentScope, id) || parentScope.wanted.has(id)) continue;
        tableOf(result, of).add(id);
      }
    }
  }
  return result;
}

/** Children of rows that come back: those that a deletion took along, and as deep as was asked. Others become survivors. */
async function childrenOf(plan: PlanScope, newly: Newly, related: Related, depth: number): Promise<Found> {
  const result: Found = new Map();
  const lost = new Map<string, Ids>();
  for (const [object, ids] of newly) {
    const scope = await plan.object(object);
    const gone = goneAmong(plan, scope, ids);
    if (gone.size > 0) lost.set(object, gone);
  }
  const follows = depth <= related.children || [...related.relationships.values()].includes(true);
  const wider = follows ? newly : lost;
  if (wider.size === 0) return result;
  for (const child of plan.reader.objects()) {
    const source = plan.sources.get(child);
    if (!source || isReferenceOnly(child) || platformRules(child).never || !mayRefer(source, [...wider.keys()]))
      continue;
    const asked = new IdTable();
    const along = new IdTable();
    const back = new IdTable();
    const chosen = new IdTable();
    await scanChildren(plan, child, wider, (id, field, parent) => {
      const said = related.relationships.get(`${child}.${field}`);
      const isLost = lost.get(plan.objectOfId(parent) ?? '')?.has(parent) ?? false;
      if (said !== false && (said === true || depth <= related.children)) chosen.add(id);
      if (isLost && cascades(plan, parent, child, field)) {
        if (said !== false) along.add(id);
        if (plan.isUndeleted(parent)) back.add(id);
      }
      if (isLost || chosen.has(id)) asked.add(id);
    });
    if (asked.size === 0) continue;
    const scope = await plan.object(child);
    await findStandings(plan, scope, asked);
    for (const id of back) if (scope.bin.has(id)) scope.along.add(id);
    for (const id of asked) {
      if (chosen.has(id) || (along.has(id) && isGone(plan, scope, id))) {
        if (scope.wanted.has(id)) continue;
        tableOf(result, child).add(id);
      } else if (scope.live.has(id)) scope.survivors.add(id);
    }
  }
  return result;
}

/** `ids` themselves when all are gone: tables of millions are not copied. */
function goneAmong(plan: PlanScope, scope: ObjectScope, ids: Ids): Ids {
  const gone = new IdTable();
  let live = 0;
  if (ids === scope.wanted && plan.earlier.size === 0) {
    // By number: most plans are of rows that are all gone, maybe millions.
    for (const n of scope.wanted.numbers()) if (!scope.bin.at(n) && !scope.vanished.at(n)) live += 1;
  } else for (const id of ids) if (!isGone(plan, scope, id)) live += 1;
  if (live === 0) return ids;
  if (live < ids.size) for (const id of ids) if (isGone(plan, scope, id)) gone.add(id);
  return gone;
}

function mayRefer(source: ObjectDescribe, objects: readonly string[]): boolean {
  return source.fields.some(({ referenceTo }) => referenceTo.some((target) => objects.includes(target)));
}

/** True when the platform deletes the child with this parent (`cascadeDelete`, field guide, restore 5.1). */
function cascades(plan: PlanScope, parent: string, child: string, field: string): boolean {
  const of = plan.sources.get(plan.objectOfId(parent) ?? '');
  return (
    of?.childRelationships.some((one) => one.childSObject === child && one.field === field && one.cascadeDelete) ??
    false
  );
}

/** Walks all rows of an object in the point and tells those that refer to one of `parents`. */
async function scanChildren(plan: PlanScope, object: string, parents: Newly, found: OnFound): Promise<void> {
  const source = plan.sources.get(object)!;
  const { columns } = await plan.reader.map(object);
  const fields = plan
    .lookups({ source, columns })
    .filter(({ field }) => field.referenceTo.some((target) => parents.has(target)));
  if (fields.length === 0 || !columns.includes('Id')) return;
  const flow = await plan.reader.rows(object, {
    columns: ['Id', ...fields.map(({ field }) => field.name)],
    signal: plan.ctx.signal,
  });
  const positions = fields.map(({ field }) => flow.columns.indexOf(field.name));
  const tables = [...parents.values()];
  for await (const batch of flow.batches) {
    const { bytes } = batch;
    for (let i = 0; i < batch.ends.length; i++) {
      const start = rowStart(batch, i);
      eachId(bytes, start, batch.ends[i]!, positions, (at, n) => {
        if (!tables.some((table) => table.has(bytes, at))) return;
        found(
          bytes.toString('latin1', start + 1, start + 19),
          fields[n]!.field.name,
          bytes.toString('latin1', at, at + 18),
        );
      });
    }
    batch.release?.();
  }
}

/** Tells where in a row the cells at these ascending positions hold an Id of 18 characters; `n` counts the positions. */
function eachId(
  bytes: Buffer,
  from: number,
  end: number,
  positions: readonly number[],
  tell: (start: number, n: number) => void,
): void {
  let open = from;
  let next = 0;
  for (let n = 0; next < positions.length && open < end; n++) {
    const close = closingQuote(bytes, open, end);
    if (close < 0) return;
    if (n === positions[next]) {
      if (close - open === 19) tell(open + 1, next);
      next += 1;
    }
    open = close + 2;
  }
}
