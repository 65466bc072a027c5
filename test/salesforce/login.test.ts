import assert from 'node:assert/strict';
import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { authorizeInBrowser, connect, type Login, parseSfdxAuthUrl } from '../../src/salesforce/connect.ts';
import { type Call, json, noWaits, orgId, ScriptedOrg, testContext, token, userId } from './scripted-org.ts';

const granted = (org: ScriptedOrg, accessToken = token) => ({
  access_token: accessToken,
  instance_url: org.url,
  id: `https://login.salesforce.com/id/${orgId}/${userId}`,
  token_type: 'Bearer',
});

const form = (call: Call) => Object.fromEntries(new URLSearchParams(call.body));

function failLogin(org: ScriptedOrg, error: string, description: string): void {
  org.on('POST', '/services/oauth2/token', (_call, response) =>
    json(response, 400, { error, error_description: description }),
  );
}

test('a token and an instance URL are enough, and the org says who it is', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const client = await connect(testContext(), { kind: 'token', accessToken: token, instanceUrl: org.url });
  assert.deepEqual(client.identity, {
    orgId,
    userId,
    username: 'backup@example.com',
    instanceUrl: org.url,
    apiVersion: '67.0',
    isSandbox: false,
    organizationName: 'Scripted',
  });
  assert.deepEqual(client.apiUsage, { used: 18, max: 5000 });
  assert.equal(client.apiCalls, 2);
  await client.close();
});

test('the API version is the newest that both know, or the one that is asked for', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const login: Login = { kind: 'token', accessToken: token, instanceUrl: org.url };
  await assert.rejects(connect(testContext(), login, { apiVersion: '65.0' }), { name: 'org-refused' });
  await assert.rejects(connect(testContext(), login, { apiVersion: '46.0' }), { name: 'usage' });
  org.on('GET', '/services/data/v66.0/query', (call, response) => {
    const record = call.query.get('q')!.includes('Organization')
      ? { Id: orgId, Name: 'x' }
      : { Id: userId, Username: 'u' };
    json(response, 200, { totalSize: 1, done: true, records: [record] });
  });
  const client = await connect(testContext(), login, { apiVersion: 'v66.0' });
  assert.equal(client.identity.apiVersion, '66.0');
  await client.close();
});

for (const [url, words, name] of [
  ['https://acme.lightning.force.com', /acme\.my\.salesforce\.com/, 'login-failed'],
  ['http://acme.my.salesforce.com', /https:/, 'login-failed'],
  ['ftp://acme.my.salesforce.com', /https:/, 'login-failed'],
  ['https://user:pass@acme.my.salesforce.com', /./, 'login-failed'],
  ['not a url', /https:/, 'usage'],
  ['garbage', /https:/, 'usage'],
] as const) {
  test(`${url} is refused as an instance URL before anything is sent`, async () => {
    const login: Login = { kind: 'token', accessToken: token, instanceUrl: url };
    await assert.rejects(connect(testContext(), login), (error: { name: string; actions: string[] }) => {
      assert.equal(error.name, name);
      assert.match(error.actions.join(), words);
      return true;
    });
  });
}

test('client credentials are sent in the body, and used again when the session expires', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/services/oauth2/token', (call, response) =>
    json(response, 200, granted(org, `token-${call.before}`)),
  );
  org.on('GET', '/limits/recordCount', (call, response) => {
    if (call.headers.authorization === 'Bearer token-1')
      json(response, 200, { sObjects: [{ name: 'Account', count: 3 }] });
    else json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }]);
  });
  const login: Login = { kind: 'clientCredentials', clientId: 'id', clientSecret: 'secret', instanceUrl: org.url };
  const client = await connect(testContext(), login);
  assert.deepEqual([...(await client.approximateCounts())], [['Account', 3]]);
  const calls = org.callsTo('oauth2/token');
  assert.equal(calls.length, 2);
  assert.deepEqual(form(calls[1]!), { grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' });
  assert.equal(org.callsTo('userinfo').length, 0);
  await client.close();
});

const key = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

