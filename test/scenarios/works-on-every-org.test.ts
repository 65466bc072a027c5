import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { webhookServer } from '../support/listeners.ts';
import type { Ran } from '../support/rig.ts';
import { eventsIn, until } from '../support/runs.ts';
import { SeveralOrgs } from '../support/several-orgs.ts';

let all: SeveralOrgs;
before(async () => {
  all = await SeveralOrgs.start();
});
after(() => all[Symbol.asyncDispose]());
beforeEach(() => all.configure({ prod: all.prodEntry, uat: all.uatEntry, gone: { login: all.uatEntry.login } }));

const salvor = (...args: string[]): Promise<Ran> => all.rig.salvor(...args, '--json');
const backup = ['backup', '--all-orgs', '--objects', 'RecordType'];

/** `[org, status, name]` of each. */
function told({ json }: Ran): unknown[][] {
  const orgs: { org: string; status: number; name?: string }[] = json.result.orgs;
  return orgs.map(({ org, status, name }) => [org, status, ...(name === undefined ? [] : [name])]);
}

test('a command works on every org of the config, and exits with the worst code', async () => {
  const ran = await salvor(...backup, '--parallel', '2');
  assert.deepEqual(
    told(ran),
    [
      ['prod', 0],
      ['uat', 0],
      ['gone', 2, 'no-vault'],
    ],
    ran.stdout + ran.stderr,
  );
  assert.deepEqual([ran.status, ran.json.name, ran.json.data.org], [2, 'no-vault', 'gone']);
  assert.match(ran.stderr, /^prod: .*RecordType/m);
  assert.match(ran.stderr, /^uat: .*RecordType/m);

  const verified = await salvor('verify', '--all-orgs', '--no-identity', '--no-attest');
  assert.deepEqual(
    told(verified).map(([, status]) => status),
    [0, 0, 2],
  );
  const listed = await all.rig.salvor('list-points', '--all-orgs');
  assert.match(listed.stdout, /^prod: ok$[\s\S]*^uat: ok$[\s\S]*^gone: no-vault/m);

  const one = await salvor('list-points', '-o', 'uat');
  assert.equal(one.json.result.points.length, 1, one.stderr);
});

test('a fingerprint that is pinned for the org that is the default is pinned for no other', async () => {
  const { keys } = (await salvor('keys', 'list', '-o', 'prod')).json.result;
  const root = keys.find(({ role }: { role: string }) => role === 'root').fingerprint;
  all.configure({ prod: { ...all.prodEntry, rootFingerprint: root }, uat: all.uatEntry });
  const { env } = all.rig;
  all.rig.env = { ...env, SF_TARGET_ORG: 'prod' };
  try {
    const ran = await salvor('list-points', '--all-orgs');
    assert.deepEqual(told(ran), [
      ['prod', 0],
      ['uat', 0],
    ]);
    // For all of them it is what the environment says.
    all.rig.env = { ...env, SALVOR_ROOT_FINGERPRINT: root };
    assert.deepEqual(told(await salvor('list-points', '--all-orgs')), [
      ['prod', 0],
      ['uat', 4, 'signature-invalid'],
    ]);
  } finally {
    all.rig.env = env;
  }
});

test('status has a line for each org, also for one whose vault it cannot look at', async () => {
  const ran = await salvor('status', '--all-orgs', '--rpo', '26h');
  assert.deepEqual([ran.status, ran.json.name], [2, 'no-vault']);
  const [prod, , gone] = ran.json.result.orgs;
  assert.deepEqual([prod.org, prod.state, prod.lateBy, prod.status], ['prod', 'ok', 0, 0]);
  assert.deepEqual([gone.org, gone.state, gone.status, gone.name], ['gone', 'failed', 2, 'no-vault']);
  assert.deepEqual(
    Object.keys(prod).sort(),
    Object.keys(gone)
      .filter((key) => key in prod)
      .sort(),
  );
  assert.deepEqual([gone.lastGood, gone.lateBy, gone.vault], [null, null, null]);
  assert.ok(gone.actions.length > 0);

  all.configure({ prod: all.prodEntry, uat: all.uatEntry });
  const well = await all.rig.salvor('status', '--all-orgs');
  assert.equal(well.status, 0, well.stderr);
  assert.match(well.stdout, /^ *prod +ok +\d{8}T.*\n *uat +ok +\d{8}T/m);
  const late = await salvor('status', '--all-orgs', '--rpo', '1s');
  assert.deepEqual(
    [late.status, late.json.name, ...told(late)],
    [7, 'points-late', ['prod', 7, 'points-late'], ['uat', 7, 'points-late']],
  );
  assert.match(late.json.message, /^prod: .*; and 1 more of the orgs/);

  all.configure({ prod: all.prodEntry, uat: { ...all.uatEntry, vault: 'nowhere' } });
  const away = await all.rig.salvor('status', '--all-orgs');
  assert.match(away.stdout, /^ *prod +ok[\s\S]*^ *uat +not known[\s\S]*^[\w-]+ \(exit \d+\) {2}uat: /m);
});

