import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { mailServer, webhookServer } from '../support/listeners.ts';
import { Rig } from '../support/rig.ts';

test('those whom the config names are told how a backup ended, and no secret is printed', async () => {
  await using rig = await Rig.start({ database: sampleDatabase({ scale: { Campaign: 10 } }) });
  await using hook = await webhookServer();
  await using broken = await webhookServer(500);
  await using mail = await mailServer();
  await rig.init();
  const url = `${hook.url}/services/hook-secret`;
  const notify = [
    { kind: 'webhook', urlEnv: 'HOOK_URL' },
    { kind: 'webhook', urlFile: 'slack.url', format: 'slack', on: ['success', 'partial'] },
    { kind: 'webhook', urlEnv: 'BROKEN_URL', on: ['success'] },
    { kind: 'webhook', urlEnv: 'NOT_SET', on: ['success'] },
    {
      kind: 'email',
      host: '127.0.0.1',
      port: mail.port,
      user: 'salvor',
      passwordEnv: 'SMTP_PASSWORD',
      from: 'salvor@example.com',
      to: ['ops@example.com'],
    },
    { kind: 'heartbeat', urlEnv: 'BEAT_URL' },
  ];
  writeFileSync(path.join(rig.folder, 'salvor.config.json'), JSON.stringify({ notify }));
  writeFileSync(path.join(rig.folder, 'slack.url'), `${url}/slack\n`, { mode: 0o600 });
  Object.assign(rig.env, {
    HOOK_URL: `${url}/json`,
    BEAT_URL: `${url}/beat`,
    BROKEN_URL: `${broken.url}/broken-secret`,
    SMTP_PASSWORD: 'mail-secret',
  });
  const heard = () => hook.heard.splice(0).sort((a, b) => (a.url < b.url ? -1 : 1));

  const good = await rig.salvor('backup', '--json', '--objects', 'Campaign');
  assert.equal(good.status, 0, good.stdout);
  const told = heard();
  assert.deepEqual(
    told.map(({ method, url }) => `${method} ${url}`),
    ['GET /services/hook-secret/beat', 'POST /services/hook-secret/slack'],
  );
  assert.match(JSON.parse(told[1]!.body).text, /^salvor backup: success\n.*\npoint \d{8}T/);
  assert.deepEqual(
    good.json.warnings
      .map(({ message }: { message: string }) => message)
      .filter((one: string) => /told/.test(one))
      .sort(),
    [
      `nobody was told by webhook: ${new URL(broken.url).host} answered 500`,
      'nobody was told by webhook: there is no URL in NOT_SET',
    ],
  );
  assert.deepEqual(mail.mails, []);

  const { permissions } = rig.org.settings;
  rig.org.settings.permissions = { ...permissions, viewAllData: false };
  const partial = await rig.salvor('backup', '--objects', 'Campaign');
  rig.org.settings.permissions = permissions;
  assert.equal(partial.status, 3);
  const [json, slack] = heard();
  const { time, tool, point, message, ...rest } = JSON.parse(json!.body);
  assert.deepEqual([rest.occasion, rest.command, rest.status, rest.name], ['partial', 'backup', 3, 'object-failed']);
  assert.match(message, /^the point is partial: Campaign \(/);
  assert.ok(Date.parse(time) > 0 && /^salvor /.test(tool) && /^\d{8}T/.test(point));
  assert.match(slack!.url, /slack$/);
  assert.equal(mail.mails.length, 1);
  assert.match(mail.mails[0]!, /^Subject: salvor backup: partial$/m);
  assert.match(mail.mails[0]!, /^To: ops@example.com$/m);
  assert.deepEqual(mail.logins, ['\0salvor\0mail-secret']);

  rig.env.SF_ACCESS_TOKEN = 'no-session';
  const failed = await rig.salvor('backup', '--objects', 'Campaign');
  assert.equal(failed.status, 68);
  assert.deepEqual(
    heard().map(({ body }) => JSON.parse(body).occasion),
    ['failure'],
  );
  assert.equal(mail.mails.length, 2);
  for (const { stdout, stderr } of [good, partial, failed])
    assert.doesNotMatch(stdout + stderr, /hook-secret|broken-secret|mail-secret/);
});

test('a watch tells each point, and what keeps it from taking one only once', async () => {
  await using rig = await Rig.start({
    database: sampleDatabase({ scale: { Campaign: 10 } }),
    settings: { dailyRequests: 100_000_000 },
  });
  await using hook = await webhookServer();
  await rig.init();
  const notify = [
    { kind: 'webhook', urlEnv: 'HOOK_URL' },
    { kind: 'heartbeat', urlEnv: 'BEAT_URL', method: 'POST' },
  ];
  writeFileSync(path.join(rig.folder, 'salvor.config.json'), JSON.stringify({ notify }));
  Object.assign(rig.env, { HOOK_URL: `${hook.url}/json`, BEAT_URL: `${hook.url}/beat` });
  rig.org.failNext('describeGlobal', { name: '403-daily-limit' }, { times: 2 });
  const ran = await rig.salvor('watch', '--json', '--every', '1s', '--points', '2', '--objects', 'Campaign');
  assert.equal(ran.status, 0, ran.stdout);
  assert.equal(ran.json.result.missed, 2);
  assert.deepEqual(
    hook.heard.map(({ method, url, body }) => `${method} ${url} ${body && JSON.parse(body).name}`),
    ['POST /json api-budget', 'POST /beat ', 'POST /beat '],
  );
});
