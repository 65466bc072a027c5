import { Fault, isFault } from '../../errors.ts';
import type { Certificate } from '../../operations/rehearse/certificate.ts';
import type { OrgCompared } from '../../operations/verify/org-request.ts';
import type { VerifyRequest, VerifyResult } from '../../operations/verify/request.ts';
import type { Org } from '../../salesforce/org.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { Vault } from '../../vault/vault.ts';
import { allOrgsFlags, parallelOrgs } from '../all-orgs.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { copyOf } from '../copy-of.ts';
import { eachCopy } from '../each-copy.ts';
import { rememberEnd, rememberHead, seenHead } from '../heads.ts';
import { connectOrg } from '../login.ts';
import { copiesOf, openVault, vaultExits } from '../open-vault.ts';
import { failedCopyText } from '../output/copied.ts';
import { verifyText } from '../output/verified.ts';
import { rehearsePoint } from '../rehearsal.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'prove that points are whole',
  description:
    'A ladder; each rung proves more and prints its figure: log, existence, digests, decrypt, parse, counts, files, references. ' +
    'Two more are asked for by name. --rehearse restores the whole point into an org that is started on this machine from the schema in the point, ' +
    'compares every row and prints a certificate. --against-org logs in to the org and reads all its rows: what it stamped before the point was taken has ' +
    'to be in the point as it is, so that a chain of incremental points is proven to say what a full one would. The result is kept in the vault, signed, and list-points shows it. Without a point the ' +
    'newest one is verified.',
  notifies: true,
  arguments: { point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!' } },
  flags: {
    'no-identity': { summary: 'only what needs no identity', config: false },
    all: { summary: 'every point of the vault', config: false },
    'all-copies': { summary: 'the same in every copy that the configuration names', config: false },
    sample: { value: 'part/of', summary: 'prove only one part of the data: 1/7 proves a seventh a day', config: false },
    rehearse: {
      summary: 'restore the point into an org of its own on this machine, and compare every row',
      config: false,
    },
    onto: {
      value: 'point',
      summary: 'the org of the rehearsal has the rows of this later point, and only what is missing is restored',
      config: false,
    },
    objects: {
      value: 'names',
      kind: 'list',
      summary: 'rehearse only these objects; * stands for any characters',
      config: false,
    },
    exclude: { value: 'names', kind: 'list', summary: 'rehearse without these objects', config: false },
    'against-org': {
      summary: 'compare every row with the org as it is now, less what changed since',
      config: false,
    },
    'expect-head': {
      value: 'seq:digest',
      summary: 'the log must hold this head, as noted after a backup',
      config: false,
    },
    'no-attest': { summary: 'do not keep the result in the vault', config: false },
    ...allOrgsFlags,
    ...parallelOrgs,
  },
  examples: [
    { command: 'salvor verify', summary: 'the newest point, to the last row' },
    { command: 'salvor verify --rehearse', summary: 'prove that the newest point restores, on this machine alone' },
    { command: 'salvor verify --against-org --sample 1/7', summary: 'hold a seventh of all rows against the org' },
    { command: 'salvor verify --no-identity', summary: 'on the backup host, which cannot read rows' },
  ],
  exits: [...vaultExits],
  async run(ctx, { flags, arguments: given }) {
    assertFlags(flags);
    const identity = flags.noIdentity ? 'no' : 'required';
    const vault = await openVault(ctx, { writer: 'optional', identity, operation: 'verify' });
    const operation = await import('../../operations/verify/verify.ts');
    const { compareWithOrg } = await import('../../operations/verify/org.ts');
    const { findPoint } = await import('../../operations/points.ts');
    const { points } = await vault.state();
    const named = given.point === undefined ? undefined : await findPoint(ctx, vault, given.point, 'any');
    const sample = flags.sample === undefined ? undefined : sampleOf(flags.sample);
    const org = flags.againstOrg ? await orgOf(ctx, vault, named ?? points.at(-1)) : undefined;
    const request: VerifyRequest = {
      ...(named ? { points: [named] } : flags.all ? { points } : {}),
      noIdentity: flags.noIdentity,
      ...(sample && { sample }),
      expectHead:
        flags.expectHead === undefined ? await seenHead(ctx.environment, vault.info.vault) : headOf(flags.expectHead),
      ...(flags.rehearse ? { rehearse: await rehearsal(ctx, vault, flags) } : {}),
      ...(org ? { againstOrg: (entry) => compareWithOrg(ctx, vault, entry, org, sample) } : {}),
      attest: !flags.noAttest && !(await isCopy(ctx, vault)),
      tool: ctx.tool,
    };
    const result = await operation.verify(ctx, vault, request).finally(() => org?.close());
    if (result.ok) await rememberVerified(ctx, vault, flags.expectHead, result);
    const copies: (VerifyResult & { readonly vault: string })[] = [];
    const places = flags.allCopies ? copiesOf(ctx) : [];
    const failed = await eachCopy(ctx, places, async (place) => {
      const copy = await openVault(ctx, { writer: 'optional', identity, operation: 'verify' }, place);
      const { noIdentity } = request;
      const asked: VerifyRequest = {
        ...(given.point !== undefined ? { points: [await findPoint(ctx, copy, given.point, 'any')] } : {}),
        ...(flags.all ? { points: 'all' } : {}),
        noIdentity,
        ...(sample && { sample }),
        attest: false,
        tool: ctx.tool,
      };
      copies.push({ vault: place, ...(await operation.verify(ctx, copy, asked)) });
    });
    const bad = [result, ...copies].find(({ ok }) => !ok);
    return {
      result: flags.allCopies ? { ...result, copies, failed: failed.map(({ told }) => told) } : result,
      human: (paint) =>
        [
          verifyText(result, paint),
          ...copies.flatMap((copy) => [paint.strong(copy.vault), verifyText(copy, paint)]),
          ...failed.map(({ told }) => failedCopyText(told, paint)),
        ].join('\n'),
      ...(bad ? { fault: damaged(bad) } : failed[0] ? { fault: failed[0].fault } : {}),
    };
  },
});

