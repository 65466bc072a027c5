import { type Cells, files, firstInsert, inserts, read, writes } from '../../support/defects.ts';
import { idOf, rowsOf, rowWhere, type Seeded, testSeeded } from '../../support/seeded-defects.ts';

const all = ['Everything__c'];
const any = () => true;
const contact = rowWhere('Contact', (row) => row.AccountId !== null);

const [first, second] = [rowsOf('Everything__c')[20]!, rowsOf('Everything__c')[21]!];
const swapped = (rows: Cells[]) =>
  rows.map((row) => {
    const other = row.Id === first.Id ? second : row.Id === second.Id ? first : undefined;
    return other && row.Text__c !== undefined ? { ...row, Text__c: String(other.Text__c) } : row;
  });
const withPhone = rowsOf('Contact').filter(({ MobilePhone }) => MobilePhone !== null);
const notes = rowsOf('Note');
const projects = rowsOf('Project__c');
const isNote = (record: Readonly<Record<string, unknown>>) => record.Title === notes[0]!.Title;
const selves = rowsOf('Everything__c').filter(({ Id, Self__c }) => Id === Self__c);
const nowhere = '0025e0U007zzzzzAAA';

const rows: readonly Seeded[] = [
  {
    title: 'values are swapped between two rows',
    objects: all,
    defect: read('Everything__c', swapped),
    finds: [
      [idOf(first), 'differs in Text__c'],
      [idOf(second), 'differs in Text__c'],
    ],
  },
  {
    title: 'a field is dropped in all rows',
    objects: ['Contact'],
    defect: read('Contact', (all) =>
      all.map((row) => (row.MobilePhone === undefined ? row : { ...row, MobilePhone: '' })),
    ),
    finds: withPhone.map((row) => [idOf(row), 'differs in MobilePhone']),
  },
  {
    title: 'a row is lost',
    objects: ['Note'],
    defect: read('Note', (all) => all.filter(({ Id }) => Id !== notes[0]!.Id)),
    finds: [[idOf(notes[0]!), 'is not in the org']],
  },
  {
    title: 'a page of a segment is read in the place of another',
    objects: ['Note'],
    defect: read('Note', (all) =>
      all.map((row, n) => (row.Title === undefined ? row : { ...row, Title: all[(n + 1) % all.length]!.Title! })),
    ),
    finds: notes.map((row) => [idOf(row), 'differs in Title']),
  },
  {
    title: 'a row is made twice',
    objects: ['Note'],
    defect: firstInsert('Note', isNote, async (record, insert) => (await insert([record, record]))[1]!),
    finds: [['Note', 'the org has 1 that the point does not have']],
  },
  {
    title: 'an error is swallowed',
    objects: ['Note'],
    defect: firstInsert('Note', isNote, async () => ({ id: nowhere, created: true, errors: [] })),
    finds: [[idOf(notes[0]!), 'is not in the org']],
  },
  {
    title: 'a row is refused',
    objects: ['Note'],
    defect: inserts('Note', async (records, insert) => {
      const done = await insert(records.filter((record) => !isNote(record)));
      const error = { code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'no notes today', fields: [] };
      return records.map((record) => (isNote(record) ? { errors: [error] } : done.shift()!));
    }),
    finds: [[idOf(notes[0]!), 'is not in the org: the org refused it with FIELD_CUSTOM_VALIDATION_EXCEPTION']],
  },
  {
    title: 'the Id map has two rows exchanged',
    objects: ['Project__c'],
    defect: inserts('Project__c', async (records, insert) => {
      const [one, other, ...more] = await insert(records);
      return other ? [{ ...one!, id: other.id! }, { ...other, id: one!.id! }, ...more] : [one!];
    }),
    finds: projects.slice(1, 3).map((row) => [idOf(row), 'differs in']),
  },
  {
    title: 'rows come back as the same record',
    objects: ['Project__c'],
    defect: inserts('Project__c', async (records, insert) => {
      const done = await insert(records);
      return done.map((one) => ({ ...one, id: done[0]!.id! }));
    }),
    finds: [
      ['Project__c', 'the org has 3 that the point does not have'],
      ...projects.slice(2).map((row) => [idOf(row), 'came back as the same record as another row'] as const),
    ],
  },
  {
    title: 'a row is made as one of another object',
    objects: ['Note', 'Task'],
    defect: firstInsert(
      'Note',
      isNote,
      async ({ Title }, _insert, writer) =>
        (await writer.insert('Task', [{ Subject: Title!, Status: 'Completed', Priority: 'Low' }]))[0]!,
    ),
    finds: [
      [idOf(notes[0]!), 'is not in the org'],
      ['Task', 'the org has 1 that the point does not have'],
    ],
  },
  {
    title: 'a row that was deleted before the point comes back',
    objects: ['Opportunity'],
    defect: firstInsert('Opportunity', any, async (record, insert) => {
      const deleted = { Name: 'deleted', StageName: record.StageName!, CloseDate: record.CloseDate! };
      return (await insert([record, deleted]))[0]!;
    }),
    finds: [['Opportunity', 'the org has 1 that the point does not have']],
  },
  {
    title: 'the second pass of circles is forgotten',
    objects: all,
    defect: writes((writer) => ({
      update: async (object, records, options) =>
        object === 'Everything__c' && records.some((record) => 'Self__c' in record)
          ? records.map(({ Id }) => ({ id: Id!, errors: [] }))
          : writer.update(object, records, options),
    })),
    finds: selves.map((row) => [idOf(row), 'differs in Self__c']),
  },
  {
    title: 'a child is made before its parent',
    objects: ['Account', 'Contact'],
    defect: firstInsert(
      'Contact',
      ({ AccountId }) => Boolean(AccountId),
      async (record, insert) => (await insert([{ ...record, AccountId: '0015e0U007zzzzzAAA' }]))[0]!,
    ),
    finds: [
      [idOf(contact), 'is not in the org: the org refused it with INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY'],
    ],
  },
];

