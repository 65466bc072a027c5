import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openStore, shareAPlace } from '../../src/store/open.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { runProgram } from '../support/program.ts';
import { startS3Server } from '../support/s3-server.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'salvor-copy-'));
after(() => rm(folder, { recursive: true, force: true }));
const place = (name: string) => path.join(folder, name);
const dark = { AWS_EC2_METADATA_DISABLED: '1' };

test('the drill: copy to a bucket, lose the vault, work from the copy, bring it home, heal what rots', async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const vault = await AgedVault.of(await openStore(place('vault')), ['2025-11-01', '2025-11-02', '2025-11-03']);
  const bucket = `s3://${server.bucket}/second?endpoint=${encodeURIComponent(server.url)}`;
  const env = {
    ...dark,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    SALVOR_ROOT_FINGERPRINT: vault.keys.rootFingerprint,
    SALVOR_IDENTITY: vault.keys.identity,
  };
  const config = { vault: place('vault'), copies: [bucket], allowedRegions: ['local', 'us-east-1'] };
  await writeFile(place('salvor.config.json'), JSON.stringify(config));
  const salvor = (...args: string[]) => runProgram(folder, env, ...args);

  const copied = await salvor('copy', '--json');
  assert.deepEqual([copied.status, copied.json.result.copies[0].points], [0, 3], copied.stderr);
  const verified = await salvor('verify', '--all-copies', '--no-attest', '--json');
  assert.deepEqual([verified.status, verified.json.result.copies[0].points.length], [0, 1]);

  await rm(place('vault'), { recursive: true });
  const store = await openStore(bucket, {
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
  });
  await (await AgedVault.continued(vault, store)).add('2025-11-04');
  const back = await salvor('copy', '--vault', bucket, '--to', place('vault'), '--json');
  assert.deepEqual([back.status, back.json.result.copies[0].points], [0, 4], back.stderr);

  const data = (await readdir(place('vault/data'), { recursive: true })).filter((name) => name.endsWith('.age'));
  const rotten = path.join(place('vault/data'), data[0]!);
  await rm(rotten);
  await writeFile(rotten, 'rotten');
  const repaired = await salvor('repair', '--from', bucket);
  assert.match(repaired.stdout, /1 healed, 0 still damaged/);
  assert.equal((await salvor('verify', '--all', '--no-attest')).status, 0);
});

test('one lost object of an old point holds up no later one: the copy opens, both name what is lost, and a healed vault completes it', async () => {
  const vault = await AgedVault.of(await openStore(place('lossy')), ['2025-11-01', '2025-11-02']);
  const second = place(`lossy/data/${vault.points[1]}`);
  const [name] = await readdir(second);
  const good = await readFile(path.join(second, name!));
  await rm(path.join(second, name!), { force: true });
  await vault.add('2025-11-03');
  const env = { SALVOR_ROOT_FINGERPRINT: vault.keys.rootFingerprint, SALVOR_IDENTITY: vault.keys.identity };
  const on = (where: string, ...args: string[]) => runProgram(folder, env, ...args, '--vault', place(where));
  const copied = await on('lossy', 'copy', '--to', place('partly'), '--json');
  const [{ problems, notWhole, points, records }] = copied.json.result.copies;
  const key = `data/${vault.points[1]}/${name}`;
  assert.deepEqual([copied.status, copied.json.name], [4, 'verify-failed'], copied.stdout);
  assert.deepEqual([problems.map((one: { key: string }) => one.key), notWhole], [[key], [vault.points[1]]]);
  assert.deepEqual([points, records, copied.json.data.points], [3, 4, [vault.points[1]]]);
  const again = await on('lossy', 'copy', '--to', place('partly'));
  assert.equal(again.status, 4);
  assert.match(again.stdout, new RegExp(`not whole {2}point ${vault.points[1]} lacks some of it in the copy`));

  assert.equal((await on('partly', 'list-points', '--json')).json.result.points.length, 3);
  for (const where of ['lossy', 'partly']) {
    const verified = await on(where, 'verify', '--all', '--no-attest', '--json');
    assert.equal(verified.status, 4);
    const broken = verified.json.result.points.filter(({ ok }: { ok: boolean }) => !ok);
    assert.deepEqual([broken.length, broken[0].id], [1, vault.points[1]]);
    assert.ok(verified.stdout.includes(key), where);
  }

  await writeFile(path.join(second, name!), good);
  const completed = await on('lossy', 'copy', '--to', place('partly'), '--json');
  assert.deepEqual([completed.status, completed.json.result.copies[0].copied.objects], [0, 1], completed.stdout);
  assert.equal((await on('partly', 'verify', '--all', '--no-attest')).status, 0);
});

