import type { ApiRequest } from '../answer.ts';
import type { RecordInput } from '../dml/save.ts';
import type { SObject } from '../schema.ts';
import { invalidMultipart, multipartParts, type Part } from './multipart.ts';
import { jsonObject, recordInput } from './record-input.ts';

/** Names of the part with the fields, where they are not `entity_` and the object in lower case (restore 9). */
const entityParts: Readonly<Record<string, string>> = { ContentVersion: 'entity_content' };

/**
 * The record of a multipart body: first the part with its fields as JSON, then the file, whose part has a file name and the name of
 * the field it goes to.
 */
export async function fileRecord(object: SObject, request: ApiRequest): Promise<RecordInput> {
  const [entity, ...files] = await multipartParts(request);
  const expected = entityParts[object.name] ?? `entity_${object.name.toLowerCase()}`;
  if (entity?.name !== expected)
    throw invalidMultipart(`the first part has to be ${expected}, with the fields as JSON`);
  if (files.length !== 1) throw invalidMultipart(`there has to be one file behind ${expected}`);
  const { fields, ...more } = recordInput(object, jsonObject(entity.bytes.toString('utf8')));
  return { ...more, fields: { ...fields, [fileField(object, files[0]!)]: files[0]!.bytes } };
}

function fileField(object: SObject, { name, filename }: Part): string {
  const field = object.field(name);
  if (field?.type !== 'base64') throw invalidMultipart(`${name} is not a file of ${object.name}`);
  if (filename === undefined) throw invalidMultipart(`the part ${name} has no file name`);
  return field.name;
}
