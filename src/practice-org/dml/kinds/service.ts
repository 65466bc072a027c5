import { type Kind, target } from '../kind.ts';
import type { Saving } from '../saving.ts';
import { addRow } from '../write.ts';

export const caseKind: Kind = {
  prepare(saving, draft) {
    const status = draft.text('Status');
    if (status !== null && draft.isChanged('Status')) {
      const closed = isClosed(saving, status);
      draft.setKnown('IsClosed', closed);
      if (!closed) draft.setKnown('ClosedDate', null);
      else if (draft.get('ClosedDate') === null) draft.setKnown('ClosedDate', saving.now);
    }
    if (draft.isChanged('ContactId')) {
      const contact = target(saving, draft.get('ContactId'));
      const cell = (field: string) => contact?.rows.cell(contact.number, field) ?? null;
      draft.setKnown('ContactEmail', cell('Email'));
      draft.setKnown('ContactPhone', cell('Phone'));
      if (draft.isInsert && !draft.given.has('AccountId')) draft.setKnown('AccountId', cell('AccountId'));
    }
  },
  /** What is written into Comments becomes an internal comment (restore 4.2). */
  saved(saving, draft, number) {
    const comment = draft.given.has('Comments') ? draft.text('Comments') : null;
    if (comment === null) return;
    addRow(saving, 'CaseComment', { ParentId: draft.rows.cell(number, 'Id'), CommentBody: comment });
    draft.rows.set(number, { Comments: null });
  },
};

function isClosed(saving: Saving, status: string): boolean {
  const rows = saving.table('CaseStatus')?.source;
  const [number] = rows ? rows.lookup('ApiName', status) : [];
  return number === undefined ? status.startsWith('Closed') : rows!.cell(number, 'IsClosed') === true;
}

/** Drafts can be edited, what was sent or received cannot (restore 5.4). */
export const emailMessage: Kind = {
  prepare(saving, draft) {
    const isDraft = draft.before('Status') === '5';
    if (!draft.isInsert && !isDraft && saving.org.settings.emailsLocked)
      draft.fail('INVALID_OPERATION', 'an e-mail that is no draft cannot be changed');
    if (draft.isInsert && draft.get('RelatedToId') === null) draft.setKnown('RelatedToId', draft.get('ParentId'));
  },
};

/** Assets hang on an account, a contact, or both (restore 4.1). */
export const asset: Kind = {
  prepare(_saving, draft) {
    if (draft.get('AccountId') !== null || draft.get('ContactId') !== null) return;
    draft.fail('FIELD_INTEGRITY_EXCEPTION', 'Every asset needs an account, a contact, or both.', [
      'AccountId',
      'ContactId',
    ]);
  },
  saved(saving, draft, number) {
    if (!draft.object.field('RootAssetId') || (!draft.isInsert && !draft.isChanged('ParentId'))) return;
    const parent = target(saving, draft.get('ParentId'));
    const root = parent ? parent.rows.cell(parent.number, 'RootAssetId') : draft.rows.cell(number, 'Id');
    draft.rows.set(number, { RootAssetId: root });
  },
};
