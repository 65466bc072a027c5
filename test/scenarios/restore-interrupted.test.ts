import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

/** Requests of a restore that change the org, in the order in which one that makes, relinks and updates sends them. */
const writing: readonly Endpoint[] = ['ingest.create', 'ingest.upload', 'ingest.close', 'collections.update', 'soap'];

describe('a restore that is interrupted', () => {
  let rig: Rig;
  let restores: Restores;
  /** Accounts with five contacts each; those of one test are of no other. */
  let accounts: string[];

  before(async () => {
    rig = await Rig.start();
    await newSession();
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      accounts = await org.create(
        'Account',
        Array.from({ length: 24 }, (_, n) => ({ Name: `Lost ${n}`, Phone: '1' })),
      );
      const contacts = accounts.flatMap((AccountId, n) =>
        Array.from({ length: 5 }, (_, m) => ({
          LastName: `Person ${n} ${m}`,
          AccountId,
          Email: `p${n}.${m}@example.com`,
        })),
      );
      await org.create('Contact', contacts);
    });
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => {
    rig.org.clearFaults();
    rig.org.settings.requestsUsedByOthers = 0;
  });

  /** A session of the program's own, which may end while the tests go on looking at the org. */
  async function newSession(): Promise<void> {
    const answer = await fetch(`${rig.org.url}/practice-org/login`);
    rig.env.SF_ACCESS_TOKEN = ((await answer.json()) as { accessToken: string }).accessToken;
  }

  /** One account is purged with its contacts, one lies in the bin with its contacts, and a phone was overwritten. */
  async function damaged() {
    const whole = await restores.before();
    const [purged, deleted, changed] = accounts.splice(0, 3) as [string, string, string];
    await restores.org.delete([purged, deleted]);
    await restores.org.emptyRecycleBin([purged]);
    await restores.org.update('Account', [{ Id: changed, Phone: '2' }]);
    return { whole, args: ['before', '--ids', [purged, deleted, changed].join(), '--overwrite'] };
  }

  for (const endpoint of writing) {
    test(`by an answer of ${endpoint} that is lost makes no record twice and loses none`, async () => {
      const { whole, args } = await damaged();
      rig.org.failNext(endpoint, { name: 'commit-then-drop' }, { times: 2 });
      const restored = await restores.restore(whole, ...args);
      assertNothingSilent(restored);
      assert.equal(restored.ran.status, 0, restored.ran.stderr);
    });
  }

  test('by the daily limit of the org goes on when it is run again', async () => {
    const { whole, args } = await damaged();
    const { entries } = rig.org.requests;
    const push = entries.push.bind(entries);
    entries.push = (...added) => {
      if (added.some(({ endpoint }) => endpoint === 'ingest.close'))
        rig.org.settings.requestsUsedByOthers = rig.org.settings.dailyRequests;
      return push(...added);
    };
    const stopped = await rig.salvor('restore', ...args, '--max-api-percent', '100', '--json', '--no-prompt');
    entries.push = push;
    assert.equal(stopped.status, 75, stopped.stdout);
    assert.equal(stopped.json.name, 'api-budget');
    rig.org.settings.requestsUsedByOthers = 0;

    const other = await rig.salvor('restore', 'before', '--objects', 'Contact', '--json', '--no-prompt');
    assert.equal(other.status, 69, other.stdout);
    assert.equal(other.json.name, 'restore-unfinished');
    assert.match(other.json.actions[0], /--resume R/);

    const restored = await restores.restore(whole, ...args);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.restoreId, stopped.json.result.restoreId);
  });

  test('by a session that ends goes on with a new token', async () => {
    const { whole, args } = await damaged();
    rig.org.failNext('ingest.job', { name: 'session-expired' });
    const stopped = await rig.salvor('restore', ...args, '--json', '--no-prompt');
    assert.equal(stopped.status, 68, stopped.stdout);
    assert.equal(stopped.json.name, 'session-expired');
    await newSession();
    const restored = await restores.restore(whole, 'before', '--resume', stopped.json.result.restoreId);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
  });

  test('by an outage of the org goes on when the org is back', async () => {
    const { whole, args } = await damaged();
    rig.org.failNext('ingest.close', { name: '503-json' }, { times: 100 });
    const { child, ended } = rig.start('restore', ...args, '--json', '--no-prompt');
    setTimeout(() => child.kill('SIGINT'), 12_000);
    const stopped = await ended;
    assert.equal(stopped.status, 130, stopped.stdout);
    rig.org.clearFaults();
    const restored = await restores.restore(whole, ...args);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
  });
});
