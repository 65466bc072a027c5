import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Fault, type FaultName } from '../../src/errors.ts';
import { Http } from '../../src/salesforce/http.ts';
import type { ApiBudget } from '../../src/salesforce/org.ts';
import { type Grant, Session } from '../../src/salesforce/session.ts';
import { Usage } from '../../src/salesforce/usage.ts';
import { json, noWaits, ScriptedOrg, testContext, token } from './scripted-org.ts';

interface Rig {
  http: Http;
  ctx: ReturnType<typeof testContext>;
  waits: number[];
  get(path?: string): Promise<unknown>;
}

function rig(
  org: ScriptedOrg,
  options: { renew?: () => Promise<Grant>; budget?: ApiBudget; signal?: AbortSignal } = {},
): Rig {
  const ctx = testContext(options.signal);
  const { waits, wait } = noWaits();
  const http = new Http(ctx, { usage: new Usage(ctx, options.budget), wait, timeouts: { headers: 1000, body: 1000 } });
  http.use(new Session({ accessToken: token, instanceUrl: org.url }, options.renew));
  return {
    http,
    ctx,
    waits,
    get: (path = '/x') => http.json({ what: 'the thing', url: `/services/data/v67.0${path}` }),
  };
}

/** Answers `first` so many times, then well. */
async function afterTrouble(times: number, first: (response: ServerResponse) => void) {
  const org = await ScriptedOrg.start();
  org.on('GET', '/x', (call, response) => {
    if (call.before < times) first(response);
    else json(response, 200, { ok: true });
  });
  return org;
}

const html = (status: number) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>We are setting things up</html>');
const empty = (status: number) => (response: ServerResponse) => void response.writeHead(status).end();
const refused = (status: number, errorCode: string, message: string) => (response: ServerResponse) =>
  json(response, status, [{ errorCode, message }]);
const cut = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': '500' }).write('{"half":');
  setTimeout(() => response.destroy(), 20);
};

