import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseWriterKey } from '../../src/age/keys.ts';
import { openFolder } from '../../src/store/folder.ts';
import { openBytes } from '../../src/vault/sealed.ts';
import { type Ran, Rig } from '../support/rig.ts';
import { eventsIn, until } from '../support/runs.ts';

/** Read by REST, one query each, so that the org's log tells by name what was read: a group up to Pricebook2, one with files in it, and another. */
const objects = [
  'Campaign',
  'Document',
  'Folder',
  'Group',
  'Pricebook2',
  'Product2',
  'Profile',
  'RecordType',
  'UserRole',
];
const args = ['backup', '--full', '--json', '--no-prompt', '--parallel', '1', '--objects', objects.join()];

/** Events and documents of every kind. */
type Told = ReturnType<typeof JSON.parse>;

/** Objects whose rows were asked for, counts left out. */
function asked({ org }: Rig): string[] {
  const queries = org.requests.entries.filter(({ endpoint }) => endpoint === 'queryAll' || endpoint === 'query');
  const soql = queries.map(({ url }) => new URL(url, 'http://org').searchParams.get('q') ?? '');
  return soql.filter((text) => !/COUNT\(\)/.test(text)).flatMap((text) => /\bFROM (\w+)/.exec(text)?.[1] ?? []);
}

async function points(rig: Rig): Promise<Told[]> {
  const ran = await rig.salvor('list-points', '--json');
  assert.equal(ran.status, 0, ran.stdout);
  return ran.json.result.points;
}

