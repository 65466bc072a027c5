import assert from 'node:assert/strict';
import { createHash, createSign } from 'node:crypto';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { api, type TestOrg, testOrg } from './client.ts';
import { ids } from './small-database.ts';

function token(org: TestOrg, form: Record<string, string>) {
  return org.call('/services/oauth2/token', { body: new URLSearchParams(form), token: 'none' });
}

function client({ org }: TestOrg): Record<string, string> {
  return { client_id: org.clientId, client_secret: org.clientSecret };
}

test('client credentials give a session that works, without a refresh token', async () => {
  await using t = await testOrg();
  const { status, json } = await token(t, { grant_type: 'client_credentials', ...client(t) });
  assert.equal(status, 200);
  assert.match(json.access_token, /^00D[A-Za-z0-9]{12}![A-Za-z0-9._]+$/);
  assert.equal(json.instance_url, t.org.url);
  assert.equal(json.id, `${t.org.url}/id/${ids.org}/${ids.backupUser}`);
  assert.equal(json.token_type, 'Bearer');
  assert.equal(typeof json.issued_at, 'string');
  assert.equal('refresh_token' in json || 'expires_in' in json, false);
  assert.equal((await t.call(`${api}/limits`, { token: json.access_token })).status, 200);
});

test('client credentials may come as Basic authorization', async () => {
  await using t = await testOrg();
  const basic = Buffer.from(`${t.org.clientId}:${t.org.clientSecret}`).toString('base64');
  const { status } = await t.call('/services/oauth2/token', {
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: `Basic ${basic}` },
  });
  assert.equal(status, 200);
});

test('a wrong client id, a wrong secret and an unknown grant are told apart as OAuth objects', async () => {
  await using t = await testOrg();
  const wrongId = await token(t, { grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'x' });
  assert.deepEqual(
    [wrongId.status, wrongId.json],
    [400, { error: 'invalid_client_id', error_description: 'client identifier invalid' }],
  );
  const wrongSecret = await token(t, {
    grant_type: 'client_credentials',
    client_id: t.org.clientId,
    client_secret: 'x',
  });
  assert.deepEqual(
    [wrongSecret.status, wrongSecret.json],
    [400, { error: 'invalid_client', error_description: 'invalid client credentials' }],
  );
  const noSecret = await token(t, { grant_type: 'client_credentials', client_id: t.org.clientId });
  assert.equal(noSecret.json.error, 'invalid_client');
  const grant = await token(t, { grant_type: 'password', ...client(t) });
  assert.equal(grant.json.error, 'unsupported_grant_type');
});

function assertion(claims: Record<string, unknown>, key: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256' })}.${part(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`;
}

test('a JWT is accepted only with a right signature, audience, user, client and time', async () => {
  await using t = await testOrg();
  const key = t.org.jwtPrivateKeyPem;
  const good = {
    iss: t.org.clientId,
    sub: t.org.facts.username,
    aud: 'https://test.salesforce.com',
    exp: Math.floor(Date.now() / 1000) + 180,
  };
  const post = (jwt: string) => token(t, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt });
  const ok = await post(assertion(good, key));
  assert.equal(ok.status, 200);
  assert.equal((await t.call(`${api}/limits`, { token: ok.json.access_token })).status, 200);
  const other = await testOrg();
  const foreign = assertion(good, other.org.jwtPrivateKeyPem);
  await other.org.close();
  const expected: [string, Record<string, string>][] = [
    [foreign, { error: 'invalid_grant', error_description: 'invalid assertion' }],
    ['rubbish', { error: 'invalid_grant', error_description: 'invalid assertion' }],
    [
      assertion({ ...good, aud: 'https://example.org' }, key),
      { error: 'invalid_grant', error_description: 'Audience validation failed' },
    ],
    [
      assertion({ ...good, sub: 'x@y' }, key),
      { error: 'invalid_grant', error_description: "user hasn't approved this consumer" },
    ],
    [
      assertion({ ...good, iss: 'x' }, key),
      { error: 'invalid_client_id', error_description: 'client identifier invalid' },
    ],
    [assertion({ ...good, exp: 1000 }, key), { error: 'invalid_grant', error_description: 'expired assertion' }],
  ];
  for (const [jwt, body] of expected) assert.deepEqual((await post(jwt)).json, body);
});