const passing: [string, (response: ServerResponse) => void, number][] = [
  ['a 406 with an empty body', empty(406), 7],
  ['a 420 with a web page', html(420), 2],
  ['a 429', empty(429), 7],
  ['a 500 without a code', html(500), 7],
  ['a 500 with a code', refused(500, 'UNKNOWN_EXCEPTION', 'An unexpected error occurred.'), 2],
  ['a 502', html(502), 7],
  ['a 503 with a web page', html(503), 7],
  ['a 503 as JSON', refused(503, 'SERVER_UNAVAILABLE', 'busy'), 7],
  ['a web page instead of data', html(200), 7],
  ['nothing instead of data', empty(200), 7],
  ['JSON that ends too early', (response) => void response.writeHead(200).end('{"half":'), 7],
  ['a connection that breaks off', (response) => void response.destroy(), 7],
  ['a body that breaks off', cut, 7],
  [
    'a gzip body that ends too early',
    (response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"ok":"lost"}').subarray(0, 20)),
    7,
  ],
  [
    'too many concurrent requests',
    refused(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.'),
    7,
  ],
];

for (const [what, trouble, most] of passing) {
  test(`${what} is tried again ${most} times, and no more`, async () => {
    await using org = await afterTrouble(most, trouble);
    const { http, ctx, get } = rig(org);
    assert.deepEqual(await get(), { ok: true });
    assert.equal(ctx.events.filter(({ type }) => type === 'retry').length, most);
    await http.close();

    await using worse = await afterTrouble(most + 1, trouble);
    const second = rig(worse);
    await assert.rejects(second.get(), Fault);
    assert.equal(worse.callsTo('/x').length, most + 1);
    await second.http.close();
  });
}

const final: [string, (response: ServerResponse) => void, FaultName][] = [
  ['400 MALFORMED_QUERY', refused(400, 'MALFORMED_QUERY', 'unexpected token'), 'object-refused'],
  ['404 NOT_FOUND', refused(404, 'NOT_FOUND', 'The requested resource does not exist'), 'object-refused'],
  ['403 API_DISABLED_FOR_ORG', refused(403, 'API_DISABLED_FOR_ORG', 'API is not enabled'), 'org-refused'],
  ['403 of the daily limit', refused(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'), 'api-budget'],
  ['410', empty(410), 'org-refused'],
  ['414', html(414), 'object-refused'],
  [
    'a redirect',
    (response) => void response.writeHead(302, { location: 'https://elsewhere.example' }).end(),
    'org-unreachable',
  ],
  [
    '401 that no new token would cure',
    refused(401, 'INVALID_SESSION_ID', 'This session is not valid for use with the REST API'),
    'session-expired',
  ],
];

for (const [what, trouble, name] of final) {
  test(`${what} is not tried again: ${name}`, async () => {
    await using org = await afterTrouble(5, trouble);
    let renewals = 0;
    const renew = async () => {
      renewals++;
      return { accessToken: 'other', instanceUrl: org.url };
    };
    const { http, get } = rig(org, { renew });
    await assert.rejects(get(), { name });
    assert.equal(org.callsTo('/x').length, 1);
    assert.equal(renewals, 0);
    await http.close();
  });
}

test('concurrent limits wait from half a minute on, and Retry-After is obeyed', async () => {
  await using org = await afterTrouble(
    1,
    refused(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.'),
  );
  const one = rig(org);
  await one.get();
  assert.ok(one.waits[0]! >= 22_500 && one.waits[0]! <= 37_500, String(one.waits));
  await one.http.close();

  await using polite = await afterTrouble(1, (response) => void response.writeHead(503, { 'retry-after': '7' }).end());
  const two = rig(polite);
  await two.get();
  assert.deepEqual(two.waits, [7000]);
  await two.http.close();
});

test('an answer that never begins ends in a time-out and is tried again', async () => {
  await using org = await afterTrouble(1, () => {});
  const { http, ctx, get } = rig(org);
  assert.deepEqual(await get(), { ok: true });
  assert.equal(ctx.events.filter(({ type }) => type === 'retry').length, 1);
  await http.close();
});

test('a body that drips on for ever ends at the deadline and is tried again', async () => {
  await using org = await ScriptedOrg.start();
  org.on('GET', '/x', (call, response) => {
    if (call.before > 0) return json(response, 200, { ok: true });
    response.writeHead(200);
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  });
  const { http, ctx } = rig(org);
  const request = { what: 'the thing', url: '/services/data/v67.0/x', deadlineMs: 200 };
  assert.deepEqual(await http.json(request), { ok: true });
  assert.equal(ctx.events.filter(({ type }) => type === 'retry').length, 1);
  await http.close();
});

test('an expired session is renewed once for all requests that wait for it', async () => {
  await using org = await ScriptedOrg.start();
  org.on('GET', '/x', (call, response) => {
    if (call.headers.authorization === 'Bearer fresh-token') json(response, 200, { ok: true });
    else json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }]);
  });
  let renewals = 0;
  const renew = async () => {
    renewals++;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { accessToken: 'fresh-token', instanceUrl: org.url };
  };
  const { http, get } = rig(org, { renew });
  await Promise.all(Array.from({ length: 10 }, () => get()));
  assert.equal(renewals, 1);
  assert.ok(org.calls.length <= 20);
  await http.close();
});

test('a token that is refused however often it is renewed ends the run after few requests', async () => {
  await using org = await ScriptedOrg.start();
  org.on('GET', '/x', (_call, response) =>
    json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }]),
  );
  let renewals = 0;
  const renew = async () => ({ accessToken: `fresh-${++renewals}`, instanceUrl: org.url });
  const { http, get } = rig(org, { renew });
  await assert.rejects(get(), { name: 'session-expired' });
  await assert.rejects(get(), { name: 'session-expired' });
  assert.equal(renewals, 2);
  assert.ok(org.calls.length <= 4, `${org.calls.length} requests`);
  await http.close();
});

test('a login that gives the refused token again ends at once', async () => {
  await using org = await ScriptedOrg.start();
  org.on('GET', '/x', (_call, response) =>
    json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'expired' }]),
  );
  const { http, get } = rig(org, { renew: async () => ({ accessToken: token, instanceUrl: org.url }) });
  await assert.rejects(get(), { name: 'session-expired' });
  assert.equal(org.calls.length, 1);
  await http.close();
});

