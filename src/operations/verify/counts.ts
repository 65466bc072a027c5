import { isDeepStrictEqual } from 'node:util';
import { layersOf, runOf } from '../../vault/layers.ts';
import { pointRefs } from '../../vault/layout.ts';
import type { MapPage, SegmentRef } from '../../vault/manifest.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import type { ObjectContents, PointContents } from './contents.ts';
import { counted, type Ladder } from './ladder.ts';
import type { Reach } from './reach.ts';

/**
 * The rung `counts`, as far as pages show it: root, pages and the two levels of lists agree. That the numbers are those of the rows is
 * found where the rows are read.
 */
export function verifyCounts(
  vault: Vault,
  point: string,
  contents: PointContents,
  reach: Reach,
  ladder: Ladder,
  withRows: boolean,
): void {
  const { root, rootKey: key, objects } = contents;
  const differs = (what: string, says: number, holds: number, where = key) => {
    if (says !== holds) ladder.problem('counts', where, `${where} says ${says} ${what}, there are ${holds}`);
  };
  if (root.point !== point || root.vault !== vault.info.vault)
    ladder.problem('counts', key, `${key} describes another point than its record`);
  differs(
    'rows',
    root.rows,
    sum(root.objects, ({ rows }) => rows),
  );
  const needs = root.objects.flatMap(({ page, refs }) => [page, refs].filter((ref) => ref !== undefined));
  const own = [...needs, ...root.schema, ...root.files.pages, ...root.files.refs];
  agree(pointRefs(point), [...own, ...reach.own.filter((ref) => ref.key === key)], reach.own, ladder);
  for (const { object, page, refs, rows, complete } of root.objects) {
    if ((page === undefined) !== (refs === undefined))
      ladder.problem('counts', key, `${key} names a page of ${object} without its list, or a list without its page`);
    if (page === undefined && (complete || rows > 0))
      ladder.problem('counts', key, `${key} has no page of ${object} and says that it has its rows`);
  }
  for (const object of objects) verifyPage(object, contents, reach, ladder, withRows);
  const rows = sum(objects, ({ map }) => map.rows);
  ladder.rung('counts')!.figure = `${counted(root.objects.length, 'object')}, ${counted(rows, 'row')}`;
}

function verifyPage(object: ObjectContents, contents: PointContents, reach: Reach, ladder: Ladder, withRows: boolean) {
  const { root, map } = object;
  const key = root.page!.key;
  const problem = (sentence: string) => ladder.problem('counts', key, `${key} (${map.object}) ${sentence}`);
  if (map.object !== root.object) problem(`is the page of another object than ${root.object}`);
  if (map.rows !== root.rows) problem(`says ${map.rows} rows, the root says ${root.rows}`);
  // A page that an earlier point wrote says what that one found; this one found nothing new.
  const isShared = root.changed === 0 && root.deleted === 0 && root.bytes === 0;
  if (map.deleted !== root.deleted && !isShared)
    problem(`says ${map.deleted} deleted rows, the root says ${root.deleted}`);
  // A root may know of more than the page: files that could not be fetched.
  if (root.complete && !map.complete) problem('says that it is not complete, the root says that it is');
  if (!root.complete && map.complete && root.incomplete !== 'failed')
    problem('says that it is complete, the root says that it is not');
  const segments = [...map.base, ...map.deltas];
  const base = sum(map.base, ({ rows }) => rows);
  const deltas = sum(map.deltas, ({ rows }) => rows);
  const gone = sum(map.gone, ({ rows }) => rows);
  const layered = layersOf(map).length > 0;
  if (layered ? map.rows > base + deltas || map.rows < base - gone : map.rows !== base)
    problem(`says ${map.rows} rows, its segments say ${base + deltas}`);
  // Tombstones of earlier runs are listed on: what this page's own run found is what it counts.
  const newest = [...segments, ...map.gone].reduce((last, { key }) => (last > runOf(key) ? last : runOf(key)), '');
  const own = sum(
    map.gone.filter(({ key }) => runOf(key) === newest),
    ({ rows }) => rows,
  );
  if (own < map.deleted || (map.window.from === null && own !== map.deleted))
    problem(`says ${map.deleted} deleted rows, its tombstones are ${own}`);
  if (withRows && map.window.from === null && object.detailsWhole) {
    const [odd] = map.base.filter(({ key }) => {
      const columns = object.details.get(key)?.columns;
      return columns && columns.join() !== map.columns.join();
    });
    if (odd) problem(`has other columns than ${odd.key}`);
  }
  const bytes = sum(segments, (segment) => segment.bytes);
  if (map.deltas.length === 0 && map.bytes !== bytes) problem(`says ${map.bytes} bytes, its segments say ${bytes}`);
  if (map.deltas.length === 0 && root.segments !== map.base.length)
    problem(`has ${map.base.length} segments, the root says ${root.segments}`);
  if (map.hasId && segments.some(({ index }) => !index)) problem('names a segment that has no index');
  const list = root.refs!.key;
  agree(list, [root.page!, ...needsOf(map)], reach.lists.get(list), ladder);
  if (!contents.root.schema.some((ref) => same(ref, map.schema.page)))
    problem('names a schema page that the root does not name');
  if (withRows) verifyDescribe(map, contents, key, ladder);
}

function verifyDescribe(map: MapPage, { described, schemas }: PointContents, key: string, ladder: Ladder): void {
  const page = map.schema.page.key;
  // A schema page that could not be read is a problem already.
  if (!schemas.has(page)) return;
  const found = described.get(map.object);
  if (!found) ladder.problem('counts', key, `${key} (${map.object}) names ${page}, which does not describe the object`);
  else if (found.print !== map.schema.print)
    ladder.problem('counts', key, `${key} (${map.object}) was read with another schema than ${page} holds`);
  else if (found.computed !== found.print)
    ladder.problem('counts', page, `${page}: the describe of ${map.object} does not have its print`);
}

/** Everything that a page's list has to name besides the page. */
function needsOf(map: MapPage): Ref[] {
  const all: SegmentRef[] = [...map.base, ...map.deltas, ...map.gone, ...(map.spent ?? [])];
  const segments = all.flatMap((segment) => [segment, ...(segment.index ? [segment.index] : [])]);
  return [...segments, ...map.detail, map.schema.page];
}

/** A list names exactly what it should, with the same digests and sizes. An unread list is a problem already. */
export function agree(list: string, expected: readonly Ref[], found: readonly Ref[] | undefined, ladder: Ladder): void {
  if (!found || found.length === 0) return;
  const bare = (refs: readonly Ref[]) => new Map(refs.map(({ key, size, sha256 }) => [key, { size, sha256 }]));
  const [wanted, named] = [bare(expected), bare(found)];
  if (isDeepStrictEqual(wanted, named)) return;
  const odd = [...wanted.keys()].find((key) => !isDeepStrictEqual(wanted.get(key), named.get(key)));
  const more = [...named.keys()].find((key) => !wanted.has(key));
  ladder.problem('counts', list, `${list} does not name what its page names: ${odd ?? more}`);
}

function same(a: Ref, b: Ref): boolean {
  return a.key === b.key && a.sha256 === b.sha256 && a.size === b.size;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
