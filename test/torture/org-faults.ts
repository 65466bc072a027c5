import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { type FaultName, faultNames, type OrgFault } from '../../src/practice-org/faults.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import type { PracticeOrg } from '../../src/practice-org/server.ts';
import { contentsOf, InProcess } from '../support/in-process.ts';
import { KilledRestores } from '../support/killed-restores.ts';
import { attacks, cleanEnds, pendingFaults, type Strike, strikesOf } from '../support/org-attacks.ts';
import { figure } from './store-faults.ts';
import type { Struck, Torment } from './torment.ts';

/** Read by REST in pages, by Bulk in pages, and with files. */
const objects = ['Milestone__c', 'CaseComment', 'Attachment'];
const request = { policy: { objects, exclude: [] } };
/** A backup saves no records. */
const ofSaves: readonly FaultName[] = ['row-lock', 'lost-upload'];

const once = (strike: Strike): Strike => ({ ...strike, times: 1 });

function countStruck(org: PracticeOrg, struck: Struck): void {
  for (const { fault } of org.requests.entries) if (fault !== undefined) struck(fault);
  org.requests.clear();
}

/** The org and the way to it fail several times in a backup: the point is true in all that it says, and the next one is whole. */
export const orgFaults: Torment = {
  name: 'org-faults',
  figure,
  faults: faultNames.filter((name) => !ofSaves.includes(name)),
  // What strikes one by one is in test/scenarios/survives-faults-of-the-org.test.ts.
  short: 0,
  share: 3,
  async prepare() {
    const database = sampleDatabase({ scale: { CaseComment: 2050, Attachment: 5 } });
    const at = await InProcess.start(database, { queryPageSize: 100, bulkPageBytes: 150_000 });
    await at.backup({ request });
    const { org } = at;
    const held = async () => {
      const vault = await at.openVault();
      return contentsOf(vault, (await vault.state()).points.at(-1)!);
    };
    const truth = await held();
    const kinds = Object.values(attacks).map((list) => list.flatMap((one) => strikesOf(one, false)));
    const menu = kinds.filter((strikes) => strikes.length > 0);
    const { clientId, clientSecret, refreshToken, url: instanceUrl } = org;
    const login = { kind: 'refresh', clientId, clientSecret, refreshToken, instanceUrl } as const;

    async function wholeOrSaid(): Promise<void> {
      let status: string;
      try {
        const { point } = await at.backup({ request, login });
        status = point.status;
        const complete = new Set(point.objects.filter((one) => one.complete).map(({ object }) => object));
        assert.equal(status === 'complete', complete.size === point.objects.length, 'the point says what it is');
        const contents = await held();
        for (const name of objects) {
          const one = contents.get(name);
          assert.ok(one, `${name} has gone without a word`);
          if (one.complete) assert.equal(one.digest, truth.get(name)!.digest, `${name} is listed as complete`);
          else assert.ok((one.reason ?? '').length > 10, `${name} is not complete for no reason`);
        }
      } catch (error) {
        if (!isFault(error)) throw error;
        assert.ok(cleanEnds.includes(error.exit), `it ended as ${error.name}: ${error.message}`);
        assert.equal((await (await at.openVault()).state()).points.length, 0, 'it left a point behind');
      }
    }

    return {
      async run(number, struck) {
        const random = new Random(number);
        // The first cases play the whole menu, one by one, two in a case; what comes then is left to the seed.
        const runs: Strike[][] =
          2 * number < menu.length
            ? [0, 1].map((n) => [{ ...menu[(2 * number + n) % menu.length]![0]!, times: 1 }])
            : [
                [
                  random.pick(random.pick(menu)),
                  ...Array.from({ length: 4 }, () => once(random.pick(random.pick(menu)))),
                ],
              ];
        for (const strikes of runs) {
          await at.renewVault();
          org.requests.clear();
          // Those that stay come last: behind them nothing else would strike.
          for (const one of strikes.toSorted((a, b) => a.times - b.times)) {
            if (one.fault.name === 'refresh-dead') org.failNext('queryMore', { name: 'session-expired' });
            org.failNext(one.endpoint, one.fault, one);
          }
          await wholeOrSaid();
          // The log does not tell of parts of a composite that were hit.
          const [only] = strikes;
          if (strikes.length > 1) countStruck(org, struck);
          else if ((await pendingFaults(org)) < only!.times) struck(only!.fault.name);
          org.clearFaults();
        }
        const { point } = await at.backup({ request, login });
        assert.equal(point.status, 'complete', 'once the faults have stopped');
        const contents = await held();
        for (const name of objects) assert.equal(contents.get(name)?.digest, truth.get(name)!.digest, name);
      },
      [Symbol.asyncDispose]: async () => at[Symbol.asyncDispose](),
    };
  },
};

