import { runOf } from '../../vault/layers.ts';
import type { MapPage } from '../../vault/manifest.ts';
import type { ColumnsMoved } from './stamp.ts';

/** Which rows of an object are read because they may have changed. */
export interface Window {
  /** A SOQL condition. */
  readonly where: string;
  /** The bounds of the stamps, half-open, by the org's clock. */
  readonly read: { readonly from: string; readonly to: string };
  readonly to: Date;
  /** True: it reaches back to the oldest delta, so that what it finds replaces all of them. */
  readonly replaces: boolean;
  /** True: rows are stored whatever is known of them, since they have a new field. */
  readonly keepsAll: boolean;
}

/** How far windows overlap: rows committed late carry the time at which their transaction wrote them (field guide, extract 5.3). */
export const overlapMs = 15 * 60_000;
/** How many layers lie on a base before they are replaced. */
export interface Layering {
  /** So many runs' deltas are replaced by one. */
  readonly deltas: number;
  /** When deltas have more than this share of the base's bytes, a new base is read. */
  readonly share: number;
}
const usual: Layering = { deltas: 32, share: 0.5 };
/** Stamps are whole seconds, and clocks of an org may differ a little: a row may be changed again within them. */
export const tieMs = 3000;

/** True when a new base is cheaper than more deltas. */
export function wantsBase({ base, deltas }: MapPage, { share }: Layering = usual): boolean {
  const bytes = (segments: MapPage['base']) => segments.reduce((sum, one) => sum + one.bytes, 0);
  return bytes(deltas) > share * bytes(base);
}

/** Where the next window of an object begins, without regard to how many deltas there are. */
export function beginning({ watermark }: MapPage): Date {
  return new Date(Date.parse(watermark) - overlapMs);
}

/**
 * True when the org's clock was set back so far since the page was read that rows which changed since may have stamps from before every window of it. What a smaller step hides
 * is ahead of the clock, and stands in the window of a later run.
 */
export function wasSetBack(page: MapPage, now: Date): boolean {
  return beginning(page).getTime() > now.getTime();
}

/** The window from a page's watermark up to `now`, by the org's clock. */
export function windowOf(page: MapPage, now: Date, moved: ColumnsMoved, { deltas }: Layering = usual): Window {
  const runs = new Set(page.deltas.map(({ key }) => runOf(key)));
  const lows = page.deltas.flatMap(({ read }) => (read ? [Date.parse(read.from)] : []));
  // What stands in them and is ahead of the clock would not stand in the window.
  const isAhead = Date.parse(page.watermark) > now.getTime();
  const replaces = runs.size >= deltas && lows.length === page.deltas.length && !isAhead;
  const from = replaces ? new Date(Math.min(...lows, beginning(page).getTime())) : beginning(page);
  // What was written in this second has this second's stamp.
  const to = new Date(Math.floor(now.getTime() / 1000) * 1000 + 1000);
  const read = { from: from.toISOString(), to: to.toISOString() };
  const stamped = `${page.stamp} >= ${read.from} AND ${page.stamp} < ${read.to}`;
  const filled = moved.added.map(({ name, type }) => (type === 'boolean' ? `${name} = true` : `${name} != null`));
  const where = filled.length === 0 ? stamped : `(${stamped}) OR ${filled.join(' OR ')}`;
  return { where, read, to, replaces, keepsAll: moved.added.length > 0 };
}

/**
 * True when a row with this stamp is the one that the page knows by it. Not when it was written about when the page was read: it may have been
 * changed again in the same second. Rows that cannot be changed are the ones that are known.
 */
export function isSettled({ stamp, watermark }: MapPage, known: number, now: number): boolean {
  if (stamp === 'CreatedDate') return true;
  return stamp === 'SystemModstamp' && known === now && now <= Date.parse(watermark) - tieMs;
}
