import type { Policy } from '../../operations/prune/policy.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { span } from '../durations.ts';
import { rememberEnd, seenHead } from '../heads.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { pruneText } from '../output/pruned.ts';
import { headOf } from './verify.ts';

const counter = (period: string) =>
  ({
    value: 'n',
    kind: 'integer',
    summary: `keep the newest point of each of the last n ${period} that have one`,
  }) as const;

export const prune = defineCommand({
  name: 'prune',
  summary: 'apply the retention policy; a dry run unless it is confirmed',
  description:
    'Says of each point why it stays, or that it is retired. With --confirm-prune what no rule keeps is retired: it is no longer used, and can be ' +
    'brought back with salvor keep until its grace is over. The first confirmed run behind that deletes what only retired points reach. Rules are ' +
    "restic's: periods in UTC, ISO weeks, a point stays when any rule keeps it; beyond them, of a kept period the newest point of each object stays. Takes an " +
    'admin key (SALVOR_ADMIN_KEY, SALVOR_ADMIN_KEY_FILE) or an identity.',
  flags: {
    'keep-window': {
      value: 'time',
      summary: 'any moment of this time before the newest point stays recoverable: 35d, 8w, 48h',
    },
    'keep-last': { value: 'n', kind: 'integer', summary: 'keep the last n points' },
    'keep-hourly': counter('hours'),
    'keep-daily': counter('days'),
    'keep-weekly': counter('weeks'),
    'keep-monthly': counter('months'),
    'keep-yearly': counter('years'),
    preset: {
      value: 'name',
      choices: ['any-moment-30d'],
      summary: 'a policy by name, which other flags change: any-moment-30d is --keep-window 30d --keep-daily 60',
    },
    'min-points': { value: 'n', kind: 'integer', default: 3, summary: 'so many points stay whatever the policy says' },
    grace: { value: 'time', default: '7d', summary: 'how long a retired point can be brought back' },
    'allow-large': { summary: 'retire more than a quarter of the points in one run', config: false },
    'extend-locks': {
      summary:
        'lengthen the Object Lock of what stays, where less than half of it is left; needs the right to put retention',
    },
    'expect-head': {
      value: 'seq:digest',
      summary: 'the log must hold this head, as noted after a backup',
      config: false,
    },
    'confirm-prune': { summary: 'do it', config: false },
  },
  examples: [
    { command: 'salvor prune --preset any-moment-30d', summary: 'what would go' },
    {
      command: 'salvor prune --keep-window 35d --keep-weekly 12 --keep-monthly 24 --confirm-prune',
      summary: 'the job of every night',
    },
  ],
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    const { presets } = await import('../../operations/prune/policy.ts');
    const base: Policy = flags.preset === undefined ? {} : presets[flags.preset];
    const policy: Policy = {
      ...base,
      ...given({
        window: flags.keepWindow === undefined ? undefined : span('keep-window', flags.keepWindow),
        last: flags.keepLast,
        hourly: flags.keepHourly,
        daily: flags.keepDaily,
        weekly: flags.keepWeekly,
        monthly: flags.keepMonthly,
        yearly: flags.keepYearly,
      }),
    };
    const grace = span('grace', flags.grace);
    const keys = { writer: 'optional', identity: 'optional', admin: 'optional', operation: 'prune' } as const;
    const vault = await openVault(ctx, keys);
    const operation = await import('../../operations/prune/prune.ts');
    const id = vault.info.vault;
    const result = await operation.prune(ctx, vault, {
      policy,
      minPoints: flags.minPoints,
      grace,
      allowLarge: flags.allowLarge,
      extendLocks: flags.extendLocks,
      confirmed: flags.confirmPrune,
      expectHead: flags.expectHead === undefined ? await seenHead(ctx.environment, id) : headOf(flags.expectHead),
      tool: ctx.tool,
    });
    warn(ctx, result.obstacles);
    if (flags.confirmPrune) await rememberEnd(ctx.environment, vault, result.head, 'wrote');
    return { result, human: (paint) => pruneText(result, paint, grace > 0) };
  },
});

function given(policy: { readonly [K in keyof Policy]: Policy[K] | undefined }): Policy {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

function warn(ctx: CommandContext, obstacles: readonly { readonly name: string; readonly message: string }[]): void {
  for (const { name, message } of obstacles)
    ctx.report({ type: 'warning', name, message: `--confirm-prune would be refused: ${message}` });
}
