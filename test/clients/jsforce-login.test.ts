import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { after, test } from 'node:test';
import { Connection, OAuth2 } from 'jsforce';
import { defaultNow } from '../../src/practice-org/generate.ts';
import { rowsOf, startPractice } from './practice.ts';
import { refused } from './refused.ts';

const practice = await startPractice();
const { org } = practice;
after(() => org.close());

const { organizationId, userId, username } = org.facts;
const version = '67.0';
const secret = { clientId: org.clientId, clientSecret: org.clientSecret };
const redirectUri = 'http://localhost:1717/callback';

/** The connection works: it can count. */
async function proves(conn: Connection): Promise<void> {
  const { totalSize } = await conn.query('SELECT COUNT() FROM Account');
  assert.equal(totalSize, rowsOf(practice, 'Account').length);
}

test('jsforce authorize, client credentials', async () => {
  const conn = new Connection({ oauth2: { ...secret, loginUrl: org.url }, version });
  const user = await conn.authorize({ grant_type: 'client_credentials' });
  assert.deepEqual([user.id, user.organizationId], [userId, organizationId]);
  assert.equal(conn.instanceUrl, org.url);
  await proves(conn);
});

test('jsforce authorize, JWT bearer', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(defaultNow.getTime() / 1000) + 180;
  const claims = { iss: org.clientId, sub: username, aud: org.url, exp };
  const signed = `${part({ alg: 'RS256' })}.${part(claims)}`;
  const signature = createSign('RSA-SHA256').update(signed).sign(org.jwtPrivateKeyPem, 'base64url');
  const conn = new Connection({ oauth2: { clientId: org.clientId, loginUrl: org.url }, version });
  const assertion = `${signed}.${signature}`;
  const user = await conn.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  assert.equal(user.id, userId);
  await proves(conn);
});

test('jsforce oauth2.getAuthorizationUrl and authorize, web server flow with PKCE', async () => {
  const oauth2 = new OAuth2({ clientId: org.clientId, redirectUri, loginUrl: org.url, useVerifier: true });
  const page = await fetch(oauth2.getAuthorizationUrl({ state: 'ours' }), { redirect: 'manual' });
  const back = new URL(page.headers.get('location')!);
  assert.equal(back.searchParams.get('state'), 'ours');
  const conn = new Connection({ oauth2, version });
  const user = await conn.authorize(back.searchParams.get('code')!);
  assert.equal(user.id, userId);
  assert.ok(conn.refreshToken);
  await proves(conn);
});

test('jsforce oauth2.refreshToken', async () => {
  const oauth2 = new OAuth2({ ...secret, loginUrl: org.url });
  const { access_token, instance_url } = await oauth2.refreshToken(org.refreshToken);
  assert.notEqual(access_token, org.accessToken);
  await proves(new Connection({ instanceUrl: instance_url, accessToken: access_token, version }));
  await assert.rejects(oauth2.refreshToken('dead'), { name: 'invalid_grant' });
});

test('jsforce refreshes a dead session by itself', async () => {
  const oauth2 = { ...secret, loginUrl: org.url };
  const { accessToken, refreshToken } = org;
  const conn = new Connection({ oauth2, instanceUrl: org.url, accessToken, refreshToken, version });
  const renewed: string[] = [];
  conn.on('refresh', (token: string) => renewed.push(token));
  org.expireSessions();
  await proves(conn);
  assert.deepEqual(renewed, [conn.accessToken]);
});

test('jsforce logout', async () => {
  const conn = new Connection({ oauth2: { ...secret, loginUrl: org.url }, version });
  await conn.authorize({ grant_type: 'client_credentials' });
  const { accessToken, instanceUrl } = conn;
  await conn.logout();
  const again = new Connection({ instanceUrl, accessToken: accessToken!, version });
  await assert.rejects(proves(again), { errorCode: 'INVALID_SESSION_ID' });
});

test(refused('jsforce login with a password', 'the practice org knows no passwords'), async () => {
  const conn = new Connection({ loginUrl: org.url, version });
  await assert.rejects(conn.login(username, 'secret'), /PRACTICE_ORG_UNSUPPORTED: .* log in with OAuth/);
});
