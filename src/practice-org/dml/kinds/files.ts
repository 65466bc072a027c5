import { createHash } from 'node:crypto';
import type { Value } from '../../database.ts';
import type { Draft } from '../draft.ts';
import { type Kind, target } from '../kind.ts';
import type { Saving } from '../saving.ts';
import { addRow } from '../write.ts';

const fileTypes: Readonly<Record<string, string>> = { pdf: 'PDF', txt: 'TEXT', csv: 'CSV', png: 'PNG' };

/** The first version makes its document and shares it with the owner; later ones become the latest (restore 9). */
export const contentVersion: Kind = {
  prepare(saving, draft) {
    if (!draft.isInsert) return;
    const bytes = draft.blobs.get('VersionData');
    if (!bytes) {
      draft.fail('REQUIRED_FIELD_MISSING', 'Required fields are missing: [VersionData]', ['VersionData']);
      return;
    }
    describeFile(draft, bytes);
    const document = draft.get('ContentDocumentId');
    const versions = document === null ? [] : saving.live('ContentVersion', 'ContentDocumentId', document);
    draft.setKnown('IsLatest', true);
    draft.setKnown('VersionNumber', String(versions.length + 1));
    for (const number of versions)
      if (draft.rows.cell(number, 'IsLatest') === true) draft.rows.set(number, { IsLatest: false });
    if (document !== null) return;
    const made = addRow(saving, 'ContentDocument', { ...documentCells(draft), OwnerId: draft.get('OwnerId') });
    if (made !== undefined) draft.set('ContentDocumentId', saving.table('ContentDocument')!.source.cell(made, 'Id'));
  },
  saved(saving, draft, number) {
    const document = target(saving, draft.get('ContentDocumentId'));
    if (!document || draft.get('IsLatest') !== true) return;
    const cells = { ...documentCells(draft), LatestPublishedVersionId: draft.rows.cell(number, 'Id') };
    const known = Object.entries(cells).filter(([field]) => document.object.field(field));
    saving.touch(document.object, document.number, Object.fromEntries(known), true);
    if (!draft.isInsert) return;
    link(saving, draft.get('ContentDocumentId'), draft.get('OwnerId'), 'I');
    const place = draft.get('FirstPublishLocationId');
    if (place !== null) link(saving, draft.get('ContentDocumentId'), place, 'V');
  },
};

function describeFile(draft: Draft, bytes: Buffer): void {
  const path = draft.text('PathOnClient') ?? draft.text('Title') ?? '';
  const [, extension = null] = /\.([^./\\]+)$/.exec(path) ?? [];
  const cells: Record<string, Value> = {
    ContentSize: bytes.length,
    Checksum: createHash('md5').update(bytes).digest('hex'),
    FileExtension: extension,
    FileType: fileTypes[extension?.toLowerCase() ?? ''] ?? 'UNKNOWN',
    PublishStatus: 'P',
  };
  for (const [field, value] of Object.entries(cells)) draft.setKnown(field, value);
  if (draft.get('Title') === null) draft.setKnown('Title', path.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, ''));
  for (const [field, value] of [
    ['Origin', 'H'],
    ['SharingOption', 'A'],
  ] as const)
    if (draft.get(field) === null) draft.setKnown(field, value);
}

function documentCells(draft: Draft): Record<string, Value> {
  const cells: Record<string, Value> = { PublishStatus: 'P', SharingPrivacy: 'N' };
  for (const field of ['Title', 'ContentSize', 'FileType', 'FileExtension', 'Description'])
    cells[field] = draft.get(field);
  return cells;
}

const links = 'ContentDocumentLink';

function link(saving: Saving, document: Value, entity: Value, shareType: string): void {
  const rows = saving.table(links)?.source;
  if (!rows || linkOf(saving, document, entity) !== undefined) return;
  addRow(saving, links, {
    ContentDocumentId: document,
    LinkedEntityId: entity,
    ShareType: shareType,
    Visibility: 'AllUsers',
  });
}

function linkOf(saving: Saving, document: Value, entity: Value): number | undefined {
  const rows = saving.table(links)!.source;
  return saving
    .live(links, 'ContentDocumentId', document)
    .find((number) => rows.cell(number, 'LinkedEntityId') === entity);
}

export const contentDocumentLink: Kind = {
  prepare(saving, draft) {
    if (!draft.isInsert) return;
    const [document, entity] = [draft.get('ContentDocumentId'), draft.get('LinkedEntityId')];
    if (linkOf(saving, document, entity) !== undefined)
      draft.fail(
        'DUPLICATE_VALUE',
        `Document with ID: ${document} is already linked with the entity with ID: ${entity}`,
        ['LinkedEntityId'],
      );
    if (draft.get('ShareType') === null) draft.setKnown('ShareType', 'V');
    if (draft.get('Visibility') === null) draft.setKnown('Visibility', 'AllUsers');
  },
};

/** Files from before ContentVersion, with the bytes in the record. */
export const bodyHolder: Kind = {
  prepare(_saving, draft) {
    const bytes = draft.blobs.get('Body');
    if (bytes) draft.setKnown('BodyLength', bytes.length);
  },
};
