import { Fault } from '../../errors.ts';
import type { OrgStatus } from '../../operations/status.ts';
import { defineCommand } from '../command.ts';
import { milliseconds } from '../durations.ts';
import { openVault } from '../open-vault.ts';
import { statusText } from '../output/status.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'the last good point against the RPO, the last verification, API use; exit 7 when late',
  description:
    'A good point is complete, not suspect and not quarantined. It is late when it began longer ago than --rpo allows. The writer key alone is enough, and no login is ' +
    'needed: API use is what the newest point noted, if it is of the last day.',
  flags: {
    rpo: { value: 'time', default: '26h', summary: 'how long ago the last good point may have begun: 15m, 26h' },
  },
  examples: [
    { command: 'salvor status --rpo 26h', summary: 'for a nightly job, with two hours for the job itself' },
    { command: 'salvor status --rpo 15m --json', summary: 'for a watch, read by a monitor' },
  ],
  exits: [4, 5, 7, 68, 74],
  async run(ctx, { flags }) {
    const rpoMs = milliseconds('rpo', flags.rpo);
    const { orgStatus } = await import('../../operations/status.ts');
    const orgs: OrgStatus[] = [];
    for (const alias of [ctx.global.targetOrg]) {
      const vault = await openVault(ctx, { writer: 'optional', identity: 'optional', operation: 'read' });
      try {
        orgs.push(await orgStatus(ctx, vault, rpoMs, alias));
      } finally {
        await vault.store.close();
      }
    }
    const late = orgs.filter(({ state }) => state !== 'ok');
    return {
      result: { orgs },
      human: (paint) => statusText(orgs, ctx.now(), paint),
      ...(late.length > 0 ? { fault: lateFault(late, flags.rpo) } : {}),
    };
  },
});

function lateFault(late: readonly OrgStatus[], rpo: string): Fault {
  const told = late.map(({ org, vault, lastGood }) => {
    const last = lastGood
      ? `the last good point is ${lastGood.id}, begun at ${lastGood.started}`
      : 'there is no good point';
    return `${org ?? vault}: ${last}`;
  });
  return new Fault('points-late', `later than the RPO of ${rpo} allows: ${told.join('; ')}`);
}
