import { Fault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import { pointRefs } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { Ref } from '../../vault/record.ts';
import { readRefs } from '../../vault/refs.ts';
import type { Ladder } from './ladder.ts';
import type { StoredObjects } from './stored.ts';

/** Everything that a point consists of, as its signed record leads to it. */
export interface Reach {
  readonly refs: ReadonlyMap<string, Ref>;
  /** The point's own list. */
  readonly own: readonly Ref[];
  /** Key of a page's list -> what it names. */
  readonly lists: ReadonlyMap<string, readonly Ref[]>;
}

/** Lists are small: more of them are read at the same time than of other objects. */
const parallelLists = 8;

/** Follows the record to its list and the lists of its pages. A list that cannot be read is a problem; what only it names is not reached. */
export async function reachOf(stored: StoredObjects, entry: LogEntry, ladder: Ladder): Promise<Reach> {
  const refs = new Map<string, Ref>();
  const lists = new Map<string, readonly Ref[]>();
  const add = (ref: Ref, from: string) => {
    const known = refs.get(ref.key);
    if (known && (known.sha256 !== ref.sha256 || known.size !== ref.size))
      ladder.problem('digests', ref.key, `${ref.key} is listed with two digests or sizes, the second one in ${from}`);
    else refs.set(ref.key, ref);
  };
  const own = await listOf(stored, ownList(entry), ladder);
  add(ownList(entry), entry.key);
  for (const ref of own) add(ref, pointRefs(entry.record.point!));
  const pages = own.filter(({ key }) => isPageList(key));
  for await (const { page, list } of inOrder(pages, parallelLists, async (page) => ({
    page,
    list: await listOf(stored, page, ladder),
  }))) {
    lists.set(page.key, list);
    for (const ref of list) add(ref, page.key);
  }
  return { refs, own, lists };
}

/** Adds to `reached` the keys of points that are not verified themselves. Their lists are read, not what these name. */
export async function addOtherPoints(
  stored: StoredObjects,
  others: readonly LogEntry[],
  reached: Set<string>,
  ladder: Ladder,
): Promise<void> {
  for (const entry of others) {
    const own = await listOf(stored, ownList(entry), ladder);
    const pages = own.filter(({ key }) => isPageList(key) && !reached.has(key));
    for await (const list of inOrder(pages, parallelLists, (page) => listOf(stored, page, ladder))) {
      for (const { key } of list) reached.add(key);
    }
    reached.add(pointRefs(entry.record.point!));
    for (const { key } of own) reached.add(key);
  }
}

function ownList({ key, record }: LogEntry): Ref {
  const name = pointRefs(record.point ?? '');
  if (record.refs?.key === name) return record.refs;
  throw new Fault('signature-invalid', `${key} names no list of objects`, { data: { key } });
}

function isPageList(key: string): boolean {
  return key.startsWith('pages/') && key.endsWith('.refs.zst');
}

async function listOf(stored: StoredObjects, ref: Ref, ladder: Ladder): Promise<readonly Ref[]> {
  try {
    return await readRefs(ref.key, await stored.read(ref));
  } catch (error) {
    ladder.blame(error, ref.key);
    return [];
  }
}
