import type { Draft } from '../draft.ts';
import { type Kind, target } from '../kind.ts';
import type { Saving } from '../saving.ts';

export const task: Kind = {
  prepare(saving, draft) {
    refuseArchived(draft);
    if (draft.isChanged('Status')) {
      const closed = draft.get('Status') === 'Completed';
      draft.setKnown('IsClosed', closed);
      draft.setKnown('CompletedDateTime', closed ? saving.now : null);
    }
    if (draft.isChanged('Priority')) draft.setKnown('IsHighPriority', draft.get('Priority') === 'High');
    if (draft.isChanged('WhatId') || draft.isChanged('WhoId')) draft.setKnown('AccountId', accountOf(saving, draft));
  },
};

/** Old activities are in the archive for good (restore 5.4). */
function refuseArchived(draft: Draft): void {
  if (draft.before('IsArchived') === true) draft.fail('ENTITY_IS_ARCHIVED', 'entity is archived');
}

function accountOf(saving: Saving, draft: Draft) {
  for (const field of ['WhatId', 'WhoId']) {
    const found = target(saving, draft.get(field));
    if (found?.object.name === 'Account') return draft.get(field);
    const account = found?.object.field('AccountId') ? found.rows.cell(found.number, 'AccountId') : null;
    if (account !== null) return account;
  }
  return null;
}

const minute = 60_000;

/** Start, end and duration of an event say the same. */
export const event: Kind = {
  prepare(_saving, draft) {
    refuseArchived(draft);
    const times = ['StartDateTime', 'ActivityDateTime', 'EndDateTime', 'DurationInMinutes'];
    if (!times.some((field) => draft.isChanged(field))) return;
    const start = draft.changes.StartDateTime ?? draft.changes.ActivityDateTime ?? draft.get('StartDateTime');
    if (typeof start !== 'string') return;
    const minutes = draft.get('DurationInMinutes');
    const end = draft.get('EndDateTime');
    draft.setKnown('StartDateTime', start);
    draft.setKnown('ActivityDateTime', start);
    draft.setKnown('ActivityDate', start.slice(0, 10));
    if (typeof end === 'string' && !draft.isChanged('DurationInMinutes'))
      draft.setKnown('DurationInMinutes', Math.round((Date.parse(end) - Date.parse(start)) / minute));
    else if (typeof minutes === 'number')
      draft.setKnown('EndDateTime', new Date(Date.parse(start) + minutes * minute).toISOString());
  },
};
