import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, type TestOrg, testOrg } from './client.ts';
import { id, ids } from './small-database.ts';

interface Call {
  readonly headers?: string;
  readonly token?: string;
  readonly path?: string;
  readonly action?: string | undefined;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  /** The content of every element with this name, in order. */
  all(name: string): string[];
}

/** Calls the Partner API with this body. */
async function soap(t: TestOrg, body: string, call: Call = {}): Promise<Answered> {
  const { headers = '', token = t.org.accessToken, path = '/services/Soap/u/66.0', action = '""' } = call;
  const envelope = `<?xml version="1.0" encoding="UTF-8"?>
    <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <soapenv:Header xmlns="urn:partner.soap.sforce.com">
        <SessionHeader><sessionId>${token}</sessionId></SessionHeader>${headers}
      </soapenv:Header>
      <soapenv:Body xmlns="urn:partner.soap.sforce.com">${body}</soapenv:Body>
    </soapenv:Envelope>`;
  const response = await fetch(t.org.url + path, {
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=UTF-8', ...(action !== 'none' && { soapaction: action }) },
    body: envelope,
  });
  const text = await response.text();
  const all = (name: string) =>
    [...text.matchAll(new RegExp(`<${name}(?: [^>]*)?(?:/>|>(.*?)</${name}>)`, 'gs'))].map(
      ([, content]) => content ?? '',
    );
  return { status: response.status, text, all };
}

function idsOf(operation: string, ...list: string[]): string {
  return `<${operation}>${list.map((one) => `<ids>${one}</ids>`).join('')}</${operation}>`;
}

const allOrNone = '<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>';

test('undelete brings records back under their Ids, with results in the order asked for', async () => {
  await using t = await testOrg();
  await t.call(`${api}/sobjects/Account/${ids.acme}`, { method: 'DELETE' });
  const answer = await soap(t, idsOf('undelete', ids.acme, ids.globex, id('001', 77)));
  assert.equal(answer.status, 200);
  assert.equal(
    answer.text,
    '<?xml version="1.0" encoding="UTF-8"?>' +
      '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ' +
      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="urn:partner.soap.sforce.com" ' +
      'xmlns:sf="urn:sobject.partner.soap.sforce.com"><soapenv:Body><undeleteResponse>' +
      `<result><id>${ids.acme}</id><success>true</success></result>` +
      '<result><errors><message>Entity is not in the recycle bin</message><statusCode>UNDELETE_FAILED</statusCode></errors>' +
      '<id xsi:nil="true"/><success>false</success></result>' +
      '<result><errors><message>Entity is not in the recycle bin</message><statusCode>UNDELETE_FAILED</statusCode></errors>' +
      '<id xsi:nil="true"/><success>false</success></result>' +
      '</undeleteResponse></soapenv:Body></soapenv:Envelope>',
  );
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.acme}?fields=Name`)).json.Name, 'Acme');
  assert.equal(t.org.requests.counts.soap, 1);
  assert.equal(t.org.requests.calls, 3);
});

test('all or none holds for undelete too', async () => {
  await using t = await testOrg();
  const answer = await soap(t, idsOf('undelete', ids.binned, ids.acme), { headers: allOrNone });
  assert.deepEqual(answer.all('statusCode'), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'UNDELETE_FAILED']);
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.binned}`)).status, 404);
});

test('what is purged from the recycle bin does not come back', async () => {
  await using t = await testOrg();
  const emptied = await soap(t, idsOf('emptyRecycleBin', ids.binned, ids.acme));
  assert.deepEqual(
    [emptied.all('success'), emptied.all('id')],
    [
      ['true', 'false'],
      [ids.binned, ''],
    ],
  );
  assert.deepEqual((await soap(t, idsOf('undelete', ids.binned))).all('statusCode'), ['UNDELETE_FAILED']);
});

