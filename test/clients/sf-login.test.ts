import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { Rig } from '../support/rig.ts';
import { rowsOf, startPractice } from './practice.ts';
import { refused } from './refused.ts';
import { offline, Sf, searchPath } from './sf.ts';

const practice = await startPractice();
const { org, database } = practice;
const { organizationId, organizationName, username, userId } = database.facts;
const sf = await Sf.start();
after(async () => {
  await sf[Symbol.asyncDispose]();
  await org.close();
});

async function loginByJwt(folder: Sf): Promise<void> {
  await writeFile(folder.path('key.pem'), org.jwtPrivateKeyPem);
  const key = ['--client-id', org.clientId, '--jwt-key-file', folder.path('key.pem')];
  const ran = await folder.run([
    ...['org', 'login', 'jwt', '--username', username, ...key],
    ...['--instance-url', org.url, '--alias', 'practice', '--json'],
  ]);
  assert.equal(ran.status, 0, ran.stdout);
  assert.equal(ran.result.orgId, organizationId);
  assert.equal(ran.result.clientId, org.clientId);
}

test('sf org login access-token', async () => {
  const login = ['org', 'login', 'access-token', '--instance-url', org.url, '--alias', 'practice'];
  const ran = await sf.run([...login, '--json'], { SF_ACCESS_TOKEN: org.accessToken });
  assert.equal(ran.status, 0, ran.stdout);
  assert.equal(ran.result.username, username);
  assert.equal(ran.result.orgId, organizationId);
  assert.equal(ran.result.name, organizationName);
  assert.equal(ran.result.isSandbox, true);
});

test('sf org display', async () => {
  const { result } = await sf.practice('org', 'display');
  assert.equal(result.id, organizationId);
  assert.equal(result.username, username);
  assert.equal(result.instanceUrl, `${org.url}/`);
  assert.equal(result.connectedStatus, 'Connected');
  assert.equal(result.apiVersion, '67.0');
});

test('sf org list', async () => {
  const { result } = await sf.run(['org', 'list', '--json']);
  assert.deepEqual(
    result.sandboxes.map((known: Record<string, unknown>) => [known.alias, known.orgId, known.connectedStatus]),
    [['practice', organizationId, 'Connected']],
  );
  assert.deepEqual(result.scratchOrgs, []);
});

test('sf org list auth', async () => {
  const { result } = await sf.run(['org', 'list', 'auth', '--json']);
  assert.deepEqual(
    result.map((known: Record<string, unknown>) => [known.alias, known.username, known.oauthMethod]),
    [['practice', username, 'token']],
  );
});

test('sf org auth show-access-token', async () => {
  const { result } = await sf.practice('org', 'auth', 'show-access-token');
  assert.equal(result.accessToken, org.accessToken);
});

test('sf org display user', async () => {
  const { result } = await sf.practice('org', 'display', 'user');
  assert.equal(result.id, userId);
  const profile = rowsOf(practice, 'Profile').find(
    ({ Id }) => Id === rowsOf(practice, 'User').find((user) => user.Id === userId)?.ProfileId,
  );
  assert.equal(result.profileName, profile?.Name);
});

test('sf org list users', async () => {
  const { result } = await sf.practice('org', 'list', 'users');
  assert.deepEqual(
    result.map((user: Record<string, unknown>) => [user.username, user.userId]),
    [[username, userId]],
  );
});

test('salvor backup --target-org, by the login of sf', async () => {
  await using rig = await Rig.start({ database, env: { ...offline, PATH: searchPath, HOME: sf.home } });
  delete rig.env.SF_ACCESS_TOKEN;
  delete rig.env.SF_ORG_INSTANCE_URL;
  await rig.init();
  const asked = org.requests.calls;
  const ran = await rig.salvor('backup', '-o', 'practice', '--objects', 'Account,Contact', '--no-files', '--json');
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.deepEqual(
    ran.json.result.point.objects
      .map(({ object, rows }: { object: string; rows: number }) => [object, rows])
      .toSorted(),
    ['Account', 'Contact'].map((object) => [object, rowsOf(practice, object).length]),
  );
  assert.ok(org.requests.calls > asked);
  assert.deepEqual(rig.org.requests.entries, []);
});

test('sf org logout', async () => {
  const ran = await sf.practice('org', 'logout', '--no-prompt');
  assert.deepEqual(ran.result, [username]);
  const { failure } = await sf.practice('org', 'display');
  assert.equal(failure, 'NamedOrgNotFoundError');
});

test('sf org login jwt', async () => {
  const logins = org.requests.counts['oauth.token'] ?? 0;
  await loginByJwt(sf);
  // A refused login would send the CLI on to the public login hosts.
  assert.equal(org.requests.counts['oauth.token'], logins + 1);
});

test('sf data query after the session died, of a JWT login', async () => {
  org.expireSessions();
  const logins = org.requests.counts['oauth.token'] ?? 0;
  const { result } = await sf.practice('data', 'query', '--query', 'SELECT COUNT() FROM Account');
  assert.equal(result.totalSize, rowsOf(practice, 'Account').length);
  assert.equal(org.requests.counts['oauth.token'], logins + 1);
});

test(refused('sf org login sfdx-url', 'such a URL names a host without http://, and the CLI takes https'), async () => {
  const url = `force://${org.clientId}:${org.clientSecret}:${org.refreshToken}@${new URL(org.url).host}`;
  await writeFile(sf.path('url.txt'), url);
  const ran = await sf.run(['org', 'login', 'sfdx-url', '--sfdx-url-file', sf.path('url.txt'), '--json']);
  assert.equal(ran.failure, 'RefreshTokenAuthError');
});

test(refused('sf org open', 'the practice org has no pages to open'), async () => {
  const ran = await sf.practice('org', 'open', '--url-only');
  assert.equal(ran.failure, 'NOT_FOUND');
});

test('the CLI looked for no update and wrote no log', async () => {
  assert.equal(existsSync(sf.path('.cache/sf/autoupdate')), false);
  assert.equal(existsSync(sf.path('.cache/sf/version')), false);
  await rm(sf.path('key.pem'));
});
