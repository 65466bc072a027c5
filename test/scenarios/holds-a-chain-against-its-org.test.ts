import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database, Row, Value } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';

type Told = ReturnType<typeof JSON.parse>;

const objects = ['Account', 'Contact', 'Everything__c', 'Lead', 'Milestone__c', 'Project__c', 'RecentlyViewed', 'Task'];
const nothing = { since: 0, stale: 0, gone: 0, undated: 0, different: 0, missing: 0, undead: 0 };

/** The records, of which some can be made to read otherwise without any write, which would stamp them. */
function plantable(database: Database): { database: Database; plant(id: string, cells: Record<string, Value>): void } {
  const planted = new Map<string, Record<string, Value>>();
  const tables = [...database.tables].map(([name, table]) => {
    const { source } = table;
    const row = (number: number): Row => {
      const plain = source.row(number);
      return { ...plain, ...planted.get(String(plain.Id)) };
    };
    return [name, { ...table, source: { size: source.size, row, find: (id: string) => source.find(id) } }] as const;
  });
  return { database: { ...database, tables: new Map(tables) }, plant: (id, cells) => planted.set(id, cells) };
}

describe('a full point and two incremental ones, held against their org', () => {
  const scale = { Account: 40, Contact: 120, Lead: 60, Milestone__c: 60, Project__c: 20, Task: 80, Everything__c: 20 };
  const { database, plant } = plantable(sampleDatabase({ scale }));
  let rig: Rig;
  let org: OrgRequests;

  before(async () => {
    rig = await Rig.start({ database });
    await rig.init();
    org = new OrgRequests(rig.org);
    await point();
    const [first, second] = await ids('Account', 2);
    await org.update('Account', [{ Id: first!, Site: 'Moved' }]);
    await org.create('Lead', [{ LastName: 'New', Company: 'New' }]);
    await org.delete((await ids('Task', 3)).slice(1));
    await point();
    await org.update('Account', [
      { Id: first!, Site: 'Moved again' },
      { Id: second!, Phone: '1' },
    ]);
    const lead = await org.deleteAny(await ids('Lead', 20));
    await org.emptyRecycleBin([lead]);
    await reportsTo();
    await point();
  });
  after(() => rig[Symbol.asyncDispose]());

  async function point(...args: string[]): Promise<void> {
    const ran = await rig.salvor('backup', '--objects', objects.join(), '--json', '--no-prompt', ...args);
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  }

  async function ids(object: string, most: number, where = ''): Promise<string[]> {
    return (await org.query(`SELECT Id FROM ${object} ${where} LIMIT ${most}`)).map(({ Id }) => String(Id));
  }

  /** Deletes a contact that others report to: their lookup is emptied, and no stamp of theirs moves. How many there are. */
  async function reportsTo(): Promise<number> {
    for (const { ReportsToId } of await org.query('SELECT ReportsToId FROM Contact WHERE ReportsToId != null')) {
      const reporting = await ids('Contact', 100, `WHERE ReportsToId = '${ReportsToId}'`);
      const answer = await org.send('DELETE', `/services/data/v67.0/sobjects/Contact/${ReportsToId}`);
      if (answer.status === 204) return reporting.length;
    }
    throw new Error('nobody reports to a contact that can be deleted');
  }

  /** The clock of the org stands a day before its points while `work` writes. */
  async function backdated(work: () => Promise<void>): Promise<void> {
    rig.org.settings.clockSkew = -24 * 3_600_000;
    await work();
    rig.org.settings.clockSkew = 0;
  }

  const verify = (...args: string[]) => rig.salvor('verify', '--against-org', '--json', '--no-attest', ...args);

  function judged(ran: Ran): Told {
    return ran.json.result.againstOrg;
  }

  function rungOf(ran: Ran): Told {
    const { rungs } = ran.json.result.points[0];
    assert.equal(rungs.at(-1).rung, 'org');
    return rungs.at(-1);
  }

  test('say row for row what the org says, which is kept in the vault as a rung of its own', async () => {
    const ran = await rig.salvor('verify', '--against-org', '--json');
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const { totals, objects: told, apiCalls, notCompared, org: seen } = judged(ran);
    const { rows, equal, ...others } = totals;
    assert.deepEqual(others, nothing);
    assert.equal(equal, rows);
    assert.ok(rows > 300, `${rows} rows`);
    assert.deepEqual([told.map(({ object }: Told) => object), notCompared], [objects, []]);
    assert.equal(seen.id, rig.org.facts.organizationId);
    assert.ok(apiCalls >= objects.length, `${apiCalls} calls`);
    assert.equal(rungOf(ran).ok, true);
    const listed = await rig.salvor('list-points', '--json');
    assert.equal(listed.json.result.points[0].verified.rung, 'org');
  });

  test('in parts, each row in one of them', async () => {
    const [one, two, whole] = [await verify('--sample', '1/2'), await verify('--sample', '2/2'), await verify()];
    assert.deepEqual([one.status, two.status, whole.status], [0, 0, 0], one.stdout + two.stdout);
    for (const [n, { object, rows }] of judged(whole).objects.entries()) {
      const [a, b] = [one, two].map((ran) => judged(ran).objects[n]);
      assert.deepEqual([a.object, b.object, a.rows + b.rows, a.equal + b.equal], [object, object, rows, rows]);
    }
    const { totals, sample } = judged(one);
    assert.deepEqual(sample, { part: 1, of: 2 });
    assert.ok(totals.rows > 0.3 * judged(whole).totals.rows && totals.rows < 0.7 * judged(whole).totals.rows);
  });

  test('less what was made, changed and deleted since, what is stale, and what left no trace', async () => {
    const [account] = await ids('Account', 1);
    await org.update('Account', [{ Id: account!, Site: 'Since' }]);
    await org.create('Lead', [{ LastName: 'Since', Company: 'Since' }]);
    const [task, purged] = await ids('Task', 2);
    await org.delete([task!, purged!]);
    await org.emptyRecycleBin([purged!]);
    const [everything] = await ids('Everything__c', 1);
    plant(everything!, { Formula_Text__c: 'another' });
    const blanked = await reportsTo();
    const ran = await verify();
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const of = (name: string) => {
      const { since, stale, gone, different, missing, undead, staleFields } = judged(ran).objects.find(
        ({ object }: Told) => object === name,
      );
      assert.deepEqual([different, missing, undead], [0, 0, 0], name);
      return { since, stale, gone, staleFields };
    };
    assert.deepEqual(of('Account'), { since: 1, stale: 0, gone: 0, staleFields: {} });
    // A converted lead named the contact that went.
    assert.equal(of('Lead').since, 1);
    assert.deepEqual(of('Everything__c'), { since: 0, stale: 1, gone: 0, staleFields: { Formula_Text__c: 1 } });
    assert.equal(of('Task').gone, 1);
    assert.ok(of('Task').since >= 1);
    assert.ok(of('Contact').since >= 1);
    assert.deepEqual(of('Contact').staleFields, { ReportsToId: blanked });
    const human = await rig.salvor('verify', '--against-org', '--no-attest');
    assert.equal(human.status, 0, human.stdout + human.stderr);
    assert.match(human.stdout, /ok {6}org {9}[\d,]+ of [\d,]+ rows are as the org has them, \d+ changed since/);
    assert.match(human.stdout, /^Everything__c +20 +19 +· +1 +· +· +· +· +·$/m);
    assert.match(human.stdout, /stale, as they change without a stamp: .*Everything__c\.Formula_Text__c 1/);
  });

  test('and what the org had before and the point has not so is a problem, with its Ids and no value', async () => {
    const [changed] = await ids('Project__c', 1);
    plant(changed!, { Name: 'Planted' });
    let made = '';
    let deleted = '';
    await backdated(async () => {
      [made] = (await org.create('Lead', [{ LastName: 'Backdated', Company: 'Backdated' }])) as [string];
      [deleted] = (await ids('Task', 1)) as [string];
      await org.delete([deleted]);
    });
    const ran = await verify();
    assert.equal(ran.status, 4, ran.stdout);
    const { totals, objects: told } = judged(ran);
    assert.deepEqual([totals.different, totals.missing, totals.undead], [1, 1, 1]);
    const project = told.find(({ object }: Told) => object === 'Project__c');
    assert.deepEqual(project.differentFields, { Name: 1 });
    const { ok, problems } = rungOf(ran);
    assert.equal(ok, false);
    assert.deepEqual(
      problems.map(({ key, problem }: Told) => [key, problem.split(': ')[1]]),
      [
        ['Lead', made],
        ['Project__c', `${changed} (Name)`],
        ['Task', deleted],
      ],
    );
    assert.doesNotMatch(ran.stdout, /Planted|Backdated/);
    assert.equal(ran.json.name, 'verify-failed');
    assert.match(ran.json.message, /1 rows differ, 1 are missing, 1 are deleted in the org/);
    const human = await rig.salvor('verify', '--against-org', '--no-attest');
    assert.match(human.stdout, /whole\n/);
    assert.match(human.stdout, /FAILED {2}org/);
  });

  test('but not in place of a lookup that somebody emptied while the row it names is still there', async () => {
    const before = judged(await verify()).objects.find(({ object }: Told) => object === 'Contact');
    const [contact] = await ids('Contact', 1, 'WHERE ReportsToId != null');
    plant(contact!, { ReportsToId: null });
    const contacts = judged(await verify()).objects.find(({ object }: Told) => object === 'Contact');
    assert.equal(contacts.different, before.different + 1);
    assert.deepEqual(contacts.differentFields, { ReportsToId: 1 });
  });

  test('is refused for another org before anything is read, and for what no login or identity proves', async () => {
    await using other = await Rig.start({ database: ofAnotherOrg(sampleDatabase({ scale })), vault: rig.vault });
    const env = { ...rig.env };
    Object.assign(rig.env, { SF_ACCESS_TOKEN: other.org.accessToken, SF_ORG_INSTANCE_URL: other.org.url });
    const ran = await verify();
    rig.env = env;
    assert.equal(ran.status, 5, ran.stdout);
    assert.equal(ran.json.name, 'foreign-vault');
    assert.equal(ran.json.result, undefined);
    for (const flag of ['--no-identity', '--all']) assert.equal((await verify(flag)).status, 2, flag);
  });
});
