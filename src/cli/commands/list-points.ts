import { allOrgsFlags, parallelOrgs } from '../all-orgs.ts';
import { defineCommand } from '../command.ts';
import { openVault } from '../open-vault.ts';
import { pointsText } from '../output/point.ts';

export const listPoints = defineCommand({
  name: 'list-points',
  alias: 'points',
  summary: 'recovery points, newest first',
  description: 'The writer key alone is enough; so is an identity.',
  flags: { ...allOrgsFlags, ...parallelOrgs },
  examples: [{ command: 'salvor list-points', summary: 'what there is to go back to' }],
  exits: [4, 68, 74],
  async run(ctx) {
    const vault = await openVault(ctx, { writer: 'optional', identity: 'optional', operation: 'read' });
    const operations = await import('../../operations/points.ts');
    const { points, problems } = await operations.listPoints(vault);
    for (const { name, message } of problems) ctx.report({ type: 'warning', name, message });
    const damaged = problems.find(({ exit, data }) => exit === 4 && !/^log\//.test(String(data.key)));
    return {
      result: { points },
      human: (paint) => pointsText(points, paint),
      ...(damaged ? { fault: damaged } : {}),
    };
  },
});
