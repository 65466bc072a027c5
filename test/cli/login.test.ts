import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { CommandContext } from '../../src/cli/command.ts';
import { chooseLogin } from '../../src/cli/login.ts';
import { Fault } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { run, salvor, testFolder } from './run.ts';

const folder = testFolder();
let org: PracticeOrg;
before(async () => {
  org = await startPracticeOrg(sampleDatabase(), { refreshTokenRotation: true });
});
after(() => org.close());

function file(name: string, text: string): string {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  chmodSync(at, 0o600);
  return at;
}

async function login(args: string[], env: Record<string, string> = {}) {
  const all = ['login', '--store', 'file', '--json', ...args];
  const ran = await run(salvor, all, { cwd: folder, env: { XDG_CONFIG_HOME: folder, APPDATA: folder, ...env } });
  return { status: ran.status, document: JSON.parse(ran.stdout), stderr: ran.stderr };
}

/** As a command sees it: `argv` names flags that stand on the command line. */
function context(given: {
  targetOrg?: string;
  argv?: string[];
  environment?: Record<string, string>;
  config?: Partial<CommandContext['config']>;
}) {
  const events: Event[] = [];
  const environment = { XDG_CONFIG_HOME: folder, APPDATA: folder, SALVOR_NO_KEYCHAIN: '1', ...given.environment };
  const ctx = {
    global: { targetOrg: given.targetOrg },
    commandLine: new Set(given.argv ?? []),
    config: { file: undefined, orgs: {}, copies: [], allowedRegions: undefined, values: {}, ...given.config },
    environment,
    report: (event: Event) => events.push(event),
  } as unknown as CommandContext;
  return { ctx, events };
}

async function faultOf(ctx: CommandContext): Promise<Fault> {
  const error = await chooseLogin(ctx).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Fault);
  return error;
}

test('without any login the fault says how to get one', async () => {
  const fault = await faultOf(context({ environment: { XDG_CONFIG_HOME: path.join(folder, 'none') } }).ctx);
  assert.equal(fault.name, 'no-login');
  assert.match(fault.actions[0]!, /salvor login/);
});

test('client credentials: the login is proven, kept under its alias, and found again', async () => {
  const { status, document } = await login(
    ['--alias', 'nightly', '--client-id', org.clientId, '--instance-url', org.url],
    {
      SALVOR_CLIENT_SECRET: org.clientSecret,
    },
  );
  assert.equal(status, 0);
  const { stored, ...result } = document.result;
  assert.deepEqual(result, {
    alias: 'nightly',
    orgId: org.facts.organizationId,
    organizationName: 'Practice Org',
    username: org.facts.username,
    instanceUrl: org.url,
    isSandbox: true,
    apiVersion: '67.0',
    kind: 'clientCredentials',
  });
  if (process.platform !== 'win32') assert.equal(statSync(stored).mode & 0o777, 0o600);
  assert.doesNotMatch(JSON.stringify(document), new RegExp(org.clientSecret));
  const { login: found } = await chooseLogin(context({ targetOrg: 'nightly', argv: ['target-org'] }).ctx);
  assert.deepEqual(found, {
    kind: 'clientCredentials',
    clientId: org.clientId,
    clientSecret: org.clientSecret,
    instanceUrl: org.url,
  });
  const { login: only } = await chooseLogin(context({}).ctx);
  assert.deepEqual(only, found, 'the only stored login needs no name');
});

test('JWT bearer: the key is read from its file', async () => {
  const key = file('server.key', org.jwtPrivateKeyPem);
  const flags = ['--client-id', org.clientId, '--jwt-key-file', key, '--username', org.facts.username];
  const { status, document } = await login([...flags, '--instance-url', org.url, '--alias', 'jwt']);
  assert.equal(status, 0, document.message);
  assert.equal(document.result.kind, 'jwt');
  const lacking = await login(['--jwt-key-file', key]);
  assert.equal(lacking.status, 68);
  assert.equal(lacking.document.message, 'a login by JWT lacks --client-id and --username');
});

test('an SFDX auth URL: a refresh token that the org replaces at the login is kept', async () => {
  // the scheme, which such a URL has not by itself, since https is all that others speak
  const text = file('auth-url', `force://${org.clientId}::${org.refreshToken}@${org.url}`);
  const { status, document } = await login(['--sfdx-url-file', text, '--alias', 'sfdx']);
  assert.equal(status, 0, document.message);
  const kept = JSON.parse(readFileSync(document.result.stored, 'utf8')).login;
  assert.equal(kept.kind, 'refresh');
  assert.notEqual(kept.refreshToken, org.refreshToken);
});

test('a replaced refresh token of a stored login takes its place', async () => {
  const stored = path.join(folder, 'salvor/logins/web.json');
  const login = { kind: 'refresh', clientId: 'c', refreshToken: 'first', loginUrl: org.url };
  writeFileSync(stored, JSON.stringify({ v: 1, alias: 'web', orgId: 'o', username: 'u', login }));
  const { onRotate } = await chooseLogin(context({ targetOrg: 'web' }).ctx);
  await onRotate?.('second');
  assert.equal(JSON.parse(readFileSync(stored, 'utf8')).login.refreshToken, 'second');
});

