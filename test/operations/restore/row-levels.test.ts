import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RowLevels } from '../../../src/operations/restore/row-levels.ts';

describe('rows that refer to each other', () => {
  test('of a tree get the level of their depth, and no second pass', () => {
    const rows = new RowLevels(6);
    for (const [row, parent] of [
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 1],
    ] as const)
      rows.refer(row, parent, 0, false);
    const { levels, later, impossible } = rows.solve();
    assert.deepEqual([...levels], [0, 1, 2, 3, 4, 2]);
    assert.equal(later.size, 0);
    assert.equal(impossible.size, 0);
  });

  test('in a circle wait with one lookup of one row; those that hang on it do not', () => {
    const rows = new RowLevels(4);
    rows.refer(0, 1, 7, false);
    rows.refer(1, 0, 3, true);
    rows.refer(2, 1, 3, true);
    rows.refer(3, 2, 7, false);
    const { levels, later } = rows.solve();
    assert.deepEqual([...later], [[0, [7]]]);
    assert.deepEqual([...levels], [0, 1, 2, 3]);
  });

  test('that refer to themselves wait with that lookup', () => {
    const rows = new RowLevels(1);
    rows.refer(0, 0, 2, false);
    assert.deepEqual([...rows.solve().later], [[0, [2]]]);
  });

  test('that need each other at once are impossible, and so are those that need them', () => {
    const rows = new RowLevels(4);
    rows.refer(0, 1, 0, true);
    rows.refer(1, 0, 0, true);
    rows.refer(2, 0, 0, true);
    rows.refer(3, 0, 5, false);
    const { later, lost, impossible } = rows.solve();
    assert.deepEqual([...impossible].sort(), [0, 1, 2]);
    assert.deepEqual([...lost], [[3, [5]]]);
    assert.equal(later.size, 0);
  });

  test('that are refused take along what needs them, and nothing else', () => {
    const rows = new RowLevels(4);
    rows.refer(1, 0, 0, true);
    rows.refer(2, 1, 1, false);
    rows.refer(3, 2, 1, false);
    rows.refuse(0);
    const { levels, lost, impossible } = rows.solve();
    assert.deepEqual([...impossible].sort(), [0, 1]);
    assert.deepEqual([...lost], [[2, [1]]]);
    assert.deepEqual([levels[2], levels[3]], [0, 1]);
  });

  test('always come after what they refer to, whatever the shape', () => {
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      lookups: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2), fc.boolean()), { maxLength: 120 }),
    });
    fc.assert(
      fc.property(shape, ({ rows, lookups }) => {
        const all = new RowLevels(rows);
        const taken = new Map<string, { row: number; parent: number; field: number; required: boolean }>();
        for (const [a, b, field, required] of lookups)
          taken.set(`${a % rows} ${field}`, {
            row: a % rows,
            parent: b % rows,
            field,
            required: required && field > 0,
          });
        for (const { row, parent, field, required } of taken.values()) all.refer(row, parent, field, required);
        const { levels, later, lost, impossible } = all.solve();
        for (const { row, parent, field, required } of taken.values()) {
          if (impossible.has(row)) continue;
          const waits = later.get(row)?.includes(field) ?? false;
          assert.ok(!(waits && required), 'a required lookup never waits');
          if (impossible.has(parent)) assert.ok(!required && (waits || lost.get(row)?.includes(field)));
          else assert.ok(waits || levels[row]! > levels[parent]!);
        }
      }),
    );
  });
});
