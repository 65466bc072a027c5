import { randomUUID } from 'node:crypto';
import { saveHeaders, writtenFrom } from './collections.ts';
import { isObjectLevel } from './faults.ts';
import { type FieldTypes, recordJson } from './record-json.ts';
import type { Wire } from './wire.ts';
import type { FileContent, WriteOptions, WriteRecord, Written } from './writing.ts';

export interface FileRecord {
  readonly object: string;
  readonly record: WriteRecord;
  readonly types: FieldTypes;
  readonly blobField: string;
  readonly content: FileContent;
  readonly options: WriteOptions | undefined;
}

/** Two gigabytes in an hour are 5 Mbit/s. */
const deadlineMs = 60 * 60_000;

/**
 * Inserts one record with its file, as multipart/form-data in two parts: the record as JSON, which must come first, and the bytes (field
 * guide, restore 9).
 */
export async function insertFileRecord(wire: Wire, file: FileRecord): Promise<Written> {
  const { object, content } = file;
  const boundary = `salvor-${randomUUID()}`;
  const { head, tail } = frame(boundary, file);
  const request = {
    what: `the upload of a file of ${object}`,
    method: 'POST' as const,
    url: `${wire.root}/sobjects/${object}`,
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"`, ...saveHeaders(file.options) },
    body: { size: head.length + content.size + tail.length, open: () => framed(head, content, tail) },
    once: true,
    deadlineMs,
  };
  try {
    return (await wire.http.json(request, (text) => writtenFrom(JSON.parse(text)))) as Written;
  } catch (error) {
    // The request is this one row: a refusal of it is the row's error.
    if (!isObjectLevel(error)) throw error;
    const { errorCode, reason, fields } = error.data as { errorCode: string; reason: string; fields: string[] };
    return { errors: [{ code: errorCode, message: reason, fields }] };
  }
}

async function* framed(head: Buffer, content: FileContent, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head;
  yield* content.open();
  yield tail;
}

function frame(boundary: string, file: FileRecord): { head: Buffer; tail: Buffer } {
  const { object, record, types, blobField, content } = file;
  const part = object === 'ContentVersion' ? 'entity_content' : `entity_${object.toLowerCase()}`;
  const name = content.name.replace(/["\r\n]/g, (character) => encodeURIComponent(character));
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${part}"`,
    'Content-Type: application/json; charset=UTF-8',
    '',
    recordJson(record, types),
    `--${boundary}`,
    `Content-Disposition: form-data; name="${blobField}"; filename="${name}"`,
    'Content-Type: application/octet-stream',
    '',
    '',
  ];
  return { head: Buffer.from(head.join('\r\n')), tail: Buffer.from(`\r\n--${boundary}--\r\n`) };
}
