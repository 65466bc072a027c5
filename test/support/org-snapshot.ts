import assert from 'node:assert/strict';
import type { PracticeOrg } from '../../src/practice-org/server.ts';

type Cell = string | number | boolean | null;
export type RecordSeen = Readonly<Record<string, Cell>>;
interface FieldSeen {
  readonly name: string;
  readonly type: string;
  readonly calculated: boolean;
  readonly autoNumber: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
}

/** What an org holds, as anybody sees it over HTTP: nothing of the program under test is used here. */
export interface Snapshot {
  /** Object -> Id -> record, deleted ones left out. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, RecordSeen>>;
  readonly fields: ReadonlyMap<string, readonly FieldSeen[]>;
}

/** Plain requests to a practice org, as a user's script would send them. */
export class OrgRequests {
  readonly #org: PracticeOrg;
  readonly #accessToken: string;

  /** `accessToken`: of another user, whose Id then stands in the stamps. */
  constructor(org: PracticeOrg, accessToken = org.accessToken) {
    this.#org = org;
    this.#accessToken = accessToken;
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#org.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#accessToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  /** All records of a query, with every field named; blank for `FIELDS(ALL)` of the describe. */
  async query(soql: string, all = false): Promise<RecordSeen[]> {
    const records: RecordSeen[] = [];
    let next: string | undefined = `/services/data/v67.0/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;
    while (next !== undefined) {
      const answer = await this.send('GET', next);
      const body = (await answer.json()) as { records: Record<string, unknown>[]; nextRecordsUrl?: string };
      assert.equal(answer.status, 200, JSON.stringify(body).slice(0, 500));
      for (const { attributes: _, ...record } of body.records) records.push(record as RecordSeen);
      next = body.nextRecordsUrl;
    }
    return records;
  }

  /** Deletes records; each has to be deleted. */
  async delete(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += 200) {
      const answer = await this.send(
        'DELETE',
        `/services/data/v67.0/composite/sobjects?ids=${ids.slice(at, at + 200)}`,
      );
      const results = (await answer.json()) as { success: boolean; errors: unknown[] }[];
      for (const { success, errors } of results) assert.ok(success, JSON.stringify(errors));
    }
  }

  /** Deletes the first of these records that nothing holds; its Id. */
  async deleteAny(ids: readonly string[]): Promise<string> {
    for (const id of ids) {
      const answer = await this.send('DELETE', `/services/data/v67.0/composite/sobjects?ids=${id}`);
      const [result] = (await answer.json()) as { success: boolean }[];
      if (result!.success) return id;
    }
    throw new Error(`none of ${ids.length} records could be deleted`);
  }

  /** Changes records, given with Id; each has to be changed. */
  async update(object: string, records: readonly Readonly<Record<string, Cell>>[]): Promise<void> {
    await this.#collection('PATCH', object, records);
  }

  /** Makes records; their Ids. */
  async create(object: string, records: readonly Readonly<Record<string, Cell>>[]): Promise<string[]> {
    return this.#collection('POST', object, records);
  }

  async #collection(method: string, object: string, records: readonly Readonly<Record<string, Cell>>[]) {
    const ids: string[] = [];
    for (let at = 0; at < records.length; at += 200) {
      const body = {
        allOrNone: false,
        records: records.slice(at, at + 200).map((record) => ({ attributes: { type: object }, ...record })),
      };
      const answer = await this.send(method, '/services/data/v67.0/composite/sobjects', body, {
        'Sforce-Auto-Assign': 'FALSE',
      });
      const results = (await answer.json()) as { id: string; success: boolean; errors: unknown[] }[];
      for (const { id, success, errors } of results) {
        assert.ok(success, JSON.stringify(errors));
        ids.push(id);
      }
    }
    return ids;
  }

  /** Empties the recycle bin: what was deleted is gone for good. */
  async emptyRecycleBin(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += 200) {
      const list = ids
        .slice(at, at + 200)
        .map((id) => `<ids>${id}</ids>`)
        .join('');
      const answer = await this.send(
        'POST',
        '/services/Soap/u/67.0',
        `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header xmlns="urn:partner.soap.sforce.com"><SessionHeader><sessionId>${this.#accessToken}</sessionId></SessionHeader></soapenv:Header><soapenv:Body xmlns="urn:partner.soap.sforce.com"><emptyRecycleBin>${list}</emptyRecycleBin></soapenv:Body></soapenv:Envelope>`,
        { 'content-type': 'text/xml; charset=UTF-8', SOAPAction: '""' },
      );
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      assert.doesNotMatch(text, /<success>false/, text);
    }
  }

