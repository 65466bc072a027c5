import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Plan } from '../../../src/operations/restore/plan.ts';
import { type PlanRig, startPlanRig } from '../../support/plan-rig.ts';

const all = Number.POSITIVE_INFINITY;

describe('how far related records are taken into a plan', () => {
  let rig: PlanRig;
  /** An account with a child account that has a child account. */
  let top: string;
  let middle: string[];
  let contactsOfTop: string[];

  before(async () => {
    rig = await startPlanRig();
    const deep = await rig.ids("SELECT Id FROM Account WHERE Parent.ParentId != '' AND Parent.Parent.ParentId = ''");
    const parents = (ids: readonly string[]) =>
      rig.fields('ParentId', `SELECT ParentId FROM Account WHERE Id IN ('${ids.join("','")}')`);
    const parent = (await parents(deep.slice(0, 1)))[0]!;
    top = (await parents([parent]))[0]!;
    middle = await rig.ids(`SELECT Id FROM Account WHERE ParentId = '${top}'`);
    contactsOfTop = await rig.ids(`SELECT Id FROM Contact WHERE AccountId = '${top}'`);
    assert.ok(middle.includes(parent));
  });
  after(() => rig[Symbol.asyncDispose]());

  const planned = (plan: Plan, object: string) =>
    plan.objects.filter((one) => one.object === object).reduce((sum, { rows }) => sum + rows.count('skip'), 0);
  const plan = (children: number, parents = 0, relationships: Record<string, boolean> = {}, ids = [top]) =>
    rig.plan({ ids, related: { children, parents, relationships: new Map(Object.entries(relationships)) } });

  it('takes the rows that were named and no other', async () => {
    const made = await plan(0);
    assert.equal(planned(made, 'Account'), 1);
    assert.equal(planned(made, 'Contact'), 0);
  });

  it('takes one level of children: a child account is one, its own children and contacts are none', async () => {
    const made = await plan(1);
    assert.equal(planned(made, 'Account'), 1 + middle.length);
    assert.equal(planned(made, 'Contact'), contactsOfTop.length);
  });

  it('takes two levels, then those below', async () => {
    const list = `'${middle.join("','")}'`;
    const lower = await rig.ids(`SELECT Id FROM Account WHERE ParentId IN (${list})`);
    const made = await plan(2);
    assert.equal(planned(made, 'Account'), 1 + middle.length + lower.length);
    assert.ok(planned(await plan(all), 'Contact') >= planned(made, 'Contact'));
  });

  it('does not follow a lookup that was said never to be followed, and follows one that was said to be', async () => {
    const without = await plan(1, 0, { 'Account.ParentId': false });
    assert.equal(planned(without, 'Account'), 1);
    assert.equal(planned(without, 'Contact'), contactsOfTop.length);
    const only = await plan(0, 0, { 'Account.ParentId': true });
    assert.ok(planned(only, 'Account') > middle.length);
    assert.equal(planned(only, 'Contact'), 0);
  });
});