test('one copy that fails holds up no other, and is told of', async () => {
  const vault = await AgedVault.of(await openStore(place('several')), ['2025-11-01']);
  await AgedVault.of(await openStore(place('foreign')), ['2025-11-02']);
  const copies = [place('foreign'), place('good')];
  await writeFile(place('several.json'), JSON.stringify({ vault: place('several'), copies }));
  const env = { SALVOR_ROOT_FINGERPRINT: vault.keys.rootFingerprint, SALVOR_IDENTITY: vault.keys.identity };
  const several = (...args: string[]) => runProgram(folder, env, ...args, '--config', place('several.json'));
  const copied = await several('copy', '--json');
  const { result } = copied.json;
  assert.deepEqual([copied.status, copied.json.name], [5, 'foreign-vault'], copied.stdout);
  assert.deepEqual([result.copies.length, result.copies[0].to, result.copies[0].points], [1, place('good'), 1]);
  const [{ to, status, name }] = result.failed;
  assert.deepEqual([result.failed.length, to, status, name], [1, place('foreign'), 5, 'foreign-vault']);
  assert.match((await several('copy')).stdout, /foreign {2}foreign-vault \(exit 5\): /);

  await rm(place('foreign'), { recursive: true });
  const verified = await several('verify', '--all-copies', '--no-attest', '--json');
  const { result: proven } = verified.json;
  assert.deepEqual([verified.status, verified.json.name], [2, 'no-vault'], verified.stdout);
  assert.deepEqual([proven.ok, proven.copies[0].ok, proven.failed[0].to], [true, true, place('foreign')]);
});

test('a copy that is verified by its place goes no way of its own, and alarms nobody', async () => {
  const vault = await AgedVault.of(await openStore(place('original')), ['2025-11-01']);
  const { rootFingerprint, identity, writerKey } = vault.keys;
  const env = {
    SALVOR_ROOT_FINGERPRINT: rootFingerprint,
    SALVOR_IDENTITY: identity,
    SALVOR_WRITER_KEY: writerKey,
    XDG_STATE_HOME: place('state-original'),
  };
  const of = (name: string, ...args: string[]) =>
    runProgram(folder, env, ...args, '--config', place('none.json'), '--vault', place(name), '--json');
  await writeFile(place('none.json'), '{}');
  const attested = await of('original', 'verify');
  assert.equal(typeof attested.json.result.attested.seq, 'number', attested.stdout);
  assert.equal((await of('original', 'copy', '--to', place('twin'))).status, 0);
  const verified = await of('twin', 'verify');
  assert.deepEqual([verified.status, verified.json.result.attested], [0, undefined], verified.stdout);
  assert.deepEqual(
    verified.json.warnings.map(({ name }: { name: string }) => name),
    ['not-attested'],
  );
  const again = await of('original', 'verify');
  assert.deepEqual([again.status, again.json.warnings], [0, []], again.stdout);
  assert.equal((await of('original', 'copy', '--to', place('twin'))).json.result.copies[0].records, 1);
});

test('rows that are read from a copy, and keys that are tried on it, leave its log alone; where the config asks for the record, it is noted there', async () => {
  const vault = await AgedVault.of(await openStore(place('read')), ['2025-11-01']);
  const { rootFingerprint, identity } = vault.keys;
  const env = { SALVOR_ROOT_FINGERPRINT: rootFingerprint, SALVOR_IDENTITY: identity };
  const config = { vault: './read', copies: ['./read-copy'] };
  const configured = async (more: object = {}) => writeFile(place('read.json'), JSON.stringify({ ...config, ...more }));
  await configured();
  let machine = 0;
  const on = (where: string, ...args: string[]) => {
    // Each on a machine that has seen neither.
    const state = { XDG_STATE_HOME: place(`state-read-${++machine}`) };
    return runProgram(folder, { ...env, ...state }, ...args, '--vault', where, '--config', 'read.json', '--json');
  };
  const copied = async () => (await on('./read', 'copy', '--to', './read-copy')).json;
  assert.equal((await copied()).status, 0);
  const log = async () => (await readdir(place('read-copy/log'))).length;
  const before = await log();
  const readings = [
    ['show', 'latest', 'Account'],
    ['diff', 'latest..latest', '--with-values'],
    ['find', 'Acme', '--objects', 'Account', '--with-values'],
    ['export', 'latest', '--to', 'read.zip'],
    ['keys', 'kit', '--out', 'read-kit.txt'],
  ];
  for (const args of readings) {
    const ran = await on('./read-copy', ...args);
    assert.equal(ran.status, 0, ran.stdout);
    const [{ name, message }] = ran.json.warnings;
    assert.equal(name, 'access-not-logged', ran.stdout);
    assert.match(message, /is a copy of the vault.*, and a record would make its log go its own way$/);
  }
  for (const args of [['verify'], ['keys', 'test']]) {
    const ran = await on('./read-copy', ...args);
    assert.deepEqual([ran.status, ran.json.result.attested], [0, undefined], ran.stdout);
  }
  assert.equal(await log(), before);
  assert.equal((await on('./read', 'show', 'latest', 'Account')).status, 0);
  assert.deepEqual([(await copied()).result.copies[0].records, await log()], [1, before + 1]);
  await configured({ accessLog: 'required' });
  assert.equal((await on('./read-copy', 'show', 'latest', 'Account')).status, 0);
  assert.equal(await log(), before + 2);
});

