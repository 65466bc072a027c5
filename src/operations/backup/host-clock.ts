import type { Context } from '../../context.ts';
import { mostDrift } from '../clock.ts';

/**
 * Warns of a host whose clock is so many milliseconds ahead of the org's (behind: less than 0). Points are dated by it; what they hold does not depend on it: runs are named and rows
 * are read by the org's clock.
 */
export function tellSkew(ctx: Context, skew: number): void {
  if (Math.abs(skew) <= mostDrift) return;
  const minutes = Math.round(Math.abs(skew) / 60_000);
  const message = `the clock of this host is ${minutes} minutes ${skew > 0 ? 'ahead of' : 'behind'} the org's: the point is dated by it, and so are status and retention`;
  ctx.report({ type: 'warning', name: 'clock-skew', message });
}
