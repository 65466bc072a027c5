import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Rig } from '../support/rig.ts';
import { eventsIn, until } from '../support/runs.ts';

const backup = ['backup', '--json', '--no-prompt', '--parallel', '1', '--objects'];
const objects = 'Campaign,Folder,Group,Pricebook2,Product2,Profile,RecordType,UserRole';

describe('the requests that an org allows in a day', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start({ settings: { dailyRequests: 1000 } });
    await rig.init();
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => {
    rig.org.settings.requestsUsedByOthers = 0;
    rig.org.requests.clear();
  });

  /** What the org counts: this program's and others' requests. */
  const used = () => rig.org.settings.requestsUsedByOthers + rig.org.requests.calls;

  test('are left alone when others have used them already', async () => {
    rig.org.settings.requestsUsedByOthers = 850;
    const ran = await rig.salvor(...backup, objects);
    assert.equal(ran.status, 75);
    assert.equal(ran.json.name, 'api-budget');
    assert.match(ran.json.message, /85\d of its 1000 .* 80 %/);
    assert.ok(ran.json.actions.length > 0);
    assert.ok(used() <= 852, `${used()} are used`);
    assert.deepEqual((await rig.salvor('list-points', '--json')).json.result.points, []);
  });

  test('are not used beyond --max-api-percent by this run', async () => {
    rig.org.settings.requestsUsedByOthers = 780;
    const ran = await rig.salvor(...backup, objects);
    assert.equal(ran.status, 75, ran.stdout);
    assert.ok(used() <= 800 && used() >= 795, `${used()} are used`);
  });

  test('are left to others that use them up meanwhile', async () => {
    rig.org.settings.requestsUsedByOthers = 500;
    const events = path.join(rig.folder, 'others.jsonl');
    // the org works for others as soon as this run reads rows; the answer to its next request tells
    const { entries } = rig.org.requests;
    const push = entries.push.bind(entries);
    entries.push = (...added) => {
      if (added.some(({ endpoint }) => endpoint === 'queryAll')) rig.org.settings.requestsUsedByOthers = 801;
      return push(...added);
    };
    const ran = await rig.salvor(...backup, objects, '--events', events);
    entries.push = push;
    assert.equal(ran.status, 75, ran.stdout);
    assert.equal(ran.json.name, 'api-budget');
    const asked = entries.map(({ endpoint }) => endpoint);
    assert.deepEqual(asked.slice(asked.indexOf('queryAll')), ['queryAll', 'queryAll']);
    assert.ok(eventsIn(events).some(({ type }) => type === 'api-usage'));
  });

  test('may be used to the last one when that is wanted, and then the org says no', async () => {
    rig.org.settings.requestsUsedByOthers = 990;
    const ran = await rig.salvor(...backup, objects, '--max-api-percent', '100');
    assert.equal(ran.status, 75, ran.stdout);
    assert.ok(used() <= 1001);
  });

  test('are enough the next day: the run goes on, and its point is whole', async () => {
    const ran = await rig.salvor(...backup, objects);
    assert.equal(ran.status, 0, ran.stdout);
    assert.equal(ran.json.result.point.status, 'complete');
    assert.equal((await rig.salvor('list-points', '--json')).json.result.points.length, 1);
    assert.equal((await rig.salvor('verify', '--json', '--no-attest')).status, 0);
  });

  test('are waited for with --wait-for-quota, and then the run goes on', async () => {
    for (const [percent, others] of [
      ['80', 790],
      // here the org itself says no
      ['100', 995],
    ] as const) {
      rig.org.requests.clear();
      rig.org.settings.requestsUsedByOthers = others;
      const events = path.join(rig.folder, `waiting-${percent}.jsonl`);
      const wait = ['--wait-for-quota', '--quota-interval', '0.3s', '--full', '--max-api-percent', percent];
      const { ended } = rig.start(...backup, objects, ...wait, '--events', events);
      const waits = () => eventsIn(events).filter(({ type }) => type === 'quota-wait');
      await until('it has waited twice', () => waits().length >= 2);
      const limit = 10 * Number(percent);
      assert.ok(
        used() <= limit + waits().length + 1,
        `${used()} are used, ${limit} and one for each time it asks allowed`,
      );
      assert.deepEqual(Object.keys(waits()[0]).sort(), ['max', 'own', 'time', 'type', 'used', 'waitMs']);
      rig.org.settings.requestsUsedByOthers = 0;
      const ran = await ended;
      assert.equal(ran.status, 0, ran.stdout + ran.stderr);
      assert.equal(ran.json.result.point.status, 'complete');
    }
  });

  test('are waited for no longer than --max-duration says, and the run can be gone on with', async () => {
    rig.org.settings.requestsUsedByOthers = 794;
    const wait = ['--wait-for-quota', '--quota-interval', '30s', '--full'];
    const ran = await rig.salvor(...backup, objects, ...wait, '--max-duration', '8s');
    assert.equal(ran.status, 75, ran.stdout);
    assert.equal(ran.json.name, 'time-budget');
    rig.org.settings.requestsUsedByOthers = 0;
    const events = path.join(rig.folder, 'goes-on.jsonl');
    assert.equal((await rig.salvor(...backup, objects, '--full', '--events', events)).status, 0);
    assert.ok(eventsIn(events).some(({ type }) => type === 'resumed'));
  });

  test('go to what matters first', async () => {
    const priorities = ['--priorities', 'UserRole,Pro*', '--full'];
    const events = path.join(rig.folder, 'priorities.jsonl');
    const ran = await rig.salvor(...backup, objects, ...priorities, '--max-api-calls', '17', '--events', events);
    assert.equal(ran.status, 75, ran.stdout);
    const finished = eventsIn(events).flatMap((event) => (event.type === 'object-finished' ? event.object : []));
    assert.deepEqual(finished, ['UserRole', 'Product2', 'Profile']);
    const whole = await rig.salvor(...backup, objects, '--full', '--events', events);
    assert.equal(whole.status, 0, whole.stdout);
  });

  test('are not touched by --dry-run beyond the budget either', async () => {
    rig.org.settings.requestsUsedByOthers = 800;
    const ran = await rig.salvor(...backup, objects, '--dry-run');
    assert.equal(ran.status, 75, ran.stdout);
  });

  test('are not exceeded by --max-api-calls, whatever the number', async () => {
    for (const calls of [0, 1, 2, 3, 7, 12]) {
      rig.org.requests.clear();
      const ran = await rig.salvor(...backup, 'Account,Contact', '--max-api-calls', String(calls));
      assert.equal(ran.status, 75, `${calls}: ${ran.stdout}`);
      assert.ok(rig.org.requests.calls <= calls, `${rig.org.requests.calls} of ${calls}`);
    }
  });
});