test('a JWT is signed, and the audiences are tried until one fits', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/services/oauth2/token', (call, response) => {
    const [head, claims, signature] = form(call).assertion!.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    assert.ok(verify.verify(key.publicKey, Buffer.from(signature!, 'base64url')));
    const { iss, sub, aud, exp } = JSON.parse(Buffer.from(claims!, 'base64url').toString());
    assert.deepEqual([iss, sub], ['id', 'backup@example.com']);
    assert.ok(exp > Date.now() / 1000 && exp < Date.now() / 1000 + 300);
    if (aud === 'https://test.salesforce.com') json(response, 200, granted(org));
    else json(response, 400, { error: 'invalid_grant', error_description: 'Audience validation failed' });
  });
  const login = {
    kind: 'jwt',
    clientId: 'id',
    privateKeyPem: key.privateKey,
    username: 'backup@example.com',
    instanceUrl: org.url,
  } as const;
  const client = await connect(testContext(), login);
  assert.equal(org.callsTo('oauth2/token').length, 2);
  await client.close();

  failLogin(org, 'invalid_grant', "user hasn't approved this consumer");
  await assert.rejects(connect(testContext(), login), (error: { name: string; actions: string[] }) => {
    assert.equal(error.name, 'login-failed');
    assert.match(error.actions[0]!, /pre-authorise/);
    return true;
  });
  await assert.rejects(connect(testContext(), { ...login, privateKeyPem: 'no key' }), { name: 'login-failed' });
});

test('a refresh token that rotates is handed over, and the new one is used from then on', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/services/oauth2/token', (call, response) => {
    if (form(call).refresh_token !== `refresh-${call.before}`) {
      return json(response, 400, { error: 'invalid_grant', error_description: 'expired access/refresh token' });
    }
    const next = call.before + 1;
    json(response, 200, { ...granted(org, `access-${next}`), refresh_token: `refresh-${next}` });
  });
  org.on('GET', '/sobjects', (call, response) => {
    if (call.headers.authorization === 'Bearer access-2') json(response, 200, { sobjects: [{ name: 'Account' }] });
    else json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }]);
  });
  const rotated: string[] = [];
  const login: Login = { kind: 'refresh', clientId: 'id', refreshToken: 'refresh-0', instanceUrl: org.url };
  const client = await connect(testContext(), login, { onRotate: (next) => void rotated.push(next) });
  assert.deepEqual(await client.objects(), [{ name: 'Account' }]);
  assert.deepEqual(rotated, ['refresh-1', 'refresh-2']);
  await client.close();

  await assert.rejects(connect(testContext(), login), (error: { actions: string[] }) =>
    /salvor login/.test(error.actions[0]!),
  );
});

for (const [error, description, words] of [
  ['invalid_grant', 'expired access/refresh token', /salvor login/],
  ['invalid_client_id', 'client identifier invalid', /client id/],
  ['invalid_client', 'invalid client credentials', /secret/],
  ['invalid_client', 'app must be installed into org', /install/],
  ['invalid_grant', 'no client credentials user enabled', /Run As/],
  ['invalid_grant', 'request not supported on this domain', /my\.salesforce\.com|own address/],
  ['unsupported_grant_type', 'grant type not supported', /client id/],
] as const) {
  test(`${error}: ${description} ends as login-failed with advice and without the secret`, async () => {
    await using org = await ScriptedOrg.startWithIdentity();
    failLogin(org, error, `${description} (canary-secret)`);
    const login: Login = {
      kind: 'clientCredentials',
      clientId: 'id',
      clientSecret: 'canary-secret',
      instanceUrl: org.url,
    };
    await assert.rejects(connect(testContext(), login), (fault: { name: string; actions: string[] }) => {
      assert.equal(fault.name, 'login-failed');
      assert.match(fault.actions[0]!, words);
      assert.doesNotMatch(inspect(fault, { depth: 10 }), /canary-secret/);
      return true;
    });
    assert.equal(org.calls.length, 1);
  });
}

test('a dead host is org-unreachable, a dead token is session-expired, a closed API is org-refused', async () => {
  const closed = await ScriptedOrg.start();
  const { url } = closed;
  await closed[Symbol.asyncDispose]();
  const login: Login = { kind: 'token', accessToken: token, instanceUrl: url };
  await assert.rejects(connect(testContext(), login, noWaits()), { name: 'org-unreachable' });

  await using org = await ScriptedOrg.startWithIdentity();
  org.on('GET', '/query', (_call, response) =>
    json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'expired' }]),
  );
  await assert.rejects(connect(testContext(), { ...login, instanceUrl: org.url }), { name: 'session-expired' });
  org.on('GET', '/query', (_call, response) =>
    json(response, 403, [{ errorCode: 'API_DISABLED_FOR_ORG', message: 'no' }]),
  );
  await assert.rejects(connect(testContext(), { ...login, instanceUrl: org.url }), { name: 'org-refused' });
});

