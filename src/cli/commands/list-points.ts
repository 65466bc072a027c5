import type { Store } from '../../store/store.ts';
import { allOrgsFlags, parallelOrgs } from '../all-orgs.ts';
import { defineCommand } from '../command.ts';
import { rememberEnd } from '../heads.ts';
import { openVault, vaultExits } from '../open-vault.ts';
import { pointsText } from '../output/point.ts';
import type { PointCache } from '../point-cache.ts';

export const listPoints = defineCommand({
  name: 'list-points',
  alias: 'points',
  summary: 'recovery points, newest first',
  description:
    'The writer key alone is enough; so is an identity. What was read from a bucket is kept for the next time in the cache folder of the user, encrypted with the keys at hand, and held against what the bucket lists; SALVOR_NO_CACHE=1 reads all of it anew.',
  flags: { ...allOrgsFlags, ...parallelOrgs },
  examples: [{ command: 'salvor list-points', summary: 'what there is to go back to' }],
  exits: [...vaultExits],
  async run(ctx) {
    let cache: PointCache | undefined;
    const prepared = async (store: Store, secrets: readonly string[]): Promise<Store> => {
      // A folder is as near as its cache would be.
      if (!store.url.startsWith('s3:') || ctx.environment.SALVOR_NO_CACHE || secrets.length === 0) return store;
      const [{ PointCache }, { keeping }] = await Promise.all([
        import('../point-cache.ts'),
        import('../../store/kept.ts'),
      ]);
      cache = await PointCache.read(ctx.environment, { url: store.url, tool: ctx.tool, secrets });
      return keeping(store, ['log/', 'attest/'], cache.objects);
    };
    const vault = await openVault(
      ctx,
      { writer: 'optional', identity: 'optional', operation: 'read' },
      undefined,
      prepared,
    );
    const operations = await import('../../operations/points.ts');
    const { points, problems } = await operations.listPoints(vault, ctx.now(), cache?.points);
    await cache?.write();
    const { problems: broken, head } = await vault.state();
    if (broken.length === 0) await rememberEnd(ctx.environment, vault, head);
    for (const { name, message } of problems) ctx.report({ type: 'warning', name, message });
    const damaged = problems.find(({ exit, data }) => exit === 4 && !/^log\//.test(String(data.key)));
    return {
      result: { points },
      human: (paint) => pointsText(points, paint),
      ...(damaged ? { fault: damaged } : {}),
    };
  },
});
