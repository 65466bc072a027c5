import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlertRule, findAlerts } from '../../../src/operations/backup/alerts.ts';
import type { Root, RootObject } from '../../../src/vault/manifest.ts';

const page = { key: 'pages/x', size: 1, sha256: '0'.repeat(64) };

function object(rows: number, changed = 0, deleted = 0, more: Partial<RootObject> = {}): RootObject {
  return { object: 'Case', page, rows, changed, deleted, segments: 1, bytes: 1, path: 'rest', complete: true, ...more };
}
const policy = { objects: [], exclude: [] };
const root = (one: RootObject) => ({ objects: [one], notCovered: [], policy }) as unknown as Root;

/** `rule figure/limit` of each alert of `now` after points with `before`, newest first. */
function alerts(
  now: RootObject | undefined,
  before: readonly RootObject[],
  rules: readonly AlertRule[] = [],
  wide = false,
) {
  const objects = now ? [now] : [];
  const judged = { objects, notCovered: [], policy, wide: new Set(wide ? ['Case'] : []) };
  return findAlerts(judged, before.map(root), rules).map(({ rule, figure, limit }) => `${rule} ${figure}/${limit}`);
}

test('without rules: more than a fifth of the rows deleted, or more than half of them changed', () => {
  assert.deepEqual(alerts(object(800, 0, 200), [object(1000)]), []);
  assert.deepEqual(alerts(object(799, 0, 201), [object(1000)]), ['deleted-percent 20.1/20']);
  assert.deepEqual(alerts(object(1000, 500), [object(1000)]), []);
  assert.deepEqual(alerts(object(1000, 501), [object(1000)]), ['changed-percent 50.1/50']);
  assert.deepEqual(alerts(object(2000, 1000), [object(1000)]), [], 'an object that doubled');
  assert.deepEqual(alerts(object(9, 90, 90), [object(99)]), [], 'shares of few rows say nothing');
});

test('a first point has none, and what was read in full none of changes; fewer rows than before are losses then too', () => {
  assert.deepEqual(alerts(object(1000, 1000, 900), []), []);
  assert.deepEqual(alerts(object(1000, 1000, 900), [object(1000)], [], true), []);
  assert.deepEqual(alerts(object(700, 700, 5), [object(1000)], [], true), ['deleted-percent 30/20']);
  assert.deepEqual(alerts(object(1000, 900, 3), [object(1000)], [], true), [], 'a window that holds older ones');
});

test('what was not read, or seen with other permissions, is not compared', () => {
  const failed = { complete: false, incomplete: 'failed' } as const;
  assert.deepEqual(alerts(object(0, 0, 0, { ...failed, page: undefined }), [object(1000)], [], true), []);
  assert.deepEqual(alerts(object(1000), [object(0, 0, 0, failed), object(1000)]), []);
  assert.deepEqual(
    alerts(object(10, 10, 0, { complete: false, incomplete: 'visibility' }), [object(1000)], [], true),
    [],
  );
});

test('an object that the org no longer lists has lost all its rows', () => {
  assert.deepEqual(alerts(undefined, [object(1000)]), ['deleted-percent 100/20']);
  assert.deepEqual(alerts(undefined, [object(20)]), []);
});

test('the last rule that names an object decides each figure, and {} is never an alert', () => {
  const rules: AlertRule[] = [
    { objects: ['C*'], deleted: { count: 5 } },
    { objects: ['Case'], changed: {} },
  ];
  assert.deepEqual(alerts(object(500, 400, 500), [object(1000)], rules), ['deleted-count 500/5']);
  assert.deepEqual(alerts(object(10, 0, 5), [object(15)], rules), []);
});

test('an outlier is judged by the median of the last points and their usual distance from it', () => {
  const rules: AlertRule[] = [{ objects: ['*'], outlier: true }];
  const usual = [40, 50, 60, 45, 55, 50, 40, 60].map((changed) => object(1000, changed));
  assert.deepEqual(alerts(object(1000, 200), usual, rules), ['changed-outlier 200/110']);
  assert.deepEqual(alerts(object(1000, 110), usual, rules), []);
  assert.deepEqual(alerts(object(1000, 200), usual.slice(1), rules), [], 'seven points are too few');
  assert.deepEqual(alerts(object(1000, 200), usual, [{ objects: ['*'], outlier: 40 }]), []);
  const quiet = usual.map(() => object(10_000));
  assert.deepEqual(alerts(object(10_000, 60), quiet, rules), [], 'less than a hundredth of the rows');
  assert.deepEqual(alerts(object(9_800, 0, 200), quiet, rules), ['deleted-outlier 200/98']);
});

test('points of which a condition leaves out other rows are not compared', () => {
  const leftOut = [{ object: 'Case', where: "Origin = 'Test'", reason: 'test data', owner: 'it@example.com' }];
  const now = { objects: [object(500, 500)], notCovered: leftOut, policy, wide: new Set(['Case']) };
  const before = root(object(1000));
  assert.deepEqual(findAlerts(now, [before]), []);
  const told = findAlerts(now, [{ ...before, notCovered: leftOut } as Root]);
  assert.deepEqual(
    told.map(({ rule }) => rule),
    ['deleted-percent'],
  );
});
