import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { connect } from '../../src/salesforce/connect.ts';
import { json, noWaits, ScriptedOrg, testContext, token, userId } from './scripted-org.ts';

const path = '/services/Soap/u/67.0';
const ids = ['001000000000001AAA', '001000000000002AAA', '001000000000003AAA'];

/** The access tokens that the org gives, one after the other. */
const sessions = ['first', 'second'].map((name) => `00D000000000001!AQ0AQCanaryCanaryCanary.${name}`);

async function rig(accessToken = token) {
  const org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/services/oauth2/token', (call, response) =>
    json(response, 200, {
      access_token: sessions[call.before],
      instance_url: org.url,
      id: `${org.url}/id/00D000000000001EAA/${userId}`,
    }),
  );
  const ctx = testContext();
  const login =
    accessToken === token
      ? ({ kind: 'refresh', clientId: 'id', refreshToken: '5AepRefresh', instanceUrl: org.url } as const)
      : ({ kind: 'token', accessToken, instanceUrl: org.url } as const);
  const client = await connect(ctx, login, { ...noWaits(), timeouts: { headers: 500, body: 500 } });
  return {
    org,
    client,
    ctx,
    async [Symbol.asyncDispose]() {
      await client.close();
      await org[Symbol.asyncDispose]();
    },
  };
}

const xml = (response: ServerResponse, status: number, body: string) =>
  void response
    .writeHead(status, { 'content-type': 'text/xml; charset=UTF-8' })
    .end(
      `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ` +
        `xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`,
    );
const fault = (code: string, message: string) =>
  `<soapenv:Fault><faultcode>sf:${code}</faultcode><faultstring>${code}: ${message}</faultstring></soapenv:Fault>`;
const results =
  `<undeleteResponse><result><id>${ids[0]}</id><success>true</success></result>` +
  `<result><errors xsi:type="Error"><extendedErrorDetails xsi:nil="true"/><fields>Name</fields><fields>Key__c</fields>` +
  `<message>duplicate &lt;value&gt; &amp; more: &#xFC;&#10;here</message><statusCode>DUPLICATE_VALUE</statusCode></errors>` +
  `<id>${ids[1]}</id><success>false</success></result>` +
  `<result><errors><message>Entity is not in the recycle bin</message><statusCode>UNDELETE_FAILED</statusCode></errors>` +
  `<id xsi:nil="true"/><success>false</success></result></undeleteResponse>`;

test('rows come back by SOAP, in the order of their Ids, each with its own errors', async () => {
  await using at = await rig();
  at.org.on('POST', path, (_call, response) => xml(response, 200, results));
  assert.deepEqual(await at.client.writer.undelete(ids), [
    { id: ids[0], errors: [] },
    {
      id: ids[1],
      errors: [{ code: 'DUPLICATE_VALUE', message: 'duplicate <value> & more: ü\nhere', fields: ['Name', 'Key__c'] }],
    },
    { errors: [{ code: 'UNDELETE_FAILED', message: 'Entity is not in the recycle bin', fields: [] }] },
  ]);
  const [call] = at.org.callsTo(path);
  assert.equal(call!.headers.soapaction, '""');
  assert.match(call!.headers['content-type']!, /^text\/xml/);
  assert.match(call!.body, /<AllOrNoneHeader><allOrNone>false<\/allOrNone><\/AllOrNoneHeader>/);
  assert.ok(call!.body.includes(`<undelete>${ids.map((id) => `<ids>${id}</ids>`).join('')}</undelete>`));
});

test('a session that SOAP calls invalid is renewed, and the new one is in the body', async () => {
  await using at = await rig();
  at.org.on('POST', path, (call, response) =>
    call.before === 0
      ? xml(response, 500, fault('INVALID_SESSION_ID', 'Invalid Session ID found in SessionHeader'))
      : xml(response, 200, results),
  );
  assert.equal((await at.client.writer.undelete(ids)).length, 3);
  const sent = at.org.callsTo(path).map(({ body }) => /<sessionId>(.*)<\/sessionId>/.exec(body)![1]);
  assert.deepEqual(sent, sessions);
});

test('a SOAP fault is the reason of the refusal, and shows no token', async () => {
  await using at = await rig();
  at.org.on('POST', path, (call, response) =>
    xml(
      response,
      500,
      fault('INVALID_TYPE', `no &lt;such&gt; thing for ${/<sessionId>(.*)<\/sessionId>/.exec(call.body)![1]}`),
    ),
  );
  const error = await at.client.writer.undelete(ids).catch((caught: unknown) => caught);
  assert.match(
    inspect(error),
    /INVALID_TYPE: no <such> thing for \[token\]|INVALID_TYPE: no <such> thing for \[secret\]/,
  );
  assert.doesNotMatch(inspect({ error, events: at.ctx.events }, { depth: 20, showHidden: true }), /Canary/);
});

test('an answer that is lost, is a web page or has too few results makes it ask again', async () => {
  await using at = await rig();
  at.org.on('POST', path, (call, response) => {
    if (call.before === 0) response.destroy();
    else if (call.before === 1) response.writeHead(200).end('<html>login</html>');
    else if (call.before === 2) xml(response, 200, '<undeleteResponse></undeleteResponse>');
    else xml(response, 200, results);
  });
  assert.equal((await at.client.writer.undelete(ids)).length, 3);
  assert.equal(at.org.callsTo(path).length, 4);
});

test('a token in JWT format is not sent to SOAP: the fault says what to switch', async () => {
  await using at = await rig('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJDYW5hcnkifQ.c2lnbmF0dXJl');
  const before = at.client.apiCalls;
  const error = (await at.client.writer.undelete(ids).catch((caught: unknown) => caught)) as {
    name: string;
    actions: string[];
  };
  assert.equal(error.name, 'permission-missing');
  assert.match(error.actions[0]!, /Issue JSON Web Token \(JWT\)-based access tokens/);
  assert.equal(at.org.callsTo(path).length, 0);
  assert.equal(at.client.apiCalls, before);
});
