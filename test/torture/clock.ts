import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { prune } from '../../src/operations/prune/prune.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import { ClockedStore, contextAt } from '../support/aged-vault.ts';
import { InProcess } from '../support/in-process.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import type { Torment } from './torment.ts';
import { assertWhole, modelOf } from './whole.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const skews: Readonly<Record<string, number>> = {
  'ten years behind': -3652 * day,
  'a day behind': -day,
  'an hour behind': -60 * minute,
  'six minutes behind': -6 * minute,
  'six minutes ahead': 6 * minute,
  'an hour ahead': 60 * minute,
  'a day ahead': day,
};
const names = [...Object.keys(skews), 'two hours of standby in mid-run'];
const request = { policy: { objects: ['Account', 'Contact'], exclude: [] } };

/** The host's clock is wrong, or jumps: points hold what the org held, in the order of the log, and prune refuses beyond five minutes. */
export const clock: Torment = {
  name: 'clock',
  figure: 'clocks that are wrong by minutes to years, and a jump in mid-run',
  faults: names,
  short: 8,
  share: 0.5,
  async prepare() {
    const at = await InProcess.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }));
    const requests = new OrgRequests(at.org);
    return {
      async run(number, struck) {
        const name = names[number % names.length]!;
        const random = new Random(number);
        const store = new ClockedStore();
        await at.renewVault(store);
        const order: string[] = [];
        const taken = async () => {
          const { point } = await at.backup({ request });
          assert.equal(point.status, 'complete');
          order.push(point.id);
          const { points } = await (await at.openVault()).state();
          assert.deepEqual(
            points.map(({ record }) => record.point),
            order,
            'the log says which came when',
          );
        };
        if (random.chance(70)) await taken();
        const skew = skews[name];
        const jumpsAt = random.int(1, 6);
        let events = 0;
        at.onEvent = () => {
          events += 1;
        };
        at.now = () => new Date(Date.now() + (skew ?? (events >= jumpsAt ? 120 * minute : 0)));
        try {
          await requests.create('Account', [{ Name: `made ${number}` }]);
          await taken();
          struck(name);
          if (skew !== undefined) {
            const before = [...store.objects.keys()];
            const policy = { policy: { last: 1 }, minPoints: 1, grace: 0, allowLarge: true };
            const more = { extendLocks: false, confirmed: true, tool: 'test' };
            const pruning = prune(contextAt(at.now().toISOString()), await at.openVault(), { ...policy, ...more });
            await assert.rejects(pruning, (error) => isFault(error, 'clock-drift'));
            assert.deepEqual(
              [...store.objects.keys()].filter((key) => !key.startsWith('probe/')),
              before,
            );
          }
        } finally {
          at.now = () => new Date();
          at.onEvent = () => undefined;
        }
        await requests.create('Contact', [{ LastName: `made ${number}` }]);
        await taken();
        // What is in the last one is what a full read gives.
        const model = await modelOf(await at.openVault());
        const { points } = await assertWhole(store, at.keys, model);
        assert.deepEqual(points, order);
        const last = model.get(order.at(-1)!);
        const { point } = await at.backup({ request: { ...request, full: true } });
        assert.equal((await modelOf(await at.openVault())).get(point.id), last, 'a full read gives the same');
      },
      [Symbol.asyncDispose]: async () => at[Symbol.asyncDispose](),
    };
  },
};
