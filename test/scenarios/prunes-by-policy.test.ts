import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { runProgram } from '../support/program.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'salvor-prune-'));
after(() => rm(folder, { recursive: true, force: true }));

test('prune, keep and hold as a person and as a job with its own key', async () => {
  const place = path.join(folder, 'vault');
  const days = ['2025-11-01', '2025-11-02', '2025-11-03', '2025-11-04', '2025-11-05', '2025-11-06'];
  const vault = await AgedVault.of(await openStore(place), []);
  for (const [n, day] of days.entries()) await vault.add(day, n === 0 ? { root: { tags: ['audit'] } } : {});
  const identity = path.join(folder, 'identity.key');
  await writeFile(identity, `${vault.keys.identity}\n`, { mode: 0o600 });
  const env = { SALVOR_VAULT: place, SALVOR_ROOT_FINGERPRINT: vault.keys.rootFingerprint };
  const person = (...args: string[]) => runProgram(folder, { ...env, SALVOR_IDENTITY_FILE: identity }, ...args);
  const dry = await person('prune', '--keep-last', '5');
  assert.match(dry.stdout, new RegExp(`${vault.points[0]} .*retired +no rule keeps it`));
  assert.match(dry.stdout, /5 points kept, 1 would be retired/);

  assert.equal((await person('hold')).status, 0);
  const [held, exported, without] = [
    await person('prune', '--keep-last', '5', '--confirm-prune', '--json'),
    await person('keys', 'export-admin', '--json'),
    await runProgram(folder, env, 'prune', '--keep-last', '5', '--confirm-prune', '--json'),
  ];
  assert.deepEqual(
    [held.status, held.json.name, without.status, without.json.name],
    [5, 'prune-held', 68, 'no-admin-key'],
  );

  // A job that has nothing but its key: of points from before it was made it knows too little to retire them.
  const job = (...args: string[]) =>
    runProgram(folder, { ...env, SALVOR_ADMIN_KEY_FILE: exported.json.result.adminKeyFile }, ...args);
  assert.equal((await job('hold', '--release')).stdout.trim(), 'pruning goes on');
  const byJob = await job('prune', '--keep-last', '5', '--confirm-prune', '--json');
  assert.deepEqual([byJob.status, byJob.json.result.points[0].status, byJob.json.result.inGrace], [0, 'closed', []]);

  const retired = await person('prune', '--keep-last', '5', '--confirm-prune', '--json');
  assert.deepEqual([retired.status, retired.json.result.deleted.objects], [0, 0]);
  const [listed, shown] = [await person('list-points'), await person('show', vault.points[0]!, '--json')];
  assert.match(listed.stdout, new RegExp(`${vault.points[0]} .*complete, retired until `));
  assert.deepEqual([shown.status, shown.json.name], [2, 'no-such-point']);
  assert.match(shown.json.actions[0], /salvor keep/);

  // The tag of a retired point names it where no other point has it.
  const named = await person('keep', 'audit', '--json');
  assert.deepEqual([named.json.result.point, named.json.result.revived], [vault.points[0], true], named.stdout);
  assert.match((await person('keep', 'audit', '--release')).stdout, / {2}no longer pinned$/m);
  assert.match((await person('keep', 'audit', '--release')).stdout, / {2}was not pinned$/m);
  assert.equal((await person('prune', '--keep-last', '5', '--confirm-prune')).status, 0);
  const kept = await job('keep', vault.points[0]!, '--until', '2099-01-01');
  assert.match(kept.stdout, /pinned until 2099-01-01T00:00:00.000Z, and back in use/);
  assert.equal((await job('keep', vault.points[0]!, '--release', '--json')).json.result.pinned, false);
  const done = await person('prune', '--keep-last', '5', '--grace', '0d', '--confirm-prune', '--json');
  assert.ok(done.json.result.deleted.objects > 0);
  const verified = await person('verify', '--all', '--json');
  assert.deepEqual([verified.status, verified.json.result.points.length], [0, 5]);
});
