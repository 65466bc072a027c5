import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { Rig } from '../support/rig.ts';
import { eventsIn, pointsIn, until } from '../support/runs.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

const backup = ['backup', '--full', '--json', '--no-prompt', '--objects', 'Document,Folder,Group'];

describe('a backup that is killed while it seals', () => {
  let server: S3Server;
  let rig: Rig;
  let store: Store;

  before(async () => {
    server = await startS3Server();
    const url = `s3://${server.bucket}/org?endpoint=${encodeURIComponent(server.url)}`;
    const { accessKeyId, secretAccessKey } = server;
    rig = await Rig.start({
      vault: url,
      env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_EC2_METADATA_DISABLED: '1' },
    });
    await rig.init();
    store = await openStore(url, { credentials: { accessKeyId, secretAccessKey } });
  });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    await store.close();
    await server.close();
  });

  /** Kills a run when its put of `key` hangs, done by the store or not; then runs it again. */
  async function killedAt(
    key: string,
    applied: boolean,
  ): Promise<{ before: string[]; after: string[]; resumed: boolean; again: string[] }> {
    const before = (await pointsIn(rig, store)).map(({ id }) => id);
    server.failNext({ kind: 'hang', on: 'PutObject', key, applied });
    server.requests.length = 0;
    const { child, ended } = rig.start(...backup);
    await until(`the put of ${key} hangs`, () => server.requests.some(({ fault }) => fault === 'hang'));
    child.kill('SIGKILL');
    assert.equal((await ended).status, 137);
    const events = path.join(rig.folder, `${key.replaceAll(/\W/g, '-')}${applied}.jsonl`);
    rig.org.requests.clear();
    const ran = await rig.salvor(...backup, '--events', events);
    assert.equal(ran.status, 0, ran.stdout);
    const told = eventsIn(events);
    const after = (await pointsIn(rig, store)).map(({ id }) => id);
    assert.equal(after[0], ran.json.result.point.id);
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
    const again = told.filter(({ type }) => type === 'object-started').map(({ object }) => object);
    return { before, after, resumed: told.some(({ type }) => type === 'resumed'), again };
  }

  for (const key of ['/root.json.zst.age', '/refs.zst', 'log/0']) {
    test(`when ${key} was not put, goes on to one point`, async () => {
      const { before, after, resumed, again } = await killedAt(key, false);
      assert.equal(after.length, before.length + 1);
      assert.ok(resumed);
      assert.deepEqual(again, ['Document'], 'only the rows that tell of files are read again');
    });
  }

  for (const key of ['/root.json.zst.age', '/refs.zst']) {
    test(`when ${key} was put and no record, goes on to one point`, async () => {
      const { before, after, resumed, again } = await killedAt(key, true);
      assert.equal(after.length, before.length + 1);
      assert.ok(resumed);
      assert.deepEqual(again, ['Document']);
    });
  }

  test('when its record was put, leaves its point, and the next run takes another', async () => {
    const { before, after, resumed } = await killedAt('log/0', true);
    assert.equal(after.length, before.length + 2);
    assert.ok(!resumed);
  });

  test('an answer to the record that is lost makes no second record', async () => {
    const before = await pointsIn(rig, store);
    server.failNext({ kind: 'reset', on: 'PutObject', key: 'log/0', applied: true });
    const ran = await rig.salvor(...backup);
    assert.equal(ran.status, 0, ran.stdout);
    assert.equal((await pointsIn(rig, store)).length, before.length + 1);
  });

  test('an answer to the table of contents that is lost makes it nobody else', async () => {
    const before = await pointsIn(rig, store);
    server.failNext({ kind: 'reset', on: 'PutObject', key: '/root.json.zst.age', applied: true });
    const ran = await rig.salvor(...backup);
    assert.equal(ran.status, 0, ran.stdout);
    assert.equal((await pointsIn(rig, store)).length, before.length + 1);
  });
});
