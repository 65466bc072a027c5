import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, type PointFacts } from '../../../src/operations/prune/decide.ts';
import type { Policy } from '../../../src/operations/prune/policy.ts';

const now = new Date('2026-11-30T12:00:00Z');
const day = 86_400_000;

const all = new Set(['Account', 'Case', 'Contact']);
/** Of a watch of one object. */
const narrow = { objects: new Set(['Account']), leftOut: new Set(['Case', 'Contact']), coverage: 30 };

/** A point of so many days ago, which is its id. */
function point(ago: number, more: Partial<PointFacts> = {}): PointFacts {
  return {
    id: String(ago),
    ended: new Date(now.getTime() - ago * day).toISOString(),
    status: 'complete',
    suspect: false,
    acknowledged: false,
    quarantined: false,
    coverage: 100,
    objects: all,
    leftOut: new Set(),
    orgId: '00D000000000001AAA',
    verified: false,
    pinned: false,
    ...more,
  };
}

/** Ids that stay, newest first. `points` as the log has them: oldest first. */
function kept(points: readonly PointFacts[], policy: Policy, min = 0): string[] {
  return decide(points, policy, min, now)
    .filter(({ keep }) => keep.length > 0)
    .map(({ id }) => id);
}
const agos = (...days: number[]) => days.map((ago) => point(ago));

test('rule 2: without a policy everything stays', () => {
  assert.deepEqual(kept(agos(900, 500, 2), {}), ['2', '500', '900']);
  assert.deepEqual(decide(agos(3), { daily: 0 }, 3, now)[0]!.keep.slice(0, 1), ['no policy']);
});

test('any moment of the window stays recoverable: the newest point before it stays', () => {
  const points = agos(50, 41, 36, 34, 20, 1);
  assert.deepEqual(kept(points, { window: 35 * day }), ['1', '20', '34', '36']);
  assert.deepEqual(decide(points, { window: 35 * day }, 0, now)[3]!.keep, ['last before the window']);
  // Backups that stopped long ago lose nothing more.
  assert.deepEqual(kept(agos(460, 420, 400), { window: 35 * day }), ['400', '420', '460']);
});

test('a point stays when any rule keeps it, and the reasons say which', () => {
  const decisions = decide(agos(40, 10, 3, 2, 1), { last: 1, daily: 2, monthly: 2 }, 0, now);
  assert.deepEqual(
    decisions.map(({ id, keep }) => [id, keep]),
    [
      ['1', ['last', 'daily', 'monthly', 'newest', 'newest complete', 'newest of full coverage']],
      ['2', ['daily']],
      ['3', []],
      ['10', []],
      ['40', ['monthly']],
    ],
  );
});

test('rule 3: the newest point, the newest verified one and the newest of full coverage stay', () => {
  const points = [
    point(9, { verified: true }),
    point(8),
    point(7),
    point(6, { coverage: 80 }),
    point(5, { coverage: 80 }),
  ];
  const partial = point(1, { status: 'partial', coverage: 80 });
  assert.deepEqual(kept([...points, partial], { yearly: 0, last: 1 }), ['1', '5', '7', '9']);
});

test('a point of a few objects takes the place of none that holds others: of each period the newest of each object stays', () => {
  const nights = [3.4, 2.4, 1.4].map((ago) => point(ago));
  const watched = [3.2, 3.1, 2.2, 2.1, 1.2, 1.1].map((ago) => point(ago, narrow));
  const points = [...nights, ...watched].sort((a, b) => Number(b.id) - Number(a.id));
  assert.deepEqual(kept(points, { daily: 2 }), ['1.1', '1.4', '2.1', '2.4']);
  // Also where the count goes by points: what the newest of all leaves out has its newest.
  assert.deepEqual(kept(points, { last: 1 }), ['1.1', '1.4']);
  // An object that is no longer there is no reason to keep a point beyond its periods.
  const gone = { objects: new Set([...all, 'Old__c']) };
  assert.deepEqual(kept([point(9.1, gone), point(8, gone), ...nights], { daily: 3 }), ['1.4', '2.4', '3.4']);
});

test('a point before the window stays for each object that is in the window, until another holds it', () => {
  const points = [
    point(12, { objects: new Set([...all, 'Old__c']) }),
    point(11),
    point(10.5, narrow),
    point(5, narrow),
    point(4),
  ];
  assert.deepEqual(kept(points, { window: 5 * day }), ['4', '5', '10.5', '11']);
});

test('two watches that share the objects out: the newest of either stays', () => {
  const other = { objects: new Set(['Case', 'Contact']), leftOut: new Set(['Account']), coverage: 60 };
  assert.deepEqual(kept([point(4, other), point(3, narrow), point(2, other), point(1, narrow)], { last: 1 }), [
    '1',
    '2',
  ]);
});