test('a copy is at another place: the vault itself, what lies in it and what it lies in are refused, and nothing is written', async () => {
  await AgedVault.of(await openStore(place('near/vault')), ['2025-11-01']);
  await symlink(place('near/vault'), place('near/link'));
  const before = await readdir(place('near'), { recursive: true });
  const inside = ['near/vault/second', 'near/link/second', 'near/link/second/third'];
  for (const to of ['near/vault', 'near/vault/', ...inside, 'near', 'near/link', 'near/link/../vault']) {
    for (const args of [
      ['copy', '--to', to],
      ['repair', '--from', to],
    ]) {
      const ran = await runProgram(folder, {}, ...args, '--vault', place('near/vault'), '--json');
      assert.deepEqual([ran.status, ran.json.name], [2, 'usage'], `${args.join(' ')}: ${ran.stdout}`);
      assert.match(ran.json.message, /no second place/);
    }
  }
  assert.deepEqual(await readdir(place('near'), { recursive: true }), before);
  const beside = await runProgram(folder, {}, 'copy', '--to', place('near/vault-2'), '--vault', place('near/vault'));
  assert.equal(beside.status, 0, beside.stderr);

  const bucket = 's3://bucket-a/vault?endpoint=https%3A%2F%2Fs3.example.com';
  for (const to of ['s3://bucket-a/vault/', 's3://bucket-a', 's3://bucket-a/vault/second'])
    assert.ok(await shareAPlace(bucket, `${to}?endpoint=https%3A%2F%2Fs3.example.com%2F&forcePathStyle=true`), to);
  for (const to of [`${bucket.replace('vault', 'vault-2')}`, 's3://bucket-b/vault', 's3://bucket-a/vault', '/vault'])
    assert.ok(!(await shareAPlace(bucket, to)), to);
});

test('a folder with a file of somebody else is no place for a copy; where a copy was cut short, the next one goes on', async () => {
  await AgedVault.of(await openStore(place('whole')), ['2025-11-01']);
  const copyTo = (to: string) => runProgram(folder, {}, 'copy', '--vault', place('whole'), '--to', place(to), '--json');
  await mkdir(place('strangers'));
  await writeFile(place('strangers/notes.txt'), 'mine');
  const refused = await copyTo('strangers');
  assert.deepEqual([refused.status, refused.json.name], [5, 'foreign-vault'], refused.stdout);
  assert.deepEqual(refused.json.actions, ['choose an empty place for the copy']);
  assert.deepEqual(await readdir(place('strangers')), ['notes.txt']);

  await mkdir(place('begun/trust'), { recursive: true });
  await copyFile(place('whole/trust/0001'), place('begun/trust/0001'));
  await writeFile(place('begun/.DS_Store'), 'hidden');
  const opened = await runProgram(folder, {}, 'list-points', '--vault', place('begun'), '--json');
  assert.deepEqual([opened.status, opened.json.name], [5, 'vault-incomplete']);
  assert.match(opened.json.actions[0], /run the same `salvor copy` again, which goes on; for `salvor init` empty/);
  assert.equal((await copyTo('begun')).json.result.copies[0].points, 1);
});

test('a vault or a copy outside of the allowed regions is refused before the first byte', async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const keys = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey };
  const bucket = `s3://${server.bucket}/vault?endpoint=${encodeURIComponent(server.url)}`;
  const config = place('regions.json');
  const init = async (allowedRegions: string[], vault: string) => {
    await writeFile(config, JSON.stringify({ allowedRegions }));
    const ran = await runProgram(
      folder,
      { ...dark, ...keys, SALVOR_CONFIG: config },
      'init',
      '--vault',
      vault,
      '--no-prompt',
      '--json',
    );
    return [ran.status, ran.json.name];
  };
  assert.deepEqual(await init(['eu-central-1'], bucket), [5, 'region-refused']);
  assert.deepEqual(await init(['eu-central-1'], place('local')), [5, 'region-refused']);
  assert.equal(server.objects().size, 0);
  assert.ok(server.requests.every(({ operation }) => operation === 'HeadBucket'));
  assert.deepEqual(await init(['eu-central-1', 'us-east-1'], bucket), [0, undefined]);
});
