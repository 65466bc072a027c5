import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Org } from '../../../src/salesforce/org.ts';
import type { Store } from '../../../src/store/store.ts';
import { planned } from '../../support/apply-rig.ts';
import { Gallows, Killed, killingOrg, killingPuts } from '../../support/gallows.ts';
import { KilledRestores } from '../../support/killed-restores.ts';

describe('a restore that is killed goes on: no row twice, none lost', () => {
  let restores: KilledRestores;

  before(async () => {
    restores = await KilledRestores.start();
  });
  after(() => restores[Symbol.asyncDispose]());

  const moments = [
    ['before', 'store', 'before any object that it puts into the vault'],
    ['before', 'org', 'before any request that writes'],
    ['after', 'org', 'after any request that writes, its answer lost'],
  ] as const;
  for (const [when, at, title] of moments) {
    test(title, async () => {
      let calls = 1;
      for (; ; calls++) {
        const gallows = new Gallows(calls, when);
        const dying =
          at === 'store'
            ? { store: (store: Store) => killingPuts(store, gallows) }
            : { org: (org: Org) => killingOrg(org, gallows) };
        if (!(await restores.kill(gallows, dying, `${at} ${when} ${calls}`))) break;
      }
      assert.ok(calls > 10, String(calls));
    });
  }

  test('fields that were not written are counted once, however often it goes on', async () => {
    // The accounts cannot come back, so their contacts come without them.
    const { rig, made } = restores;
    const { gone, contacts } = made;
    const only = {
      Account: [gone[0]!, gone[2]!].map((id) => planned(id)),
      Contact: contacts.map((id) => planned(id)),
    };
    await restores.renewVault();
    await restores.damage();
    rig.process.org.settings.rules = ['Same', 'Other'].map((equals) => {
      return { kind: 'validation', object: 'Account', when: { field: 'Name', equals }, message: 'not this one' };
    });
    let counted = 0;
    for (let calls = 1; ; calls++) {
      await restores.renewVault();
      await rig.requests.delete(
        (await rig.requests.query("SELECT Id FROM Contact WHERE LastName IN ('C', 'D')")).map(idOf),
      );
      const gallows = new Gallows(calls, 'after');
      let restore = '';
      const onBegun = (id: string) => {
        restore = id;
      };
      const plan = await rig.plan(only);
      const killed = await rig
        .apply(plan, { onBegun, options: restores.options(), store: killingPuts(rig.process.store, gallows) })
        .then(() => false)
        .catch((error: unknown) => {
          if (error instanceof Killed) return true;
          throw error;
        });
      if (!killed) break;
      if (restore === '' || (await rig.ended(restore))) continue;
      const result = await rig.resume(restore, { options: restores.options() });
      assert.deepEqual([result.leftOut, result.failed.length], [{ 'Contact.AccountId': 2 }, 2], String(calls));
      counted += 1;
    }
    assert.ok(counted > 3, String(counted));
  });
});

function idOf({ Id }: Readonly<Record<string, unknown>>): string {
  return String(Id);
}
