import { type FieldTypes, recordJson } from './record-json.ts';
import { word, words } from './rest-json.ts';
import type { Wire } from './wire.ts';
import type { WriteError, WriteOptions, WriteRecord, Written } from './writing.ts';

/** Rows of one request of sObject Collections, and of SOAP (field guide, restore 2). */
export const mostRows = 200;

/** A request that saves records of one object. */
export interface Save {
  readonly what: string;
  readonly method: 'POST' | 'PATCH';
  /** Below `composite/sobjects`. */
  readonly path?: string;
  readonly object: string;
  readonly records: readonly WriteRecord[];
  readonly types: FieldTypes;
  readonly options: WriteOptions | undefined;
  readonly once?: boolean;
  readonly onDoubt?: () => void;
}

/** Headers that keep assignment rules off, and duplicate rules that only warn when asked for (restore 6.2). */
export function saveHeaders({ allowDuplicates }: WriteOptions = {}): Record<string, string> {
  return {
    'sforce-auto-assign': 'FALSE',
    ...(allowDuplicates && {
      'sforce-duplicate-rule-header': 'allowSave=true; includeRecordDetails=false; runAsCurrentUser=false',
    }),
  };
}

/** Saves up to 200 records of one object; results in their order. */
export async function saveRecords(wire: Wire, save: Save): Promise<Written[]> {
  const { records, object, types, what, method, once, onDoubt } = save;
  if (records.length === 0) return [];
  checkRows(records.length);
  const body = `{"allOrNone":false,"records":[${records.map((one) => recordJson(one, types, object)).join(',')}]}`;
  const request = {
    what,
    method,
    url: `${wire.root}/composite/sobjects${save.path ?? ''}`,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...saveHeaders(save.options) },
    body,
    once,
    onDoubt,
  };
  return (await wire.http.json(request, (text) => writtenList(text, records.length))) as Written[];
}

/** Deletes up to 200 rows; results in the order of `ids`. */
export async function deleteRecords(wire: Wire, ids: readonly string[]): Promise<Written[]> {
  if (ids.length === 0) return [];
  checkIds(ids);
  const request = {
    what: `the deletion of ${ids.length} rows`,
    method: 'DELETE' as const,
    url: `${wire.root}/composite/sobjects?ids=${ids.join(',')}&allOrNone=false`,
    headers: saveHeaders(),
  };
  return (await wire.http.json(request, (text) => writtenList(text, ids.length))) as Written[];
}

export function checkRows(rows: number): void {
  if (rows > mostRows) throw new TypeError(`${rows} rows do not go into one request; ${mostRows} do`);
}

/** Throws a TypeError on more than 200 Ids, and on what is none. */
export function checkIds(ids: readonly string[]): void {
  checkRows(ids.length);
  const wrong = ids.find((id) => !/^[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?$/.test(id));
  if (wrong !== undefined) throw new TypeError('what should be an Id of 15 or 18 characters is none');
}

/** Throws SyntaxError on anything but `count` results, so that the answer counts as unreadable. */
function writtenList(text: string, count: number): Written[] {
  const json: unknown = JSON.parse(text);
  if (!Array.isArray(json) || json.length !== count) throw new SyntaxError(`not ${count} results`);
  return json.map(writtenFrom);
}

/** One result of Collections or of a single record. Throws SyntaxError when it is none. */
export function writtenFrom(json: unknown): Written {
  const result = (json ?? {}) as { id?: unknown; success?: unknown; created?: unknown; errors?: unknown };
  const id = typeof result.id === 'string' && result.id !== '' ? result.id : undefined;
  if (typeof result.success !== 'boolean' || (result.success && id === undefined)) throw new SyntaxError('no result');
  if (!result.success) return { ...(id && { id }), errors: errorsFrom(result.errors) };
  return { id, ...(typeof result.created === 'boolean' && { created: result.created }), errors: [] };
}

/** Never empty: a row that failed without a reason has failed all the same. */
function errorsFrom(json: unknown): WriteError[] {
  const list = (Array.isArray(json) ? json : []) as (Record<string, unknown> | null)[];
  const errors = list.map((error) => ({
    code: word(error?.statusCode) ?? word(error?.errorCode) ?? '',
    message: word(error?.message) ?? '',
    fields: words(error?.fields),
  }));
  return errors.length > 0 ? errors : [{ code: '', message: 'the org gave no reason', fields: [] }];
}