test('a wrong secret is a failed login, and nothing is kept', async () => {
  const flags = ['--alias', 'wrong', '--client-id', org.clientId, '--instance-url', org.url];
  const { status, document, stderr } = await login(flags, { SALVOR_CLIENT_SECRET: 'DEADBEEFDEADBEEF' });
  assert.equal(status, 68);
  assert.equal(document.name, 'login-failed');
  assert.doesNotMatch(JSON.stringify(document) + stderr, /DEADBEEF/);
  const { ctx } = context({ targetOrg: 'wrong', argv: ['target-org'] });
  assert.deepEqual((await chooseLogin(ctx)).login, { kind: 'sfAlias', alias: 'wrong' });
});

test('the environment wins over the config file, and -o on the command line over both', async () => {
  const environment = { SF_ACCESS_TOKEN: '00Dtoken', SF_ORG_INSTANCE_URL: org.url };
  const config = {
    orgs: { prod: { login: { clientId: 'c', clientSecretFile: file('secret', 'shh\n'), instanceUrl: 'i' } } },
  };
  const token = { kind: 'token', accessToken: '00Dtoken', instanceUrl: org.url };
  const prod = { kind: 'clientCredentials', clientId: 'c', clientSecret: 'shh', instanceUrl: 'i' };
  assert.deepEqual((await chooseLogin(context({ targetOrg: 'prod', environment, config }).ctx)).login, token);
  const named = context({ targetOrg: 'prod', argv: ['target-org'], environment, config });
  assert.deepEqual((await chooseLogin(named.ctx)).login, prod);
  assert.deepEqual((await chooseLogin(context({ targetOrg: 'prod', config }).ctx)).login, prod);
});

test('of the environment, a token comes first, then the SFDX auth URL, then the app', async () => {
  const app = { SALVOR_CLIENT_ID: 'c', SALVOR_CLIENT_SECRET: 's', SALVOR_INSTANCE_URL: 'i' };
  const sfdx = { SFDX_AUTH_URL: 'force://c::r@h' };
  const kind = async (environment: Record<string, string>) =>
    (await chooseLogin(context({ environment }).ctx)).login.kind;
  assert.equal(await kind({ ...app, ...sfdx, SF_ACCESS_TOKEN: 't', SF_ORG_INSTANCE_URL: 'i' }), 'token');
  assert.equal(await kind({ ...app, ...sfdx }), 'sfdxAuthUrl');
  assert.equal(await kind(app), 'clientCredentials');
  const half = await faultOf(context({ environment: { SF_ACCESS_TOKEN: 't' } }).ctx);
  assert.match(half.message, /SF_ORG_INSTANCE_URL is not/);
});

test('a login from the environment that the org uses up is told', async () => {
  const { ctx, events } = context({ environment: { SFDX_AUTH_URL: 'force://c::r@h' } });
  await (await chooseLogin(ctx)).onRotate?.('next');
  assert.equal(events.length, 1);
  assert.equal(events[0]!.type, 'warning');
  assert.doesNotMatch(JSON.stringify(events), /next/);
});

test('several stored logins want a name', async () => {
  const fault = await faultOf(context({}).ctx);
  assert.match(fault.message, /\d stored logins and none is named/);
  assert.match(fault.actions[0]!, /--target-org: .*nightly/);
});

test('a stored login that was damaged is not shown', async () => {
  writeFileSync(path.join(folder, 'salvor/logins/broken.json'), '{"login": {"refreshToken": "5Aep861secret"');
  const fault = await faultOf(context({ targetOrg: 'broken' }).ctx);
  assert.equal(fault.name, 'login-failed');
  assert.doesNotMatch(JSON.stringify([fault.message, fault.cause]), /5Aep861/);
});

test('a web login opens an address, takes the answer on this machine, and keeps the refresh token', async () => {
  let opened: Promise<unknown> | undefined;
  const args = ['login', '--store', 'file', '--json', '--alias', 'browser', '--client-id', org.clientId];
  const ran = await run(salvor, [...args, '--instance-url', org.url], {
    cwd: folder,
    env: { XDG_CONFIG_HOME: folder, APPDATA: folder },
    meanwhile: (child) =>
      child.stderr!.on('data', (chunk) => {
        const address = /http\S+authorize\S+/.exec(String(chunk))?.[0];
        if (address) opened ??= fetch(address);
      }),
  });
  await opened;
  assert.equal(ran.status, 0, ran.stderr);
  const { result } = JSON.parse(ran.stdout);
  assert.equal(result.kind, 'refresh');
  const kept = JSON.parse(readFileSync(result.stored, 'utf8')).login;
  assert.equal(kept.clientId, org.clientId);
  assert.match(kept.refreshToken, /^5Aep/);
});
