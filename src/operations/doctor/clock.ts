import type { Context } from '../../context.ts';
import type { Org } from '../../salesforce/org.ts';
import { mostDrift } from '../clock.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, warn, bad } = findingsOf('clock');

/** Beyond this somebody should look, though nothing fails yet. */
const noticeable = 60_000;

/** Holds this host's clock against the org's, which tells whole seconds. */
export async function orgClock(ctx: Context, org: Org): Promise<Finding> {
  const before = ctx.now().getTime();
  const theirs = await org.serverTime();
  return judged('org', "the org's", theirs.getTime() - (before + ctx.now().getTime()) / 2);
}

/** `drift`: what the store's clock is ahead; undefined: nothing was written there now that would tell. */
export function storeClock(drift: number | undefined): Finding {
  if (drift === undefined) return ok('store', 'nothing new was written that would tell the clock of the store');
  return judged('store', "the store's", drift);
}

function judged(name: string, whose: string, drift: number): Finding {
  const apart = Math.abs(drift);
  if (apart <= noticeable) return ok(name, `this host's clock is within a minute of ${whose}`);
  const far = apart < 10 * 60_000 ? `${Math.round(apart / 1000)} seconds` : `${Math.round(apart / 60_000)} minutes`;
  const said = `the clock of this host is ${far} ${drift > 0 ? 'behind' : 'ahead of'} ${whose}`;
  const fix = 'set the clock of this host (chrony, systemd-timesyncd), or that of the store';
  if (apart <= mostDrift) return warn(name, said, fix);
  return bad(name, `${said}: points are named and judged by it, and pruning is refused`, fix);
}
