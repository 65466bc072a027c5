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
  const list = ownList(entry, ladder);
  if (!list) return { refs, own: [], lists };
  add(list, entry.key);
  const own = await listOf(stored, list, ladder);
  for (const ref of own) add(ref, list.key);
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
    const list = ownList(entry, ladder);
    if (!list) continue;
    const own = await listOf(stored, list, ladder);
    const pages = own.filter(({ key }) => isPageList(key) && !reached.has(key));
    for await (const needs of inOrder(pages, parallelLists, (page) => listOf(stored, page, ladder))) {
      for (const { key } of needs) reached.add(key);
    }
    reached.add(list.key);
    for (const { key } of own) reached.add(key);
  }
}

function ownList({ key, record }: LogEntry, ladder: Ladder): Ref | undefined {
  if (record.refs && record.refs.key === pointRefs(record.point ?? '')) return record.refs;
  ladder.problem('existence', key, `${key} names no list of objects`);
  return undefined;
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
