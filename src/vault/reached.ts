import { inOrder } from '../rows/in-order.ts';
import type { KeySet } from './key-set.ts';
import type { LogEntry } from './log.ts';
import type { Ref } from './record.ts';
import { readRefs } from './refs.ts';
import type { Vault } from './vault.ts';

/** Lists are small. */
const parallelLists = 8;

/**
 * Every object that a point reaches, its own list first, without a key. A page's list that is in `known` was walked before and is left out with
 * what it names; those that are walked are added. Throws what `Vault.read` throws when a list is missing or damaged.
 */
export async function* reachedBy(
  vault: Vault,
  entry: LogEntry,
  known: KeySet,
  signal?: AbortSignal,
): AsyncGenerator<Ref> {
  const own = await vault.refs(entry);
  yield entry.record.refs!;
  yield* own;
  const lists = own.filter(({ key }) => isPageList(key) && known.add(key));
  const read = async (ref: Ref) => readRefs(ref.key, await vault.read(ref, signal));
  for await (const needs of inOrder(lists, parallelLists, read)) yield* needs;
}

/** True for the list of what a page needs. */
export function isPageList(key: string): boolean {
  return key.startsWith('pages/') && key.endsWith('.refs.zst');
}
