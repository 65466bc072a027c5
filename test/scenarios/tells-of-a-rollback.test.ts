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
