import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Plan } from '../../src/operations/restore/plan.ts';
import { planUndo, runUndo } from '../../src/operations/restore/undo.ts';
import { valueSource } from '../../src/operations/restore/value-source.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { Store } from '../../src/store/store.ts';
import { findRestores } from '../../src/vault/restores.ts';
import { ApplyRig, planned } from './apply-rig.ts';
import { parseQuotedCsv } from './foreign-csv.ts';
import { type Gallows, Killed } from './gallows.ts';
import { MemoryStore } from './memory-store.ts';
import { differences, type Snapshot } from './org-snapshot.ts';

export const killedObjects = ['Account', 'Contact'];

interface Made {
  readonly gone: readonly string[];
  readonly binned: string;
  readonly spoiled: string;
  readonly contacts: readonly string[];
}

/** What dies: calls of one of the two go through the gallows. */
export interface Dying {
  readonly store?: (store: Store) => Store;
  readonly org?: (org: Org) => Org;
}

/** One org that is damaged and restored, time and again, by a process that is killed and another that goes on. */
export class KilledRestores implements AsyncDisposable {
  readonly rig: ApplyRig;
  readonly made: Made;
  readonly #was: Snapshot;
  readonly #vault: Store;
  /** Where rows of the point stand now. */
  standing: ReadonlyMap<string, string> = new Map();

  private constructor(rig: ApplyRig, made: Made, was: Snapshot) {
    this.rig = rig;
    this.made = made;
    this.#was = was;
    this.#vault = rig.process.store;
  }

