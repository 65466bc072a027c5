import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { Snapshot } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

describe('one field of 10,000 contacts that a bad import overwrote, 300 of them corrected by hand since', () => {
  let rig: Rig;
  let restores: Restores;
  let whole: Snapshot;
  /** Ids of contacts. */
  let imported: string[];
  let corrected: string[];

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Contact: 10_200 } }) });
    restores = await Restores.start(rig, ['Contact', 'Account']);
    whole = await restores.before();
    imported = [...whole.rows.get('Contact')!.keys()].slice(0, 10_000);
    corrected = imported.filter((_, n) => n % 33 === 7).slice(0, 300);
    assert.deepEqual([imported.length, corrected.length], [10_000, 300]);
    await restores.org.update(
      'Contact',
      imported.map((Id) => ({ Id, Title: 'IMPORTED' })),
    );
    await restores.backup('damage');
    await restores.org.update(
      'Contact',
      corrected.map((Id, n) => ({ Id, Title: `By hand ${n}` })),
    );
  });
  after(() => rig[Symbol.asyncDispose]());

  test('comes back with --after the point that shows it, and what was corrected is kept and listed', async () => {
    const restored = await restores.restore(whole, 'before', '--after', 'damage', '--write-nulls');
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 3, restored.ran.stderr);
    const { result, name } = restored.ran.json;
    assert.equal(name, 'rows-kept');
    assert.equal(result.done.Contact.updated, 9_700);
    const conflicts = result.conflicts as { object: string; id: string; fields: string[] }[];
    assert.deepEqual(conflicts.map(({ id }) => id).sort(), corrected.toSorted());
    for (const { object, fields } of conflicts) assert.deepEqual([object, fields], ['Contact', ['Title']]);
  });

  test('comes back in all of them with --overwrite', async () => {
    const restored = await restores.restore(whole, 'before', '--objects', 'Contact', '--overwrite', '--write-nulls');
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Contact.updated, 300);
    assert.deepEqual(restored.ran.json.result.conflicts, []);
  });
});
