import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Rig } from '../support/rig.ts';

let rig: Rig;
before(async () => {
  rig = await Rig.start({ env: { SALVOR_ACTOR: 'ann@example.com' } });
  await rig.init();
  assert.equal((await rig.salvor('backup', '--objects', 'RecordType')).status, 0);
});
after(() => rig[Symbol.asyncDispose]());

interface Listed {
  readonly what?: string;
  readonly who?: string;
  readonly objects?: readonly string[];
  readonly point?: string;
  readonly to?: string;
}

test('who reads rows or uses keys stands in the signed log, encrypted, and report lists it', async () => {
  const { SALVOR_WRITER_KEY_FILE: _, ...onlyIdentity } = rig.env;
  assert.equal((await rig.salvor('show', 'latest', '--json')).status, 0);
  assert.equal((await rig.salvor('show', 'latest', 'RecordType', '--json')).status, 0);
  assert.equal((await rig.salvor('export', 'latest', '--to', 'out.zip', '--json')).status, 0);
  const words = ['Partner', '--objects', 'RecordType', '--json'];
  assert.equal((await rig.salvor('find', ...words)).status, 0);
  assert.equal((await rig.salvor('find', ...words, '--with-values')).status, 0);
  const diff = await rig.salvor('diff', 'latest', '--objects', 'RecordType', '--with-values', '--json');
  assert.equal(diff.status, 0);
  const withWriter = rig.env;
  rig.env = onlyIdentity;
  assert.equal((await rig.salvor('keys', 'kit', '--out', 'kit.txt', '--json')).status, 0);
  const { json } = await rig.salvor('report', '--access', '--json');
  const listed: (Listed & { signer: string })[] = json.result.access;
  assert.deepEqual(
    listed.map(({ what, who, objects, signer }) => [what, who, objects?.join(), signer]),
    [
      ['keys kit', 'ann@example.com', undefined, 'admin-1'],
      ['diff', 'ann@example.com', 'RecordType', 'writer-1'],
      ['find', 'ann@example.com', 'RecordType', 'writer-1'],
      ['export', 'ann@example.com', 'RecordType', 'writer-1'],
      ['show', 'ann@example.com', 'RecordType', 'writer-1'],
    ],
  );
  assert.deepEqual([listed[1]!.point, listed[1]!.to], [diff.json.result.from, 'live']);
  const later = await rig.salvor('report', '--access', '--since', '2100-01-01', '--json');
  assert.deepEqual(later.json.result.access, []);
  const { SALVOR_IDENTITY_FILE: __, ...noKey } = withWriter;
  rig.env = noKey;
  const blind: Listed[] = (await rig.salvor('report', '--access', '--json')).json.result.access;
  assert.deepEqual([blind.length, blind[0]!.what], [5, undefined]);
  rig.env = withWriter;
  for (const name of readdirSync(path.join(rig.vault, 'log')))
    assert.doesNotMatch(readFileSync(path.join(rig.vault, 'log', name), 'utf8'), /RecordType|ann@|show/);
  const verified = await rig.salvor('verify', '--no-attest', '--json');
  assert.equal(verified.status, 0, verified.stdout);
});

test('a record that was taken out of the log is told by the report, with what is left', async () => {
  const before = (await rig.salvor('report', '--access', '--json')).json.result.access;
  const { seq } = before[1].record;
  const file = path.join(rig.vault, 'log', String(seq).padStart(20, '0'));
  const record = readFileSync(file);
  rmSync(file);
  const ran = await rig.salvor('report', '--access', '--json');
  writeFileSync(file, record);
  assert.deepEqual([ran.status, ran.json.name], [4, 'chain-broken'], ran.stdout);
  assert.deepEqual(
    ran.json.result.access,
    before.filter((one: { record: { seq: number } }) => one.record.seq !== seq),
  );
});

test('a vault that takes no record is a warning, and refused where the config asks for the record', async () => {
  const folder = path.join(rig.vault, 'access');
  const aside = path.join(rig.folder, 'aside');
  renameSync(folder, aside);
  writeFileSync(folder, '');
  const shown = await rig.salvor('show', 'latest', 'RecordType', '--json');
  assert.equal(shown.status, 0);
  assert.equal(shown.json.warnings.filter(({ name }: { name: string }) => name === 'access-not-logged').length, 1);
  writeFileSync(path.join(rig.folder, 'salvor.config.json'), '{"accessLog": "required"}');
  for (const command of [
    ['show', 'latest', 'RecordType'],
    ['diff', 'latest..latest', '--with-values'],
    ['find', 'anything', '--objects', 'RecordType', '--with-values'],
    ['export', 'latest', '--to', 'no.zip'],
  ]) {
    const refused = await rig.salvor(...command, '--json');
    assert.deepEqual([refused.status, refused.json.name], [5, 'access-not-logged']);
    assert.equal(refused.json.result, undefined);
  }
  assert.equal(existsSync(path.join(rig.folder, 'no.zip')), false);
  rmSync(folder);
  renameSync(aside, folder);
});