test('records are created, changed, cleared, upserted and deleted', async () => {
  await using t = await testOrg();
  const name = 'Jack &amp; Jill &lt;Ltd&gt;';
  const created = await soap(
    t,
    `<create><sObjects><type>Account</type><Name>${name}</Name><NumberOfEmployees>7</NumberOfEmployees></sObjects>
      <sObjects><type>Contact</type><LastName>L</LastName>
        <Account><type>Account</type><Code__c>A-1</Code__c></Account></sObjects></create>`,
  );
  assert.deepEqual(created.all('success'), ['true', 'true']);
  const [account, contact] = created.all('id');
  const record = async (fields: string) => (await t.call(`${api}/sobjects/Account/${account}?fields=${fields}`)).json;
  const before = await record('Name,NumberOfEmployees');
  assert.deepEqual([before.Name, before.NumberOfEmployees], ['Jack & Jill <Ltd>', 7]);
  assert.equal((await t.call(`${api}/sobjects/Contact/${contact}?fields=AccountId`)).json.AccountId, ids.acme);
  const updated = await soap(
    t,
    `<update><sObjects><type>Account</type><fieldsToNull>NumberOfEmployees</fieldsToNull><Id>${account}</Id>
      <Name>Jack</Name></sObjects></update>`,
  );
  assert.deepEqual(updated.all('success'), ['true']);
  const after = await record('Name,NumberOfEmployees');
  assert.deepEqual([after.Name, after.NumberOfEmployees], ['Jack', null]);
  const upserted = await soap(
    t,
    `<upsert><externalIDFieldName>Code__c</externalIDFieldName>
      <sObjects><type>Account</type><Code__c>A-1</Code__c><Name>Acme 2</Name></sObjects>
      <sObjects><type>Account</type><Code__c>new</Code__c><Name>New</Name></sObjects></upsert>`,
  );
  assert.deepEqual(upserted.all('created'), ['false', 'true']);
  assert.equal(upserted.all('id')[0], ids.acme);
  const deleted = await soap(t, idsOf('delete', account!, account!.slice(0, 15), 'x'));
  assert.deepEqual(deleted.all('success')[0], 'true');
  assert.equal(deleted.all('statusCode').at(-1), 'MALFORMED_ID');
});

