import assert from 'node:assert/strict';
import type { Context } from '../../src/context.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { cells } from '../../src/rows/cells.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { looksLikeId } from '../../src/schema/ids.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { InProcess } from './in-process.ts';
import { OrgRequests } from './org-snapshot.ts';

/** Objects of a chain: a tree, lookups that are emptied and of which some come back, a master-detail, activities, all types of fields. */
const everything = [
  'Account',
  'Campaign',
  'Contact',
  'Everything__c',
  'Lead',
  'Milestone__c',
  'Opportunity',
  'Project__c',
  'Task',
];
/** Those that refer to each other; a chain has all of them or one family. */
const families = [
  everything,
  ['Account', 'Contact', 'Task'],
  ['Contact', 'Milestone__c', 'Project__c'],
  ['Contact', 'Everything__c', 'Lead', 'Task'],
  ['Campaign', 'Opportunity'],
];
const scale = {
  Account: 12,
  Contact: 25,
  Lead: 15,
  Milestone__c: 20,
  Project__c: 8,
  Task: 20,
  Everything__c: 6,
  Campaign: 8,
  Opportunity: 15,
};

/** By object, a lookup that the org empties with its rows. */
const namedBy: Readonly<Record<string, readonly [string, string]>> = {
  Account: ['Account', 'ParentId'],
  Campaign: ['Opportunity', 'CampaignId'],
  Contact: ['Project__c', 'Lead_Contact__c'],
};

export const workKinds = [
  'update',
  'insert',
  'delete',
  'hard delete',
  'undelete',
  'merge',
  'late commit',
  'schema change',
  'run of a part',
  'deletion in a run',
] as const;
export type WorkKind = (typeof workKinds)[number];

