import { Fault } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';

export const keep = defineCommand({
  name: 'keep',
  summary: 'pin a point: no policy retires it; or bring a retired one back',
  description:
    'Takes an admin key or an identity. A point that was retired comes back, whole, as long as its grace is not over and nothing of it was let go.',
  arguments: { point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!', required: true } },
  flags: {
    until: { value: 'date', summary: 'the pin ends then: 2027-01-31, or with a time', config: false },
    release: { summary: 'take the pin away', config: false },
  },
  examples: [{ command: 'salvor keep latest --until 2027-12-31', summary: 'the point of the audit' }],
  exits: [...vaultExits],
  async run(ctx, { flags, arguments: { point } }) {
    if (flags.release && flags.until !== undefined)
      throw new Fault('usage', '--release takes the pin away at once: leave out --until');
    const until = flags.until === undefined ? undefined : untilOf(flags.until, ctx.now());
    const vault = await openVault(ctx, {
      writer: 'optional',
      identity: 'optional',
      admin: 'optional',
      operation: 'prune',
      warns: true,
    });
    const { findRetired } = await import('../../operations/points.ts');
    const { keepPoint } = await import('../../operations/prune/pins.ts');
    const { record } = await findRetired(ctx, vault, point);
    const result = await keepPoint(ctx, vault, record.point!, { until, release: flags.release, tool: ctx.tool });
    const state = result.pinned
      ? `pinned${result.until === null ? '' : ` until ${result.until}`}`
      : result.released
        ? 'no longer pinned'
        : 'was not pinned';
    return { result, human: () => `${result.point}  ${state}${result.revived ? ', and back in use' : ''}` };
  },
});

/** Throws `usage` for what is no date, or one that is over. */
export function untilOf(text: string, now: Date): Date {
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? new Date(text)
    : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new Fault('usage', `--until cannot be ${text}`, { actions: ['write it as 2027-01-31 or 2027-01-31T12:00Z'] });
  if (time <= now) throw new Fault('usage', `--until ${text} is over`);
  return time;
}
