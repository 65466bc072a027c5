import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import { differences, type Snapshot } from '../support/org-snapshot.ts';
import { Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

/** Kills that have to hit a running process: each takes one to two seconds on an idle machine, with its share of damage and comparison. */
const kills = Number(process.env.SALVOR_TEST_KILLS ?? 200);
const contactsOfAccount = 5;

interface Family {
  readonly gone: string;
  readonly binned: string;
  readonly spoiled: string;
}

describe('a restore that is killed with kill -9', () => {
  let rig: Rig;
  let restores: Restores;
  let families: Family[];
  let asBackedUp: string;

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 5, Contact: 5 } }) });
    // Most of a run that is killed early is the start of the program.
    rig.env.NODE_COMPILE_CACHE = path.join(rig.folder, 'compiled');
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      const numbers = Array.from({ length: Math.ceil(kills / 2) + 1 }, (_, n) => n);
      const make = (what: string, more = {}) =>
        org.create(
          'Account',
          numbers.map((n) => ({ Name: `${what} ${n}`, ...more })),
        );
      const [gone, binned, spoiled] = [await make('gone'), await make('binned'), await make('spoiled', { Phone: '1' })];
      await org.create(
        'Account',
        gone.map((ParentId, n) => ({ Name: `child ${n}`, ParentId })),
      );
      await org.create(
        'Contact',
        [...gone, ...binned].flatMap((AccountId) =>
          Array.from({ length: contactsOfAccount }, (_, n) => ({ LastName: `${n} of ${AccountId}`, AccountId })),
        ),
      );
      families = numbers.map((n) => ({ gone: gone[n]!, binned: binned[n]!, spoiled: spoiled[n]! }));
    });
    asBackedUp = path.join(rig.folder, 'as-backed-up');
    await cp(rig.vault, asBackedUp, { recursive: true });
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Purges an account with its contacts, which blanks the parent of another, deletes one with its contacts, and overwrites a field. */
  async function damage(): Promise<readonly string[]> {
    const { gone, binned, spoiled } = families.shift()!;
    await restores.org.delete([gone, binned]);
    await restores.org.emptyRecycleBin([gone]);
    await restores.org.update('Account', [{ Id: spoiled, Phone: '2' }]);
    const ids = [gone, binned, spoiled].join();
    return ['restore', 'before', '--ids', ids, '--overwrite', '--json', '--no-prompt', '--quiet'];
  }

  /** Runs a restore and kills it `later` milliseconds behind its `moment`th request; its exit code, 137 when the kill came in time. */
  async function killed(args: readonly string[], moment: number, later: number): Promise<number> {
    const { child, ended } = rig.start(...args);
    const { entries } = rig.org.requests;
    let seen = 0;
    entries.push = (...added) => {
      seen += added.length;
      if (seen >= moment) setTimeout(() => child.kill('SIGKILL'), later);
      return Array.prototype.push.apply(entries, added);
    };
    const { status, stdout } = await ended;
    Reflect.deleteProperty(entries, 'push');
    assert.ok(status === 0 || status === 137, stdout);
    return status;
  }

  /** Where rows stand that were made anew: found by their names, which are all different, and not by what the program says. */
  function madeAnew(whole: Snapshot, now: Snapshot): Map<string, string> {
    const found = new Map<string, string>();
    for (const [object, rows] of whole.rows) {
      const there = now.rows.get(object)!;
      const byName = new Map([...there.values()].map(({ Id, Name }) => [Name, String(Id)]));
      for (const [id, { Name }] of rows) if (!there.has(id) && byName.has(Name!)) found.set(id, byName.get(Name!)!);
    }
    return found;
  }

  test(`at ${kills} moments makes no row twice and loses none, each time`, { timeout: 1_800_000 }, async () => {
    const random = new Random(20261125);
    let inTime = 0;
    let rounds = 0;
    /** Requests of a restore that nobody kills, which the first is. */
    let most: number | undefined;
    while (inTime < kills) {
      // The vault as it was after the backup: what lies there of restores before does not slow down those that follow.
      await rm(rig.vault, { recursive: true });
      await cp(asBackedUp, rig.vault, { recursive: true });
      const whole = await restores.before();
      const args = await damage();
      rig.org.requests.clear();
      let range = most;
      const moment = () => (range === undefined ? Number.POSITIVE_INFINITY : random.int(1, range));
      while ((await killed(args, moment(), random.int(0, 40))) === 137) {
        inTime += 1;
        // One that goes on has no plan to make.
        range = Math.ceil(most! / 2);
      }
      most ??= rig.org.requests.entries.length;
      const now = await restores.before();
      const ids = madeAnew(whole, now);
      assert.equal(ids.size, 1 + contactsOfAccount);
      assert.deepEqual(differences(whole, now, ids), [], `after ${inTime} kills`);
      rounds += 1;
    }
    assert.ok(inTime >= kills);
    assert.ok(rounds > kills / 20, 'most restores were killed several times and came to their end');
  });
});
