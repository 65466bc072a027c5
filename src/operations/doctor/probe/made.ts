import { randomBytes } from 'node:crypto';
import { isFault } from '../../../errors.ts';
import type { Org, RawAnswer, RawRequest } from '../../../salesforce/org.ts';

/** Objects that records are made of, and the field that carries the mark. */
const marked: Readonly<Record<string, string>> = { Account: 'Name', Contact: 'LastName', Case: 'Subject' };

const namespace = 'urn:partner.soap.sforce.com';

/** What a probe has made in an org, so that all of it can be removed again, whatever happened on the way. */
export class Made {
  /** In a text of every record. */
  readonly mark = `salvor probe ${randomBytes(4).toString('hex')}`;
  readonly #records = new Map<string, string>();
  readonly #jobs: string[] = [];

  record(object: string, id: string): void {
    this.#records.set(id, object);
  }

  job(path: string): void {
    this.#jobs.push(path);
  }

  /**
   * Removes jobs and records, out of the recycle bin too, and looks by the mark for records whose answer was lost. Resolves with what is
   * still there, or may be, in words. Throws nothing: what fails is tried for the rest.
   */
  async remove(org: Org): Promise<string[]> {
    for (const path of this.#jobs) await removeJob(org, path);
    for (const object of Object.keys(marked))
      for (const id of (await this.#found(org, object, 'queryAll')) ?? []) this.record(object, id);
    const ids = [...this.#records.keys()].reverse();
    // Twice: a parent may be held by what is deleted behind it.
    for (let round = 0; round < 2; round += 1) await eachFew(ids, (few) => deleted(org, few));
    await eachFew(ids, (few) => tried(org, soapCall(org, 'emptyRecycleBin', few)));
    const left: string[] = [];
    for (const object of Object.keys(marked)) {
      const mine = [...this.#records].filter(([, of]) => of === object).map(([id]) => id);
      for (const id of (await this.#found(org, object, 'query')) ?? mine) left.push(`${object} ${id}`);
    }
    return left;
  }

  /** Ids of records of this probe, as the org finds them; undefined where it does not answer. */
  async #found(org: Org, object: string, by: 'query' | 'queryAll'): Promise<string[] | undefined> {
    const soql = `SELECT Id FROM ${object} WHERE ${marked[object]} LIKE '${this.mark}%'`;
    const answer = await tried(org, { method: 'GET', path: `/${by}?q=${encodeURIComponent(soql)}` });
    if (answer?.status !== 200) return undefined;
    return (JSON.parse(answer.text) as { records: { Id: string }[] }).records.map(({ Id }) => Id);
  }
}

/** Undefined: no answer came. */
async function tried(org: Org, request: RawRequest): Promise<RawAnswer | undefined> {
  try {
    return await org.exchange(request);
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

/** An open job has to be aborted before it can be deleted; one that still works goes by itself in seven days. */
async function removeJob(org: Org, path: string): Promise<void> {
  const answer = await tried(org, { method: 'DELETE', path });
  if (answer?.status === 204 || answer?.status === 404) return;
  const headers = { 'content-type': 'application/json' };
  await tried(org, { method: 'PATCH', path, headers, body: JSON.stringify({ state: 'Aborted' }) });
  await tried(org, { method: 'DELETE', path });
}

function deleted(org: Org, ids: readonly string[]): Promise<unknown> {
  return tried(org, { method: 'DELETE', path: `/composite/sobjects?ids=${ids.join(',')}&allOrNone=false` });
}

/** A call of the SOAP API on some Ids. */
export function soapCall(org: Org, call: 'emptyRecycleBin' | 'undelete', ids: readonly string[]) {
  return {
    method: 'POST' as const,
    path: `/services/Soap/u/${org.identity.apiVersion}`,
    headers: { 'content-type': 'text/xml; charset=UTF-8', soapaction: '""' },
    body: (token: string) =>
      `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">` +
      `<soapenv:Header xmlns="${namespace}"><SessionHeader><sessionId>${token}</sessionId></SessionHeader></soapenv:Header>` +
      `<soapenv:Body xmlns="${namespace}"><${call}>${ids.map((id) => `<ids>${id}</ids>`).join('')}</${call}></soapenv:Body></soapenv:Envelope>`,
  };
}

async function eachFew(ids: readonly string[], work: (few: readonly string[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < ids.length; at += 100) await work(ids.slice(at, at + 100));
}
