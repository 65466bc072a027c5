import {
  audit,
  base64,
  boolean,
  createdById,
  createdDate,
  datetime,
  type FieldDeclaration,
  id,
  int,
  isDeleted,
  number as numberField,
  picklist,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
  userOwner,
} from '../declaration.ts';
import { mix } from '../random.ts';
import { instant, type SampleFile, type SampleObject, type SampleOrg } from '../sample.ts';
import { description } from './accounts.ts';
import { fileOf, md5 } from './file-contents.ts';

const titles: readonly (readonly [string, string, number])[] = [
  ['Offer "Q3"; final', 'pdf', 180_211],
  ['empty', 'txt', 0],
  ['one byte', 'bin', 1],
  ['naïve 🚀 notes', 'txt', 4_097],
  ['prices, 2026', 'csv', 9_731],
  ['../../etc/passwd', 'txt', 512],
  ['con', 'txt', 65_536],
  ['logo', 'png', 70],
  [' leading space', 'txt', 65_537],
  ['שלום', 'pdf', 12_345],
  ['t'.repeat(200), 'txt', 65_535],
  ['site plan', 'dwg', 1_048_576],
];
const documentCount = 40;
/** The first documents have several versions; later ones one each. */
const severalVersions = 8;
const versionCount = documentCount + severalVersions * 2;

const documentOf = (version: number) =>
  version < severalVersions * 3 ? Math.floor(version / 3) : version - severalVersions * 2;
const latestVersion = (document: number) =>
  document < severalVersions ? document * 3 + 2 : document + severalVersions * 2;
const ownerOf = (document: number, org: SampleOrg) => org.live('User', document % 20);

function titleOf(document: number): readonly [string, string, number] {
  const [title, extension, size] = titles[document % titles.length]!;
  return document < titles.length ? [title, extension, size] : [`${title} (${document})`, extension, size];
}

/** Contents repeat: the third version of a document is the first again, and copies of a title share their bytes. */
function versionFile(version: number, org: SampleOrg): SampleFile {
  const document = documentOf(version);
  const [, extension, size] = titleOf(document);
  if (document === documentCount - 1) return fileOf('bin', org.largestFile, mix(org.seed, 40));
  const draft = document < severalVersions && version % 3 === 1;
  return fileOf(extension, draft ? size >> 1 : size, mix(org.seed, document % titles.length, draft ? 1 : 0));
}

const checksums = new Map<string, string>();
/** The MD5 of a version, once computed kept: 40 MiB take a moment. */
function checksumOf(version: number, org: SampleOrg): string {
  const key = `${org.seed}/${version}/${org.largestFile}`;
  let checksum = checksums.get(key);
  if (checksum === undefined) {
    checksum = md5(versionFile(version, org));
    checksums.set(key, checksum);
  }
  return checksum;
}

const fileTypes: Record<string, string> = {
  pdf: 'PDF',
  txt: 'TEXT',
  csv: 'CSV',
  png: 'PNG',
  bin: 'UNKNOWN',
  dwg: 'UNKNOWN',
};
const mimeTypes: Record<string, string> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  csv: 'text/csv',
  png: 'image/png',
};

const contentDocument: SampleObject = {
  declaration: {
    name: 'ContentDocument',
    prefix: '069',
    label: 'Content Document',
    more: { createable: false, layoutable: false },
    fields: [
      id('Id'),
      ...audit,
      boolean('IsArchived', system),
      userOwner,
      isDeleted,
      string('Title', 255, { ...required, nameField: true }),
      picklist('PublishStatus', ['P', 'R', 'U'], { ...system, length: 40 }),
      reference('LatestPublishedVersionId', 'ContentVersion', { ...system }),
      int('ContentSize', { ...system, digits: 9 }),
      string('FileType', 20, system),
      string('FileExtension', 40, system),
      textarea('Description', 1000, { filterable: true }),
      datetime('ContentModifiedDate', system),
      picklist('SharingPrivacy', ['N', 'P'], { length: 40 }),
    ],
  },
  count: documentCount,
  deleted: (number) => number === 21,
  row: (number, org) => {
    const version = latestVersion(number);
    const [title, extension] = titleOf(number);
    return {
      OwnerId: ownerOf(number, org),
      Title: title,
      PublishStatus: 'P',
      LatestPublishedVersionId: org.id('ContentVersion', version),
      ContentSize: versionFile(version, org).size,
      FileType: fileTypes[extension]!,
      FileExtension: extension,
      SharingPrivacy: 'N',
    };
  },
};

const origins = ['C', { value: 'H', defaultValue: true }];

