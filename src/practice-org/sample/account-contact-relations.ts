import { audit, boolean, date, id, isDeleted, multipicklist, reference, required, system } from '../declaration.ts';
import type { SampleObject } from '../sample.ts';
import { accountOfContact, contactCount } from './accounts.ts';

/** Every 29th contact has no account, the first among them; the others stand in a direct relation to theirs. */
const contactOfRelation = (number: number) => number + Math.floor(number / 28) + 1;

export const accountContactRelation: SampleObject = {
  declaration: {
    name: 'AccountContactRelation',
    prefix: '07k',
    label: 'Account Contact Relationship',
    more: { undeletable: false, mruEnabled: false },
    fields: [
      id('Id'),
      reference('AccountId', 'Account', {
        ...required,
        updateable: false,
        children: 'AccountContactRelations',
        parentCascades: true,
      }),
      reference('ContactId', 'Contact', {
        ...required,
        updateable: false,
        children: 'AccountContactRelations',
        parentCascades: true,
      }),
      multipicklist('Roles', ['Business User', 'Decision Maker', 'Economic Buyer', 'Influencer', 'Other']),
      boolean('IsDirect', system),
      boolean('IsActive', { defaultValue: true }),
      date('StartDate'),
      date('EndDate'),
      isDeleted,
      ...audit,
    ],
  },
  // Orgs with contacts in volume do without.
  count: (org) => (org.scaled('Contact') ? 0 : contactCount - Math.ceil(contactCount / 29)),
  // They go with their contact.
  deleted: (number, org) => org.deleted('Contact', contactOfRelation(number)),
  row: (number, org, random) => {
    const contact = contactOfRelation(number);
    return {
      AccountId: org.id('Account', accountOfContact(contact, org)),
      ContactId: org.id('Contact', contact),
      Roles: random.pick(['Decision Maker', 'Influencer;Economic Buyer', null, null]),
      IsDirect: true,
      IsActive: true,
    };
  },
};
