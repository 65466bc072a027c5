import type { Answer, ApiRequest } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import { child, children, type Element, localName, parseXml, type XmlElements, xml } from './xml.ts';

const soapenv = 'http://schemas.xmlsoap.org/soap/envelope/';
const metadata = 'http://soap.sforce.com/2006/04/metadata';
const xsi = 'http://www.w3.org/2001/XMLSchema-instance';

/** The kinds of Salesforce's SOAP API, by the letter in the URL: /services/Soap/u/67.0, /services/Soap/c/67.0, /services/Soap/m/67.0. */
export type Flavour = 'partner' | 'enterprise' | 'metadata';

/** A SOAP call as it was sent. */
export interface SoapCall {
  readonly flavour: Flavour;
  /** `66.0`. */
  readonly version: string;
  /** Local name of the first element of the body: `undelete`. */
  readonly operation: string;
  readonly body: Element;
  /** By local name. */
  readonly headers: ReadonlyMap<string, Element>;
}

/** Reads the envelope of a request. Throws a Refusal for what is none. */
export function readCall(request: ApiRequest): SoapCall {
  const [letter, version] = request.parts as [string, string];
  const envelope = parseXml(request.body.toString('utf8'));
  if (!envelope || localName(envelope) !== 'Envelope' || envelope.namespaceURI !== soapenv)
    throw new Refusal(500, 'CLIENT', 'the request is no SOAP envelope');
  const operation = children(child(envelope, 'Body'))[0];
  if (!operation) throw new Refusal(500, 'CLIENT', 'the body of the envelope is empty');
  return {
    flavour: flavourOf(letter),
    version,
    operation: localName(operation),
    body: operation,
    headers: new Map(children(child(envelope, 'Header')).map((header) => [localName(header), header])),
  };
}

/** The answer to a call: its results, in their order. */
export function soapAnswer(
  { flavour, operation }: Pick<SoapCall, 'flavour' | 'operation'>,
  result: XmlElements | readonly XmlElements[],
): Answer {
  if (flavour === 'metadata')
    return envelope(200, `xmlns="${metadata}"`, xml({ [`${operation}Response`]: { result } }), 1);
  const namespaces = `xmlns="urn:${flavour}.soap.sforce.com" xmlns:sf="urn:sobject.${flavour}.soap.sforce.com"`;
  return envelope(200, namespaces, xml({ [`${operation}Response`]: { result } }), 1);
}

/** A fault: HTTP 500, `sf:` and the error code (restore 3.2). Errors in the envelope itself are the client's, without a code. */
export function soapFault({ errorCode, message }: Refusal, flavour: Flavour): Answer {
  const isClients = errorCode === 'CLIENT';
  const fault: XmlElements = {
    'soapenv:Fault': {
      faultcode: isClients ? 'soapenv:Client' : `sf:${errorCode}`,
      faultstring: isClients ? message : `${errorCode}: ${message}`,
      detail: isClients ? undefined : detail(errorCode, message),
    },
  };
  const calls = errorCode === 'INVALID_SESSION_ID' ? 0 : 1;
  const namespace = flavour === 'metadata' ? metadata : `urn:fault.${flavour}.soap.sforce.com`;
  return envelope(500, `xmlns:sf="${namespace}"`, xml(fault), calls);
}

/** An answer in JSON's array of errors as a fault; one that is no JSON stays as it is. */
export function soapFaultOf(answer: Answer, letter: string): Answer {
  if (!Array.isArray(answer.json)) return answer;
  const [{ errorCode, message }] = answer.json as [{ errorCode: string; message: string }];
  return soapFault(new Refusal(500, errorCode, message), flavourOf(letter));
}

export function flavourOf(letter: string): Flavour {
  const flavours: Readonly<Record<string, Flavour>> = { c: 'enterprise', m: 'metadata' };
  return flavours[letter.toLowerCase()] ?? 'partner';
}

function detail(errorCode: string, message: string): XmlElements {
  const type = /^(?:MALFORMED_QUERY|INVALID_FIELD|INVALID_TYPE|INVALID_ID_FIELD|MALFORMED_ID)$/.test(errorCode)
    ? `${errorCode.toLowerCase().replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Fault`
    : 'UnexpectedErrorFault';
  return {
    [`sf:${type}`]: { '@xsi:type': `sf:${type}`, 'sf:exceptionCode': errorCode, 'sf:exceptionMessage': message },
  };
}

function envelope(status: number, namespaces: string, body: string, calls: number): Answer {
  const text =
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<soapenv:Envelope xmlns:soapenv="${soapenv}" xmlns:xsi="${xsi}" ${namespaces}>` +
    `<soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
  return { status, headers: { 'Content-Type': 'text/xml;charset=UTF-8' }, text, calls };
}
