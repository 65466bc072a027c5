import { Fault } from '../errors.ts';
import { checkIds } from './collections.ts';
import { Refusal, readRefusal } from './faults.ts';
import type { Wire } from './wire.ts';
import type { WriteError, Written } from './writing.ts';
import { decodeText, elements, elementText, encodeText } from './xml.ts';

const namespace = 'urn:partner.soap.sforce.com';

/** Takes up to 200 rows out of the recycle bin by SOAP, which alone can (field guide, restore 3.2); results in the order of `ids`. */
export async function undeleteRecords(wire: Wire, ids: readonly string[]): Promise<Written[]> {
  if (ids.length === 0) return [];
  checkIds(ids);
  const request = {
    what: `the undeletion of ${ids.length} rows`,
    method: 'POST' as const,
    url: `/services/Soap/u/${wire.root.slice(wire.root.lastIndexOf('v') + 1)}`,
    // Without SOAPAction, even an empty one, the answer is of no use.
    headers: { 'content-type': 'text/xml; charset=UTF-8', soapaction: '""', 'accept-encoding': 'gzip' },
    body: (accessToken: string) => envelope(accessToken, ids),
  };
  return wire.http.read(request, (xml, status) => {
    const results = elements(xml, 'result');
    if (elements(xml, 'undeleteResponse').length !== 1) throw readRefusal(status, xml);
    if (results.length !== ids.length) throw new Refusal(status, '', `the answer has ${results.length} results`);
    return results.map((result) => writtenFrom(result, status));
  });
}

function envelope(accessToken: string, ids: readonly string[]): string {
  if (/^eyJ[^.]*\.[^.]*\.[^.]*$/.test(accessToken)) {
    throw new Fault('permission-missing', 'Rows are undeleted by SOAP, which takes no access token in JWT format.', {
      actions: [
        'switch off "Issue JSON Web Token (JWT)-based access tokens for named users" in the app that salvor logs in with, then run again',
        'or log in through another app, for example with `salvor login`',
      ],
    });
  }
  return (
    `<?xml version="1.0" encoding="UTF-8"?>` +
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">` +
    `<soapenv:Header xmlns="${namespace}">` +
    `<SessionHeader><sessionId>${encodeText(accessToken)}</sessionId></SessionHeader>` +
    `<AllOrNoneHeader><allOrNone>false</allOrNone></AllOrNoneHeader>` +
    `</soapenv:Header>` +
    `<soapenv:Body xmlns="${namespace}"><undelete>${ids.map((id) => `<ids>${id}</ids>`).join('')}</undelete></soapenv:Body>` +
    `</soapenv:Envelope>`
  );
}

function writtenFrom(result: string, status: number): Written {
  const success = elementText(result, 'success')?.trim();
  const id = elementText(result.replace(errorElement, ''), 'id')?.trim() || undefined;
  if (success === 'true' && id) return { id, errors: [] };
  if (success !== 'false') throw new Refusal(status, '', 'a result of the answer does not say how it went');
  const errors = elements(result, 'errors').map(errorFrom);
  return { ...(id && { id }), errors: errors.length > 0 ? errors : [{ code: '', message: 'no reason', fields: [] }] };
}

const errorElement = /<(?:[\w.-]+:)?errors[\s>].*<\/(?:[\w.-]+:)?errors\s*>/gs;

function errorFrom(error: string): WriteError {
  return {
    code: elementText(error, 'statusCode')?.replace(/^.*:/, '').trim() ?? '',
    message: elementText(error, 'message') ?? '',
    fields: elements(error, 'fields')
      .map(decodeText)
      .filter((field) => field !== ''),
  };
}
