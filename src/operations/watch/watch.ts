import type { Context } from '../../context.ts';
import { type Fault, isFault } from '../../errors.ts';
import type { PointResult } from '../backup/request.ts';
import { Pace, type PaceRequest } from './pace.ts';

export interface WatchRequest extends PaceRequest {
  /** End after so many points; undefined: when the signal says so. */
  readonly points?: number;
}

/** What one attempt came to, as far as it came. */
export interface Attempt {
  readonly point?: PointResult;
  /** Why there is no point. */
  readonly fault?: Fault;
  /** API requests that it made. */
  readonly calls: number;
  /** Requests that the org allows in a day, when it said so. */
  readonly dailyCalls?: number;
}

/** What a watch does its work with. */
export interface WatchTools {
  /** Takes one point. Faults stand in the attempt; what is thrown is a bug. */
  attempt(): Promise<Attempt>;
  /**
   * Resolves when the next point is due, `ms` from now, or at once when the signal is aborted. Something that hears of changes as they happen
   * (Change Data Capture) would resolve it earlier: a watch takes its point then, and nothing else changes.
   */
  due(ms: number): Promise<void>;
}

/** `result` of `salvor watch --json`. */
export interface WatchResult {
  readonly points: number;
  readonly partial: number;
  readonly suspect: number;
  /** Times at which no point could be taken. */
  readonly missed: number;
  /** Between the points of this watch: from the beginning of one to the end of the next. null: there were not two. */
  readonly rpoSeconds: { readonly longest: number; readonly mean: number } | null;
  /** From beginning to beginning, as it is by now. */
  readonly intervalSeconds: number;
  readonly apiCalls: number;
  readonly last: { readonly id: string; readonly ended: string } | null;
}

/** Another run may end, the org or the store may come back, the day's budget begins anew. */
const passing: readonly number[] = [69, 74, 75];

/**
 * Takes points one after the other until the signal is aborted or there are enough of them. Each is told as `point-taken`, each time without one as
 * `point-missed`. Throws the fault that waiting does not mend, also that of a signal in the middle of a point, and one that comes in
 * the first attempt and says that another run is at work.
 */
export async function watch(ctx: Context, tools: WatchTools, request: WatchRequest): Promise<WatchResult> {
  const pace = new Pace(request);
  const rpo = { longest: 0, sum: 0, times: 0 };
  let [points, partial, suspect, missed, apiCalls] = [0, 0, 0, 0, 0];
  let last: { point: PointResult; began: number } | undefined;
  for (let attempts = 1; !ctx.signal.aborted; attempts++) {
    const began = ctx.now().getTime();
    const { point, fault, calls, dailyCalls } = await tools.attempt();
    const ended = ctx.now().getTime();
    apiCalls += calls;
    // A first full read is no measure of those that follow.
    if (point ? point.kind === 'incremental' : last) pace.spent(calls, dailyCalls);
    if (fault && (!isPassing(fault) || (attempts === 1 && fault.exit === 69))) throw fault;
    const enough = point !== undefined && points + 1 === request.points;
    const wait = Math.max(0, began + pace.interval - ended);
    if (point) {
      const exposed = last && (ended - last.began) / 1000;
      if (exposed !== undefined) {
        rpo.longest = Math.max(rpo.longest, exposed);
        rpo.sum += exposed;
        rpo.times += 1;
      }
      points += 1;
      if (point.status === 'partial') partial += 1;
      if (point.suspect) suspect += 1;
      last = { point, began };
      ctx.report({
        type: 'point-taken',
        point: point.id,
        kind: point.kind,
        status: point.status,
        suspect: point.suspect,
        rows: point.rows,
        changed: point.objects.reduce((sum, { changed }) => sum + changed, 0),
        deleted: point.objects.reduce((sum, { deleted }) => sum + deleted, 0),
        apiCalls: calls,
        seconds: (ended - began) / 1000,
        rpoSeconds: exposed ?? null,
        intervalSeconds: pace.interval / 1000,
      });
    } else if (fault) {
      missed += 1;
      ctx.report({ type: 'point-missed', name: fault.name, message: fault.message, againInSeconds: wait / 1000 });
    }
    if (enough) break;
    await tools.due(wait);
  }
  return {
    points,
    partial,
    suspect,
    missed,
    rpoSeconds: rpo.times === 0 ? null : { longest: rpo.longest, mean: rpo.sum / rpo.times },
    intervalSeconds: pace.interval / 1000,
    apiCalls,
    last: last ? { id: last.point.id, ended: last.point.ended } : null,
  };
}

function isPassing(fault: Fault): boolean {
  return passing.includes(fault.exit) && !(isFault(fault, 'lease-held') && fault.data.watch === true);
}
