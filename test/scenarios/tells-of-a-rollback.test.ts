import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { Rig } from '../support/rig.ts';

test('a vault that was put back from an old copy is told of however it grows, until somebody says that it is right', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const backup = () => rig.salvor('backup', '--objects', 'RecordType', '--json');
  const warnings = (ran: { json: { warnings: { name: string }[] } }) => ran.json.warnings.map(({ name }) => name);
  await backup();
  const old = `${rig.vault}.old`;
  cpSync(rig.vault, old, { recursive: true });
  const { seq } = (await backup()).json.result.head;
  rmSync(rig.vault, { recursive: true });
  cpSync(old, rig.vault, { recursive: true });

  const heads: { seq: number; digest: string }[] = [];
  for (let times = 0; times < 3; times++) {
    const ran = await backup();
    assert.deepEqual([ran.status, warnings(ran).filter((name) => name === 'head-mismatch').length], [0, 1], ran.stdout);
    heads.push(ran.json.result.head);
  }
  const [, inTheMiddle, head] = heads as [unknown, (typeof heads)[0], (typeof heads)[0]];
  assert.equal(head.seq, seq + 2);
  const prune = () => rig.salvor('prune', '--keep-last', '9', '--confirm-prune', '--json');
  const refused = await prune();
  assert.deepEqual([refused.status, refused.json.name], [4, 'head-mismatch'], refused.stdout);
  assert.equal((await rig.salvor('verify', '--no-attest', '--json')).status, 4);

  // A head that is not the end of the log says nothing about what came behind it.
  const part = await rig.salvor('verify', '--expect-head', `${inTheMiddle.seq}:${inTheMiddle.digest}`, '--no-attest');
  assert.equal(part.status, 0, part.stdout);
  assert.equal((await prune()).status, 4);

  const said = await rig.salvor('verify', '--expect-head', `${head.seq}:${head.digest}`, '--no-attest', '--json');
  assert.equal(said.status, 0, said.stdout);
  const after = await backup();
  assert.ok(!warnings(after).includes('head-mismatch'), after.stdout);
  assert.equal((await prune()).status, 0);
});

test('a hole in the log is told by whatever reads the vault', async () => {
  await using rig = await Rig.start();
  await rig.init();
  const backup = () => rig.salvor('backup', '--objects', 'RecordType', '--json');
  const [first, second] = [await backup(), await backup()].map(({ json }) => json.result);
  await backup();
  rmSync(`${rig.vault}/log/${String(second.head.seq).padStart(20, '0')}`);
  const [id] = (await rig.salvor('show', 'latest', 'RecordType', '--json')).json.result.rows;
  for (const args of [
    ['show', 'latest'],
    ['diff', `${first.point.id}..latest`],
    ['find', id.Id],
    ['restore', 'latest', '--objects', 'RecordType', '--dry-run'],
    ['export', 'latest', '--objects', 'RecordType', '--to', 'out.zip'],
    ['keys', 'test', '--no-attest'],
    ['compact'],
    ['backup', '--objects', 'RecordType'],
  ]) {
    const { status, json, stdout } = await rig.salvor(...args, '--json');
    const told = json.warnings.filter(({ name }: { name: string }) => name === 'chain-broken');
    assert.equal(status, 0, stdout);
    assert.ok(told.length >= 1, `${args[0]}: ${stdout}`);
    assert.match(told[0].message, /is missing though later records exist; `salvor verify` tells more$/);
  }
  assert.equal((await rig.salvor('verify', '--no-attest', '--json')).status, 4);
  assert.equal((await rig.salvor('prune', '--keep-last', '9', '--confirm-prune', '--json')).status, 4);
});
