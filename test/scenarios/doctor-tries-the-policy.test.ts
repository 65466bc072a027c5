import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../support/rig.ts';
import { type Policy, type S3ServerOptions, startS3Server, writerPolicy } from '../support/s3-server.ts';

const prefix = 'salvor/';
const quick = ['doctor', '--json', '--objects', 'Profile'];

/** A vault in a bucket with a point in it, and the environment of its administrator. */
async function inBucket(options: S3ServerOptions = {}, query = '') {
  const server = await startS3Server(options);
  const vault = `s3://${server.bucket}/${prefix.slice(0, -1)}?endpoint=${encodeURIComponent(server.url)}${query}`;
  const { accessKeyId, secretAccessKey } = server;
  const admin = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const rig = await Rig.start({ vault, env: { ...admin, AWS_EC2_METADATA_DISABLED: '1' } });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--no-prompt', '--objects', 'Document,Profile');
  assert.equal(ran.status, 0, ran.stdout);
  return {
    server,
    rig,
    /** Further runs are those of a backup host with credentials of this policy. */
    asWriter(policy: Policy) {
      const user = server.addUser(policy);
      const { SALVOR_IDENTITY_FILE: _, ...host } = rig.env;
      rig.env = { ...host, AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };
      return user;
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

interface Finding {
  readonly area: string;
  readonly name: string;
  readonly ok: string;
  readonly said: string;
  readonly fix: string | null;
}

const named = (findings: readonly Finding[], ok: string) =>
  findings.filter((one) => one.ok === ok).map(({ area, name }) => `${area}: ${name}`);

test('a backup host with the policy of the README is well, and what it cannot remove stays three small objects a day', async () => {
  await using at = await inBucket();
  const writer = at.asWriter(writerPolicy(prefix));
  const before = at.server.objects();
  for (const round of [1, 2]) {
    const ran = await at.rig.salvor(...quick);
    assert.equal(ran.status, 0, ran.stdout);
    const { findings } = ran.json.result as { findings: Finding[] };
    assert.deepEqual(
      findings.filter(({ area, ok }) => ['store', 'policy'].includes(area) && ok !== 'ok'),
      [],
      `round ${round}`,
    );
    const said = (name: string) => findings.find((one) => one.area === 'policy' && one.name === name)!.said;
    assert.equal(said('read-data'), 'these credentials may not read data/');
    assert.match(said('read-restores'), /^there is nothing below restores\/ yet to try on/);
    assert.equal(said('overwrite'), 'these credentials may not replace objects');
    assert.equal(said('delete'), 'these credentials may not delete objects');
    assert.match(said('object-lock'), /^the bucket does not tell these credentials/);
  }
  const after = at.server.objects();
  const left = [...after.keys()].filter((key) => !before.has(key)).map((key) => key.replace(/\d{4}-\d\d-\d\d/, 'DAY'));
  assert.deepEqual(left, [
    `${prefix}probe/doctor-DAY/changes`,
    `${prefix}probe/doctor-DAY/once`,
    `${prefix}probe/doctor-DAY/race`,
  ]);
  for (const [key, bytes] of before) assert.ok(after.get(key)?.equals(bytes), key);
  const tried = at.server.requests.filter(({ accessKeyId }) => accessKeyId === writer.accessKeyId);
  const touched = tried.filter(({ operation }) => /^(Delete|Put)/.test(operation)).map(({ key }) => key);
  assert.deepEqual(
    touched.filter((key) => !key.startsWith(`${prefix}probe/`)),
    [],
  );
});

test('a backup host whose credentials may do everything is told so, with the policy that it should have', async () => {
  await using at = await inBucket();
  at.asWriter(() => true);
  const ran = await at.rig.salvor(...quick);
  assert.equal(ran.status, 0, 'warnings do not change the exit code');
  const { findings } = ran.json.result as { findings: Finding[] };
  assert.deepEqual(
    named(findings, 'warn').filter((one) => one.startsWith('policy')),
    [
      'policy: read-data',
      'policy: read-detail',
      'policy: read-files',
      'policy: read-restores',
      'policy: overwrite',
      'policy: delete',
      'policy: object-lock',
    ],
  );
  const fixes = new Set(findings.filter(({ name }) => /^(read-|overwrite|delete)/.test(name)).map(({ fix }) => fix));
  assert.deepEqual([...fixes].filter(Boolean), [
    'give the backup host credentials with the policy of examples/s3-writer-policy.json',
  ]);
  assert.deepEqual(
    [...at.server.objects().keys()].filter((key) => key.includes('/probe/')),
    [],
    'what may be removed is removed',
  );
});

test('with an identity at hand the same credentials are those of an administrator', async () => {
  await using at = await inBucket();
  const ran = await at.rig.salvor(...quick);
  assert.equal(ran.status, 0, ran.stdout);
  const { findings } = ran.json.result as { findings: Finding[] };
  assert.deepEqual(
    named(findings, 'warn').filter((one) => one.startsWith('policy')),
    ['policy: object-lock'],
  );
  const lock = findings.find(({ name }) => name === 'object-lock')!;
  assert.match(lock.said, /^Object Lock is off and so is versioning/);
});

test('a policy from before the doctor, which lets nothing be read below probe/, is told and stops nothing', async () => {
  await using at = await inBucket();
  const policy = writerPolicy(prefix);
  at.asWriter((request) => !(request.action === 's3:GetObject' && request.key.includes('/probe/')) && policy(request));
  const ran = await at.rig.salvor(...quick);
  assert.equal(ran.status, 0, ran.stdout);
  const { findings } = ran.json.result as { findings: Finding[] };
  assert.deepEqual(
    named(findings, 'warn').filter((one) => /^(store|policy)/.test(one)),
    ['store: conditional-create'],
  );
  assert.match(findings.find(({ name }) => name === 'conditional-create')!.fix!, /^add probe\/\* to what the policy/);
});

test('Object Lock is told with its days, and a URL that asks for a lock where there is none is bad', async () => {
  await using locked = await inBucket(
    { objectLock: true, defaultRetention: { mode: 'GOVERNANCE', days: 1 } },
    '&objectLock=GOVERNANCE&retainDays=35',
  );
  const ran = await locked.rig.salvor(...quick);
  const lock = (ran.json.result.findings as Finding[]).find(({ name }) => name === 'object-lock')!;
  assert.deepEqual(
    [lock.ok, lock.said],
    ['ok', "Object Lock is on: the vault's URL asks for 35 days; the bucket locks for 1 day by itself"],
  );

  await using open = await inBucket();
  const vault = `${open.rig.env.SALVOR_VAULT}&objectLock=GOVERNANCE&retainDays=35`;
  const refused = await open.rig.salvor(...quick, '--vault', vault);
  assert.equal(refused.status, 7);
  const missing = (refused.json.result.findings as Finding[]).find(({ name }) => name === 'object-lock')!;
  assert.equal(missing.ok, 'bad');
});

test('a store that replaces what is there, and one whose clock is off, are found', async () => {
  await using at = await inBucket();
  at.server.ignoreConditions = true;
  at.server.clockSkew = 6 * 60_000;
  const ran = await at.rig.salvor(...quick);
  assert.equal(ran.status, 7);
  const { findings } = ran.json.result as { findings: Finding[] };
  assert.deepEqual(named(findings, 'bad'), ['store: conditional-create', 'clock: store']);
  assert.match(
    findings.find(({ area, name }) => area === 'clock' && name === 'store')!.said,
    /^the clock of this host is 36\d seconds behind the store's: points/,
  );
});

test('a policy that tells nobody which keys are missing is named, though the vault cannot even be opened', async () => {
  await using at = await inBucket();
  const policy = writerPolicy(prefix);
  // As S3 answers where the right to list has a condition on s3:prefix: 403 instead of 404.
  at.asWriter(
    (request) => (request.action !== 's3:GetObject' || at.server.objects().has(request.key)) && policy(request),
  );
  const ran = await at.rig.salvor(...quick);
  assert.equal(ran.status, 7);
  const { findings } = ran.json.result as { findings: Finding[] };
  assert.deepEqual(named(findings, 'bad'), ['store: vault', 'store: missing-key']);
  assert.match(
    findings.find(({ name }) => name === 'missing-key')!.fix!,
    /^permit s3:ListBucket .* without a condition on s3:prefix$/,
  );
});

test('a folder keeps nothing from the host that writes to it, which that host is told', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const { SALVOR_IDENTITY_FILE: _, ...host } = rig.env;
  rig.env = host;
  const ran = await rig.salvor(...quick);
  assert.equal(ran.status, 0, ran.stdout);
  const { findings } = ran.json.result as { findings: Finding[] };
  const told = findings.filter(({ area, ok }) => area === 'policy' && ok === 'warn');
  assert.deepEqual(
    told.map(({ name }) => name),
    ['read-data', 'read-detail', 'read-files', 'read-restores', 'overwrite', 'delete'],
  );
  assert.match(told[0]!.fix!, /second copy where this host may not write/);
});
