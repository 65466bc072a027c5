import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { project, Rig } from '../support/rig.ts';
import { type Policy, startS3Server, writerPolicy } from '../support/s3-server.ts';

/** The folders that examples/s3-writer-policy.json lets the backup host read, and the prefix of the vault in it. */
function example(): { prefix: string; readable: string[]; actions: string[] } {
  const { Statement } = JSON.parse(readFileSync(path.join(project, 'examples/s3-writer-policy.json'), 'utf8'));
  const resources: string[] = Statement.flatMap(
    ({ Action, Resource }: { Action: string; Resource: string | string[] }) =>
      Action === 's3:GetObject' ? Resource : [],
  );
  const keys = resources.map((resource) => resource.replace(/^arn:aws:s3:::EXAMPLE-BUCKET\//, ''));
  const prefix = keys[0]!.slice(0, keys[0]!.indexOf('/') + 1);
  return { prefix, readable: keys, actions: Statement.map(({ Action }: { Action: string }) => Action).sort() };
}

const { prefix, readable, actions } = example();

/** The example as S3 would apply it. */
const asWritten: Policy = ({ action, key, headers }) => {
  if (action === 's3:PutObject') return headers['if-none-match'] === '*';
  if (action !== 's3:GetObject') return action === 's3:ListBucket';
  return readable.some((one) => (one.endsWith('*') ? key.startsWith(one.slice(0, -1)) : key === one));
};

test('the example policy permits creating, listing and reading what holds no rows, and nothing else', () => {
  assert.deepEqual(actions, ['s3:GetObject', 's3:ListBucket', 's3:PutObject']);
  for (const folder of ['data', 'detail', 'files', 'restores']) {
    assert.ok(!asWritten({ action: 's3:GetObject', key: `${prefix}${folder}/x`, headers: {} }), folder);
    assert.ok(!writerPolicy(prefix)({ action: 's3:GetObject', key: `${prefix}${folder}/x`, headers: {} }), folder);
  }
});

for (const [title, policy] of [
  ['the example in examples/', asWritten],
  ['the policy of the README', writerPolicy(prefix)],
] as const) {
  test(`a host with no more than ${title} backs up, goes on, lists and verifies, and never tries to delete or to read rows`, async () => {
    const server = await startS3Server();
    await using _ = { [Symbol.asyncDispose]: () => server.close() };
    const vault = `s3://${server.bucket}/${prefix.slice(0, -1)}?endpoint=${encodeURIComponent(server.url)}`;
    const { accessKeyId, secretAccessKey } = server;
    const admin = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    await using rig = await Rig.start({ vault, env: { ...admin, AWS_EC2_METADATA_DISABLED: '1' } });
    await rig.init();
    const withIdentity = rig.env;
    const writer = server.addUser(policy);
    const { SALVOR_IDENTITY_FILE: __, ...host } = rig.env;
    rig.env = { ...host, AWS_ACCESS_KEY_ID: writer.accessKeyId, AWS_SECRET_ACCESS_KEY: writer.secretAccessKey };
    const backup = [
      'backup',
      '--json',
      '--no-prompt',
      '--objects',
      'CaseComment,Document,Folder,Group,Product2,Profile',
    ];
    const clean = async (...args: string[]) => {
      const ran = await rig.salvor(...args);
      assert.equal(ran.status, 0, ran.stdout);
      return ran.json.result;
    };

    const first = await clean(...backup);
    rig.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'Profile', skip: 1 });
    assert.equal((await rig.salvor(...backup, '--full')).status, 75);
    rig.org.clearFaults();
    const whole = await clean(...backup, '--full');
    const second = await clean(...backup);
    assert.deepEqual([whole.point.kind, second.point.kind], ['full', 'incremental']);
    const { points } = await clean('list-points', '--json');
    assert.deepEqual(
      points.map(({ id }: { id: string }) => id),
      [second.point.id, whole.point.id, first.point.id],
    );
    const shown = await clean('show', 'latest', '--json');
    assert.equal(shown.point.id, second.point.id);
    const own = () => server.requests.filter((request) => request.accessKeyId === writer.accessKeyId);
    const rows = new RegExp(`^${prefix}(data|detail|files|restores)/`);
    const tried = own().filter(
      ({ operation, key }) => /^Delete/.test(operation) || (/^(Get|Head)Object/.test(operation) && rows.test(key)),
    );
    assert.deepEqual(tried, []);
    assert.deepEqual(
      own().filter(({ status }) => status === 403),
      [],
      'nothing is asked for that is refused',
    );
    assert.ok(own().length > 50);

    const verified = await clean('verify', '--no-identity', '--all', '--json');
    assert.equal(verified.ok, true);
    const digests = verified.points[0].rungs.find(({ rung }: { rung: string }) => rung === 'digests');
    assert.match(digests.figure, /^\d+ objects, .*, not \d+ objects that this host may not read/);
    const refused = own().filter(({ status }) => status === 403);
    const folders = refused.map(({ key }) => key.slice(prefix.length).split('/')[0]);
    assert.deepEqual(
      [...new Set(folders)].filter((folder) => !['keys', 'data', 'detail', 'files'].includes(folder!)),
      [],
    );
    assert.ok(refused.length <= 12, `a folder that is refused is not asked for again: ${folders}`);
    assert.ok((await clean('list-points', '--json')).points.every((point: { verified: unknown }) => point.verified));

    rig.env = withIdentity;
    const proven = await clean('verify', '--all', '--json');
    assert.equal(proven.ok, true);
  });
}
