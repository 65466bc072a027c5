import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prune } from '../../../src/operations/prune/prune.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { ClockedStore, contextAt } from '../../support/aged-vault.ts';
import { eachCall } from '../../support/each-call.ts';
import { InProcess } from '../../support/in-process.ts';

const request = { policy: { objects: ['Account'], exclude: [] } };

test('a run that stood still until its point was let go is told so, and hears of no damage; the next one is whole', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Account: 3 } }));
  const store = new ClockedStore();
  await run.renewVault(store);
  const first = await run.backup({ request });
  let stalled = false;
  const slow = eachCall(store, async (call, verb, key) => {
    if (!stalled && verb === 'get' && key === `points/${first.point.id}/refs.zst`) {
      stalled = true;
      run.store = store;
      await run.backup({ request });
      await prune(contextAt(new Date().toISOString()), await run.openVault(), {
        policy: { last: 1 },
        minPoints: 1,
        grace: 0,
        allowLarge: true,
        extendLocks: false,
        confirmed: true,
        tool: 'test',
      });
    }
    return call();
  });
  run.store = slow;
  await assert.rejects(run.backup({ request }), { name: 'point-retired', exit: 69 });
  assert.ok(stalled);
  run.store = store;
  const { point } = await run.backup({ request });
  assert.deepEqual([point.status, point.rows], ['complete', 3]);
});

test('an object that is missing from the only point in use is damage that is told, and the next point is a full one', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Account: 3 } }));
  const store = new ClockedStore();
  await run.renewVault(store);
  const { point } = await run.backup({ request });
  store.objects.delete(`points/${point.id}/refs.zst`);
  const next = await run.backup({ request });
  assert.deepEqual([next.point.kind, next.point.status, next.point.rows], ['full', 'complete', 3]);
  const warnings = run.events.flatMap((event) => (event.type === 'warning' ? [event.name] : []));
  assert.deepEqual(warnings, ['org-unproven', 'object-missing']);
});

test('a run whose point was put in quarantine meanwhile gives up: what it lists of it would be trusted', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Account: 3 } }));
  const first = await run.backup({ request });
  const { store } = run;
  const put = store.putIfAbsent.bind(store);
  store.putIfAbsent = async (key, ...rest) => {
    if (key.startsWith('points/')) {
      store.putIfAbsent = put;
      const vault = await run.openVault();
      const signer = await vault.keyring.adminSigner((await vault.state()).epochs);
      const at = new Date().toISOString();
      const times = { started: at, ended: at };
      await vault.log.append(signer, {
        kind: 'quarantine',
        points: [first.point.id],
        epoch: 1,
        ...times,
        tool: 'test',
      });
    }
    return put(key, ...rest);
  };
  await assert.rejects(run.backup({ request }), { name: 'point-retired', exit: 69, message: /is in quarantine$/ });
  const { point } = await run.backup({ request });
  assert.deepEqual([point.kind, point.status], ['full', 'complete']);
});
