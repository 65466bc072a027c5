import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { Rig } from '../support/rig.ts';
import { pointsIn, until } from '../support/runs.ts';

const objects = ['Campaign', 'Document', 'Folder', 'Group', 'Pricebook2', 'Product2'];
const backup = ['backup', '--json', '--no-prompt', '--objects', objects.join()];
const minute = 60_000;

describe('two runs on one vault', () => {
  let rig: Rig;
  let store: Store;

  before(async () => {
    rig = await Rig.start();
    await rig.init();
    store = await openStore(rig.vault);
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => rig.org.clearFaults());

  test('the second ends with 69 before it asks for anything but who it is, and others may read meanwhile', async () => {
    rig.org.failNext('queryAll', { name: 'hang', afterBytes: 0 }, { object: 'Folder' });
    const { child, ended } = rig.start(...backup);
    await until('the first reads rows', () => rig.org.requests.entries.some(({ fault }) => fault === 'hang'));
    rig.org.requests.clear();

    const second = await rig.salvor(...backup);
    assert.equal(second.status, 69);
    assert.equal(second.json.name, 'lease-held');
    assert.match(
      second.json.message,
      /^another run \(\d{8}T\d{6}Z-[0-9a-f]{6}, on .*\) is writing to this vault since /,
    );
    assert.ok(second.json.actions.length > 0);
    assert.ok(rig.org.requests.calls <= 4, `${rig.org.requests.calls} calls were made`);
    const other = await rig.salvor('backup', '--json', '--objects', 'Account');
    assert.equal(other.status, 69, 'another request is no other vault');

    assert.deepEqual((await rig.salvor('list-points', '--json')).json.result.points, []);
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
    child.kill('SIGKILL');
    await ended;
  });

  test('a run whose process died does not keep the next one out', async () => {
    const ran = await rig.salvor(...backup);
    assert.equal(ran.status, 0, ran.stdout);
    assert.equal((await pointsIn(rig, store)).length, 1);
  });

  for (const { title, held, left } of [
    { title: 'a lease of another host that has run out does not either', held: false, left: -1 },
    { title: 'a lease of another host that holds does', held: true, left: 4 * minute },
    { title: 'a lease that would hold for days is the mistake of a clock', held: false, left: 3 * 24 * 60 * minute },
  ]) {
    test(title, async () => {
      const writerKey = readFileSync(rig.env.SALVOR_WRITER_KEY_FILE!, 'utf8').trim();
      const vault = await Vault.open(store, { operation: 'write', writerKey });
      const now = Date.now();
      const [at, expires] = [new Date(now), new Date(now + left)].map((time) => time.toISOString());
      const lease = { v: 1, host: 'another-host', pid: 1, at, expires };
      const body = await sealBytes(Buffer.from(JSON.stringify(lease)), vault.writerRecipients);
      const point = `${at!.slice(0, 19).replaceAll(/[-:]/g, '')}Z-0000${held ? '01' : left < 0 ? '02' : '03'}`;
      const key = `runs/${point}/lease-${now}001-${sha256(body)}`;
      await store.putIfAbsent(key, body);
      const ran = await rig.salvor(...backup);
      await store.delete(key);
      assert.equal(ran.status, held ? 69 : 0, ran.stdout);
      if (held) assert.match(ran.json.message, /another-host/);
    });
  }

  test('started together they both give a point, or one of them makes way, and the log is whole', async () => {
    for (let round = 1; round <= 3; round++) {
      const before = (await pointsIn(rig, store)).length;
      const runs = await Promise.all([rig.salvor(...backup), rig.salvor(...backup), rig.salvor(...backup)]);
      const statuses = runs.map(({ status }) => status);
      assert.ok(
        statuses.every((status) => status === 0 || status === 69),
        JSON.stringify(runs.map(({ json }) => json.message)),
      );
      const points = await pointsIn(rig, store);
      const taken = runs.filter(({ status }) => status === 0).map(({ json }) => json.result.point.id);
      assert.ok(taken.length > 0);
      assert.equal(points.length, before + taken.length);
      for (const id of taken) assert.ok(points.some((point) => point.id === id && point.status === 'complete'));
    }
    const verified = await rig.salvor('verify', '--all', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
  });
});
