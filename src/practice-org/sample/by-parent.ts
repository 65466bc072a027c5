import {
  audit,
  boolean,
  createdById,
  createdDate,
  id,
  isDeleted,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
} from '../declaration.ts';
import { type SampleObject, serial, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';
import { sentence } from '../words.ts';

/*
 * Objects that answer only queries that name a parent, and their parents (field guide, extract 4.2).
 */

const folders = 260;
const contentFolder: SampleObject = {
  declaration: {
    name: 'ContentFolder',
    prefix: '07H',
    label: 'Content Folder',
    more: { layoutable: false, mruEnabled: false },
    fields: [
      id('Id'),
      string('Name', 255, { nameField: true }),
      reference('ParentContentFolderId', 'ContentFolder', {}),
      ...audit,
      isDeleted,
    ],
  },
  count: folders,
  row: (number, org) => ({
    Name: `Folder ${serial(number)}`,
    ParentContentFolderId: number === 0 ? null : org.id('ContentFolder', number >> 1),
  }),
};

/** What lies in a folder: files and folders. */
const contentFolderItem: SampleObject = {
  declaration: {
    name: 'ContentFolderItem',
    prefix: '07I',
    label: 'Content Folder Item',
    more: { ...setupTraits, createable: false, updateable: false, deletable: false, replicateable: false },
    fields: [
      id('Id'),
      boolean('IsFolder'),
      reference('ParentContentFolderId', 'ContentFolder', { ...system }),
      string('Title', 255),
      string('FileType', 20),
      ...audit,
    ],
  },
  count: 300,
  treatment: {
    bulkRefused: true,
    noRecycleBin: true,
    requiredFilter: {
      fields: ['Id', 'ParentContentFolderId'],
      message:
        "Implementation restriction: ContentFolderItem requires a filter by Id or ParentContentFolderId using the equals or 'IN' operator",
    },
  },
  row: (number, org) => ({
    IsFolder: false,
    ParentContentFolderId: org.id('ContentFolder', (number * 7) % folders),
    Title: number < torture.length ? torture[number]!.slice(0, 255) : `Item ${number}`,
    FileType: 'TEXT',
  }),
};

const contentFolderMember: SampleObject = {
  declaration: {
    name: 'ContentFolderMember',
    prefix: '07J',
    label: 'Content Folder Member',
    more: { layoutable: false, mruEnabled: false, undeletable: false },
    fields: [
      id('Id'),
      reference('ParentContentFolderId', 'ContentFolder', required),
      reference('ChildRecordId', 'ContentDocument', { ...required, relationshipName: 'ChildRecord' }),
      ...audit,
      isDeleted,
    ],
  },
  count: 20,
  treatment: {
    bulkRefused: true,
    requiredFilter: {
      fields: ['Id', 'ChildRecordId', 'ParentContentFolderId'],
      single: true,
      message:
        'Implementation restriction: ContentFolderMember requires a filter by a single Id, ChildRecordId or ParentContentFolderId using the equals operator',
    },
  },
  row: (number, org) => ({
    ParentContentFolderId: org.id('ContentFolder', (number * 13) % folders),
    ChildRecordId: org.live('ContentDocument', number),
  }),
};

const idea: SampleObject = {
  declaration: {
    name: 'Idea',
    prefix: '087',
    label: 'Idea',
    fields: [
      id('Id'),
      isDeleted,
      string('Title', 255, { ...required, nameField: true }),
      textarea('Body', 32000),
      ...audit,
    ],
  },
  count: 9,
  row: (number, _org, random) => ({ Title: sentence(random, 4), Body: torture[number]! }),
};

const ideaComment: SampleObject = {
  declaration: {
    name: 'IdeaComment',
    prefix: '00m',
    label: 'Idea Comment',
    more: { layoutable: false },
    fields: [
      id('Id'),
      reference('IdeaId', 'Idea', { ...required, updateable: false, children: 'Comments', parentCascades: true }),
      textarea('CommentBody', 4000),
      createdDate,
      createdById,
      systemModstamp,
      isDeleted,
    ],
  },
  count: 30,
  treatment: {
    bulkRefused: true,
    requiredFilter: {
      fields: ['CommunityId', 'Id', 'IdeaId'],
      message:
        'Implementation restriction. When querying the Idea Comment object, you must filter using the following syntax: CommunityId = [single ID], Id = [single ID], IdeaId = [single ID], Id IN [list of IDs], or IdeaId IN [list of IDs].',
    },
  },
  row: (number, org) => ({ IdeaId: org.id('Idea', number % 9), CommentBody: torture[number % torture.length]! }),
};

export const byParentObjects: readonly SampleObject[] = [
  contentFolder,
  contentFolderItem,
  contentFolderMember,
  idea,
  ideaComment,
];
