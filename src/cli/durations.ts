import { Fault } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** A timer of more days than these 24 would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** `90s`, `30m`, `4h` in milliseconds, at most what a timer takes. Throws `usage` that names the flag. */
export function milliseconds(flag: string, text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text);
  if (!parts) throw new Fault('usage', `--${flag} cannot be ${text}`, { actions: ['write it as 90s, 30m or 4h'] });
  return Math.min(longestTimer, Number(parts[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[parts[2] as 's' | 'm' | 'h']);
}

/** `12h`, `35d`, `8w` in milliseconds. Throws `usage` that names the flag. */
export function span(flag: string, text: string): number {
  const parts = /^(\d{1,5})(h|d|w)$/.exec(text);
  if (!parts) throw new Fault('usage', `--${flag} cannot be ${text}`, { actions: ['write it as 12h, 35d or 8w'] });
  return Number(parts[1]) * { h: 3_600_000, d: 86_400_000, w: 604_800_000 }[parts[2] as 'h' | 'd' | 'w'];
}

/** The context with a time budget, counted from the beginning of the run: when it is spent the work stops as at a signal, and the fault says so. */
export function withDeadline(ctx: CommandContext, duration: string | undefined): CommandContext {
  if (duration === undefined) return ctx;
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new Fault('time-budget', `stopped after ${duration}, as --max-duration says`)),
    Math.max(0, milliseconds('max-duration', duration) - (ctx.now().getTime() - ctx.began.getTime())),
  );
  timer.unref();
  return { ...ctx, signal: AbortSignal.any([ctx.signal, deadline.signal]) };
}

/** Time limits of requests from `--org-timeout`. */
export function orgTimeouts(silence: string | undefined) {
  if (silence === undefined) return undefined;
  const ms = milliseconds('org-timeout', silence);
  return { connect: Math.min(30_000, ms), headers: ms, body: ms };
}
