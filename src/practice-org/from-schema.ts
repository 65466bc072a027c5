import type { Database, Describe, OrgFacts, Table } from './database.ts';
import { completeDescribe } from './describe.ts';
import { sampleDatabase } from './generate.ts';
import { AnyUsers, type GivenRows, StandingRows } from './given-rows.ts';
import { withSuffix } from './record-ids.ts';
import { type PracticeOrg, startPracticeOrg } from './server.ts';
import type { Settings } from './settings.ts';
import { setupObjects } from './setup-objects.ts';

/** What an org is made again from: its describes as it sent them once, and some of its rows. */
export interface GivenSchema {
  readonly facts: Omit<OrgFacts, 'userId'> & {
    /** Undefined: a user whose Id no row has. */
    readonly userId: string | undefined;
  };
  /** Describe JSON, one an object; keys may be missing. */
  readonly describes: readonly object[];
  /** Read one object after the other. Objects that are not named have no rows; users that are not named are taken to be there. */
  readonly rows: AsyncIterable<GivenRows> | Iterable<GivenRows>;
}

/**
 * An org with this schema. It has the rows that were handed over, with their Ids, stamps and all, and no others; rows that are made in it get
 * Ids that no org has given out. What follows from the describes holds: who may write what, required fields, lengths, restricted
 * picklists, unique values, references, cascades. Throws TypeError for what is no describe, and for rows of an object that none describes.
 */
export async function databaseFromSchema({ facts, describes, rows }: GivenSchema): Promise<Database> {
  const org = new GivenOrg({ ...facts, userId: facts.userId ?? nobody });
  for (const describe of describes) org.describe(describe);
  for await (const { object, columns, batches } of rows)
    for await (const batch of batches) org.source(object).add(columns, batch);
  return org.finished();
}

/**
 * The org of `databaseFromSchema`, listening. Its user is never locked out by others who write at the same time, and texts that end in spaces
 * keep them, as those that the org has had did.
 */
export async function startRehearsalOrg(given: GivenSchema, settings: Partial<Settings> = {}): Promise<PracticeOrg> {
  return startPracticeOrg(await databaseFromSchema(given), { ingestLocks: false, trimsText: false, ...settings });
}

const nobody = withSuffix('005000000REHEAR');

class GivenOrg {
  readonly #facts: OrgFacts;
  readonly #tables = new Map<string, Table & { readonly source: StandingRows }>();

  constructor(facts: OrgFacts) {
    this.#facts = facts;
  }

  describe(json: object): void {
    const given = json as Partial<Describe>;
    if (typeof given.name !== 'string' || !Array.isArray(given.fields))
      throw new TypeError('a describe has a name and fields');
    if (setupObjects.includes(given.name)) return;
    const describe = completeDescribe(given as Describe, null);
    const prefix = describe.keyPrefix ?? `y${this.#tables.size.toString(36).padStart(2, '0')}`;
    this.#tables.set(given.name, { describe, treatment: {}, source: new StandingRows(describe, prefix) });
  }

  source(object: string): StandingRows {
    const table = this.#tables.get(object);
    if (!table) throw new TypeError(`rows of ${object}, which is not described`);
    return table.source;
  }

  /** What a login needs is put in where it is missing: the organization and its users. */
  finished(): Database {
    const { organizationId, organizationName, isSandbox, instanceName, userId, username } = this.#facts;
    const tables = new Map<string, Table>(this.#tables);
    const user = this.#tableOf('User');
    if (user.source.size === 0) tables.set('User', anyUsers(user, userId, username));
    else if (user.source.find(userId) < 0) addRow(user.source, { Id: userId, Username: username, IsActive: 'true' });
    const organization = this.#tableOf('Organization');
    tables.set('Organization', organization);
    const known = { Id: organizationId, Name: organizationName, IsSandbox: String(isSandbox) };
    if (organization.source.size === 0) addRow(organization.source, { ...known, InstanceName: instanceName });
    return { facts: this.#facts, tables };
  }

  #tableOf(object: string): Table & { readonly source: StandingRows } {
    const known = this.#tables.get(object);
    if (known) return known;
    const { describe } = sampleDatabase().tables.get(object)!;
    return { describe, treatment: {}, source: new StandingRows(describe, String(describe.keyPrefix)) };
  }
}

/** Which users there are is not known: no more of them are made. */
function anyUsers(table: Table, userId: string, username: string): Table {
  const describe = { ...table.describe, createable: false };
  return { ...table, describe, source: new AnyUsers(describe, new Map([[userId, { Username: username }]])) };
}

function addRow(source: StandingRows, cells: Readonly<Record<string, string>>): void {
  source.add(Object.keys(cells), [Object.values(cells)]);
}