const contentVersion: SampleObject = {
  declaration: {
    name: 'ContentVersion',
    prefix: '068',
    label: 'Content Version',
    more: { layoutable: true, undeletable: false, deletable: false },
    fields: [
      id('Id'),
      reference('ContentDocumentId', 'ContentDocument', {
        updateable: false,
        nillable: false,
        children: 'ContentVersions',
        parentCascades: true,
      }),
      boolean('IsLatest', system),
      string('VersionNumber', 20, system),
      string('Title', 255, { nameField: true }),
      textarea('Description', 1000, { filterable: true }),
      string('ReasonForChange', 1000, { groupable: false }),
      picklist('SharingOption', ['A', 'R'], { length: 40 }),
      string('PathOnClient', 500, { updateable: false }),
      boolean('IsDeleted', system),
      ...audit,
      userOwner,
      string('FileType', 20, system),
      picklist('PublishStatus', ['P', 'R', 'U'], { ...system, length: 40 }),
      base64('VersionData', { updateable: false }),
      int('ContentSize', { ...system, digits: 9 }),
      string('FileExtension', 40, system),
      reference('FirstPublishLocationId', ['Account', 'Case', 'User'], { updateable: false }),
      picklist('Origin', origins, { ...required, defaultedOnCreate: true, length: 40 }),
      string('Checksum', 50, system),
      boolean('IsMajorVersion', { updateable: false }),
    ],
  },
  count: versionCount,
  deleted: (number, org) => documentOf(number) !== 0 && org.deleted('ContentDocument', documentOf(number)),
  row: (number, org) => {
    const document = documentOf(number);
    const [title, extension] = titleOf(document);
    return {
      OwnerId: ownerOf(document, org),
      ContentDocumentId: org.id('ContentDocument', document),
      IsLatest: latestVersion(document) === number,
      VersionNumber: document < severalVersions ? String((number % 3) + 1) : '1',
      Title: title,
      ReasonForChange: document < severalVersions && number % 3 > 0 ? 'Corrections, see "comments"' : null,
      SharingOption: 'A',
      PathOnClient: `${title}.${extension}`,
      FileType: fileTypes[extension]!,
      PublishStatus: 'P',
      ContentSize: versionFile(number, org).size,
      FileExtension: extension,
      Origin: 'H',
      Checksum: checksumOf(number, org),
      IsMajorVersion: true,
    };
  },
  file: (number, field, org) => (field === 'VersionData' ? versionFile(number, org) : undefined),
};

const linkTargets = ['Account', 'Case', 'Opportunity', 'Project__c'] as const;

/** Who sees a file: its owner always, and the record it hangs on. */
const contentDocumentLink: SampleObject = {
  declaration: {
    name: 'ContentDocumentLink',
    prefix: '06A',
    label: 'Content Document Link',
    more: { layoutable: false, undeletable: false, mruEnabled: false, searchable: false },
    fields: [
      id('Id'),
      reference('LinkedEntityId', [...linkTargets, 'User'].sort(), {
        ...required,
        updateable: false,
        children: 'ContentDocumentLinks',
        parentCascades: true,
      }),
      reference('ContentDocumentId', 'ContentDocument', {
        ...required,
        updateable: false,
        children: 'ContentDocumentLinks',
        parentCascades: true,
      }),
      isDeleted,
      systemModstamp,
      picklist('ShareType', ['V', 'C', 'I'], { length: 40 }),
      picklist('Visibility', ['AllUsers', 'InternalUsers'], { length: 40 }),
    ],
  },
  count: documentCount * 2,
  deleted: (number, org) => org.deleted('ContentDocument', number % documentCount),
  treatment: {
    requiredFilter: {
      fields: ['ContentDocumentId', 'LinkedEntityId', 'Id'],
      message:
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
      unlessPermission: 'PermissionsQueryAllFiles',
    },
  },
  row: (number, org) => ({
    LinkedEntityId:
      number < documentCount ? ownerOf(number, org) : org.live(linkTargets[number % linkTargets.length]!, number * 3),
    ContentDocumentId: org.id('ContentDocument', number % documentCount),
    ShareType: number < documentCount ? 'I' : 'V',
    Visibility: 'AllUsers',
  }),
};

/** Files from before ContentVersion, with the bytes in the record. */
function oldFile(number: number, org: SampleOrg, salt: number): SampleFile {
  const [, extension, size] = titles[(number + 3) % titles.length]!;
  return fileOf(extension, Math.min(size, 70_000), mix(org.seed, number, salt));
}

const bodyFields: readonly FieldDeclaration[] = [
  string('ContentType', 120),
  int('BodyLength', system),
  base64('Body', required),
];

