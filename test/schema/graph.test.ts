import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { groupsInOrder } from '../../src/schema/graph.ts';

const refers = (edges: Record<string, readonly string[]>) =>
  new Map(Object.entries(edges).map(([object, parents]) => [object, new Set(parents)]));

describe('the order in which objects can be made', () => {
  test('puts parents before children, whatever the order they were named in', () => {
    const order = groupsInOrder(
      ['Task', 'Contact', 'Account', 'Opportunity'],
      refers({ Contact: ['Account'], Opportunity: ['Account'], Task: ['Contact', 'Opportunity', 'Account'] }),
    );
    assert.deepEqual(order, [['Account'], ['Contact'], ['Opportunity'], ['Task']]);
  });

  test('keeps objects of a circle together, and those that hang on it behind', () => {
    const order = groupsInOrder(
      ['Case', 'Contact', 'Account'],
      refers({ Account: ['Contact', 'Account'], Contact: ['Account'], Case: ['Contact'] }),
    );
    assert.deepEqual(order, [['Contact', 'Account'], ['Case']]);
  });

  test('pays no heed to objects that are not to be made', () => {
    assert.deepEqual(groupsInOrder(['Account'], refers({ Account: ['User'], User: ['Account'] })), [['Account']]);
  });
});
