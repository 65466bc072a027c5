import { Fault, isFault } from '../../errors.ts';
import type { BackupRequest } from '../../operations/backup/request.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Vault } from '../../vault/vault.ts';
import { allOrgsFlags } from '../all-orgs.ts';
import { pointFault, pointFlags, pointRequest } from '../backup-flags.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { milliseconds, orgTimeouts, withDeadline } from '../durations.ts';
import { rememberEnd } from '../heads.ts';
import { connectOrg } from '../login.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import type { Paint } from '../output/paint.ts';
import { backupText, previewText } from '../output/point.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: 'take a recovery point',
  description:
    'Every queryable object and readable field goes into the point, less what the policy leaves out; the coverage report names ' +
    'everything that is not in it. The first point of a vault reads everything, later ones what changed since. A run that is interrupted goes on with what it has not finished.',
  notifies: true,
  flags: {
    ...pointFlags,
    parallel: { ...pointFlags.parallel, summary: 'objects that are read at the same time, and with --all-orgs orgs' },
    metadata: { summary: "the org's metadata too (settings, code, layouts …), as a zip of the Metadata API" },
    full: {
      summary: 'read everything, whatever earlier points hold; the default reads what changed since',
      config: false,
    },
    tag: {
      value: 'name',
      repeatable: true,
      summary: 'a label that names the point; not latest, and no time',
      config: false,
    },
    'dry-run': { summary: 'show objects, counts, API calls and expected size; write nothing', config: false },
    'max-api-calls': {
      value: 'number',
      kind: 'integer',
      summary: 'stop, resumable, after this many API calls of this run',
    },
    'wait-for-quota': {
      summary:
        'where --max-api-percent or the org ends a run: wait until the requests of the last 24 hours leave room again, and go on; --max-duration bounds it',
    },
    'quota-interval': {
      value: 'time',
      default: '15m',
      summary: 'with --wait-for-quota, how often one request finds out whether there is room again',
    },
    'max-duration': { value: 'time', summary: 'stop, resumable, after this time: 90m, 4h' },
    'accept-refreshed-org': {
      summary:
        'the sandbox was refreshed and has a new Id: bind the vault to it and begin with a full point; needs an identity',
      config: false,
    },
    ...allOrgsFlags,
  },
  examples: [
    { command: 'salvor backup', summary: 'everything' },
    { command: 'salvor backup --dry-run', summary: 'what would be in it, and what not' },
    { command: 'salvor backup --objects Account,Contact --tag before-migration', summary: 'two objects, labelled' },
  ],
  exits: [...vaultExits, 3, 7, 69, 75],
  async run(ctx, { flags }) {
    if (flags.tag.length > 0) {
      const { assertTag } = await import('../../operations/points.ts');
      for (const tag of flags.tag) assertTag(tag);
    }
    const request: BackupRequest = {
      ...pointRequest(ctx, flags),
      tags: flags.tag,
      full: flags.full,
      metadata: flags.metadata,
    };
    const timed = withDeadline(ctx, flags.maxDuration);
    const options = {
      budget: { maxPercent: flags.maxApiPercent, maxCalls: flags.maxApiCalls },
      timeouts: orgTimeouts(flags.orgTimeout),
      // A preview is over before there would be room.
      ...(flags.waitForQuota && !flags.dryRun ? { quotaMs: milliseconds('quota-interval', flags.quotaInterval) } : {}),
    };
    if (flags.dryRun && flags.acceptRefreshedOrg)
      throw new Fault('usage', '--accept-refreshed-org writes to the vault, and --dry-run writes nothing');
    if (flags.dryRun) {
      const org = await connectOrg(timed, options);
      try {
        const { preview } = await import('../../operations/backup/preview.ts');
        const vault = await vaultAtHand(timed);
        const result = await preview(timed, org, request, vault).finally(() => vault?.store.close());
        const shown = { result, human: (paint: Paint) => previewText(result, paint), unnotified: true };
        const { minCoverage = 0 } = request;
        if (result.coverage >= minCoverage) return shown;
        const { coversTooLittle } = await import('../../operations/backup/coverage.ts');
        return { ...shown, fault: coversTooLittle(result.coverage, minCoverage, result.blindSpots) };
      } finally {
        await org.close();
      }
    }
    const identity = flags.acceptRefreshedOrg ? 'required' : 'no';
    const vault = await openVault(timed, { writer: 'required', identity, operation: 'write' });
    const org = await connectOrg(timed, options);
    try {
      if (flags.acceptRefreshedOrg) await acceptOrg(timed, vault, org);
      const operation = await import('../../operations/backup/backup.ts');
      const result = await operation.backup(timed, org, vault, request);
      await rememberEnd(ctx.environment, vault, result.head, 'wrote');
      const fault = pointFault(result.point);
      return {
        result,
        human: (paint) => backupText(result, paint),
        ...(fault ? { fault } : {}),
      };
    } finally {
      await org.close();
      await vault.store.close();
    }
  },
});

/** The vault whose points a run would build on; undefined where there is none yet, or no key that opens it. */
async function vaultAtHand(ctx: CommandContext): Promise<Vault | undefined> {
  let vault: Vault | undefined;
  try {
    vault = await openVault(ctx, { writer: 'optional', identity: 'optional', operation: 'read' });
    await vault.manifestIdentities();
    return vault;
  } catch (error) {
    await vault?.store.close();
    if (!isFault(error, 'no-vault', 'no-identity')) throw error;
    if (vault) {
      const message = 'no key at hand opens the vault: what is previewed is a run that reads everything';
      ctx.report({ type: 'warning', name: error.name, message });
    }
    return undefined;
  }
}

async function acceptOrg(ctx: CommandContext, vault: Vault, org: Org): Promise<void> {
  const { acceptRefreshedOrg } = await import('../../operations/refreshed-org.ts');
  const accepted = await acceptRefreshedOrg(ctx, vault, org.identity);
  const message = accepted
    ? `the vault is bound to ${org.identity.orgId} from now on: ${accepted} was refreshed`
    : `the vault is bound to ${org.identity.orgId} already: --accept-refreshed-org does nothing`;
  ctx.report({ type: 'note', message });
}