  async describe(object: string): Promise<{ fields: FieldSeen[]; queryable: boolean }> {
    const answer = await this.send('GET', `/services/data/v67.0/sobjects/${object}/describe`);
    return (await answer.json()) as { fields: FieldSeen[]; queryable: boolean };
  }

  /** All live rows of these objects. */
  async snapshot(objects: readonly string[]): Promise<Snapshot> {
    const rows = new Map<string, ReadonlyMap<string, RecordSeen>>();
    const fields = new Map<string, readonly FieldSeen[]>();
    for (const object of objects) {
      const described = await this.describe(object);
      const names = described.fields.filter(({ type }) => !['address', 'location', 'base64'].includes(type));
      // queryAll: archived activities are part of what an org holds
      const found = await this.query(`SELECT ${names.map(({ name }) => name)} FROM ${object}`, true);
      const live = found.filter(({ IsDeleted }) => IsDeleted !== true);
      rows.set(object, new Map(live.map((record) => [String(record.Id), record])));
      fields.set(object, names);
    }
    return { rows, fields };
  }
}

/** Fields that the platform sets itself, whatever a restore does. */
const stamps = new Set([
  ...['CreatedById', 'CreatedDate', 'LastModifiedById', 'LastModifiedDate', 'SystemModstamp', 'IsDeleted'],
  ...['LastViewedDate', 'LastReferencedDate', 'LastActivityDate', 'MasterRecordId', 'IsArchived'],
]);

/** One way in which an org is not as it was. */
export interface Difference {
  readonly object: string;
  /** As it was before; of a row that is too many, as it is now. */
  readonly id: string;
  /** Undefined: the row as a whole. */
  readonly field?: string;
  /**
   * True for what the platform does to every record that is written: it fills fields that nobody else can write, and keeps no spaces at the end
   * of a text (restore 4.6).
   */
  readonly byPlatform: boolean;
  readonly text: string;
}

/**
 * Every way in which `now` differs from `before`: a row that is missing, one that is too many, a field with another value. `ids`: Id before ->
 * Id now. Values are told apart exactly. Formulas, autonumbers and the platform's stamps are not looked at.
 */
export function differing(before: Snapshot, now: Snapshot, ids: ReadonlyMap<string, string> = new Map()): Difference[] {
  const found: Difference[] = [];
  const translated = (value: Cell | undefined) =>
    typeof value === 'string' ? (ids.get(value) ?? value) : (value ?? null);
  for (const [object, rows] of before.rows) {
    const there = now.rows.get(object)!;
    const looked = before.fields
      .get(object)!
      .filter(({ name, calculated, autoNumber }) => name !== 'Id' && !stamps.has(name) && !calculated && !autoNumber);
    const expected = new Set<string>();
    const whole = (id: string, what: string) =>
      found.push({ object, id, byPlatform: false, text: `${object} ${id} is ${what}` });
    for (const [id, record] of rows) {
      const target = ids.get(id) ?? id;
      expected.add(target);
      const standing = there.get(target);
      if (!standing) {
        whole(id, 'missing');
        continue;
      }
      for (const { name, createable, updateable } of looked) {
        const [was, is] = [translated(record[name]), standing[name] ?? null];
        if (was === is) continue;
        const byPlatform =
          (was === null && !createable && !updateable) || (typeof was === 'string' && was.trimEnd() === is);
        const text = `${object} ${id} ${name}: ${JSON.stringify(was)} became ${JSON.stringify(is)}`;
        found.push({ object, id, field: name, byPlatform, text });
      }
    }
    for (const id of there.keys()) if (!expected.has(id)) whole(id, 'too many');
  }
  return found;
}

/** The same as sentences. */
export function differences(before: Snapshot, now: Snapshot, ids?: ReadonlyMap<string, string>): string[] {
  return differing(before, now, ids).map(({ text }) => text);
}