test('headers ask for all or none and allow duplicates; those that it cannot heed are refused by name', async () => {
  const rule = { kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' } as const;
  await using t = await testOrg({ rules: [rule] });
  const create = (headers: string) =>
    soap(
      t,
      `<create><sObjects><type>Account</type><Name>New</Name></sObjects>
        <sObjects><type>Account</type><Name>Acme</Name></sObjects></create>`,
      { headers },
    );
  assert.deepEqual((await create(allOrNone)).all('statusCode'), [
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'DUPLICATES_DETECTED',
  ]);
  const allowSave = '<DuplicateRuleHeader><allowSave>true</allowSave></DuplicateRuleHeader>';
  const silent =
    '<DisableFeedTrackingHeader><disableFeedTracking>true</disableFeedTracking></DisableFeedTrackingHeader>';
  assert.deepEqual((await create(allowSave + silent)).all('success'), ['true', 'true']);
  const byRule = '<AssignmentRuleHeader><assignmentRuleId>01Q000000000001</assignmentRuleId></AssignmentRuleHeader>';
  assert.deepEqual((await create(byRule)).all('faultcode'), ['sf:PRACTICE_ORG_UNSUPPORTED']);
});

test('query and queryMore tell records with their type, parents and children', async () => {
  await using t = await testOrg({ queryPageSize: 2 });
  const query = (soql: string) => soap(t, `<query><queryString>${soql}</queryString></query>`);
  const first = await query('SELECT Id, Name, CreatedDate, Owner.Name, ParentId FROM Account ORDER BY Id');
  assert.deepEqual(
    [first.all('size'), first.all('done'), first.all('sf:Id'), first.all('sf:CreatedDate')[0]],
    [['3'], ['false'], [ids.acme, ids.globex], '2026-03-01T10:00:00.000Z'],
  );
  assert.equal(
    first.all('records')[0],
    `<sf:type>Account</sf:type><sf:Id>${ids.acme}</sf:Id><sf:Name>Acme</sf:Name>` +
      '<sf:CreatedDate>2026-03-01T10:00:00.000Z</sf:CreatedDate>' +
      '<sf:Owner xsi:type="sf:sObject"><sf:type>User</sf:type><sf:Name>Backup User</sf:Name></sf:Owner>' +
      '<sf:ParentId xsi:nil="true"/>',
  );
  const locator = first.all('queryLocator')[0];
  const second = await soap(t, `<queryMore><queryLocator>${locator}</queryLocator></queryMore>`);
  assert.deepEqual([second.all('done'), second.all('sf:Id')], [['true'], [ids.initech]]);
  const children = await query(`SELECT Id, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '${ids.acme}'`);
  assert.deepEqual(children.all('sf:LastName'), ['Person 1', 'Person 2']);
  const wrong = await query('SELECT Nope FROM Account');
  assert.deepEqual([wrong.status, wrong.all('faultcode')], [500, ['sf:INVALID_FIELD']]);
});

test('who is logged in, and what time it is', async () => {
  await using t = await testOrg({ clockSkew: 3_600_000 });
  const info = await soap(t, '<getUserInfo/>');
  assert.deepEqual([info.all('userId'), info.all('organizationId')], [[ids.backupUser], [ids.org]]);
  const [timestamp] = (await soap(t, '<getServerTimestamp/>')).all('timestamp');
  assert.equal(Math.round((Date.parse(timestamp!) - Date.now()) / 60_000), 60);
});

test('the Enterprise API names types by xsi:type', async () => {
  await using t = await testOrg();
  const path = '/services/Soap/c/66.0/0DF000000000001';
  const created = await soap(t, '<create><sObjects xsi:type="sf:Account"><Name>E</Name></sObjects></create>', { path });
  assert.deepEqual(created.all('success'), ['true']);
  const soql = '<query><queryString>SELECT Name FROM Account LIMIT 1</queryString></query>';
  assert.match((await soap(t, soql, { path })).text, /<records xsi:type="sf:Account"><sf:Name>Acme<\/sf:Name>/);
});

test('what is wrong with the call is a fault with HTTP 500', async () => {
  await using t = await testOrg({ newestVersion: 68 });
  const undelete = idsOf('undelete', ids.binned);
  const record = (content: string) => `<create><sObjects>${content}</sObjects></create>`;
  const cases: [body: string, call: Call, faultcode: string][] = [
    [undelete, { action: 'none' }, 'soapenv:Client'],
    [undelete, { token: 'dead' }, 'sf:INVALID_SESSION_ID'],
    [undelete, { path: '/services/Soap/u/99.0' }, 'sf:UNSUPPORTED_API_VERSION'],
    ['<undelete>', {}, 'soapenv:Client'],
    ['', {}, 'soapenv:Client'],
    ['<login><username>u</username><password>p</password></login>', {}, 'sf:PRACTICE_ORG_UNSUPPORTED'],
    ['<merge/>', {}, 'sf:PRACTICE_ORG_UNSUPPORTED'],
    [undelete, { headers: '<OwnerChangeOptions/>' }, 'sf:PRACTICE_ORG_UNSUPPORTED'],
    [idsOf('delete', ...Array(201).fill(ids.acme)), {}, 'sf:EXCEEDED_ID_LIMIT'],
    [record('<type>Nothing</type>'), {}, 'sf:INVALID_TYPE'],
    [record('<type>Account</type><Nope>1</Nope>'), {}, 'sf:INVALID_FIELD'],
  ];
  for (const [body, call, faultcode] of cases) {
    const answer = await soap(t, body, call);
    assert.deepEqual([answer.status, answer.all('faultcode')], [500, [faultcode]], body + JSON.stringify(call));
  }
  t.org.settings.soapActionNeeded = false;
  assert.equal((await soap(t, undelete, { action: 'none' })).status, 200);
});

test('a token that is a JWT is good for REST and, before API 68, not for SOAP', async () => {
  await using t = await testOrg({ accessTokens: 'jwt', newestVersion: 68 });
  assert.equal(t.org.accessToken.split('.').length, 3);
  assert.equal((await t.call(`${api}/limits`)).status, 200);
  const old = await soap(t, '<getUserInfo/>', { path: '/services/Soap/u/67.0' });
  assert.deepEqual([old.status, old.all('faultcode')], [500, ['sf:INVALID_SESSION_ID']]);
  assert.equal((await soap(t, '<getUserInfo/>', { path: '/services/Soap/u/68.0' })).status, 200);
});

test('faults of the menu come as SOAP faults, for one object when told so, and answers may be lost', async () => {
  await using t = await testOrg();
  t.org.failNext('soap', { name: '503-json' }, { object: 'Account' });
  assert.equal((await soap(t, idsOf('undelete', id('003', 1)))).status, 200);
  const refused = await soap(t, idsOf('undelete', ids.binned));
  assert.deepEqual([refused.status, refused.all('faultcode')], [500, ['sf:SERVER_UNAVAILABLE']]);
  t.org.failNext('soap', { name: 'row-lock', rows: 1 });
  assert.deepEqual((await soap(t, idsOf('undelete', ids.binned))).all('statusCode'), ['UNABLE_TO_LOCK_ROW']);
  t.org.failNext('soap', { name: 'commit-then-drop' });
  await assert.rejects(soap(t, idsOf('undelete', ids.binned)));
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.binned}`)).status, 200);
  t.org.failNext('soap', { name: 'session-expired' });
  assert.deepEqual((await soap(t, '<getUserInfo/>')).all('faultcode'), ['sf:INVALID_SESSION_ID']);
  assert.equal((await t.call(`${api}/limits`)).status, 401);
});
