import type { RowBatch } from '../../rows/batch.ts';
import { rowStart } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { visibleMs } from '../../vault/dead-rows.ts';
import { Deletions } from '../../vault/deletions.ts';
import { indexKeys, KnownRows } from '../../vault/known-rows.ts';
import { newestRun, oldestRun, runOf } from '../../vault/layers.ts';
import { timeIn } from '../../vault/layout.ts';
import type { MapPage } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Parent } from './parents.ts';

/** A row that came out of the recycle bin. */
export interface Back {
  /** 18 characters. */
  readonly id: string;
  /** The run that found it live first. */
  readonly run: string;
  /** Its stamp then, in milliseconds: it came back before. */
  readonly at: number;
}

/** Since when rows that came back are news to rows that may name them. */
export interface Since {
  /** What was found by this run or earlier ones is known. */
  readonly after: string;
  /** What came back before this time was so when the rows were read; in milliseconds. */
  readonly from: number;
}

/** An object of a run: its page by now, and what the run builds on. */
export interface PageOf {
  readonly page: MapPage;
  readonly parent: Parent | undefined;
}

/** Since when rows of one object that came back are news to those of another which may name them. */
export function newsSince(naming: PageOf, named: PageOf): Since {
  const asked = naming.page.refills?.[named.page.object];
  const before = named.parent;
  // A point that holds both has asked. Those of older versions did so in the run alone that found rows live.
  const together = before?.page.spent && before.root.point === naming.parent?.root.point ? before.root.point : '';
  const after = asked !== undefined && asked > together ? asked : together;
  return { after, from: timeIn(asked ?? oldestRun(naming.page)) - visibleMs };
}

/** Rows that a page tells of as deleted and live again, found so by `run` or after the run `after`. The writer key or an identity is enough. */
export async function cameBack(
  vault: Vault,
  page: MapPage,
  { run, after }: { readonly run: string; readonly after: string },
  signal: AbortSignal,
): Promise<Back[]> {
  const isWanted = (one: string) => one > after || one === run;
  if (![...page.base, ...page.deltas].some(({ key }) => isWanted(runOf(key)))) return [];
  const known = new KnownRows(vault, page, signal);
  const { ids, runs } = await Deletions.of(known);
  // A base has none of the rows that its own runs found deleted, and none that later ones did is live by it again.
  const newestBase = newestRun(page.base);
  const older = IdTable.of([...ids].filter((id) => runs[ids.number(id)]! < newestBase));
  const news = new IdTable();
  const see = (batch: RowBatch, gone: boolean, one: string) => {
    for (let row = 0; row < batch.ends.length && !gone; row++) {
      const number = ids.number(batch.bytes, rowStart(batch, row) + 1);
      if (number >= 0 && one > runs[number]!) news.add(ids.id(number));
    }
  };
  await known.base(older, see, isWanted);
  await known.layers(ids, see, isWanted);
  if (news.size === 0) return [];
  const first: (Back | undefined)[] = [];
  const tell = (batch: RowBatch, gone: boolean, one: string) => {
    for (let row = 0; row < batch.ends.length && !gone; row++) {
      const number = news.number(batch.bytes, rowStart(batch, row) + 1);
      if (number < 0 || first[number]) continue;
      const id = news.id(number);
      if (one > runs[ids.number(id)]!) first[number] = { id, run: one, at: Date.parse(indexKeys.stamp(batch, row)) };
    }
  };
  await known.base(news, tell);
  await known.layers(news, tell);
  return first.filter((one) => one !== undefined && isWanted(one.run)) as Back[];
}

/** Whether the row is news. One that nobody knows the time of is. */
export function isNews({ run, at }: Back, { after, from }: Since, thisRun: string): boolean {
  return (run > after || run === thisRun) && !(at < from);
}
