import type { ApiRequest } from '../answer.ts';
import type { RecordInput } from '../dml/save.ts';
import type { SObject } from '../schema.ts';
import { invalidMultipart, multipartParts, type Part } from './multipart.ts';
import { jsonObject, recordInput } from './record-input.ts';

/** Names of the part with the fields, where they are not `entity_` and the object in lower case (restore 9). */
const entityParts: Readonly<Record<string, string>> = { ContentVersion: 'entity_content' };

/**
 * The record of a multipart body: a part with its fields as JSON, and a file, whose part has a file name and the name of the field it
 * goes to. Salesforce's own examples send the fields first, its own CLI the file.
 */
export async function fileRecord(object: SObject, request: ApiRequest): Promise<RecordInput> {
  const parts = await multipartParts(request);
  const expected = entityParts[object.name] ?? `entity_${object.name.toLowerCase()}`;
  const entity = parts.find(({ name }) => name === expected);
  if (!entity) throw invalidMultipart(`there is no part ${expected} with the fields as JSON`);
  const files = parts.filter((part) => part !== entity);
  if (files.length !== 1) throw invalidMultipart(`there has to be one file beside ${expected}`);
  const { fields, ...more } = recordInput(object, jsonObject(entity.bytes.toString('utf8')));
  return { ...more, fields: { ...fields, [fileField(object, files[0]!)]: files[0]!.bytes } };
}

function fileField(object: SObject, { name, filename }: Part): string {
  const field = object.field(name);
  if (field?.type !== 'base64') throw invalidMultipart(`${name} is not a file of ${object.name}`);
  if (filename === undefined) throw invalidMultipart(`the part ${name} has no file name`);
  return field.name;
}