test('the API budget stops before the request that would pass it, and both forms of the limit header are read', async () => {
  await using org = await ScriptedOrg.start();
  let used = 78;
  org.on('GET', '/x', (_call, response) => {
    used++;
    const header = `api-usage=${used}/100; per-app-api-usage=17/250(appName=sample-connected-app)`;
    json(response, 200, {}, { 'sforce-limit-info': header });
  });
  const { http, get } = rig(org, { budget: { maxPercent: 80 } });
  await get();
  assert.deepEqual(http.usage.newest, { used: 79, max: 100 });
  await get();
  await assert.rejects(get(), { name: 'api-budget' });
  assert.equal(org.calls.length, 2);
  assert.equal(http.usage.own, 2);
  await http.close();

  const few = rig(org, { budget: { maxPercent: 100, maxCalls: 1 } });
  await few.get();
  await assert.rejects(few.get(), {
    name: 'api-budget',
    actions: ['run again: it goes on where it stopped; or raise --max-api-calls'],
  });
  await few.http.close();
});

test('the clock is that of the org', async () => {
  await using org = await ScriptedOrg.start();
  org.on('GET', '/x', (_call, response) => json(response, 200, {}, { date: 'Tue, 05 May 2037 10:00:00 GMT' }));
  const { http, get } = rig(org);
  assert.equal(http.clock, undefined);
  await get();
  assert.equal(http.clock!.date.toISOString(), '2037-05-05T10:00:00.000Z');
  await http.close();
});

test('no token stands in a fault, its cause, its stack or an event', async () => {
  await using org = await ScriptedOrg.start();
  const renewed = '00D000000000001!RenewedCanary';
  org.on('GET', '/x', (call, response) => {
    const message = `echo ${call.headers.authorization} and ${token} and force://id:secret:5AepCanary@host`;
    json(response, call.before === 0 ? 503 : call.before === 1 ? 401 : 400, [
      { errorCode: call.before === 1 ? 'INVALID_SESSION_ID' : 'ECHO', message },
    ]);
  });
  const { http, ctx, get } = rig(org, { renew: async () => ({ accessToken: renewed, instanceUrl: org.url }) });
  const fault = await get().catch((error: unknown) => error);
  const shown =
    inspect({ fault, events: ctx.events, http }, { depth: 20, showHidden: true }) + JSON.stringify(ctx.events);
  assert.match(shown, /object-refused/);
  assert.doesNotMatch(shown, /Canary|secret:/);
  await http.close();
});

test('a certificate that nobody trusts is not tried again, and the advice names NODE_EXTRA_CA_CERTS', async () => {
  const { faultOf, Refusal } = await import('../../src/salesforce/faults.ts');
  const { retryRule } = await import('../../src/salesforce/retry.ts');
  const refusal = new Refusal(0, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate');
  assert.equal(retryRule(refusal), undefined);
  const fault = faultOf(refusal, 'the thing');
  assert.equal(fault.name, 'org-unreachable');
  assert.match(fault.actions[0]!, /NODE_EXTRA_CA_CERTS/);
});

test('an abort ends a request that hangs, with the reason of the signal, and leaves no connection', async () => {
  await using org = await ScriptedOrg.start();
  const controller = new AbortController();
  const began = Promise.withResolvers<void>();
  org.on('GET', '/x', () => began.resolve());
  const { http, get } = rig(org, { signal: controller.signal });
  const going = get();
  await began.promise;
  controller.abort(new Fault('time-budget', 'The time is over.'));
  await assert.rejects(going, { name: 'time-budget' });
  await http.close();
  for (const socket of org.sockets) await once(socket, 'close');
  assert.equal(org.sockets.size, 0);
});

test('a token is never sent to another host', async () => {
  await using org = await ScriptedOrg.start();
  const { http } = rig(org);
  await assert.rejects(http.json({ what: 'x', url: 'https://elsewhere.example/' }), TypeError);
  await http.close();
});
