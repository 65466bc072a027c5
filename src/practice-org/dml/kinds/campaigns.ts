import type { Draft } from '../draft.ts';
import type { Kind } from '../kind.ts';
import type { Saving } from '../saving.ts';
import { addRow } from '../write.ts';

const statuses = 'CampaignMemberStatus';

/** A new campaign has the statuses Sent and Responded (restore 5.4). */
export const campaign: Kind = {
  prepare(_saving, draft) {
    if (!draft.isInsert) return;
    draft.setKnown('NumberOfLeads', 0);
    draft.setKnown('AmountWonOpportunities', 0);
  },
  saved(saving, draft, number) {
    if (!draft.isInsert) return;
    const CampaignId = draft.rows.cell(number, 'Id');
    addRow(saving, statuses, { CampaignId, Label: 'Sent', IsDefault: true, HasResponded: false, SortOrder: 3 });
    addRow(saving, statuses, { CampaignId, Label: 'Responded', IsDefault: false, HasResponded: true, SortOrder: 4 });
  },
};

export const campaignMemberStatus: Kind = {
  prepare(saving, draft) {
    const label = draft.text('Label')?.toLowerCase();
    const same = saving
      .live(statuses, 'CampaignId', draft.get('CampaignId'))
      .find((n) => n !== draft.number && String(draft.rows.cell(n, 'Label')).toLowerCase() === label);
    if (same === undefined || !draft.isChanged('Label')) return;
    const message = `duplicate value found: Label duplicates value on record with id: ${draft.rows.cell(same, 'Id')}`;
    draft.fail('DUPLICATE_VALUE', message);
  },
  /** One status of a campaign is the default. */
  saved(saving, draft, number) {
    if (draft.get('IsDefault') !== true) return;
    for (const other of saving.live(statuses, 'CampaignId', draft.get('CampaignId')))
      if (other !== number && draft.rows.cell(other, 'IsDefault') === true)
        saving.touch(draft.object, other, { IsDefault: false }, true);
  },
};

export const campaignMember: Kind = {
  prepare(saving, draft) {
    const [lead, contact] = [draft.get('LeadId'), draft.get('ContactId')];
    if (lead === null && contact === null) {
      draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [ContactId, LeadId]', ['ContactId', 'LeadId']);
      return;
    }
    draft.setKnown('LeadOrContactId', lead ?? contact);
    const field = lead === null ? 'ContactId' : 'LeadId';
    const isMember = saving
      .live('CampaignMember', field, lead ?? contact)
      .some((n) => n !== draft.number && draft.rows.cell(n, 'CampaignId') === draft.get('CampaignId'));
    if (draft.isInsert && isMember) {
      draft.fail('DUPLICATE_VALUE', 'Already a campaign member.');
      return;
    }
    respond(saving, draft);
  },
};

/** Whether a member has responded follows from the status. */
function respond(saving: Saving, draft: Draft): void {
  const rows = saving.table(statuses)?.source;
  const known = rows ? saving.live(statuses, 'CampaignId', draft.get('CampaignId')) : [];
  if (draft.get('Status') === null && draft.isInsert) {
    const standard = known.find((number) => rows!.cell(number, 'IsDefault') === true);
    draft.setKnown('Status', standard === undefined ? 'Sent' : rows!.cell(standard, 'Label'));
  }
  if (!draft.isChanged('Status')) return;
  const status = known.find((number) => rows!.cell(number, 'Label') === draft.get('Status'));
  const responded =
    status === undefined ? draft.get('Status') === 'Responded' : rows!.cell(status, 'HasResponded') === true;
  draft.setKnown('HasResponded', responded);
  if (responded && draft.get('FirstRespondedDate') === null) draft.setKnown('FirstRespondedDate', saving.today);
}
