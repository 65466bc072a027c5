import { Fault } from '../../errors.ts';
import type { OrgStatus } from '../../operations/status.ts';
import { allOrgsFlags, parallelOrgs } from '../all-orgs.ts';
import { defineCommand, type OrgDone } from '../command.ts';
import { milliseconds } from '../durations.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { named, notKnown, type OrgToldStatus, statusText } from '../output/status.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'the last good point against the RPO, the last verification, API use; exit 7 when late',
  description:
    'A good point is complete, not suspect, not quarantined and not dated in the future. It is late when it began longer ago than --rpo allows. When it was taken with --objects, so are ' +
    'the objects that it leaves out, by the last good point that holds them, and those of which there is none although points within the RPO were taken of them. The writer key alone is enough, and no login is ' +
    'needed: API use is what the newest point noted, if it is of the last day.',
  flags: {
    ...allOrgsFlags,
    ...parallelOrgs,
    rpo: { value: 'time', default: '26h', summary: 'how long ago the last good point may have begun: 15m, 26h' },
  },
  examples: [
    { command: 'salvor status --rpo 26h', summary: 'for a nightly job, with two hours for the job itself' },
    { command: 'salvor status --all-orgs --rpo 26h', summary: 'a line for each org of the config file' },
    { command: 'salvor status --rpo 15m --json', summary: 'for a watch, read by a monitor' },
  ],
  exits: [...vaultExits, 7],
  async run(ctx, { flags }) {
    const rpoMs = milliseconds('rpo', flags.rpo);
    const { orgStatus } = await import('../../operations/status.ts');
    const vault = await openVault(ctx, { writer: 'optional', identity: 'optional', operation: 'read' });
    try {
      const one = await orgStatus(ctx, vault, rpoMs, ctx.global.targetOrg);
      return {
        result: { orgs: [one] },
        human: (paint) => statusText([one], ctx.now(), paint),
        ...(one.state === 'ok' ? {} : { fault: lateFault(one, flags.rpo) }),
      };
    } finally {
      await vault.store.close();
    }
  },
  together(done, ctx) {
    const orgs = done.map((one) => statusOf(one, ctx.config.orgs[one.told.org]?.vault));
    return { result: { orgs }, human: (paint) => statusText(orgs, ctx.now(), paint) };
  },
});

/** The one entry of the org's own result, and how it ended; all that is not known is null when there is no result. */
function statusOf({ told, outcome }: OrgDone, vault: string | undefined): OrgToldStatus {
  const { result: _, ...end } = told;
  const [found] = (outcome?.result as { orgs: readonly OrgStatus[] } | undefined)?.orgs ?? [];
  return { ...(found ?? { ...notKnown, vault: vault ?? null }), ...end };
}

function lateFault({ lastGood, rest, neverGood, lateBy }: OrgStatus, rpo: string): Fault {
  if (lateBy === 0 && neverGood)
    return new Fault(
      'points-late',
      `there is no good point of ${named(neverGood.objects)}: the newest with any of it is ${neverGood.point}`,
      {
        actions: [
          `see why it is no good one: run \`salvor show ${neverGood.point}\``,
          'leave out what no point is to hold by `exclusions` in the configuration, with a reason and an owner',
        ],
      },
    );
  const oldest = rest.at(-1);
  if (oldest)
    return new Fault(
      'points-late',
      `later than the RPO of ${rpo} allows: the last good point with ${named(oldest.objects)} is ${oldest.point}, begun at ${oldest.started}`,
      {
        actions: [
          'see why no point of all objects was taken: run `salvor backup`, or look at the log of the job that should',
          'leave out what no point is to hold by `exclusions` in the configuration, with a reason and an owner',
        ],
      },
    );
  const last = lastGood
    ? `the last good point is ${lastGood.id}, begun at ${lastGood.started}`
    : 'there is no good point';
  return new Fault('points-late', `later than the RPO of ${rpo} allows: ${last}`);
}