test('authorization code with PKCE: the verifier has to fit, and a code works once', async () => {
  await using t = await testOrg();
  const verifier = 'v'.repeat(64);
  const redirect = 'http://localhost:1717/OauthRedirect';
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: t.org.clientId,
    redirect_uri: redirect,
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const authorize = async (): Promise<URL> => {
    const reply = await t.call(`/services/oauth2/authorize?${query}`);
    assert.equal(reply.status, 302);
    return new URL(reply.headers.get('location')!);
  };
  const exchange = (code: string, code_verifier: string) =>
    token(t, { grant_type: 'authorization_code', ...client(t), code, redirect_uri: redirect, code_verifier });
  const back = await authorize();
  assert.equal(back.searchParams.get('state'), 'st');
  const code = back.searchParams.get('code')!;
  const { status, json } = await exchange(code, verifier);
  assert.equal(status, 200);
  assert.match(json.refresh_token, /^5Aep861/);
  assert.equal((await exchange(code, verifier)).json.error, 'invalid_grant');
  const wrong = await exchange((await authorize()).searchParams.get('code')!, 'wrong');
  assert.deepEqual(wrong.json, { error: 'invalid_grant', error_description: 'invalid code verifier' });
  t.org.settings.authorizationDenied = true;
  assert.equal((await authorize()).searchParams.get('error'), 'access_denied');
});

test('refresh gives a new session; with rotation the old refresh token is dead', async () => {
  await using t = await testOrg();
  const refresh = (refresh_token: string) => token(t, { grant_type: 'refresh_token', refresh_token, ...client(t) });
  const first = await refresh(t.org.refreshToken);
  assert.equal(first.status, 200);
  assert.equal('refresh_token' in first.json, false);
  t.org.settings.refreshTokenRotation = true;
  const rotated = await refresh(t.org.refreshToken);
  assert.notEqual(rotated.json.refresh_token, t.org.refreshToken);
  const dead = await refresh(t.org.refreshToken);
  assert.deepEqual(
    [dead.status, dead.json],
    [400, { error: 'invalid_grant', error_description: 'expired access/refresh token' }],
  );
  assert.equal((await refresh(rotated.json.refresh_token)).status, 200);
});

test('revoke ends a session; userinfo and identity tell who is logged in and are not counted', async () => {
  await using t = await testOrg();
  const info = await t.call('/services/oauth2/userinfo');
  assert.equal(info.json.user_id, ids.backupUser);
  assert.equal(info.json.organization_id, ids.org);
  assert.equal(info.json.preferred_username, 'backup@small.example');
  const identity = await t.call(`/id/${ids.org}/${ids.backupUser}`);
  assert.equal(identity.json.username, 'backup@small.example');
  assert.equal(identity.json.display_name, 'Backup User');
  assert.equal(t.org.requests.calls, 0);
  assert.equal(
    (await t.call('/services/oauth2/revoke', { body: new URLSearchParams({ token: t.org.accessToken }) })).status,
    200,
  );
  const gone = await t.call(`${api}/limits`);
  assert.equal(gone.status, 401);
  assert.equal(gone.headers.get('www-authenticate'), 'Token');
  assert.deepEqual(gone.json, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]);
});

test('in a session of another user, that user owns what it makes and stands in the stamps', async () => {
  await using t = await testOrg({}, sampleDatabase());
  const { records } = (await t.query("SELECT Id, Username FROM User WHERE Username LIKE '%5%' LIMIT 1")).json;
  const { Id: user, Username } = records[0];
  assert.notEqual(user, t.org.facts.userId);
  const session = t.org.sessionOf(user);
  const { json: info } = await t.call('/services/oauth2/userinfo', { token: session });
  assert.deepEqual([info.user_id, info.preferred_username], [user, Username]);
  const own = await t.call(`${api}/sobjects/Account`, { body: { Name: 'Own' }, token: session });
  const other = (await t.query('SELECT Id FROM Account LIMIT 1')).json.records[0].Id;
  await t.call(`${api}/sobjects/Account/${other}`, { method: 'PATCH', body: { Name: 'Changed' }, token: session });
  const stamps = async (id: string) => {
    const row = (await t.call(`${api}/sobjects/Account/${id}`)).json;
    return [row.OwnerId === user, row.CreatedById === user, row.LastModifiedById === user];
  };
  assert.deepEqual(await stamps(own.json.id), [true, true, true]);
  assert.equal((await stamps(other))[2], true);
  assert.throws(() => t.org.sessionOf('0055e0000099999AAA'), TypeError);
});

test('a session dies after so many requests', async () => {
  await using t = await testOrg({ sessionRequests: 2 });
  const statuses = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await t.call(`${api}/limits`)).status);
  assert.deepEqual(statuses, [200, 200, 401]);
});
