import { Fault } from '../../errors.ts';
import type { Finding } from '../../operations/doctor/finding.ts';
import { assertPercent, exclusionsOf, pointFlags } from '../backup-flags.ts';
import { defineCommand } from '../command.ts';
import { doctorText } from '../output/doctor.ts';
import { orgAtHand, vaultAtHand } from '../patient.ts';
import { probeAtHand } from '../probe.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'check login, permissions, blind spots, API head-room, store, bucket policy, keys, clock and Object Lock',
  description:
    'Looks at whatever is at hand: without a login at the vault, without a vault at the org. Each finding comes with its fix. Nothing is changed: what is tried on ' +
    'the store are objects below probe/, which are removed again where these credentials may delete. Run it on the backup host, with its own credentials, to see ' +
    'that they can neither read rows nor delete or replace anything; with an identity at hand it looks with the eyes of an administrator. --probe does something ' +
    'else: it makes a few accounts, contacts and cases of its own in an org, learns from them what the documentation leaves open, removes all of it again, and ' +
    'writes what the org answered to a report without names, Ids, tokens or records of the org.',
  configOf: 'backup',
  flags: {
    objects: pointFlags.objects,
    exclude: pointFlags.exclude,
    probe: {
      summary:
        'put the open questions about Salesforce to a Developer Edition org or a sandbox, and write a report to send in',
      config: false,
    },
    confirm: {
      value: 'org',
      summary: 'alias, username or Id of the org that --probe may write to; a production org wants it always',
      config: false,
    },
    report: {
      value: 'file',
      kind: 'path',
      summary: 'where the report of --probe goes; a new file, salvor-probe-<date>.json unless told',
      config: false,
    },
    'max-api-percent': { ...pointFlags['max-api-percent'], summary: 'the budget that backups keep to' },
  },
  examples: [
    { command: 'salvor doctor', summary: 'before the first backup, and after every change of the org or the bucket' },
    {
      command: 'salvor doctor --probe -o devhub',
      summary: 'ask a Developer Edition org what nobody could find out without one',
    },
    { command: 'salvor doctor --json', summary: 'for a monitor: exit 7 when something is bad' },
  ],
  exits: [5, 7, 68, 75],
  async run(ctx, { flags }) {
    assertPercent('max-api-percent', flags.maxApiPercent);
    if (flags.probe) return probeAtHand(ctx, flags);
    if (flags.confirm !== undefined || flags.report !== undefined)
      throw new Fault('usage', '--confirm and --report go with --probe');
    const org = await orgAtHand(ctx);
    const vault = await vaultAtHand(ctx);
    try {
      if (org instanceof Fault && org.name === 'no-login' && vault === undefined) {
        throw new Fault('no-vault', 'there is nothing to look at: no vault is named, and there is no login');
      }
      const { diagnose } = await import('../../operations/doctor/doctor.ts');
      const policy = { objects: flags.objects, exclude: flags.exclude, exclusions: exclusionsOf(ctx) };
      const { findings } = await diagnose(ctx, { org, vault, policy, maxApiPercent: flags.maxApiPercent });
      return { result: { findings }, human: (paint) => doctorText(findings, paint), fault: faultOf(findings) };
    } finally {
      if (!(org instanceof Fault)) await org.close();
      if (vault !== undefined && !(vault instanceof Fault)) await vault.store.close();
    }
  },
});

function faultOf(findings: readonly Finding[]): Fault | undefined {
  const bad = findings.filter(({ ok }) => ok === 'bad');
  if (bad.length === 0) return undefined;
  const names = bad.map(({ area, name }) => `${area}: ${name}`);
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return new Fault('doctor-found', `something is wrong: ${names.slice(0, 3).join(', ')}${more}`);
}
