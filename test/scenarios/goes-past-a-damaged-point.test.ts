import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';

interface Warning {
  name: string;
  message: string;
}

/** The list of a point, and its table of contents. */
const parts = [/^refs\./, /^root\./] as const;

for (const part of parts) {
  describe(`when the newest of three points is damaged in ${part.source}`, () => {
    test('`latest`, tags and the next point go past it, say so, and lose no deletion', async () => {
      await using rig = await started();
      const org = new OrgRequests(rig.org);
      const first = await pointOf(rig, '--tag', 'oldest');
      const second = await pointOf(rig);
      const [lead, another] = (await org.query('SELECT Id FROM Lead LIMIT 2')).map(({ Id }) => String(Id));
      await org.delete([lead!]);
      const third = await pointOf(rig);
      assert.equal(deletedIn(third), 1);
      await damage(rig, third.id, part);

      const passed = [{ name: 'digest-mismatch', message: new RegExp(`^point ${third.id} is passed over: points/`) }];
      const good = await rig.salvor('show', 'latest', '--json');
      assert.deepEqual([good.status, good.json.result.point.id], [0, second.id], good.stdout);
      assertWarned(good, passed);
      const tagged = await rig.salvor('show', 'oldest', '--json');
      assert.deepEqual([tagged.status, tagged.json.result.point.id], [0, first.id]);
      assertWarned(tagged, passed);
      // Both names go past it, and it is told once.
      const between = await rig.salvor('diff', 'latest~1..latest', '--json');
      assert.deepEqual([between.status, between.json.result.from, between.json.result.to], [0, first.id, second.id]);
      assertWarned(between, passed);
      const restored = await rig.salvor('restore', 'latest', '--objects', 'Lead', '--dry-run', '--json');
      assert.deepEqual([restored.status, restored.json.result.plan.point], [0, second.id], restored.stdout);
      for (const name of ['latest!', third.id]) {
        const refused = await rig.salvor('show', name, '--json');
        assert.deepEqual([refused.status, refused.json.name], [4, 'digest-mismatch']);
      }
      // A time stands for the damaged point and no other; what to do names the good one before.
      for (const command of [['show'], ['restore', '--objects', 'Lead', '--dry-run']]) {
        const refused = await rig.salvor(...command, '2999-12-31', '--json');
        assert.deepEqual([refused.status, refused.json.name], [4, 'digest-mismatch'], refused.stdout);
        assert.match(refused.json.actions[0], new RegExp(`^name ${second.id}, the newest good point before it`));
      }
      const looked = await rig.salvor('verify', '2999-12-31', '--json', '--no-attest');
      assert.deepEqual([looked.status, looked.json.result.points[0].id], [4, third.id], looked.stdout);
      const unknown = await rig.salvor('show', 'nowhere', '--json');
      assert.deepEqual([unknown.status, unknown.json.name], [2, 'no-such-point']);
      assert.match(unknown.json.message, /nowhere; 1 point does not read$/);

      await org.delete([another!]);
      const ran = await backup(rig);
      assert.equal(ran.status, 0, ran.stdout);
      const { point } = ran.json.result;
      assert.deepEqual([point.kind, deletedIn(point)], ['incremental', 2]);
      assertWarned(ran, [{ name: 'digest-mismatch', message: new RegExp(`^point ${third.id} cannot be built on: `) }]);
      const since = await rig.salvor('diff', `${second.id}..latest`, '--records', '--json');
      const gone = since.json.result.records.filter(({ object }: { object: string }) => object === 'Lead');
      assert.deepEqual(gone.map(({ id, change }: { id: string; change: string }) => [id, change]).sort(), [
        ...[lead!, another!].sort().map((id) => [id, 'deleted']),
      ]);
      const live = await rig.salvor('diff', 'latest', '--compare', 'full', '--json');
      assert.deepEqual(live.json.result.objects, []);
      const verified = await rig.salvor('verify', point.id, '--json', '--no-attest');
      const rungs: { problems: { key: string }[] }[] = verified.json.result.points[0].rungs;
      const broken = rungs.flatMap(({ problems }) => problems).filter(({ key }) => !key.includes(third.id));
      assert.deepEqual(broken, []);
    });
  });
}

test('when no point of the vault reads, the next one is whole and says that nothing proves whose vault it is', async () => {
  await using rig = await started();
  const points = [await pointOf(rig), await pointOf(rig)];
  for (const { id } of points) await damage(rig, id, parts[1]);
  // That there are too few would say less.
  const named = await rig.salvor('show', 'latest', '--json');
  assert.deepEqual([named.status, named.json.name], [4, 'digest-mismatch']);
  const ran = await backup(rig);
  assert.deepEqual([ran.status, ran.json.result.point.kind], [0, 'full'], ran.stdout);
  assertWarned(ran, [
    { name: 'org-unproven', message: /^every point of the vault is damaged/ },
    ...points.map(({ id }) => ({ name: 'digest-mismatch', message: new RegExp(`^point ${id} cannot be built on`) })),
  ]);
  const next = await backup(rig);
  assert.deepEqual([next.json.result.point.kind, next.json.warnings], ['incremental', []]);
});

test('a vault whose newest point is damaged still refuses another org', async () => {
  await using rig = await started();
  await pointOf(rig);
  const { id } = await pointOf(rig);
  await damage(rig, id, parts[0]);
  await using other = await Rig.start({ database: ofAnotherOrg(sampleDatabase({ scale: { Lead: 2 } })) });
  other.env = { ...rig.env, SF_ACCESS_TOKEN: other.org.accessToken, SF_ORG_INSTANCE_URL: other.org.url };
  const ran = await backup(other);
  assert.deepEqual([ran.status, ran.json.name], [5, 'foreign-vault'], ran.stdout);
});

async function started(): Promise<Rig> {
  const rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 20, Lead: 20 } }) });
  await rig.init();
  return rig;
}

function backup(rig: Rig, ...args: string[]): Promise<Ran> {
  return rig.salvor('backup', '--objects', 'Account,Lead', '--json', ...args);
}

async function pointOf(rig: Rig, ...args: string[]): Promise<{ id: string; objects: Told[] }> {
  const ran = await backup(rig, ...args);
  assert.equal(ran.status, 0, ran.stdout);
  return ran.json.result.point;
}

interface Told {
  object: string;
  deleted: number;
}

function deletedIn({ objects }: { objects: Told[] }): number | undefined {
  return objects.find(({ object }) => object === 'Lead')?.deleted;
}

async function damage(rig: Rig, point: string, part: RegExp): Promise<void> {
  const folder = path.join(rig.vault, 'points', point);
  const [name] = (await readdir(folder)).filter((one) => part.test(one));
  const file = path.join(folder, name!);
  const bytes = await readFile(file);
  bytes[30]! ^= 1;
  await writeFile(file, bytes);
}

function assertWarned({ json }: Ran, expected: readonly { name: string; message: RegExp }[]): void {
  const warnings: Warning[] = json.warnings;
  assert.deepEqual(
    warnings.map(({ name }) => name).sort(),
    expected.map(({ name }) => name).sort(),
    JSON.stringify(warnings),
  );
  for (const { message } of expected)
    assert.ok(
      warnings.some((one) => message.test(one.message)),
      `${message} ${JSON.stringify(warnings)}`,
    );
}
