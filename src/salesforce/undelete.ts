import { checkIds } from './collections.ts';
import { Refusal, readRefusal } from './faults.ts';
import { soapRequest } from './soap.ts';
import type { Wire } from './wire.ts';
import type { WriteError, Written } from './writing.ts';
import { decodeText, elements, elementText, without } from './xml.ts';

/** Takes up to 200 rows out of the recycle bin by SOAP, which alone can (field guide, restore 3.2); results in the order of `ids`. */
export async function undeleteRecords(wire: Wire, ids: readonly string[]): Promise<Written[]> {
  if (ids.length === 0) return [];
  checkIds(ids);
  const request = soapRequest(wire, {
    what: `the undeletion of ${ids.length} rows`,
    api: 'u',
    headers: '<AllOrNoneHeader><allOrNone>false</allOrNone></AllOrNoneHeader>',
    body: `<undelete>${ids.map((id) => `<ids>${id}</ids>`).join('')}</undelete>`,
    done: 'Rows are undeleted',
  });
  return wire.http.read(request, (xml, status) => {
    const results = elements(xml, 'result');
    if (elements(xml, 'undeleteResponse').length !== 1) throw readRefusal(status, xml);
    if (results.length !== ids.length) throw new Refusal(status, '', `the answer has ${results.length} results`);
    return results.map((result) => writtenFrom(result, status));
  });
}

function writtenFrom(result: string, status: number): Written {
  const success = elementText(result, 'success')?.trim();
  const id = elementText(without(result, 'errors'), 'id')?.trim() || undefined;
  if (success === 'true' && id) return { id, errors: [] };
  if (success !== 'false') throw new Refusal(status, '', 'a result of the answer does not say how it went');
  const errors = elements(result, 'errors').map(errorFrom);
  return { ...(id && { id }), errors: errors.length > 0 ? errors : [{ code: '', message: 'no reason', fields: [] }] };
}

function errorFrom(error: string): WriteError {
  return {
    code: elementText(error, 'statusCode')?.replace(/^.*:/, '').trim() ?? '',
    message: elementText(error, 'message') ?? '',
    fields: elements(error, 'fields')
      .map(decodeText)
      .filter((field) => field !== ''),
  };
}
