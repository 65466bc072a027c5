import type { Value } from '../../database.ts';
import { type Kind, sum, target } from '../kind.ts';
import type { Saving } from '../saving.ts';

/** Formulas of the sample org's own objects, as their describes word them; they follow what is written. */
export const everything: Kind = {
  prepare(saving, draft) {
    const number = (field: string) => (draft.get(field) === null ? 0 : Number(draft.get(field)));
    const formulas: Record<string, [inputs: string[], value: Value]> = {
      Formula_Text__c: [['Name', 'Text__c'], `${draft.get('Name') ?? ''} / ${draft.get('Text__c') ?? ''}`.trim()],
      Formula_Number__c: [['Money__c'], number('Money__c') * 2],
      Formula_Flag__c: [['Number__c'], number('Number__c') > 0],
      Formula_Day__c: [['Name'], saving.today],
    };
    for (const [field, [inputs, value]] of Object.entries(formulas))
      if (draft.isInsert || inputs.some((input) => draft.isChanged(input))) draft.setKnown(field, value);
  },
};

export const invoice: Kind = {
  saved: (saving, draft, number) => open(saving, draft.rows.cell(number, 'Id')),
};

export const payment: Kind = {
  saved(saving, draft) {
    open(saving, draft.get('Invoice__c'));
    if (!draft.isInsert && draft.isChanged('Invoice__c')) open(saving, draft.before('Invoice__c'));
  },
  moved: (saving, { rows, number }) => open(saving, rows.cell(number, 'Invoice__c')),
};

/** What of an invoice is not paid yet. */
function open(saving: Saving, id: Value): void {
  const found = target(saving, id);
  if (!found?.object.field('Open__c')) return;
  const paid = sum(saving, 'Payment__c', 'Amount__c', saving.live('Payment__c', 'Invoice__c', id));
  const total = Number(found.rows.cell(found.number, 'Total__c') ?? 0);
  saving.touch(found.object, found.number, { Open__c: Math.round((total - paid) * 100) / 100 }, false);
}

export const milestone: Kind = {
  saved: (saving, draft) => rollUp(saving, draft.get('Project__c')),
  moved: (saving, { rows, number }) => rollUp(saving, rows.cell(number, 'Project__c')),
};

export const assignment: Kind = milestone;

function rollUp(saving: Saving, id: Value): void {
  const found = target(saving, id);
  if (!found?.object.field('Milestone_Count__c')) return;
  const milestones = saving.live('Milestone__c', 'Project__c', id);
  const done = milestones.filter((number) => saving.table('Milestone__c')!.source.cell(number, 'Done__c') === true);
  const hours = sum(saving, 'Assignment__c', 'Hours__c', saving.live('Assignment__c', 'Project__c', id));
  const progress = milestones.length === 0 ? 0 : Math.round((done.length / milestones.length) * 10_000) / 100;
  const changes = { Milestone_Count__c: milestones.length, Total_Hours__c: hours, Progress__c: progress };
  saving.touch(found.object, found.number, changes, false);
}