describe('a run that was stopped', () => {
  let rig: Rig;
  let run = 0;

  before(async () => {
    rig = await Rig.start();
    await rig.init();
  });
  after(() => rig[Symbol.asyncDispose]());

  /** The run that is to be stopped; resolves with what it told. */
  async function stopped(
    expected: { status: number; name: string },
    more: string[],
    stop?: (events: string) => Promise<void>,
    kill?: NodeJS.Signals,
  ) {
    const events = path.join(rig.folder, `events-${++run}.jsonl`);
    const { child, ended } = rig.start(...args, ...more, '--events', events);
    if (stop) await stop(events);
    if (kill) child.kill(kill);
    const ran = await ended;
    rig.org.clearFaults();
    assert.equal(ran.status, expected.status, ran.stdout + ran.stderr);
    assert.equal(ran.json.name, expected.name);
    assert.ok(ran.json.actions.length > 0);
    assert.deepEqual(ran.json.result, undefined, 'nothing is said to be done');
    const finished = eventsIn(events).filter(({ type }) => type === 'object-finished');
    return { ran, finished: finished.map(({ object }) => object as string) };
  }

  /** The same command: it goes on, reads nothing twice, and there is one point more, whole. */
  async function goesOn(finished: readonly string[]): Promise<Ran> {
    const known = (await points(rig)).map(({ id }) => id);
    rig.org.requests.clear();
    const events = path.join(rig.folder, `events-${++run}.jsonl`);
    const ran = await rig.salvor(...args, '--events', events);
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const resumed = eventsIn(events).find(({ type }) => type === 'resumed');
    assert.equal(resumed?.objects ?? 0, finished.length, 'it knows what was finished');
    const again = asked(rig).filter((object) => finished.includes(object) && object !== 'Document');
    assert.deepEqual(again, [], 'what was finished is not read again');
    const { point } = ran.json.result;
    assert.equal(point.status, 'complete');
    assert.deepEqual(
      point.objects.map(({ object }: Told) => object),
      [...objects].sort(),
    );
    const ids = (await points(rig)).map(({ id }) => id);
    assert.deepEqual(ids, [point.id, ...known], 'one point more');
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
    return ran;
  }

  test('by Ctrl-C ends with 130, lets go of its lease, and goes on', async () => {
    rig.org.failNext('queryAll', { name: 'hang', afterBytes: 0 }, { object: 'RecordType' });
    const { finished } = await stopped(
      { status: 130, name: 'interrupted' },
      [],
      (events) => until('the org hangs', () => eventsIn(events).some(({ object }) => object === 'RecordType')),
      'SIGINT',
    );
    assert.deepEqual([...finished].sort(), objects.slice(0, 5), 'the first group is finished');
    const { identity } = parseWriterKey(readFileSync(rig.env.SALVOR_WRITER_KEY_FILE!, 'utf8'));
    const store = openFolder(rig.vault);
    let last = '';
    for await (const { key } of store.list('runs/')) if (key.includes('/lease-')) last = key;
    const lease = JSON.parse((await openBytes(last, await store.get(last), [identity])).toString('utf8'));
    assert.equal(lease.expires, lease.at);
    assert.deepEqual(await points(rig), []);
    await goesOn(finished);
  });

  test('by SIGTERM does the same', async () => {
    rig.org.failNext('queryAll', { name: 'hang', afterBytes: 0 }, { object: 'Product2' });
    const { finished } = await stopped(
      { status: 130, name: 'interrupted' },
      [],
      (events) => until('the org hangs', () => eventsIn(events).some(({ object }) => object === 'Product2')),
      'SIGTERM',
    );
    await goesOn(finished);
  });

  test('by its API budget ends with 75, again and again, and every run gets further', async () => {
    let before: string[] = [];
    let stops = 0;
    for (;;) {
      rig.org.requests.clear();
      const events = path.join(rig.folder, `events-${++run}.jsonl`);
      const ran = await rig.salvor(...args, '--max-api-calls', '28', '--events', events);
      assert.ok(rig.org.requests.calls <= 28, `${rig.org.requests.calls} calls were made`);
      assert.deepEqual(
        asked(rig).filter((object) => before.includes(object) && object !== 'Document'),
        [],
      );
      if (ran.status === 0) break;
      assert.equal(ran.status, 75, ran.stdout);
      assert.equal(ran.json.name, 'api-budget');
      const finished = eventsIn(events)
        .filter(({ type }) => type === 'object-finished')
        .map(({ object }) => object);
      assert.ok(finished.length > 0, 'it got further');
      before = [...before, ...finished];
      stops++;
      assert.ok(stops < objects.length);
    }
    assert.ok(stops > 0);
  });

  test('by --max-duration ends with 75 and goes on', async () => {
    rig.org.failNext('queryAll', { name: 'hang', afterBytes: 0 }, { object: 'Profile' });
    const { finished, ran } = await stopped({ status: 75, name: 'time-budget' }, ['--max-duration', '8s']);
    assert.match(ran.json.message, /8s/);
    await goesOn(finished);
  });

  test('by a token that ran out ends with 68 and goes on with another one', async () => {
    rig.org.failNext('queryAll', { name: 'session-expired' }, { object: 'Product2', skip: 1 });
    const { finished } = await stopped({ status: 68, name: 'session-expired' }, []);
    const login = await fetch(`${rig.org.url}/practice-org/login`);
    rig.env.SF_ACCESS_TOKEN = ((await login.json()) as { accessToken: string }).accessToken;
    await goesOn(finished);
  });

  test('by the daily limit of the org ends with 75 and goes on', async () => {
    rig.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'UserRole', skip: 1 });
    const { finished } = await stopped({ status: 75, name: 'api-budget' }, []);
    await goesOn(finished);
  });

  test('while it fetched files does not fetch them again', async () => {
    rig.org.failNext('blob', { name: 'session-expired' }, { skip: 3 });
    const { finished } = await stopped({ status: 68, name: 'session-expired' }, ['--parallel', '1']);
    assert.deepEqual([...finished].sort(), [...objects].sort(), 'all rows are there');
    const login = await fetch(`${rig.org.url}/practice-org/login`);
    rig.env.SF_ACCESS_TOKEN = ((await login.json()) as { accessToken: string }).accessToken;
    const { result } = (await goesOn(finished)).json;
    const { count } = result.point.files;
    const fetched = rig.org.requests.entries.filter(({ endpoint, status }) => endpoint === 'blob' && status === 200);
    assert.ok(fetched.length < count, `${fetched.length} of ${count} files are fetched`);
  });

  test('is not continued by another request, which takes a point of its own', async () => {
    rig.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'UserRole', skip: 1 });
    const { finished } = await stopped({ status: 75, name: 'api-budget' }, []);
    const events = path.join(rig.folder, `events-${++run}.jsonl`);
    const other = await rig.salvor('backup', '--json', '--objects', 'Group,Folder', '--events', events);
    assert.equal(other.status, 0, other.stdout);
    assert.equal(other.json.result.point.objects.length, 2);
    assert.ok(!eventsIn(events).some(({ type }) => type === 'resumed'));
    // What the other point holds is newer by now.
    await goesOn(finished.filter((object) => object !== 'Group' && object !== 'Folder'));
  });
});
