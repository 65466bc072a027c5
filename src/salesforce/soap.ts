import { Fault } from '../errors.ts';
import type { Request } from './http.ts';
import type { Wire } from './wire.ts';
import { encodeText } from './xml.ts';

/** Which of the SOAP APIs: the Partner API or the Metadata API. */
const namespaces = { u: 'urn:partner.soap.sforce.com', m: 'http://soap.sforce.com/2006/04/metadata' } as const;

export interface SoapCall {
  readonly what: string;
  readonly api: keyof typeof namespaces;
  /** Headers beside the session, and the operation, as XML. */
  readonly headers?: string;
  readonly body: string;
  /** Said when the token is none that SOAP takes: `Rows are undeleted`. */
  readonly done: string;
}

/** A SOAP call as a request (field guide, restore 3.2). Throws `permission-missing` when sent with a JWT, which SOAP takes none of. */
export function soapRequest({ root }: Wire, { what, api, headers = '', body, done }: SoapCall): Request {
  return {
    what,
    method: 'POST',
    url: `/services/Soap/${api}/${root.slice(root.lastIndexOf('v') + 1)}`,
    // Without SOAPAction, even an empty one, the answer is of no use.
    headers: { 'content-type': 'text/xml; charset=UTF-8', soapaction: '""', 'accept-encoding': 'gzip' },
    body: (accessToken: string) => {
      if (/^eyJ[^.]*\.[^.]*\.[^.]*$/.test(accessToken)) throw noJwt(done);
      return (
        `<?xml version="1.0" encoding="UTF-8"?>` +
        `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">` +
        `<soapenv:Header xmlns="${namespaces[api]}">` +
        `<SessionHeader><sessionId>${encodeText(accessToken)}</sessionId></SessionHeader>${headers}` +
        `</soapenv:Header><soapenv:Body xmlns="${namespaces[api]}">${body}</soapenv:Body></soapenv:Envelope>`
      );
    },
  };
}

function noJwt(done: string): Fault {
  return new Fault('permission-missing', `${done} by SOAP, which takes no access token in JWT format.`, {
    actions: [
      'switch off "Issue JSON Web Token (JWT)-based access tokens for named users" in the app that salvor logs in with, then run again',
      'or log in through another app, for example with `salvor login`',
    ],
  });
}