test('rule 4: so many points stay, whatever the policy says; complete ones first', () => {
  assert.deepEqual(kept(agos(5, 4, 3, 2, 1), { last: 1 }, 3), ['1', '2', '3']);
  const mixed = [point(5), point(4), point(3, { status: 'partial' }), point(2, { status: 'partial' }), point(1)];
  assert.deepEqual(kept(mixed, { last: 1 }, 3), ['1', '2', '4', '5']);
});

test('rule 5: partial points are counted by themselves and push out no complete one', () => {
  const partials = [1, 2, 3, 4].map((ago) => point(ago, { status: 'partial' }));
  const complete = agos(8, 7, 6, 5);
  assert.deepEqual(kept([...complete, ...partials.reverse()], { daily: 3 }), ['1', '2', '3', '5', '6', '7']);
});

test('rule 6: a point that is dated in the future stays, counts for nothing and moves no window', () => {
  assert.deepEqual(kept([...agos(40, 20, 1), point(-400)], { last: 2 }), ['-400', '1', '20']);
  assert.deepEqual(kept([...agos(40, 20, 1), point(-400)], { window: 10 * day }), ['-400', '1', '20']);
});

test('rule 7: damaged, suspect and quarantined points count for nothing; what is quarantined goes', () => {
  const odd: [Partial<PointFacts>, string[]][] = [
    [{ status: 'unreadable' }, ['1', '5', '6']],
    [{ status: 'closed' }, ['1', '5', '6']],
    [{ suspect: true }, ['1', '5', '6']],
    [{ quarantined: true }, ['1', '5']],
  ];
  for (const [more, wanted] of odd)
    assert.deepEqual(kept([point(8), point(6, more), point(5), point(1)], { last: 2 }), wanted);
});

test('a suspect point that somebody acknowledged counts, and what is taken in its place stays', () => {
  const looked = { acknowledged: true };
  assert.deepEqual(kept([...agos(8, 6), point(5, looked), point(1, looked)], { last: 1 }), ['1', '6']);
  const watch = [point(2, narrow), point(1, narrow)];
  assert.deepEqual(kept([...agos(8, 6), point(5, looked), ...watch], { last: 2 }), ['1', '2', '5', '6']);
});

test('pins and whatever the mix: the rules that never yield', () => {
  const facts = fc.record({
    ago: fc.integer({ min: -3, max: 500 }),
    status: fc.constantFrom<PointFacts['status']>('complete', 'complete', 'partial', 'unreadable'),
    suspect: fc.boolean(),
    verified: fc.boolean(),
    pinned: fc.boolean(),
    coverage: fc.constantFrom(80, 100),
  });
  const policies = fc.record({
    last: fc.nat(4),
    daily: fc.nat(9),
    weekly: fc.nat(5),
    window: fc.nat(40).map((n) => n * day),
  });
  fc.assert(
    fc.property(fc.array(facts, { minLength: 1, maxLength: 40 }), policies, fc.nat(5), (made, policy, min) => {
      const points = made.map(({ ago, ...more }, i) => point(ago, { ...more, id: `${i}` }));
      const stays = new Set(kept(points, policy, min));
      const past = points.filter(({ ended }) => ended <= now.toISOString());
      const good = past.filter(({ status, suspect }) => status === 'complete' && !suspect);
      for (const one of points)
        if (one.pinned || one.suspect || one.status === 'unreadable') assert.ok(stays.has(one.id));
      assert.ok(good.filter(({ id }) => stays.has(id)).length >= Math.min(min, good.length));
      // For every moment of the window there is a point that stays: the same as without pruning.
      const newest = Math.max(...good.map(({ ended }) => Date.parse(ended)));
      for (let at = newest; policy.window && at > newest - policy.window; at -= day / 2) {
        const before = (list: readonly PointFacts[]) =>
          Math.max(...list.map(({ ended }) => Date.parse(ended)).filter((t) => t <= at));
        assert.equal(before(good.filter(({ id }) => stays.has(id))), before(good));
      }
    }),
  );
});

test('what stays whatever the policy says is about the org that a refresh put into the place of another, once it has a good point', () => {
  const old = { orgId: '00D000000000002AAA' };
  const before = [point(9, { ...old, verified: true }), point(8, old), point(7, old)];
  const mine = [point(3, { coverage: 90 }), point(2, { status: 'partial' }), point(1, { status: 'partial' })];
  // Good points of the other org do not stand in for partial ones of this.
  assert.deepEqual(kept([...before, ...mine], { last: 1 }, 3), ['1', '2', '3']);
  // The policy is about all: what it would have kept for its age stays.
  assert.deepEqual(kept([...before, ...mine], { daily: 3 }, 0), ['1', '2', '3', '7', '8']);
  assert.deepEqual(kept([...before, point(1, { status: 'partial' })], { last: 1 }, 3), ['1', '7', '8', '9']);
});