/** Where a restore is struck. */
const saves: readonly (readonly [Endpoint, OrgFault])[] = [
  ['ingest.create', { name: 'commit-then-drop' }],
  ['ingest.create', { name: '503-json' }],
  ['ingest.upload', { name: 'commit-then-drop' }],
  ['ingest.upload', { name: 'drop-before-commit' }],
  ['ingest.upload', { name: 'lost-upload' }],
  ['ingest.close', { name: 'commit-then-drop' }],
  ['ingest.close', { name: 'job-failed', afterRows: 1 }],
  ['ingest.job', { name: '503-json' }],
  ['ingest.job', { name: '502' }],
  ['ingest.successful', { name: 'truncate', afterBytes: 60 }],
  ['ingest.successful', { name: 'reset', afterBytes: 30 }],
  ['ingest.successful', { name: 'lost-rows', rows: 1 }],
  ['collections.create', { name: 'commit-then-drop' }],
  ['collections.create', { name: 'drop-before-commit' }],
  ['collections.create', { name: 'row-lock', rows: 1 }],
  ['collections.update', { name: 'commit-then-drop' }],
  ['collections.update', { name: '429' }],
  ['collections.delete', { name: 'commit-then-drop' }],
  ['soap', { name: 'commit-then-drop' }],
  ['query', { name: '503-json' }],
  ['soap', { name: '500-unknown-exception' }],
];
const nameOf = ([endpoint, { name }]: (typeof saves)[number]) => `${endpoint} ${name}`;

/** The same while records are saved: no row is made twice, none is lost, and a restore that could not end goes on. */
export const orgFaultsOfRestores: Torment = {
  name: 'org-faults-of-restores',
  figure,
  faults: [...new Set(saves.map(([, { name }]) => name))],
  short: 12,
  share: 2,
  async prepare() {
    const restores = await KilledRestores.start();
    const { rig } = restores;
    return {
      async run(number, struck) {
        const random = new Random(number);
        await restores.renewVault();
        await restores.damage();
        const plan = await restores.plan();
        const { org } = rig.process;
        org.requests.clear();
        const chosen = [0, 1, 2].map((n) => saves[(3 * number + n) % saves.length]!);
        while (chosen.length < 6 && random.chance(60)) chosen.push(random.pick(saves));
        for (const [endpoint, fault] of chosen) org.failNext(endpoint, fault, { skip: random.int(0, 1) });
        let restore = '';
        let result: Awaited<ReturnType<typeof rig.apply>> | undefined;
        try {
          result = await rig.apply(plan, {
            onBegun: (id) => {
              restore = id;
            },
            options: restores.options(),
          });
        } catch (error) {
          if (!isFault(error) || !cleanEnds.includes(error.exit)) throw error;
        } finally {
          countStruck(org, struck);
          org.clearFaults();
        }
        const what = chosen.map(nameOf).join(', ');
        if (!result || result.stopped) return restores.goOn(restore, what);
        assert.deepEqual(result.failed, [], what);
        await restores.compare(result.idMapFile);
      },
      [Symbol.asyncDispose]: async () => restores[Symbol.asyncDispose](),
    };
  },
};
