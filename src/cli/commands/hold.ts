import { Fault } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { untilOf } from './keep.ts';

export const hold = defineCommand({
  name: 'hold',
  summary: 'stop pruning, or let it go on',
  description:
    'While pruning is held nothing is retired and nothing is deleted, also what was retired before. --release ends it, and acknowledges the ' +
    'suspect points that are there, which hold pruning too, and records of the log that do not read, with the points that may be theirs. Takes an admin key or an identity.',
  flags: {
    until: { value: 'date', summary: 'the hold ends then: 2027-01-31, or with a time', config: false },
    release: { summary: 'let pruning go on; suspect points count as looked at', config: false },
  },
  exits: [...vaultExits],
  async run(ctx, { flags }) {
    if (flags.release && flags.until !== undefined)
      throw new Fault('usage', '--release ends the hold at once: leave out --until');
    const until = flags.until === undefined ? undefined : untilOf(flags.until, ctx.now());
    const vault = await openVault(ctx, {
      writer: 'optional',
      identity: 'optional',
      admin: 'optional',
      operation: 'prune',
      warns: true,
    });
    const { holdPruning } = await import('../../operations/prune/pins.ts');
    const result = await holdPruning(ctx, vault, { until, release: flags.release, tool: ctx.tool });
    const acknowledged = result.acknowledged.map((point) => `acknowledged  ${point}`);
    const state = result.held
      ? `pruning is held${result.until === null ? '' : ` until ${result.until}`}`
      : 'pruning goes on';
    const unread = result.unread.map((key) => `acknowledged  ${key} does not hold`);
    return { result, human: () => [state, ...acknowledged, ...unread].join('\n') };
  },
});
