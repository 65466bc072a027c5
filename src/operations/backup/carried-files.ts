import { filesOf } from '../../vault/files-page.ts';
import type { Root } from '../../vault/manifest.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import type { FileList, WantedFile } from './file-list.ts';
import { fileKey } from './file-pages.ts';
import type { Parent } from './parents.ts';
import type { Chosen } from './select.ts';

/** Files that earlier points have fetched. */
export interface CarriedFiles {
  /** The points that they are of. */
  readonly points: readonly string[];
  readonly pages: readonly Ref[];
  /** The list of each page. */
  readonly refs: readonly Ref[];
  /** Files that the pages name, and their bytes. One that was fetched again since is named twice. */
  readonly count: number;
  readonly bytes: number;
  /** Of those that are wanted, which need not be fetched. */
  readonly done: ReadonlySet<string>;
}

/** A file whose row was changed within this time before the point that has it is fetched again: its clock may not be the org's. */
const clockSlack = 15 * 60_000;

/**
 * The files pages of the points that the objects with files build on, oldest first. A file is fetched again when its row was changed since, or says
 * another length.
 */
export async function carriedFiles(
  vault: Vault,
  chosen: readonly Chosen[],
  parents: ReadonlyMap<string, Parent>,
  lists: readonly FileList[],
): Promise<CarriedFiles> {
  const roots = new Map<string, Root>();
  for (const { describe, plan } of chosen) {
    const root = plan.blobFields.length > 0 ? parents.get(describe.name)?.root : undefined;
    if (root) roots.set(root.point, root);
  }
  const inOrder = [...roots.values()].sort((a, b) => (a.point < b.point ? -1 : 1));
  const pages = new Map<string, { page: Ref; refs: Ref; since: number }>();
  // The metadata of an earlier point is none of this one's.
  for (const { files, started, metadata } of inOrder)
    for (const [i, page] of files.pages.entries())
      if (page.key !== metadata?.page)
        pages.set(page.key, { page, refs: files.refs[i]!, since: Date.parse(started) - clockSlack });
  const now = new Map<string, WantedFile>();
  for (const list of lists) for (const file of list.wanted()) now.set(fileKey(file.object, file.id, file.field), file);
  const done = new Set<string>();
  let [count, bytes] = [0, 0];
  const [only] = inOrder;
  const counted = inOrder.length === 1 && now.size === 0;
  if (counted) [count, bytes] = withoutMetadata(only!);
  for (const { page, since } of counted ? [] : pages.values()) {
    for (const { object, id, field, size } of await filesOf(vault, page)) {
      count += 1;
      bytes += size;
      const key = fileKey(object, id, field);
      const row = now.get(key);
      if (row && (row.stamp ?? 0) < since && (row.size ?? size) === size) done.add(key);
      else done.delete(key);
    }
  }
  return {
    points: inOrder.map(({ point }) => point),
    pages: [...pages.values()].map(({ page }) => page),
    refs: [...pages.values()].map(({ refs }) => refs),
    count,
    bytes,
    done,
  };
}

function withoutMetadata({ files, metadata }: Root): [count: number, bytes: number] {
  return [files.count - (metadata?.ids.length ?? 0), files.bytes - (metadata?.bytes ?? 0)];
}
