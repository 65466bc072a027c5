import { Fault } from '../../errors.ts';
import type { VerifyRequest, VerifyResult } from '../../operations/verify/request.ts';
import { defineCommand } from '../command.ts';
import { rememberHead, seenHead } from '../heads.ts';
import { openVault } from '../open-vault.ts';
import { verifyText } from '../output/verified.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'prove that points are whole',
  description:
    'A ladder; each rung proves more and prints its figure: log, existence, digests, decrypt, parse, counts, files, references. ' +
    'The result is kept in the vault, signed, and list-points shows it. Without a point the newest one is verified.',
  arguments: { point: { summary: 'id or its beginning, tag, time, latest, latest~2 or latest!' } },
  flags: {
    'no-identity': { summary: 'only what needs no identity', config: false },
    all: { summary: 'every point of the vault', config: false },
    sample: { value: 'part/of', summary: 'read only one part of the data: 1/7 proves a seventh a day', config: false },
    'expect-head': {
      value: 'seq:digest',
      summary: 'the log must hold this head, as noted after a backup',
      config: false,
    },
    'no-attest': { summary: 'do not keep the result in the vault', config: false },
  },
  examples: [
    { command: 'salvor verify', summary: 'the newest point, to the last row' },
    { command: 'salvor verify --no-identity', summary: 'on the backup host, which cannot read rows' },
  ],
  exits: [4, 68, 74],
  async run(ctx, { flags, arguments: given }) {
    const identity = flags.noIdentity ? 'no' : 'required';
    const vault = await openVault(ctx, { writer: 'optional', identity, operation: 'verify' });
    const operation = await import('../../operations/verify/verify.ts');
    const { findPoint } = await import('../../operations/points.ts');
    const { points } = await vault.state();
    const request: VerifyRequest = {
      ...(given.point !== undefined ? { points: [await findPoint(vault, given.point)] } : flags.all ? { points } : {}),
      noIdentity: flags.noIdentity,
      ...(flags.sample === undefined ? {} : { sample: sampleOf(flags.sample) }),
      expectHead:
        flags.expectHead === undefined ? await seenHead(ctx.environment, vault.info.vault) : headOf(flags.expectHead),
      attest: !flags.noAttest,
      tool: ctx.tool,
    };
    const result = await operation.verify(ctx, vault, request);
    if (result.ok) await rememberHead(ctx.environment, vault.info.vault, result.attested ?? result.head);
    return { result, human: (paint) => verifyText(result, paint), ...(result.ok ? {} : { fault: damaged(result) }) };
  },
});

function damaged(result: VerifyResult): Fault {
  const problems = [result.log, ...result.points.flatMap(({ rungs }) => rungs)].flatMap((rung) => rung.problems);
  const keys = [...new Set(problems.map(({ key }) => key))];
  return new Fault(
    'verify-failed',
    `${keys.length} object(s) of the vault do not hold: ${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ' …' : ''}`,
  );
}

function sampleOf(text: string): { part: number; of: number } {
  const parts = /^(\d+)\/(\d+)$/.exec(text);
  const [part, of] = [Number(parts?.[1]), Number(parts?.[2])];
  if (!parts || part < 1 || of < 1 || part > of)
    throw new Fault('usage', `--sample cannot be ${text}`, { actions: ['write it as 1/7: part 1 of 7'] });
  return { part, of };
}

function headOf(text: string): { seq: number; digest: string } {
  const parts = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (!parts)
    throw new Fault('usage', '--expect-head is not a head', {
      actions: ['give it as backup printed it: number, colon, 64 hex digits'],
    });
  return { seq: Number(parts[1]), digest: parts[2]! };
}
