import { holds } from './condition.ts';
import type { Draft } from './draft.ts';
import { rulesOf } from './rules.ts';
import type { FoundRow, Saving } from './saving.ts';

/** Objects whose rows may be given to inactive users with the permission for it (restore 4.4). */
const inactiveOwners = new Set(['Account', 'Asset', 'Case', 'Contact', 'Lead', 'Note', 'Opportunity', 'Order']);

/** Who may own a record: an active user of the standard kind, or a queue that takes the object (restore 4.4). */
export function checkOwner(saving: Saving, draft: Draft): void {
  const owner = draft.changes.OwnerId;
  if (!draft.given.has('OwnerId') || owner === undefined) return;
  if (owner === null) {
    draft.fail('INVALID_CROSS_REFERENCE_KEY', 'Owner ID: owner cannot be blank', ['OwnerId']);
    return;
  }
  const found = draft.isChanged('OwnerId') ? saving.find(String(owner)) : undefined;
  if (found?.object.name === 'User') checkUser(saving, draft, found);
  if (found?.object.name === 'Group') checkQueue(saving, draft, found);
}

function checkUser(saving: Saving, draft: Draft, { rows, number }: FoundRow): void {
  const id = rows.cell(number, 'Id') as string;
  const { name } = draft.object;
  const type = rows.cell(number, 'UserType');
  const mayBeInactive =
    saving.org.settings.permissions.updateInactiveOwners && (inactiveOwners.has(name) || name.endsWith('__c'));
  if (rows.cell(number, 'IsActive') === false && !mayBeInactive)
    draft.fail(
      'INACTIVE_OWNER_OR_USER',
      `operation performed with inactive user [${id}] as owner of ${String(draft.object.describe.label ?? name).toLowerCase()}`,
    );
  else if (type !== null && type !== 'Standard')
    draft.fail('OP_WITH_INVALID_USER_TYPE_EXCEPTION', 'Operation not valid for this user type');
}

function checkQueue(saving: Saving, draft: Draft, { rows, number }: FoundRow): void {
  const type = rows.cell(number, 'Type');
  const takes = saving.org.settings.queueObjects[String(rows.cell(number, 'DeveloperName'))];
  if ((type !== null && type !== 'Queue') || (takes && !takes.includes(draft.object.name)))
    draft.fail('INVALID_OPERATION', 'Queue not associated with this SObject type');
}

/** Assignment rules of new cases and leads; without one that holds a case goes to the default owner, whoever was sent (restore 6.2). */
export function assignOwner(saving: Saving, draft: Draft): void {
  const { name } = draft.object;
  if (!draft.isInsert || !saving.options.assign || (name !== 'Case' && name !== 'Lead')) return;
  const rule = rulesOf(saving, 'assignment', name).find((each) => !each.when || holds(saving, each.when, draft));
  if (rule) draft.set('OwnerId', rule.owner);
  else if (name === 'Case') draft.set('OwnerId', saving.org.settings.defaultCaseOwner ?? saving.userId);
}
