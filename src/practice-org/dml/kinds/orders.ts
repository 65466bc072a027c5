import type { Draft } from '../draft.ts';
import { type Kind, sum, target } from '../kind.ts';
import type { SaveError } from '../save.ts';
import type { FoundRow, Saving } from '../saving.ts';
import { prepareEntry } from './opportunities.ts';

const activated = 'Activated';

function failedActivation(draft: Draft, kind: string): void {
  draft.fail('FAILED_ACTIVATION', `Choose a valid ${kind} status and save your changes. Ask your admin for details.`, [
    'Status',
  ]);
}

function stays({ rows, number }: FoundRow): SaveError | undefined {
  if (rows.cell(number, 'Status') !== activated) return undefined;
  return { code: 'DELETE_FAILED', message: 'an activated record cannot be deleted', fields: [] };
}

/** Made as a draft, activated by an update of its own, and never taken back (restore 5.4). */
export const contract: Kind = {
  prepare(saving, draft) {
    const isActive = draft.get('Status') === activated;
    if (draft.isInsert ? isActive : draft.before('Status') === activated && !isActive) {
      failedActivation(draft, 'contract');
      return;
    }
    if (isActive && draft.isChanged('Status')) {
      draft.setKnown('ActivatedDate', saving.now);
      draft.setKnown('ActivatedById', saving.userId);
    }
    const [start, term] = [draft.text('StartDate'), draft.get('ContractTerm')];
    if (draft.isChanged('StartDate') || draft.isChanged('ContractTerm'))
      draft.setKnown('EndDate', start === null || term === null ? null : endOf(start, Number(term)));
  },
  removing: (_saving, found) => stays(found),
};

/** The day before so many months are over. */
function endOf(start: string, months: number): string {
  const at = new Date(`${start}T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + months);
  at.setUTCDate(at.getUTCDate() - 1);
  return at.toISOString().slice(0, 10);
}

/** What may be changed of an order only while it is a draft. */
const onlyInDraft = ['AccountId', 'ContractId', 'Pricebook2Id', 'EffectiveDate'];

/** Draft, then items, then Status alone (restore 5.4). An order may go back to draft. */
export const order: Kind = {
  prepare(saving, draft) {
    const isActive = draft.get('Status') === activated;
    if (draft.isInsert) {
      draft.setKnown('TotalAmount', 0);
      if (isActive) failedActivation(draft, 'order');
      return;
    }
    const wasActive = draft.before('Status') === activated;
    if (isActive && !wasActive) {
      const items = saving.live('OrderItem', 'OrderId', draft.before('Id'));
      if ([...draft.given].some((field) => field !== 'Status')) failedActivation(draft, 'order');
      else if (items.length === 0) draft.fail('FAILED_ACTIVATION', 'An order must have at least one product.', []);
    }
    const locked = onlyInDraft.filter((field) => wasActive && draft.isChanged(field));
    if (locked.length > 0)
      draft.fail('FIELD_INTEGRITY_EXCEPTION', 'these fields can be changed only while the order is a draft', locked);
  },
  removing: (_saving, found) => stays(found),
};

export const orderItem: Kind = {
  prepare(saving, draft) {
    if (isActive(saving, draft.get('OrderId'))) {
      draft.fail('FIELD_INTEGRITY_EXCEPTION', 'the products of an activated order are locked', ['OrderId']);
      return;
    }
    if (draft.isInsert) {
      if (!prepareEntry(saving, draft, 'OrderId')) return;
      if (draft.get('UnitPrice') === null) {
        draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [UnitPrice]', ['UnitPrice']);
        return;
      }
    }
    const total = Number(draft.get('UnitPrice') ?? 0) * Number(draft.get('Quantity') ?? 0);
    draft.setKnown('TotalPrice', Math.round(total * 100) / 100);
  },
  saved: (saving, draft) => addUp(saving, draft.get('OrderId')),
  removing: (saving, { rows, number }) =>
    isActive(saving, rows.cell(number, 'OrderId'))
      ? { code: 'DELETE_FAILED', message: 'the products of an activated order are locked', fields: [] }
      : undefined,
  moved: (saving, { rows, number }) => addUp(saving, rows.cell(number, 'OrderId')),
};

function isActive(saving: Saving, order: unknown): boolean {
  const found = target(saving, order);
  return found?.rows.cell(found.number, 'Status') === activated;
}

function addUp(saving: Saving, order: unknown): void {
  const found = target(saving, order);
  if (!found) return;
  const items = saving.live('OrderItem', 'OrderId', order as string);
  saving.touch(found.object, found.number, { TotalAmount: sum(saving, 'OrderItem', 'TotalPrice', items) }, false);
}