/** Whether the vault that is looked at is a copy, which is told. */
async function isCopy(ctx: CommandContext, vault: Vault): Promise<boolean> {
  const what = await copyOf(ctx, vault);
  if (what === undefined) return false;
  const message = `${what}: that it was verified is not kept in its log, which would go its own way from there`;
  ctx.report({ type: 'warning', name: 'not-attested', message });
  return true;
}

/** Who names the very end of the log says that it is right, whatever this client saw before. */
async function rememberVerified(
  { environment }: CommandContext,
  vault: Vault,
  expected: string | undefined,
  { head, attested }: VerifyResult,
): Promise<void> {
  const end = attested ?? head;
  if (expected === `${head.seq}:${head.digest}`) await rememberHead(environment, vault.info.vault, end, true);
  else await rememberEnd(environment, vault, end);
}

interface RehearsalFlags {
  readonly rehearse: boolean;
  readonly onto?: string | undefined;
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
}

function assertFlags(
  flags: RehearsalFlags & { readonly noIdentity: boolean; readonly all: boolean; readonly againstOrg: boolean },
): void {
  const { rehearse, onto, objects, exclude, againstOrg } = flags;
  if (againstOrg && flags.noIdentity) throw new Fault('usage', '--against-org reads all rows: it needs an identity');
  if (againstOrg && flags.all) throw new Fault('usage', '--against-org takes one point, and --all takes every one');
  if (!rehearse && (onto !== undefined || objects.length + exclude.length > 0))
    throw new Fault('usage', '--onto, --objects and --exclude say what is rehearsed: give --rehearse with them');
  if (rehearse && flags.noIdentity) throw new Fault('usage', 'a rehearsal reads all rows: it needs an identity');
  if (rehearse && flags.all) throw new Fault('usage', '--rehearse takes one point, and --all takes every one');
}

/** The org that a point is compared with. Throws `foreign-vault` when it is another than the point's, before anything is verified. */
async function orgOf(ctx: CommandContext, vault: Vault, entry: LogEntry | undefined): Promise<Org> {
  const { assertOrgOf } = await import('../../operations/verify/org.ts');
  const org = await connectOrg(ctx);
  try {
    if (entry) await assertOrgOf(vault, entry, org);
  } catch (error) {
    // That the root of the point is damaged is for the ladder to tell, which ends before the org then.
    if (!isFault(error) || error.exit !== 4) {
      await org.close();
      throw error;
    }
  }
  return org;
}

async function rehearsal(
  ctx: CommandContext,
  vault: Vault,
  { onto, objects, exclude }: RehearsalFlags,
): Promise<NonNullable<VerifyRequest['rehearse']>> {
  const { findPoint } = await import('../../operations/points.ts');
  const damaged = onto === undefined ? {} : { onto: await findPoint(ctx, vault, onto) };
  const request = { objects, exclude, ...damaged, tool: ctx.tool };
  return (entry) => rehearsePoint(ctx, vault, entry, request);
}

function damaged(result: VerifyResult): Fault {
  if (result.rehearsal && !result.rehearsal.ok) return unrestorable(result.rehearsal);
  if (result.againstOrg && result.points.every(({ rungs }) => rungs.every(({ rung, ok }) => ok || rung === 'org')))
    return unequal(result.againstOrg, result.points[0]!);
  const problems = [result.log, ...result.points.flatMap(({ rungs }) => rungs)].flatMap((rung) => rung.problems);
  const keys = [...new Set(problems.map(({ key }) => key))];
  return new Fault(
    'verify-failed',
    `${keys.length} object(s) of the vault do not hold: ${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ' …' : ''}`,
  );
}

function unrestorable({ point, totals }: Certificate): Fault {
  const { different, missing, extra } = totals;
  return new Fault(
    'verify-failed',
    `point ${point} did not come back as it is: ${different} rows differ, ${missing} are missing, ${extra} are too many`,
    { actions: ['see the rung rehearse: it names the records and fields; a restore of them would end the same way'] },
  );
}

function unequal({ totals }: OrgCompared, { id, rungs }: VerifyResult['points'][number]): Fault {
  const { different, missing, undead } = totals;
  const problems = rungs.at(-1)!.problems.length;
  const rows = `${different} rows differ, ${missing} are missing, ${undead} are deleted in the org`;
  return new Fault(
    'verify-failed',
    different + missing + undead === 0
      ? `${problems} object(s) of point ${id} could not be compared with the org`
      : `point ${id} is not what the org was: ${rows}`,
    {
      actions: [
        'take a new point with `salvor backup --full` and compare that one; `salvor diff <point>..live --compare full --records` names the records',
      ],
    },
  );
}

function sampleOf(text: string): { part: number; of: number } {
  const parts = /^(\d+)\/(\d+)$/.exec(text);
  const [part, of] = [Number(parts?.[1]), Number(parts?.[2])];
  if (!parts || part < 1 || of < 1 || part > of)
    throw new Fault('usage', `--sample cannot be ${text}`, { actions: ['write it as 1/7: part 1 of 7'] });
  return { part, of };
}

/** Reads `seq:digest`. Throws `usage`. */
export function headOf(text: string): { seq: number; digest: string } {
  const parts = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (!parts)
    throw new Fault('usage', '--expect-head is not a head', {
      actions: ['give it as backup printed it: number, colon, 64 hex digits'],
    });
  return { seq: Number(parts[1]), digest: parts[2]! };
}