/** A seeded source of numbers below a limit. */
function seeded(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** A small org in which people work at random, and the points that are taken of it. Time passes when it is told to. */
class Chain implements AsyncDisposable {
  readonly #run: InProcess;
  readonly #org: Org;
  readonly #requests: OrgRequests;
  readonly #pick: (below: number) => number;
  readonly #objects: readonly string[];
  /** Deltas of so few rows would always be more than half of their base, and in 30 points hardly ever replaced. */
  readonly #layering: { readonly deltas: number; readonly share: number } | undefined;
  #elapsed = 0;
  #bin: string[] = [];
  /** Campaigns that no point knows as deleted: came they back now, nothing would tell that lookups to them stay empty. */
  #fresh: string[] = [];
  #restore: () => void = () => undefined;
  points = 0;

  private constructor(run: InProcess, org: Org, seed: number) {
    this.#run = run;
    this.#org = org;
    this.#requests = new OrgRequests(run.org);
    this.#pick = seeded(seed);
    this.#objects = families[(seed - 1) % families.length]!;
    this.#layering = seed % 3 === 0 ? undefined : { deltas: 3 + (seed % 5), share: Number.POSITIVE_INFINITY };
  }

  static async start(seed: number): Promise<Chain> {
    const run = await InProcess.start(sampleDatabase({ seed, scale, largestFile: 1 << 20 }));
    const ctx: Context = {
      signal: new AbortController().signal,
      report: () => undefined,
      now: () => new Date(),
      tempDir: '/tmp',
    };
    const login = { kind: 'token', accessToken: run.org.accessToken, instanceUrl: run.org.url } as const;
    return new Chain(run, await connect(ctx, login), seed);
  }

  /** Clocks of the org and of the host go on by so many milliseconds; negative: transactions begin that are committed late. */
  pass(milliseconds: number): void {
    this.#elapsed += milliseconds;
    this.#run.org.settings.clockSkew = this.#elapsed;
    this.#run.now = () => new Date(Date.now() + this.#elapsed);
  }

  /** Does one thing to the org; tells what, as far as there was anything to do it to. */
  async work(did: (kind: WorkKind) => void): Promise<void> {
    const object = this.#objects[this.#pick(this.#objects.length)]!;
    const kind = this.#pick(10);
    const late = this.#pick(6) === 0 ? -this.#pick(13 * 60_000) : 0;
    this.pass(late);
    const done = await this.#do(object, kind);
    if (done) did(done);
    if (done && late < 0) did('late commit');
    this.pass(-late);
  }

  async #do(object: string, kind: number): Promise<WorkKind | undefined> {
    if (kind <= 2) return (await this.#change(object)) ? 'update' : undefined;
    if (kind === 3) return (await this.#insert(object)) ? 'insert' : undefined;
    if (kind === 8) return (await this.#merge(object)) ? 'merge' : undefined;
    if (kind === 9 && this.#pick(3) === 0) {
      this.#changeSchema();
      return 'schema change';
    }
    if (kind === 4 || kind === 9) return (await this.#undelete()) ? 'undelete' : undefined;
    if (!(await this.#delete(object, kind === 7))) return undefined;
    return kind === 7 ? 'hard delete' : 'delete';
  }

  /** Now and then of a part of the objects, and with a deletion while it runs; `whole`: never. */
  async backup(did: (kind: WorkKind) => void, whole: boolean): Promise<string> {
    const isPart = !whole && this.#pick(4) === 0;
    const objects = isPart ? this.#objects.filter((_, n) => (n + this.points) % 2 === 0) : this.#objects;
    const known = isPart ? [] : this.#fresh.splice(0);
    if (!whole && this.#pick(3) === 0) this.#deleteWithin(did);
    const layering = this.#layering && { layering: this.#layering };
    const full = isPart && this.#pick(3) === 0;
    const { point } = await this.#run.backup({ request: { policy: { objects, exclude: [] }, full, ...layering } });
    if (isPart) did('run of a part');
    this.#restore();
    this.#bin.push(...known);
    this.points += 1;
    assert.equal(point.status, 'complete', JSON.stringify(point.objects.filter(({ complete }) => !complete)));
    return point.kind;
  }

  /** Deletes something of the org while the next run is at work. */
  #deleteWithin(did: (kind: WorkKind) => void): void {
    const { store } = this.#run;
    const put = store.putIfAbsent.bind(store);
    const object = this.#objects[this.#pick(this.#objects.length)]!;
    let left = 1 + this.#pick(3 * this.#objects.length);
    store.putIfAbsent = async (key, ...rest) => {
      left -= 1;
      if (left === 0 && (await this.#delete(object, this.#pick(4) === 0))) did('deletion in a run');
      return put(key, ...rest);
    };
    this.#restore = () => {
      store.putIfAbsent = put;
    };
  }

  /** Every way in which the newest point is not what a full read of the org gives. What names a row that is gone from the org may be empty in the point. */
  async differences(): Promise<string[]> {
    const vault = await this.#run.openVault();
    const { points } = await vault.state();
    const reader = await PointReader.open(vault, points.at(-1)!);
    const found: string[] = [];
    const described = await this.#org.describe(this.#objects);
    const live = new Set((await Promise.all(this.#objects.map((object) => this.#ids(object)))).flat());
    const isGone = (value: string) => looksLikeId(value) && !live.has(value);
    for (const object of this.#objects) {
      const describe = described.get(object) as ObjectDescribe;
      const plan = this.#org.plan(describe) as Exclude<ReturnType<Org['plan']>, { way: 'none' }>;
      const computed = new Set(describe.fields.filter(({ calculated }) => calculated).map(({ name }) => name));
      const now = await rowsById(this.#org.extract({ object, plan, all: true, rowsExpected: 100 }));
      for (const [id, row] of now) if (row.get('IsDeleted') === 'true') now.delete(id);
      const then = await rowsById(await reader.rows(object));
      for (const id of new Set([...now.keys(), ...then.keys()])) {
        const [is, was] = [now.get(id), then.get(id)];
        if (!is || !was) found.push(`${object} ${id} is ${is ? 'missing' : 'too many'} in the point`);
        else
          for (const [field, value] of is)
            if (value !== was.get(field) && !computed.has(field) && !(was.get(field) === '' && isGone(value)))
              found.push(`${object} ${id} ${field}: ${was.get(field)} in the point, ${value} in the org`);
      }
    }
    return found;
  }

  async #ids(object: string): Promise<string[]> {
    return (await this.#requests.query(`SELECT Id FROM ${object}`)).map(({ Id }) => String(Id));
  }

  async #one(object: string): Promise<string | undefined> {
    const ids = await this.#ids(object);
    return ids[this.#pick(ids.length)];
  }

  async #change(object: string): Promise<boolean> {
    const rows: Record<string, string>[] = [];
    for (let n = 1 + this.#pick(3); n > 0; n--) {
      const Id = await this.#one(object);
      if (Id && !rows.some((row) => row.Id === Id)) rows.push({ Id, ...(await this.#values(object)) });
    }
    return rows.length > 0 && allDone(await this.#org.writer.update(object, rows));
  }

  async #insert(object: string): Promise<boolean> {
    const row = { ...(await this.#values(object)), ...(await this.#needed(object)) };
    return allDone(await this.#org.writer.insert(object, [row]));
  }

  async #values(object: string): Promise<Record<string, string>> {
    const text = `Name ${this.#pick(1000)}`;
    if (object === 'Contact') return { LastName: text, ...(await this.#maybe('ReportsToId', 'Contact')) };
    if (object === 'Lead') return { LastName: text };
    if (object === 'Opportunity') return { Name: text, ...(await this.#maybe('CampaignId', 'Campaign')) };
    if (object === 'Project__c') return { Name: text, ...(await this.#maybe('Lead_Contact__c', 'Contact')) };
    if (object === 'Campaign') return { Name: text, ...(await this.#maybe('ParentId', 'Campaign')) };
    if (object === 'Task') return { Subject: text, ...(await this.#maybe('WhoId', 'Contact')) };
    if (object === 'Everything__c') return { Text__c: text };
    return { Name: text, ...(object === 'Account' ? await this.#maybe('ParentId', 'Account') : {}) };
  }

  async #maybe(field: string, object: string): Promise<Record<string, string>> {
    const isThere = this.#objects.includes(object) && this.#pick(2) === 0;
    const id = isThere ? await this.#one(object) : undefined;
    return id ? { [field]: id } : {};
  }

  async #needed(object: string): Promise<Record<string, string>> {
    if (object === 'Lead') return { Company: 'C', LastName: 'L' };
    if (object === 'Opportunity') return { StageName: 'Prospecting', CloseDate: '2026-12-31' };
    const project = object === 'Milestone__c' ? await this.#one('Project__c') : undefined;
    return project ? { Project__c: project } : {};
  }

  async #delete(object: string, hard: boolean): Promise<boolean> {
    const id = (await this.#named(object)) ?? (await this.#one(object));
    if (!id) return false;
    if (!allDone(await this.#org.writer.delete([id]))) return false;
    if (hard) await this.#requests.emptyRecycleBin([id]);
    else this.#bury(object, id);
    return true;
  }

  /** Mostly a row that others name, where there is one. */
  async #named(object: string): Promise<string | undefined> {
    const [child, field] = namedBy[object] ?? [];
    if (!child || !field || !this.#objects.includes(child) || this.#pick(4) === 0) return undefined;
    const rows = await this.#requests.query(`SELECT ${field} FROM ${child} WHERE ${field} != null`);
    return rows.length === 0 ? undefined : String(rows[this.#pick(rows.length)]![field]);
  }

  #bury(object: string, id: string): void {
    (object === 'Campaign' ? this.#fresh : this.#bin).push(id);
  }

  /** As the org merges: what refers to the loser refers to the winner, and the loser goes into the recycle bin (field guide, extract 5.4). */
  async #merge(object: string): Promise<boolean> {
    const children = { Account: ['Contact', 'AccountId'], Contact: ['Task', 'WhoId'] }[object];
    const [winner, loser] = [await this.#one(object), await this.#one(object)];
    if (!winner || !loser || winner === loser) return false;
    if (children && this.#objects.includes(children[0]!)) {
      const [child, field] = children as [string, string];
      const rows = await this.#requests.query(`SELECT Id FROM ${child} WHERE ${field} = '${loser}'`);
      const moved = rows.map(({ Id }) => ({ Id: String(Id), [field]: winner }));
      if (moved.length > 0) await this.#org.writer.update(child, moved);
    }
    if (!allDone(await this.#org.writer.delete([loser]))) return false;
    this.#bury(object, loser);
    return true;
  }

  /** Fields of accounts and contacts come, or go; what is written to them meanwhile the points do not see. */
  #changeSchema(): void {
    const { settings } = this.#run.org;
    const { viewAllFields } = settings.permissions;
    settings.permissions = { ...settings.permissions, viewAllFields: !viewAllFields };
  }

  async #undelete(): Promise<boolean> {
    const [id] = this.#bin.splice(this.#pick(this.#bin.length), 1);
    return id !== undefined && allDone(await this.#org.writer.undelete([id]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#org.close();
    await this.#run[Symbol.asyncDispose]();
  }
}

/** 30 points of a small org, with work at random between them. Rejects when one of them says something else than a full read. `did`: is told all work. */
export async function chainOfPoints(seed: number, did: (kind: WorkKind) => void = () => undefined): Promise<void> {
  await using chain = await Chain.start(seed);
  const pick = seeded(seed + 1000);
  assert.equal(await chain.backup(did, true), 'full');
  for (let point = 1; point <= 30; point++) {
    for (let n = pick(6); n > 0; n--) await chain.work(did);
    chain.pass(pick(12) === 0 ? 8 * 86_400_000 : pick(3) === 0 ? 3_600_000 : 60_000);
    const isCompared = point % 15 === 0;
    await chain.backup(did, isCompared);
    if (isCompared) assert.deepEqual(await chain.differences(), [], `point ${point}`);
  }
}

function allDone(results: readonly { readonly errors: readonly unknown[] }[]): boolean {
  return results.every(({ errors }) => errors.length === 0);
}

async function rowsById(flow: {
  columns: readonly string[];
  batches: AsyncIterable<import('../../src/rows/batch.ts').RowBatch>;
}) {
  const rows = new Map<string, Map<string, string>>();
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const row = new Map(cells(batch, i).map((cell, column) => [flow.columns[column]!, cell]));
      rows.set(row.get('Id')!, row);
    }
  }
  return rows;
}
