import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../src/practice-org/random.ts';
import { openStore } from '../../src/store/open.ts';
import { Rig } from '../support/rig.ts';
import { eventsIn, pointsIn, until } from '../support/runs.ts';

/** By REST, by Bulk and with files. */
const objects = ['CaseComment', 'Document', 'Folder', 'Group', 'Pricebook2', 'Product2', 'Profile', 'UserRole'];
const backup = ['backup', '--json', '--no-prompt', '--objects', objects.join()];

const kills = Math.ceil(Number(process.env.SALVOR_TEST_KILLS ?? 200) / 5);

test(`a backup that is killed with kill -9 at ${kills} moments leaves whole points and nothing else, and goes on each time`, {
  timeout: 600_000,
}, async () => {
  await using rig = await Rig.start();
  await rig.init();
  const store = await openStore(rig.vault);
  const random = new Random(20261124);
  let ended = 0;
  let killed = 0;
  let known = 0;
  while (killed < kills) {
    const events = path.join(rig.folder, `events-${killed}-${ended}.jsonl`);
    // The last quarter is of runs that read what changed: they tell less before they are over.
    const isFull = killed < 0.75 * kills;
    const moment = random.int(1, isFull ? 30 : 8);
    const { child, ended: end } = rig.start(...backup, ...(isFull ? ['--full'] : []), '--events', events);
    let over = false;
    void end.then(() => {
      over = true;
    });
    await until('enough was told', () => over || eventsIn(events).length >= moment);
    child.kill('SIGKILL');
    const { status, stdout } = await end;
    assert.ok(status === 0 || status === 137, stdout);
    if (status === 137) killed++;
    else ended++;
    const points = await pointsIn(rig, store);
    // killed behind its record: the point is there, though nobody was told
    const more = points.length - known;
    assert.ok(status === 0 ? more === 1 : more <= 1, `${more} points more`);
    known = points.length;
    for (const point of points) {
      assert.equal(point.status, 'complete');
      assert.equal(point.objects, objects.length);
    }
  }
  assert.equal((await rig.salvor(...backup)).status, 0);
  const verified = await rig.salvor('verify', '--all', '--json', '--no-attest');
  assert.equal(verified.status, 0, verified.stdout);
  assert.equal(verified.json.result.points.length, known + 1);
});