test('--all-orgs does not go with what is about one org, nor without orgs, nor with none at a time', async () => {
  const refused: [string[], RegExp][] = [
    [['list-points', '-o', 'prod'], /--target-org/],
    [['list-points', '--vault', all.file('vault')], /--vault/],
    [['list-points', '--parallel', '0'], /--parallel/],
    [['backup', '--accept-refreshed-org'], /--accept-refreshed-org/],
    [['verify', '--expect-head', `1:${'0'.repeat(64)}`], /--expect-head/],
  ];
  for (const [args, message] of refused) {
    const ran = await salvor(...args, '--all-orgs');
    assert.deepEqual([ran.status, ran.json.name, ran.json.result], [2, 'usage', undefined], ran.stdout);
    assert.match(ran.json.message, message);
  }
  writeFileSync(all.file('none.json'), '{}');
  const none = await salvor('list-points', '--all-orgs', '--config', all.file('none.json'));
  assert.deepEqual([none.status, none.json.name], [2, 'usage']);
});

test('two orgs that share a vault are refused both, and hold up no other', async () => {
  const shared = { ...all.prodEntry, vault: `${all.file('vault')}/` };
  all.configure({ prod: all.prodEntry, twin: shared, uat: all.uatEntry });
  const ran = await salvor(...backup);
  assert.deepEqual(told(ran), [
    ['prod', 2, 'config-invalid'],
    ['twin', 2, 'config-invalid'],
    ['uat', 0],
  ]);
  assert.match(ran.json.result.orgs[0].message, /prod and twin/);
  all.configure({ inside: { ...all.prodEntry, vault: 'vault/second' }, prod: all.prodEntry, uat: all.uatEntry });
  assert.deepEqual(told(await salvor(...backup)), [
    ['inside', 2, 'config-invalid'],
    ['prod', 2, 'config-invalid'],
    ['uat', 0],
  ]);
});

test('an org that fails in the middle holds up no other; each tells its end once, and a heartbeat comes when all are well', async () => {
  await using hook = await webhookServer();
  const notify = [
    { kind: 'webhook', urlEnv: 'HOOK_URL', on: ['failure', 'success'] },
    { kind: 'heartbeat', urlEnv: 'BEAT_URL' },
  ];
  Object.assign(all.rig.env, { HOOK_URL: `${hook.url}/json`, BEAT_URL: `${hook.url}/beat` });
  const heard = () =>
    hook.heard
      .splice(0)
      .map(({ url, body }) => {
        const { org, occasion, status } = body === '' ? ({} as Record<string, unknown>) : JSON.parse(body);
        return [url, org, occasion, status].filter((one) => one !== undefined && one !== null).join(' ');
      })
      .sort();

  all.configure({ prod: all.prodEntry, uat: all.uatEntry }, { notify });
  all.rig.org.failNext('queryAll', { name: '403-daily-limit' }, { object: 'RecordType' });
  const ran = await salvor(...backup, '--full', '--parallel', '1');
  all.rig.org.clearFaults();
  assert.deepEqual([ran.status, ...told(ran)], [75, ['prod', 75, 'api-budget'], ['uat', 0]], ran.stdout);
  assert.deepEqual(heard(), ['/json prod failure 75', '/json uat success 0']);

  const well = await salvor(...backup, '--full');
  assert.equal(well.status, 0, well.stdout);
  assert.deepEqual(heard(), ['/beat', '/json prod success 0', '/json uat success 0']);

  all.configure({ uat: all.uatEntry, gone: {} }, { notify });
  await salvor(...backup);
  assert.deepEqual(heard(), ['/json gone failure 2', '/json uat success 0']);
  await salvor(...backup, '--dry-run');
  await salvor(...backup, '--accept-refreshed-org');
  assert.deepEqual(heard(), ['/json failure 2', '/json gone failure 2']);
});

test('Ctrl-C ends the orgs that are worked on as it ends one, and begins no other; the next run goes on', async () => {
  all.configure({ prod: all.prodEntry, uat: all.uatEntry, later: { ...all.uatEntry, vault: 'later' } });
  const args = ['backup', '--all-orgs', '--full', '--parallel', '2', '--objects', 'Campaign,RecordType', '--json'];
  for (const org of [all.rig.org, all.uat]) {
    org.failNext('queryAll', { name: 'hang', afterBytes: 0 }, { object: 'RecordType' });
  }
  const events = all.file('events.jsonl');
  const { child, ended } = all.rig.start(...args, '--events', events);
  const hangs = (org: string) => eventsIn(events).some((one) => one.org === org && one.object === 'RecordType');
  await until('both orgs hang', () => hangs('prod') && hangs('uat'));
  child.kill('SIGINT');
  const ran = await ended;
  for (const org of [all.rig.org, all.uat]) org.clearFaults();
  assert.deepEqual(
    [ran.status, ran.json.name, ...told(ran)],
    [130, 'interrupted', ['prod', 130, 'interrupted'], ['uat', 130, 'interrupted'], ['later', 130, 'interrupted']],
    ran.stdout,
  );
  assert.ok(!eventsIn(events).some(({ org }) => org === 'later'));

  all.configure({ prod: all.prodEntry, uat: all.uatEntry });
  const again = await salvor(...args.slice(0, -1));
  assert.equal(again.status, 0, `a lease that was let go of is taken at once: ${again.stdout}`);
});
