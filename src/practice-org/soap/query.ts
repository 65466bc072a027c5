import type { Answer } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import { dispatch } from '../routes.ts';
import type { Session } from '../sessions.ts';
import type { OrgState } from '../state.ts';
import type { SoapCall } from './envelope.ts';
import { childText, type XmlContent, type XmlElements } from './xml.ts';

type Json = ReturnType<typeof JSON.parse>;

/** query, queryAll, queryMore: what REST answers, in XML. */
export async function soapQuery(state: OrgState, call: SoapCall, session: Session): Promise<XmlElements> {
  const rest = `/services/data/v${call.version}`;
  const more = childText(call.body, 'queryLocator');
  const soql = encodeURIComponent(childText(call.body, 'queryString') ?? '');
  const url = more === undefined ? `${rest}/${call.operation}?q=${soql}` : `${rest}/query/${more}`;
  const batchSize = childText(call.headers.get('QueryOptions'), 'batchSize');
  const headers = batchSize === undefined ? {} : { 'sforce-query-options': `batchSize=${batchSize}` };
  const answer: Answer = await dispatch(state, { method: 'GET', url, headers, body: Buffer.alloc(0), session });
  if (answer.status >= 400) throw refusalOf(answer);
  return queryResult(answer.json, call);
}

function refusalOf({ status, json }: Answer): Refusal {
  const [error] = json as [{ errorCode: string; message: string }];
  return new Refusal(status, error.errorCode, error.message);
}

function queryResult(result: Json, call: SoapCall): XmlElements {
  return {
    '@xsi:type': 'QueryResult',
    done: result.done,
    queryLocator: result.nextRecordsUrl?.replace(/^.*\//, '') ?? null,
    records: result.records.map((record: Json) => sObject(record, call)),
    size: result.totalSize,
  };
}

function sObject({ attributes, ...cells }: Json, call: SoapCall): XmlElements {
  const isPartner = call.flavour === 'partner';
  const written: Record<string, XmlContent | null> = {
    '@xsi:type': isPartner ? 'sf:sObject' : `sf:${attributes.type}`,
  };
  if (isPartner) written['sf:type'] = attributes.type;
  for (const [name, value] of Object.entries(cells)) written[`sf:${name}`] = content(value as Json, call);
  return written;
}

function content(value: Json, call: SoapCall): XmlContent | null {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.replace(/^(\d{4}-\d\d-\d\dT[\d:.]+)\+0000$/, '$1Z');
  if ('records' in value) return queryResult(value, call);
  if ('attributes' in value) return sObject(value, call);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [`sf:${name}`, content(part as Json, call)]));
}
