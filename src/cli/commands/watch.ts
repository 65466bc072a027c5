import { setTimeout as pause } from 'node:timers/promises';
import { Fault, isFault } from '../../errors.ts';
import type { PointResult } from '../../operations/backup/request.ts';
import type { Attempt, WatchResult } from '../../operations/watch/watch.ts';
import type { Store } from '../../store/store.ts';
import { assertPercent, pointFault, pointFlags, pointRequest } from '../backup-flags.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { milliseconds, orgTimeouts } from '../durations.ts';
import { rememberEnd } from '../heads.ts';
import { connectOrg } from '../login.ts';
import type { notify } from '../notify/notify.ts';
import { behind, openStoreOf, openVault, vaultExits } from '../open-vault.ts';
import { watchText } from '../output/watch.ts';

export const watch = defineCommand({
  name: 'watch',
  summary: 'keep taking small points (default every 5 minutes)',
  description:
    'Takes one point after the other, each of what changed since the one before, and says after each how much can be lost at most (RPO: from the ' +
    'beginning of one point to the end of the next). When the points of a day would cost more than --budget-percent of the API requests of the org, they are taken ' +
    'further apart. An org, a store or a budget that is not available now is told and tried again. A signal ends it: with 0 between points, with 130 and resumable in the ' +
    'middle of one. Keys under `backup` in the config hold here too, unless `watch` has its own.',
  configOf: 'backup',
  notifies: true,
  flags: {
    every: {
      value: 'time',
      default: '5m',
      summary: 'from the beginning of one point to that of the next: 60s, 5m, 1h',
    },
    'budget-percent': {
      value: 'percent',
      kind: 'number',
      default: 20,
      summary:
        "share of the org's daily API requests that it may use by itself; it takes fewer points rather than more requests",
    },
    points: { value: 'number', kind: 'integer', least: 1, summary: 'end after so many points', config: false },
    ...pointFlags,
  },
  examples: [
    { command: 'salvor watch', summary: 'a point every 5 minutes, until it is stopped' },
    {
      command: 'salvor watch --every 60s --objects Account,Case --budget-percent 5',
      summary: 'what matters most, each minute',
    },
  ],
  exits: [...vaultExits, 3, 7, 69, 75],
  async run(ctx, { flags }) {
    const everyMs = milliseconds('every', flags.every);
    if (everyMs < 1000) throw new Fault('usage', '--every has to be 1s at least');
    assertPercent('budget-percent', flags.budgetPercent);
    if (flags.budgetPercent === 0) throw new Fault('usage', '--budget-percent has to be more than 0');
    const request = pointRequest(ctx, flags);
    const { watch } = await import('../../operations/watch/watch.ts');
    const { backup } = await import('../../operations/backup/backup.ts');
    const { holdWatch } = await import('../../vault/watch-lease.ts');
    const { remembered } = await import('../../store/remembered.ts');
    const calm = calmly(ctx);
    const news = pointNews(ctx);
    let store: Store | undefined;
    let held: { release(): Promise<void> } | undefined;
    const attempt = async (): Promise<Attempt> => {
      let org: Awaited<ReturnType<typeof connectOrg>> | undefined;
      const cost = () => ({ calls: org?.apiCalls ?? 0, dailyCalls: org?.apiUsage?.max });
      try {
        store ??= remembered(await openStoreOf(ctx, behind(ctx.signal)));
        const vault = await openVault(calm, { writer: 'required', identity: 'no', operation: 'write' }, store);
        held ??= await holdWatch(vault, ctx.now);
        org = await connectOrg(calm, {
          budget: { maxPercent: flags.maxApiPercent },
          timeouts: orgTimeouts(flags.orgTimeout),
        });
        const { point, head } = await backup(calm, org, vault, request);
        await rememberEnd(ctx.environment, vault, head, 'wrote');
        news.taken(point);
        return { point, ...cost() };
      } catch (error) {
        if (!isFault(error)) throw error;
        news.missed(error);
        return { fault: error, ...cost() };
      } finally {
        await org?.close();
      }
    };
    const due = async (ms: number) => {
      const until = Date.now() + ms;
      await news.tell();
      await pause(Math.max(0, until - Date.now()), undefined, { signal: ctx.signal }).catch(() => undefined);
    };
    try {
      const result = await watch(ctx, { attempt, due }, { everyMs, ...flags });
      await news.tell();
      const fault = ctx.signal.aborted ? undefined : notAllWhole(result);
      return { result, human: (paint) => watchText(result, paint), ...(fault ? { fault } : {}), unnotified: true };
    } finally {
      // A lease that cannot be released runs out by itself.
      await held?.release().catch(() => undefined);
      await store?.close();
    }
  },
});

/** The context for one point of many: what is said of each object would hide the line of the point, and a warning is told once. */
function calmly(ctx: CommandContext): CommandContext {
  const told = new Set<string>();
  return {
    ...ctx,
    report(event) {
      if (event.type === 'warning') {
        if (told.has(event.message)) return;
        told.add(event.message);
      } else if (!ctx.global.verbose && event.type !== 'resumed') return;
      ctx.report(event);
    },
  };
}

/**
 * Notifications of single points, sent between them so that they cost no RPO. What keeps points from being taken is told once, until another thing does or one is taken; a run that holds
 * the lease keeps none from being taken for long.
 */
function pointNews(ctx: CommandContext) {
  let next: Parameters<typeof notify>[1] | undefined;
  let failing: string | undefined;
  return {
    taken(point: PointResult): void {
      failing = undefined;
      const fault = pointFault(point);
      next = {
        occasion: fault ? (fault.exit === 7 ? 'alert' : 'partial') : 'success',
        command: 'watch',
        status: fault?.exit ?? 0,
        ...(fault ? { name: fault.name } : {}),
        message: fault?.message ?? `point ${point.id} was taken`,
        actions: fault?.actions ?? [],
        point: point.id,
      };
    },
    missed({ name, exit, message, actions }: Fault): void {
      if ((exit !== 74 && exit !== 75) || failing === name) return;
      failing = name;
      next = { occasion: 'failure', command: 'watch', status: exit, name, message, actions, point: null };
    },
    async tell(): Promise<void> {
      const now = next;
      next = undefined;
      if (now === undefined || ctx.config.values.notify === undefined) return;
      const notifying = await import('../notify/notify.ts');
      await notifying.notify(ctx, now);
    },
  };
}

function notAllWhole({ points, partial, suspect }: WatchResult): Fault | undefined {
  if (suspect > 0) {
    const both = partial > 0 ? `, ${partial} partial` : '';
    return new Fault('point-suspect', `${suspect} of ${points} points are suspect${both}`);
  }
  if (partial === 0) return undefined;
  return new Fault('object-failed', `${partial} of ${points} points are partial`, {
    actions: ['see what is missing in them, and why, with `salvor list-points`'],
  });
}