const versions = rowsOf('ContentVersion');
const library = ['ContentDocument', 'ContentVersion', 'ContentDocumentLink'];
const links = rowsOf('ContentDocumentLink');
const attachment = rowsOf('Attachment')[0]!;
const latest = versions[2]!;

const fileDefects: readonly Seeded[] = [
  {
    title: 'a byte of a file is another',
    objects: library,
    defect: files(
      ({ PathOnClient }) => PathOnClient === latest.PathOnClient,
      (bytes) => Buffer.concat([bytes.subarray(1), bytes.subarray(0, 1)]),
    ),
    finds: versions.slice(0, 3).map((row) => [idOf(row), 'differs in VersionData']),
  },
  {
    title: 'a file is cut short',
    objects: ['Attachment'],
    defect: files(
      ({ Name }) => Name === attachment.Name,
      (bytes) => bytes.subarray(0, -1),
    ),
    finds: [[idOf(attachment), 'differs in Body']],
  },
  {
    title: 'versions of a file come in another order',
    objects: library,
    defect: read('ContentVersion', (all) => {
      const order = all.filter(({ ContentDocumentId }) => ContentDocumentId === latest.ContentDocumentId);
      return all.map((row) =>
        order.includes(row) && row.VersionNumber !== undefined
          ? { ...row, VersionNumber: String(4 - Number(row.VersionNumber)) }
          : row,
      );
    }),
    finds: [
      [idOf(versions[0]!), 'differs in IsLatest, VersionNumber'],
      [idOf(latest), 'differs in IsLatest, VersionNumber'],
      [String(latest.ContentDocumentId), 'differs in LatestPublishedVersionId'],
    ],
  },
  {
    title: 'a link of a file is missing',
    objects: library,
    defect: inserts('ContentDocumentLink', async (records) =>
      records.map(({ LinkedEntityId }) => ({ id: `06A5e0Uzz${LinkedEntityId!.slice(9)}`, created: true, errors: [] })),
    ),
    // The first one the platform makes itself, with the file of the user.
    finds: links.slice(1).map((row) => [idOf(row), 'is not in the org']),
  },
];

const campaigns = ['Campaign', 'CampaignMemberStatus'];
const platformMade: readonly Seeded[] = [
  {
    title: 'rows that the platform makes along with others are made again',
    objects: campaigns,
    defect: firstInsert('Campaign', any, async (record, insert, writer) => {
      const [made] = await insert([record]);
      await writer.insert('CampaignMemberStatus', [{ CampaignId: made!.id!, Label: 'Sent again' }]);
      return made!;
    }),
    finds: [['CampaignMemberStatus', 'the org has 1 that the point does not have']],
  },
];

await testSeeded('is found', [...rows, ...fileDefects, ...platformMade]);