const attachment: SampleObject = {
  declaration: {
    name: 'Attachment',
    prefix: '00P',
    label: 'Attachment',
    more: { layoutable: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('ParentId', ['Account', 'Case', 'EmailMessage', 'Task'], {
        ...required,
        updateable: false,
        children: 'Attachments',
        parentCascades: true,
      }),
      string('Name', 255, { ...required, nameField: true }),
      boolean('IsPrivate'),
      ...bodyFields,
      userOwner,
      ...audit,
      textarea('Description', 500, { filterable: true }),
    ],
  },
  count: 12,
  deleted: (number) => number === 7,
  treatment: { bulkRefused: true },
  row: (number, org) => {
    const [title, extension] = titles[(number + 3) % titles.length]!;
    return {
      ParentId: org.live(['Account', 'Case', 'EmailMessage', 'Task'][number % 4]!, number * 5),
      Name: `${title}.${extension}`.slice(0, 255),
      ContentType: mimeTypes[extension] ?? null,
      BodyLength: oldFile(number, org, 7).size,
      Description: description(number + 4, org, 'Attachment', 60),
    };
  },
  file: (number, field, org) => (field === 'Body' ? oldFile(number, org, 7) : undefined),
};

const document: SampleObject = {
  declaration: {
    name: 'Document',
    prefix: '015',
    label: 'Document',
    more: { layoutable: false, triggerable: false },
    fields: [
      id('Id'),
      reference('FolderId', ['Folder', 'User'], { ...required, relationshipName: 'Folder' }),
      isDeleted,
      string('Name', 255, { ...required, nameField: true }),
      string('DeveloperName', 80, required),
      string('ContentType', 120),
      string('Type', 40),
      boolean('IsPublic'),
      int('BodyLength', system),
      base64('Body'),
      string('Url', 255, { permissionable: false }),
      string('Keywords', 255),
      reference('AuthorId', 'User', required),
      ...audit,
    ],
  },
  count: 5,
  row: (number, org) => {
    const [title, extension] = titles[(number + 3) % titles.length]!;
    const elsewhere = number === 4;
    return {
      FolderId: number === 0 ? org.id('User', 1) : org.id('Folder', 0),
      Name: title,
      DeveloperName: `Document_${number}`,
      ContentType: mimeTypes[extension] ?? null,
      Type: extension,
      BodyLength: elsewhere ? 0 : oldFile(number, org, 8).size,
      Url: elsewhere ? 'https://example.com/manual.pdf' : null,
      AuthorId: org.id('User', 1),
    };
  },
  // One is only a link to somewhere else.
  file: (number, field, org) => (field === 'Body' && number !== 4 ? oldFile(number, org, 8) : undefined),
};

const folder: SampleObject = {
  declaration: {
    name: 'Folder',
    prefix: '00l',
    label: 'Folder',
    more: { layoutable: false, undeletable: false, triggerable: false },
    fields: [
      id('Id'),
      string('Name', 40, { nameField: true }),
      string('DeveloperName', 80),
      picklist('AccessType', ['Shared', 'Public', 'Hidden'], { ...required, length: 40 }),
      boolean('IsReadonly'),
      picklist('Type', ['Document', 'Email', 'Report', 'Dashboard'], { ...required, length: 40 }),
      ...audit,
    ],
  },
  count: 4,
  row: (number) => ({
    Name: ['Brochures', 'Templates', 'Reports "weekly"', 'Boards'][number]!,
    DeveloperName: ['Brochures', 'Templates', 'Reports_weekly', 'Boards'][number]!,
    AccessType: 'Public',
    Type: ['Document', 'Email', 'Report', 'Dashboard'][number]!,
  }),
};

/** Described as queryable, and no query works (field guide, extract 4.1). */
const contentBody: SampleObject = {
  declaration: {
    name: 'ContentBody',
    prefix: '05T',
    label: 'Content Body',
    more: {
      layoutable: false,
      createable: false,
      updateable: false,
      deletable: false,
      replicateable: false,
      undeletable: false,
    },
    fields: [id('Id'), numberField('Size', 'double', 18, 0, system), createdDate, createdById],
  },
  count: 0,
  treatment: {
    queryError: {
      status: 400,
      errorCode: 'INVALID_TYPE_FOR_OPERATION',
      message: 'entity type ContentBody does not support query',
    },
  },
  row: () => ({ CreatedDate: instant(0) }),
};

export const fileObjects: readonly SampleObject[] = [
  contentDocument,
  contentVersion,
  contentDocumentLink,
  attachment,
  document,
  folder,
  contentBody,
];