test('SFDX auth URLs are taken apart, with or without a secret', () => {
  assert.deepEqual(parseSfdxAuthUrl('force://PlatformCLI::5Aep861abc@acme.my.salesforce.com'), {
    clientId: 'PlatformCLI',
    clientSecret: undefined,
    refreshToken: '5Aep861abc',
    instanceUrl: 'https://acme.my.salesforce.com',
  });
  assert.equal(parseSfdxAuthUrl('force://id:secret:token@acme.my.salesforce.com\n').clientSecret, 'secret');
  for (const bad of ['force://id:token@host', 'https://acme.my.salesforce.com', '']) {
    assert.throws(() => parseSfdxAuthUrl(bad), { name: 'login-failed' });
  }
});

test('the sf CLI is asked for the token, whichever of its commands shows it', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const redacted = "[REDACTED] Use 'sf org auth show-access-token' to view";
  const sf = (display: string, shown: string | undefined) => async (args: readonly string[]) => {
    if (args[1] === 'display') {
      return JSON.stringify({ status: 0, result: { id: orgId, accessToken: display, instanceUrl: `${org.url}/` } });
    }
    assert.deepEqual(args, ['org', 'auth', 'show-access-token', '--target-org', 'prod', '--json']);
    if (shown === undefined) return JSON.stringify({ status: 1, name: 'CommandNotFound', message: 'not found' });
    return JSON.stringify({ status: 0, result: { accessToken: shown }, warnings: [] });
  };
  for (const run of [sf(redacted, token), sf(token, undefined)]) {
    const client = await connect(testContext(), { kind: 'sfAlias', alias: 'prod', run });
    assert.equal(client.identity.username, 'backup@example.com');
    await client.close();
  }
  const neither = { kind: 'sfAlias', alias: 'prod', run: sf(redacted, undefined) } as const;
  await assert.rejects(connect(testContext(), neither), { name: 'login-failed', message: /does not show/ });
  const unknown = {
    kind: 'sfAlias',
    alias: 'prod',
    run: async () => '{"status":1,"name":"NamedOrgNotFoundError"}',
  } as const;
  await assert.rejects(connect(testContext(), unknown), { name: 'login-failed', message: /does not know/ });
  const missing = async () => Promise.reject(Object.assign(new Error('spawn sf'), { code: 'ENOENT' }));
  await assert.rejects(connect(testContext(), { kind: 'sfAlias', alias: 'prod', run: missing }), {
    message: /not installed/,
  });
  await assert.rejects(connect(testContext(), { kind: 'sfAlias', alias: 'a; rm -rf /' }), { name: 'login-failed' });
});

test('a login in the browser uses PKCE, and only the answer with the right state counts', async () => {
  await using org = await ScriptedOrg.start();
  let challenge = '';
  org.on('POST', '/services/oauth2/token', (call, response) => {
    const { code, code_verifier, grant_type, redirect_uri } = form(call);
    assert.deepEqual([code, grant_type], ['the-code', 'authorization_code']);
    assert.match(redirect_uri!, /^http:\/\/localhost:\d+\/OauthRedirect$/);
    assert.equal(createHash('sha256').update(code_verifier!).digest('base64url'), challenge);
    json(response, 200, { ...granted(org), refresh_token: 'refresh-0' });
  });
  const statuses: number[] = [];
  const show = async (address: string) => {
    const url = new URL(address);
    assert.equal(url.origin, org.url);
    assert.equal(url.searchParams.get('code_challenge_method'), 'S256');
    challenge = url.searchParams.get('code_challenge')!;
    const back = url.searchParams.get('redirect_uri')!;
    const state = url.searchParams.get('state')!;
    for (const query of ['code=forged&state=guess', 'code=forged', `code=the-code&state=${state}`]) {
      statuses.push((await fetch(`${back}?${query}`)).status);
    }
  };
  const done = await authorizeInBrowser(testContext(), { clientId: 'id', loginUrl: org.url, port: 0, show });
  assert.equal(done.refreshToken, 'refresh-0');
  assert.equal(done.grant.orgId, orgId);
  assert.deepEqual(statuses, [400, 400, 200]);

  const deny = async (address: string) => {
    const url = new URL(address);
    const back = `${url.searchParams.get('redirect_uri')}?error=access_denied&state=${url.searchParams.get('state')}`;
    await fetch(back);
  };
  const denied = authorizeInBrowser(testContext(), { clientId: 'id', loginUrl: org.url, port: 0, show: deny });
  await assert.rejects(denied, { name: 'login-failed', message: /not approved/ });
});
