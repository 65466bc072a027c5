import { Fault } from '../../errors.ts';
import type { CopyResult } from '../../operations/copy/request.ts';
import { defineCommand } from '../command.ts';
import { eachCopy } from '../each-copy.ts';
import { copiesOf, openCopyAt, openVault, vaultExits } from '../open-vault.ts';
import { copyText, failedCopyText } from '../output/copied.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: 'make a second copy of the vault elsewhere, or bring one up to date',
  description:
    'Byte for byte, and only what is missing; needs no key. The log comes last, so that no point is in the copy before what it reaches. What is damaged ' +
    'or missing in the vault is left out, and told of with the points that lack it (exit 4); the other points are whole, and the next copy brings what ' +
    'was healed. It works in both directions: what was written to the copy while the vault was away comes home with --vault <copy> --to <vault>. When ' +
    'both have records that the other has not, it refuses.',
  flags: {
    to: {
      value: 'url',
      kind: 'path',
      summary: 'an empty place, or a copy of this vault; without it the copies of the configuration',
      config: false,
    },
    'delete-swept': { summary: 'delete in the copy what pruning let go in the vault, unless pruning is held' },
  },
  examples: [
    { command: 'salvor copy --to s3://other-bucket/salvor', summary: 'the second copy' },
    { command: 'salvor copy --vault s3://other-bucket/salvor --to s3://bucket/salvor', summary: 'bring it home again' },
  ],
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    const places = flags.to === undefined ? copiesOf(ctx) : [flags.to];
    if (places.length === 0)
      throw new Fault('usage', 'no copy is named', {
        actions: ['name one with --to, or as copies in the configuration'],
      });
    const vault = await openVault(ctx, { writer: 'no', identity: 'no', operation: 'read' });
    const { copyVault } = await import('../../operations/copy/copy.ts');
    const copies: (CopyResult & { readonly to: string })[] = [];
    const failed = await eachCopy(ctx, places, async (place) => {
      const to = await openCopyAt(ctx, place);
      copies.push({ to: to.url, ...(await copyVault(ctx, vault, to, { deleteSwept: flags.deleteSwept })) });
    });
    // Where nothing was done there is no result.
    if (copies.length === 0) throw failed[0]!.fault;
    const problems = copies.flatMap((one) => one.problems);
    const notWhole = [...new Set(copies.flatMap((one) => one.notWhole))];
    const lost = new Set(copies.flatMap((one) => one.lostRecords)).size;
    const damaged = () =>
      new Fault(
        'verify-failed',
        `${problems.length} object(s) are damaged or missing, in the vault or in the copy: ${problems[0]!.problem}; ${notWhole.length} point(s) are not whole in the copy${lost > 0 ? `, and what ${lost} record(s) of the log say, maybe points, is not in it` : ''}`,
        {
          actions: [
            '`salvor verify --all` tells more; `salvor repair --from` heals the vault from a copy, or a copy from the vault',
            'when the vault is healed, run `salvor copy` again: it brings what is missing',
          ],
          data: { points: notWhole },
        },
      );
    return {
      result: { copies, failed: failed.map(({ told }) => told) },
      human: (paint) =>
        [...copies.map((one) => copyText(one, paint)), ...failed.map(({ told }) => failedCopyText(told, paint))].join(
          '\n',
        ),
      ...(problems.length > 0 ? { fault: damaged() } : failed[0] ? { fault: failed[0].fault } : {}),
    };
  },
});
