import type { Draft } from '../draft.ts';
import { type Kind, sum, target } from '../kind.ts';
import type { FoundRow, Saving } from '../saving.ts';
import { addRow } from '../write.ts';

/** What a stage brings along: probability, forecast category. Others count as half way. */
const stages: Readonly<Record<string, readonly [number, string]>> = {
  Prospecting: [10, 'Pipeline'],
  Qualification: [20, 'Pipeline'],
  Proposal: [50, 'Best Case'],
  Negotiation: [75, 'Commit'],
  'Closed Won': [100, 'Closed'],
  'Closed Lost': [0, 'Omitted'],
};

export const opportunity: Kind = {
  prepare(_saving, draft) {
    const stage = draft.text('StageName');
    if (stage !== null && draft.isChanged('StageName')) {
      const [probability, category] = stages[stage] ?? [50, 'Pipeline'];
      draft.setKnown('IsClosed', stage.startsWith('Closed'));
      draft.setKnown('IsWon', stage === 'Closed Won');
      if (!draft.given.has('Probability')) draft.setKnown('Probability', probability);
      if (!draft.given.has('ForecastCategoryName')) draft.setKnown('ForecastCategoryName', category);
    }
    if (draft.isChanged('Amount') || draft.isChanged('Probability')) expect(draft);
    const closes = draft.text('CloseDate');
    if (closes !== null && draft.isChanged('CloseDate')) {
      const quarter = Math.floor((Number(closes.slice(5, 7)) - 1) / 3) + 1;
      draft.setKnown('FiscalYear', Number(closes.slice(0, 4)));
      draft.setKnown('FiscalQuarter', quarter);
      draft.setKnown('Fiscal', `${closes.slice(0, 4)} ${quarter}`);
    }
  },
  /** The create-only ContactId becomes the primary contact role (restore 5.4). */
  saved(saving, draft, number) {
    const contact = draft.isInsert ? draft.get('ContactId') : null;
    if (contact === null) return;
    const id = draft.rows.cell(number, 'Id');
    addRow(saving, 'OpportunityContactRole', { OpportunityId: id, ContactId: contact, IsPrimary: true });
  },
};

function expect(draft: Draft): void {
  const amount = draft.get('Amount');
  const revenue = amount === null ? null : Math.round(Number(amount) * Number(draft.get('Probability') ?? 0)) / 100;
  draft.setKnown('ExpectedRevenue', revenue);
}

/** One role of an opportunity is the primary one: a second demotes the first. */
export const contactRole: Kind = {
  saved(saving, draft, number) {
    if (draft.get('IsPrimary') !== true) return;
    const others = saving.live(draft.object.name, 'OpportunityId', draft.get('OpportunityId'));
    for (const other of others)
      if (other !== number && draft.rows.cell(other, 'IsPrimary') === true)
        saving.touch(draft.object, other, { IsPrimary: false }, true);
  },
};

export const lineItem: Kind = {
  prepare(saving, draft) {
    if (draft.isInsert) {
      if (!prepareEntry(saving, draft, 'OpportunityId')) return;
      const opportunity = target(saving, draft.get('OpportunityId'));
      const product = target(saving, draft.get('Product2Id'));
      const name = [opportunity, product].map((found) => found?.rows.cell(found.number, 'Name') ?? '').join(' ');
      draft.setKnown('Name', name.slice(0, 376));
    }
    price(draft);
  },
  saved: (saving, draft) => addUp(saving, draft.get('OpportunityId')),
  moved: (saving, { rows, number }) => addUp(saving, rows.cell(number, 'OpportunityId')),
};

/**
 * The price book entry of a line: it must be active and of the parent's price book (restore 5.4). Product, code and list price
 * follow from it. False: refused.
 */
export function prepareEntry(saving: Saving, draft: Draft, parentField: string): boolean {
  const entry = target(saving, draft.get('PricebookEntryId'));
  if (!entry) {
    draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [PricebookEntryId]', ['PricebookEntryId']);
    return false;
  }
  const cell = (field: string) => entry.rows.cell(entry.number, field);
  const parent = target(saving, draft.get(parentField));
  const book = parent ? parent.rows.cell(parent.number, 'Pricebook2Id') : null;
  if (cell('IsActive') !== true || !isActiveBook(target(saving, cell('Pricebook2Id'))))
    draft.fail('FIELD_INTEGRITY_EXCEPTION', 'the price book entry or its price book is inactive', ['PricebookEntryId']);
  else if (parent && book !== cell('Pricebook2Id'))
    draft.fail(
      'FIELD_INTEGRITY_EXCEPTION',
      'the price book entry is in a different price book than the one assigned to the parent',
      ['PricebookEntryId'],
    );
  draft.setKnown('Product2Id', cell('Product2Id'));
  draft.setKnown('ProductCode', cell('ProductCode'));
  draft.setKnown('ListPrice', cell('UnitPrice'));
  return draft.errors.length === 0;
}

function isActiveBook(book: FoundRow | undefined): boolean {
  return (
    book !== undefined &&
    (book.rows.cell(book.number, 'IsActive') === true || book.rows.cell(book.number, 'IsStandard') === true)
  );
}

/** Unit price or total price: the other follows (restore 5.4). */
function price(draft: Draft): void {
  const sends = (field: string) => draft.given.has(field) && draft.changes[field] !== null;
  if (sends('UnitPrice') && sends('TotalPrice')) {
    draft.fail('FIELD_INTEGRITY_EXCEPTION', 'unit price and total price cannot both be given', ['TotalPrice']);
    return;
  }
  const quantity = Number(draft.get('Quantity') ?? 0);
  if (sends('TotalPrice')) {
    const unit = quantity === 0 ? 0 : Number(draft.get('TotalPrice')) / quantity;
    draft.set('UnitPrice', Math.round(unit * 100) / 100);
  } else if (draft.get('UnitPrice') !== null)
    draft.set('TotalPrice', Math.round(Number(draft.get('UnitPrice')) * quantity * 100) / 100);
  else draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [UnitPrice]', ['UnitPrice']);
}

/** Lines overwrite the amount of their opportunity (restore 5.4). */
function addUp(saving: Saving, id: unknown): void {
  const found = target(saving, id);
  if (!found) return;
  const lines = saving.live('OpportunityLineItem', 'OpportunityId', id as string);
  const changes: Record<string, number | boolean> = { HasOpportunityLineItem: lines.length > 0 };
  if (lines.length > 0) changes.Amount = sum(saving, 'OpportunityLineItem', 'TotalPrice', lines);
  saving.touch(found.object, found.number, changes, true);
}
