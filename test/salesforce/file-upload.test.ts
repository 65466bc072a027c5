import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/errors.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { FileContent } from '../../src/salesforce/writing.ts';
import { json, noWaits, ScriptedOrg, testContext, token, userId } from './scripted-org.ts';

async function rig() {
  const org = await ScriptedOrg.startWithIdentity();
  for (const name of ['ContentVersion', 'Attachment']) {
    const describe = { name, fields: [{ name: 'IsPrivate', type: 'boolean' }], childRelationships: [] };
    org.on('GET', `/sobjects/${name}/describe`, (_call, response) => json(response, 200, describe));
  }
  org.on('POST', '/services/oauth2/token', (call, response) =>
    json(response, 200, {
      access_token: `${token}${call.before}`,
      instance_url: org.url,
      id: `${org.url}/id/00D000000000001EAA/${userId}`,
    }),
  );
  const login = { kind: 'refresh', clientId: 'id', refreshToken: '5AepRefresh', instanceUrl: org.url } as const;
  const client = await connect(testContext(), login, { ...noWaits(), timeouts: { headers: 500, body: 500 } });
  return {
    org,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await org[Symbol.asyncDispose]();
    },
  };
}

/** Bytes of `text` in pieces, and how often they were asked for. */
function content(text: string, size = text.length): FileContent & { opened: number } {
  return {
    name: 'a "b".txt',
    size,
    opened: 0,
    async *open() {
      this.opened++;
      for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7));
    },
  };
}

const made = { id: '068000000000001AAA', success: true, errors: [] };
const text = 'The quick brown fox\r\njumps over the lazy dog\n';

test('a file goes out in one multipart request: the record first, then its bytes, with the length in front', async () => {
  await using at = await rig();
  at.org.on('POST', '/sobjects/ContentVersion', (_call, response) => json(response, 201, made));
  const written = await at.client.writer.insertFile(
    'ContentVersion',
    { Title: 'Fox', IsPrivate: 'false' },
    'VersionData',
    content(text),
  );
  assert.deepEqual(written, { id: made.id, errors: [] });
  const [call] = at.org.callsTo('/sobjects/ContentVersion').filter(({ method }) => method === 'POST');
  const boundary = /^multipart\/form-data; boundary="(.+)"$/.exec(call!.headers['content-type']!)![1];
  assert.equal(
    call!.body,
    `--${boundary}\r\nContent-Disposition: form-data; name="entity_content"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n` +
      `{"Title":"Fox","IsPrivate":false}\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="VersionData"; filename="a %22b%22.txt"\r\n` +
      `Content-Type: application/octet-stream\r\n\r\n${text}\r\n--${boundary}--\r\n`,
  );
  assert.equal(call!.headers['content-length'], String(Buffer.byteLength(call!.body)));
  assert.equal(call!.headers['sforce-auto-assign'], 'FALSE');
});

test('what the org says against the file is the error of its row', async () => {
  await using at = await rig();
  const refusal = {
    message: 'Required fields are missing: [Name]',
    errorCode: 'REQUIRED_FIELD_MISSING',
    fields: ['Name'],
  };
  at.org.on('POST', '/sobjects/Attachment', (_call, response) => json(response, 400, [refusal]));
  assert.deepEqual(await at.client.writer.insertFile('Attachment', { ParentId: '001' }, 'Body', content('x')), {
    errors: [{ code: 'REQUIRED_FIELD_MISSING', message: refusal.message, fields: ['Name'] }],
  });
  const [call] = at.org.callsTo('/sobjects/Attachment').filter(({ method }) => method === 'POST');
  assert.match(call!.body, /name="entity_attachment"/);
});

test('an expired session takes the bytes again, a lost answer does not', async () => {
  await using at = await rig();
  const file = content(text);
  at.org.on('POST', '/sobjects/ContentVersion', (call, response) =>
    call.before === 0
      ? json(response, 401, [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }])
      : call.before === 1
        ? json(response, 201, made)
        : void response.destroy(),
  );
  const insert = () => at.client.writer.insertFile('ContentVersion', { Title: 'Fox' }, 'VersionData', file);
  assert.equal((await insert()).id, made.id);
  assert.equal(file.opened, 2);
  await assert.rejects(insert(), { name: 'answer-lost' });
  assert.equal(file.opened, 3);
});

test('bytes that fail, are too few or too many never make a whole request', async () => {
  await using at = await rig();
  at.org.on('POST', '/sobjects/ContentVersion', (_call, response) => json(response, 201, made));
  const insert = (file: FileContent) =>
    at.client.writer.insertFile('ContentVersion', { Title: 'x' }, 'VersionData', file);
  await assert.rejects(insert(content(text, text.length + 1)), { name: 'size-mismatch' });
  await assert.rejects(insert(content(text, text.length - 1)), { name: 'size-mismatch' });
  const broken = new Fault('digest-mismatch', 'The bytes are not those that were written.');
  const failing: FileContent = {
    name: 'x',
    size: 100,
    async *open() {
      yield Buffer.from('so far');
      throw broken;
    },
  };
  await assert.rejects(insert(failing), (error) => error === broken);
  const system: FileContent = {
    name: 'x',
    size: 100,
    // biome-ignore lint/correctness/useYield: it fails before its first byte
    async *open() {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
  };
  await assert.rejects(insert(system), { code: 'ENOENT' });
  assert.equal(at.org.calls.filter(({ method, path }) => method === 'POST' && path.includes('sobjects')).length, 0);
});
