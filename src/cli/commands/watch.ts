import { setTimeout as pause } from 'node:timers/promises';
import { Fault, isFault } from '../../errors.ts';
import type { Attempt, WatchResult } from '../../operations/watch/watch.ts';
import type { Store } from '../../store/store.ts';
import { assertPercent, pointFlags, pointRequest } from '../backup-flags.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { milliseconds, orgTimeouts } from '../durations.ts';
import { rememberHead } from '../heads.ts';
import { connectOrg } from '../login.ts';
import { behind, openStoreOf, openVault } from '../open-vault.ts';
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
    points: { value: 'number', kind: 'integer', summary: 'end after so many points', config: false },
    ...pointFlags,
  },
  examples: [
    { command: 'salvor watch', summary: 'a point every 5 minutes, until it is stopped' },
    {
      command: 'salvor watch --every 60s --objects Account,Case --budget-percent 5',
      summary: 'what matters most, each minute',
    },
  ],
  exits: [3, 4, 5, 7, 68, 69, 74, 75],
  async run(ctx, { flags }) {
    const everyMs = milliseconds('every', flags.every);
    if (everyMs < 1000) throw new Fault('usage', '--every has to be 1s at least');
    assertPercent('budget-percent', flags.budgetPercent);
    if (flags.budgetPercent === 0) throw new Fault('usage', '--budget-percent has to be more than 0');
    if (flags.points === 0) throw new Fault('usage', '--points has to be 1 at least');
    const request = pointRequest(ctx, flags);
    const { watch } = await import('../../operations/watch/watch.ts');
    const { backup } = await import('../../operations/backup/backup.ts');
    const { holdWatch } = await import('../../vault/watch-lease.ts');
    const { remembered } = await import('../../store/remembered.ts');
    const calm = calmly(ctx);
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
        await rememberHead(ctx.environment, vault.info.vault, head);
        return { point, ...cost() };
      } catch (error) {
        if (!isFault(error)) throw error;
        return { fault: error, ...cost() };
      } finally {
        await org?.close();
      }
    };
    const due = async (ms: number) => {
      await pause(ms, undefined, { signal: ctx.signal }).catch(() => undefined);
    };
    try {
      const result = await watch(ctx, { attempt, due }, { everyMs, ...flags });
      const fault = ctx.signal.aborted ? undefined : notAllWhole(result);
      return { result, human: (paint) => watchText(result, paint), ...(fault ? { fault } : {}) };
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
