import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';
import { eventsIn, pointsIn, until } from '../support/runs.ts';

const objects = ['--objects', 'Campaign,Folder,Product2'];
const small = { Account: 12, Contact: 25, Lead: 15, Task: 20, Product2: 10, Campaign: 12 };

describe('a watch', () => {
  let rig: Rig;
  let runs = 0;
  const children: ChildProcess[] = [];

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: small }), settings: { dailyRequests: 100_000_000 } });
    await rig.init();
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    return rig[Symbol.asyncDispose]();
  });
  afterEach(() => rig.org.clearFaults());

  const points = async () => pointsIn(rig, await openStore(rig.vault));

  /** Starts one; `told` gives what it told so far. */
  function start(...args: string[]) {
    const file = path.join(rig.folder, `events-${++runs}.jsonl`);
    const run = rig.start('watch', '--json', '--every', '1s', ...objects, ...args, '--events', file);
    children.push(run.child);
    const told = (type: string) => eventsIn(file).filter((event) => event.type === type);
    return { ...run, told, taken: (n: number) => until(`point ${n}`, () => told('point-taken').length >= n) };
  }

  /** As a nightly backup elsewhere would hold it; its key. */
  async function leaseOfAnotherHost(store: Store): Promise<string> {
    const writerKey = readFileSync(rig.env.SALVOR_WRITER_KEY_FILE!, 'utf8').trim();
    const vault = await Vault.open(store, { operation: 'write', writerKey });
    const now = Date.now();
    const [at, expires] = [now, now + 240_000].map((time) => new Date(time).toISOString());
    const lease = { v: 1, host: 'another-host', pid: 1, at, expires };
    const body = await sealBytes(Buffer.from(JSON.stringify(lease)), vault.writerRecipients);
    const key = `runs/${at!.slice(0, 19).replaceAll(/[-:]/g, '')}Z-000001/lease-${now}001-${sha256(body)}`;
    await store.putIfAbsent(key, body);
    return key;
  }

  test('takes points of what changed, tells each, measures the RPO, and ends with 0 when it is stopped between two', async () => {
    const { child, ended, told, taken } = start();
    await taken(1);
    const [product] = await new OrgRequests(rig.org).query('SELECT Id FROM Product2 LIMIT 1');
    await new OrgRequests(rig.org).update('Product2', [
      { Id: String(product!.Id), Description: 'seen by the next point' },
    ]);
    await until('a change in a point', () =>
      told('point-taken').some(({ changed, kind }) => changed > 0 && kind === 'incremental'),
    );
    await taken(3);
    child.kill('SIGTERM');
    const { status, json, stderr } = await ended;
    assert.equal(status, 0, stderr);
    const { result } = json;
    assert.equal(result.points, (await points()).length);
    assert.equal(result.missed, 0);
    const [first, ...more] = told('point-taken');
    assert.deepEqual([first.kind, first.rpoSeconds], ['full', null]);
    for (const { rpoSeconds, seconds, apiCalls } of more) {
      assert.ok(rpoSeconds >= 1, `${rpoSeconds}`);
      assert.ok(seconds > 0 && apiCalls > 0);
    }
    assert.equal(result.rpoSeconds.longest, Math.max(...more.map((event) => event.rpoSeconds)));
    assert.equal(told('object-finished').length, 0, 'objects are not told');
    const lines = stderr.split('\n').filter((line) => / RPO | full, /.test(line));
    assert.equal(lines.length, result.points, stderr);
    assert.match(
      lines[1]!,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}\d{8}T\d{6}Z-[0-9a-f]{6} {2}\d+ changed, \d+ deleted, \d+ API calls, .* s, RPO .* s$/,
    );
  });

  test('stopped in the middle of a point ends with 130, and the next one goes on', async () => {
    // The first composite describes, the second asks what changed.
    rig.org.failNext('composite', { name: 'hang', afterBytes: 0 }, { skip: 1 });
    const before = (await points()).length;
    const { child, ended } = start('--points', '1');
    await until('it asks', () => rig.org.requests.entries.some(({ fault }) => fault === 'hang'));
    child.kill('SIGINT');
    assert.equal((await ended).status, 130);
    assert.equal((await points()).length, before);
    const ran = await start('--points', '1').ended;
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.json.result.points, 1);
    assert.equal(ran.json.result.rpoSeconds, null);
  });

  test('is alone on its vault: a second one is refused between points too, and a backup is not', async () => {
    const first = rig.start('watch', '--every', '1h', ...objects);
    const before = (await points()).length;
    let said = '';
    first.child.stderr?.on('data', (text) => {
      said += text;
    });
    await until('its first point', () => / full, |RPO|changed/.test(said));
    assert.equal((await points()).length, before + 1);
    const second = await start('--points', '1').ended;
    assert.equal(second.status, 69, second.stdout);
    assert.equal(second.json.name, 'lease-held');
    assert.match(second.json.message, /^a watch \(on /);
    const backup = await rig.salvor('backup', '--json', ...objects);
    assert.equal(backup.status, 0, backup.stdout);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).status, 0);
    assert.equal((await start('--points', '1').ended).status, 0, 'a lease that was given back holds nobody off');
  });

  test('waits for another run that holds the lease, and for the API requests of another day: neither ends it', async () => {
    const { child, ended, told, taken } = start();
    await taken(1);
    const store = await openStore(rig.vault);
    const lease = await leaseOfAnotherHost(store);
    await until('the watch waits', () => told('point-missed').some(({ name }) => name === 'lease-held'));
    await store.delete(lease);
    const since = told('point-taken').length;
    await taken(since + 1);
    rig.org.failNext('describeGlobal', { name: '403-daily-limit' });
    await until('the day is used up', () => told('point-missed').some(({ name }) => name === 'api-budget'));
    await taken(told('point-taken').length + 1);
    child.kill('SIGTERM');
    const { status, json, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.ok(json.result.missed >= 2);
    assert.match(stderr, /no point {2}lease-held: another run /);
  });

  test('ends when waiting mends nothing, and at once when another run is at work as it starts', async () => {
    const store = await openStore(rig.vault);
    const lease = await leaseOfAnotherHost(store);
    const busy = await start().ended;
    await store.delete(lease);
    assert.equal(busy.status, 69, busy.stdout);
    assert.match(busy.json.message, /^another run .* on another-host/);
    rig.env.SF_ACCESS_TOKEN = 'no-session';
    const refused = await start().ended;
    rig.env.SF_ACCESS_TOKEN = rig.org.accessToken;
    assert.equal(refused.status, 68, refused.stdout);
  });

  test('refuses what makes no sense', async () => {
    for (const args of [
      ['--every', '0.5s'],
      ['--budget-percent', '0'],
    ])
      assert.equal((await rig.salvor('watch', '--json', ...args)).status, 2, args.join(' '));
  });
});