  static async start(): Promise<KilledRestores> {
    let made: Made | undefined;
    const rig = await ApplyRig.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }), killedObjects, {
      // Hundreds of restores of one org on one day.
      settings: { bulkPollsQueued: 0, bulkPollsInProgress: 0, dailyRequests: 10_000_000 },
      prepare: async (requests) => {
        const gone = await requests.create('Account', [{ Name: 'Same' }, { Name: 'Same' }, { Name: 'Other' }]);
        const [binned, spoiled] = await requests.create('Account', [{ Name: 'Binned' }, { Name: 'Kept', Phone: '1' }]);
        const contacts = await requests.create('Contact', [
          { LastName: 'C', AccountId: gone[0]! },
          { LastName: 'D', AccountId: gone[2]!, Description: 'two\r\nlines' },
        ]);
        made = { gone, binned: binned!, spoiled: spoiled!, contacts };
      },
    });
    // One of two alike is refused by Bulk and goes by Collections, where a lost answer leaves nobody knowing.
    rig.process.org.settings.rules = [{ kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' }];
    return new KilledRestores(rig, made!, await rig.requests.snapshot(killedObjects));
  }

  /** The vault as it was behind the backup. */
  async renewVault(): Promise<MemoryStore> {
    const copy = await MemoryStore.copyOf(this.#vault);
    this.rig.process.store = copy;
    return copy;
  }

  /** Damages the org, as it stands after a restore or at first. */
  async damage(): Promise<void> {
    const at = (id: string) => this.standing.get(id) ?? id;
    const { gone, binned, spoiled, contacts } = this.made;
    const lost = [...contacts, ...gone].map(at);
    await this.rig.requests.delete(lost);
    await this.rig.requests.emptyRecycleBin(lost);
    await this.rig.requests.delete([binned]);
    await this.rig.requests.update('Account', [{ Id: spoiled, Name: 'spoiled', Phone: null }]);
    await this.rig.requests.create('Account', [{ Name: 'New' }]);
  }

  async plan(): Promise<Plan> {
    const { gone, binned, spoiled, contacts } = this.made;
    const created = await this.rig.requests.query("SELECT Id FROM Account WHERE Name = 'New'");
    return this.rig.plan({
      Account: [
        ...gone.map((id) => planned(id)),
        planned(binned, { action: 'undelete' }),
        planned(spoiled, { action: 'update', fields: ['Name', 'Phone'] }),
        ...created.map(({ Id }) => planned(String(Id), { action: 'delete' })),
      ],
      Contact: contacts.map((id, n) => planned(id, n === 0 ? { later: ['AccountId'] } : {})),
    });
  }

  /** Slices of one row: behind the first, two are under way at a time. */
  options() {
    return { folder: this.rig.folder, slices: { first: [1], rows: 1 } };
  }

  /** Kills a restore at a call, goes on, and compares the org with what it was. False: it ended before that call. */
  async kill(gallows: Gallows, dying: Dying, title: string): Promise<boolean> {
    const fresh = await this.renewVault();
    await this.damage();
    const org = await this.rig.connect();
    let restore = '';
    try {
      const first = await this.rig.apply(await this.plan(), {
        store: dying.store?.(fresh) ?? fresh,
        org: dying.org?.(org) ?? org,
        onBegun: (id) => {
          restore = id;
        },
        options: this.options(),
      });
      assert.equal(gallows.dead, false, 'a killed process reports nothing');
      await this.compare(first.idMapFile);
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    } finally {
      await org.close();
    }
    await this.goOn(restore, title);
    return true;
  }

  /** Another process goes on with a restore, begins it where nothing had begun, or finds it at its end; then the org is as it was. */
  async goOn(restore: string, title: string): Promise<void> {
    const { rig } = this;
    if (restore === '') {
      // Nothing had begun: the same plan is a new restore.
      const result = await rig.apply(await this.plan(), { options: this.options() });
      assert.deepEqual([result.failed, result.stopped], [[], undefined]);
      return this.compare(result.idMapFile);
    }
    if (await rig.ended(restore)) return this.compare(await rig.idMapOf(restore));
    const result = await rig.resume(restore, { options: this.options() });
    assert.deepEqual([result.failed, result.stopped, result.conflicts], [[], undefined, []], title);
    await this.compare(result.idMapFile);
  }

  async compare(idMapFile: string | undefined): Promise<void> {
    const [, ...rows] = parseQuotedCsv(await readFile(idMapFile!, 'utf8'));
    this.standing = new Map(rows.map(([, id, target]) => [id!, target!]));
    assert.equal(this.standing.size, 5);
    assert.deepEqual(differences(this.#was, await this.rig.requests.snapshot(killedObjects), this.standing), []);
  }

  /**
   * Kills the undo of a restore at a call to the store. Another process goes on with it, or takes back what it had begun with; then the org is as
   * the restore found it.
   */
  async killUndo(gallows: Gallows, dying: Required<Pick<Dying, 'store'>>, title: string): Promise<boolean> {
    const { rig } = this;
    const fresh = await this.renewVault();
    await this.damage();
    const damaged = await rig.requests.snapshot(killedObjects);
    const applied = await rig.apply(await this.plan(), { options: this.options() });
    await this.compare(applied.idMapFile);
    const restored = this.standing;
    const undo = async (store: Store) => {
      const org = await rig.connect();
      try {
        const vault = await rig.process.openVault();
        const given = { vault, place: await rig.place(store), org, restore: applied.restoreId };
        const undoPlan = await planUndo(rig.context(), given);
        return await runUndo(rig.context(), { ...given, planned: undoPlan, options: this.options() });
      } finally {
        await org.close();
      }
    };
    let killed = false;
    try {
      await undo(dying.store(fresh));
      assert.equal(gallows.dead, false, 'a killed process reports nothing');
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      killed = true;
      // Of one that was killed before it began there may be a plan, and no more.
      const begun = await findRestores(await rig.place(), new Date());
      const own = begun.filter(({ restore }) => restore !== applied.restoreId);
      assert.ok(own.length <= 1, title);
      if (own[0] === undefined) await undo(fresh);
      else if (own[0].state !== 'ended') {
        const { restore, beginning } = own[0];
        // An undo has its values from the before-images, not from the point.
        const source = await valueSource(rig.context(), await rig.process.openVault(), await rig.place(), beginning);
        const result = await rig.resume(restore, { source, options: this.options() });
        assert.deepEqual([result.failed, result.stopped, result.conflicts], [[], undefined, []], title);
      }
    }
    assert.deepEqual(differences(damaged, await rig.requests.snapshot(killedObjects)), [], title);
    this.standing = restored;
    await this.#heal();
    return killed;
  }

  /** The org as it was, for the next case: by a restore that nobody kills. */
  async #heal(): Promise<void> {
    await this.renewVault();
    const result = await this.rig.apply(await this.plan(), { options: this.options() });
    await this.compare(result.idMapFile);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.rig[Symbol.asyncDispose]();
  }
}
