import type { Value } from '../../database.ts';
import type { Draft } from '../draft.ts';
import { refuse } from '../fields.ts';
import type { Kind } from '../kind.ts';
import { target } from '../kind.ts';
import { recordTypeName } from '../record-types.ts';
import type { Saving } from '../saving.ts';
import { addRow } from '../write.ts';

/** `First Last`, the name of a person. */
function nameOf(draft: Draft): string {
  return [draft.get('FirstName'), draft.get('LastName')].filter((part) => part !== null).join(' ');
}

function named(draft: Draft): void {
  if (draft.isChanged('FirstName') || draft.isChanged('LastName')) draft.setKnown('Name', nameOf(draft));
}

export const user: Kind = { prepare: (_saving, draft) => named(draft) };

export const lead: Kind = {
  prepare(_saving, draft) {
    named(draft);
    if (!draft.isInsert && draft.before('IsConverted') === true)
      draft.fail('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
  },
};

export const contact: Kind = {
  prepare: (_saving, draft) => named(draft),
  saved(saving, draft, number) {
    if (!draft.isChanged('AccountId') && !draft.isInsert) return;
    if (draft.get('IsPersonAccount') !== true) relate(saving, draft.rows.cell(number, 'Id'), draft.get('AccountId'));
  },
  removing: (_saving, { rows, number }) =>
    rows.cell(number, 'IsPersonAccount') === true
      ? {
          code: 'INVALID_PERSON_ACCOUNT_OPERATION',
          message: 'cannot delete the contact of a person account',
          fields: [],
        }
      : undefined,
};

const relations = 'AccountContactRelation';

/** The direct relation of a contact goes with its account; the platform makes the row (restore 5.4). */
function relate(saving: Saving, contactId: Value, accountId: Value): void {
  const rows = saving.table(relations)?.source;
  const object = saving.object(relations);
  if (!rows || !object) return;
  const own = saving.live(relations, 'ContactId', contactId);
  const direct = own.find((number) => rows.cell(number, 'IsDirect') === true);
  if (direct !== undefined && rows.cell(direct, 'AccountId') === accountId) return;
  if (direct !== undefined) rows.purge(direct);
  if (accountId === null) return;
  const indirect = own.find((number) => rows.cell(number, 'AccountId') === accountId && number !== direct);
  if (indirect !== undefined) saving.touch(object, indirect, { IsDirect: true }, true);
  else addRow(saving, relations, { AccountId: accountId, ContactId: contactId, IsDirect: true, IsActive: true });
}

export const accountContactRelation: Kind = {
  prepare(saving, draft) {
    if (!draft.isInsert) return;
    const [account, person] = [draft.get('AccountId'), draft.get('ContactId')];
    const same = saving
      .live(relations, 'ContactId', person)
      .find((number) => draft.rows.cell(number, 'AccountId') === account);
    if (same === undefined) return;
    const id = draft.rows.cell(same, 'Id');
    const message = `duplicate value found: AccountId, ContactId duplicates value on record with id: ${id}`;
    draft.fail('DUPLICATE_VALUE', message);
  },
  removing: (_saving, { rows, number }) =>
    rows.cell(number, 'IsDirect') === true
      ? {
          code: 'INVALID_OPERATION',
          message: "A direct relationship can't be deleted. Change the contact's account instead.",
          fields: [],
        }
      : undefined,
};

const personField = /^(?:FirstName|LastName|Salutation|Person.+|.+__pc)$/;

/** Person accounts: an account and its contact in one, by record type (restore 4.7). */
export const account: Kind = {
  prepare(_saving, draft) {
    if (!draft.object.field('IsPersonAccount')) return;
    const isPerson = recordTypeName(draft) === 'PersonAccount';
    const wasPerson = draft.before('IsPersonAccount') === true;
    if (!draft.isInsert && isPerson !== wasPerson && draft.given.size > 1) {
      const message = 'a change between business and person account takes no other fields';
      draft.fail('INVALID_FIELD_FOR_INSERT_UPDATE', message, ['RecordTypeId']);
      return;
    }
    const foreign = [...draft.given].filter((name) =>
      isPerson ? name === 'Name' : personField.test(name) && draft.changes[name] !== null,
    );
    if (foreign.length > 0) {
      refuse(draft, foreign);
      return;
    }
    draft.set('IsPersonAccount', isPerson);
    if (!isPerson) return;
    if (draft.get('LastName') === null)
      draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', ['LastName']);
    named(draft);
  },
  saved(saving, draft, number) {
    if (draft.get('IsPersonAccount') !== true) return;
    const shared: Record<string, Value> = { Name: draft.get('Name') };
    for (const field of ['FirstName', 'LastName', 'Salutation']) shared[field] = draft.get(field);
    for (const [from, to] of twins) shared[to] = draft.get(from);
    const twin = target(saving, draft.get('PersonContactId'));
    if (twin) {
      saving.touch(twin.object, twin.number, known(saving, shared), true);
      return;
    }
    const id = draft.rows.cell(number, 'Id');
    const made = addRow(saving, 'Contact', {
      ...shared,
      AccountId: id,
      IsPersonAccount: true,
    });
    if (made !== undefined)
      draft.rows.set(number, { PersonContactId: saving.table('Contact')!.source.cell(made, 'Id') });
  },
};

/** Fields of a person account and of its contact that are one. */
const twins = [
  ['PersonEmail', 'Email'],
  ['PersonMobilePhone', 'MobilePhone'],
  ['PersonBirthdate', 'Birthdate'],
  ['PersonTitle', 'Title'],
  ['Newsletter__pc', 'Newsletter__c'],
  ['Phone', 'Phone'],
  ['Description', 'Description'],
  ['OwnerId', 'OwnerId'],
  ...['Street', 'City', 'State', 'StateCode', 'PostalCode', 'Country', 'CountryCode', 'Latitude', 'Longitude'].map(
    (part) => [`PersonMailing${part}`, `Mailing${part}`] as const,
  ),
  ['PersonMailingGeocodeAccuracy', 'MailingGeocodeAccuracy'],
] as const;

function known(saving: Saving, cells: Record<string, Value>): Record<string, Value> {
  const object = saving.object('Contact')!;
  return Object.fromEntries(Object.entries(cells).filter(([field]) => object.field(field)));
}
