import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from '../../src/context.ts';
import type { Event } from '../../src/events.ts';
import { findPoint } from '../../src/operations/points.ts';
import { applyPlan, beginRestore, resumeRestore } from '../../src/operations/restore/apply/apply.ts';
import type { ApplyResult } from '../../src/operations/restore/apply/report.ts';
import type { ApplyOptions, ValueSource } from '../../src/operations/restore/apply/work.ts';
import type { Plan, PlannedRow } from '../../src/operations/restore/plan.ts';
import { planDigest } from '../../src/operations/restore/plan-file.ts';
import { pointSource } from '../../src/operations/restore/point-source.ts';
import type { Database } from '../../src/practice-org/database.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import { type ConnectOptions, connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { Store } from '../../src/store/store.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { type RestorePlace, readRestore, readTable, restorePlace } from '../../src/vault/restores.ts';
import { type APlanOptions, aPlan } from '../operations/restore/a-plan.ts';
import { InProcess } from './in-process.ts';
import { OrgRequests } from './org-snapshot.ts';

/** A practice org that was backed up, and plans made by hand that are applied to it in process, over HTTP. */
export class ApplyRig implements AsyncDisposable {
  readonly process: InProcess;
  readonly requests: OrgRequests;
  readonly events: Event[] = [];
  readonly #tempDir: string;

  private constructor(process: InProcess, tempDir: string) {
    this.process = process;
    this.requests = new OrgRequests(process.org);
    this.#tempDir = tempDir;
  }

  /** `objects`: those that the point holds; `prepare`: makes what is to be in it. */
  static async start(
    database: Database,
    objects: readonly string[],
    more: {
      readonly settings?: Partial<Settings>;
      readonly prepare?: (requests: OrgRequests) => Promise<unknown>;
    } = {},
  ): Promise<ApplyRig> {
    const process = await InProcess.start(database, more.settings);
    try {
      await more.prepare?.(new OrgRequests(process.org));
      await process.backup({ request: { policy: { objects, exclude: [] } } });
      return new ApplyRig(process, await mkdtemp(path.join(tmpdir(), 'salvor-apply-')));
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  get folder(): string {
    return this.#tempDir;
  }

  context(signal = new AbortController().signal): Context {
    return {
      signal,
      report: (event) => this.events.push(event),
      now: () => new Date(),
      tempDir: this.#tempDir,
    };
  }

  connect(options: ConnectOptions = {}): Promise<Org> {
    const { url: instanceUrl, accessToken } = this.process.org;
    const quick = { wait: async () => {}, timeouts: { connect: 1000, headers: 2000, body: 2000 } };
    return connect(this.context(), { kind: 'token', accessToken, instanceUrl }, { ...quick, ...options });
  }

  async place(store?: Store): Promise<RestorePlace> {
    const place = await restorePlace(await this.process.openVault());
    return store ? { ...place, store } : place;
  }

  async reader(): Promise<PointReader> {
    const vault = await this.process.openVault();
    return PointReader.open(vault, await findPoint(this.context(), vault, 'latest!'));
  }

  /** A plan for this org and the point that was taken of it. */
  async plan(objects: Readonly<Record<string, readonly PlannedRow[]>>, options: APlanOptions = {}): Promise<Plan> {
    const { root, entry } = await this.reader();
    const org = { id: root.org.id, name: root.org.name, isSandbox: true, username: root.org.username };
    const point = { id: root.point, digest: entry.digest, ended: root.ended };
    return aPlan(objects, { ...options, header: { point, org, sourceOrg: root.org.id, ...options.header } });
  }

  async apply(
    plan: Plan,
    more: {
      store?: Store;
      org?: Org;
      options?: ApplyOptions;
      signal?: AbortSignal;
      undoes?: string;
      onEvent?: (event: Event) => void;
      /** Is told the id of the restore when it has begun. */
      onBegun?: (restore: string) => void;
    } = {},
  ): Promise<ApplyResult> {
    const kept = this.context(more.signal);
    const report = (event: Event) => {
      kept.report(event);
      more.onEvent?.(event);
    };
    const ctx = { ...kept, report };
    const place = await this.place(more.store);
    const org = more.org ?? (await this.connect());
    try {
      const journal = await beginRestore(
        ctx,
        place,
        { plan, digest: planDigest(plan) },
        more.undoes === undefined ? {} : { undoes: more.undoes },
      );
      more.onBegun?.(journal.restore);
      const source = pointSource(await this.reader());
      return await applyPlan(ctx, { plan, source, org, journal, place, options: { ...quickly, ...more.options } });
    } finally {
      if (!more.org) await org.close();
    }
  }

  /** `source`: default the values of the point. */
  async resume(
    restore: string,
    more: { org?: Org; options?: ApplyOptions; source?: ValueSource } = {},
  ): Promise<ApplyResult> {
    const org = more.org ?? (await this.connect());
    try {
      const source = more.source ?? pointSource(await this.reader());
      const options = { ...quickly, ...more.options };
      return await resumeRestore(this.context(), { place: await this.place(), restore, source, org, options });
    } finally {
      if (!more.org) await org.close();
    }
  }

  async ended(restore: string): Promise<boolean> {
    return (await readRestore(await this.place(), restore, new Date())).state === 'ended';
  }

  /** A file with the Ids of a restore that has ended, as the vault has them. */
  async idMapOf(restore: string): Promise<string> {
    const place = await this.place();
    const { endTables } = await readRestore(place, restore, new Date());
    const name = path.join(this.#tempDir, `${restore}-of-the-vault.csv`);
    const parts: Buffer[] = [];
    for await (const part of readTable(place, endTables.find((table) => table.name === 'ids')!)) parts.push(part);
    await writeFile(name, Buffer.concat(parts));
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.#tempDir, { recursive: true, force: true });
  }
}

const quickly: ApplyOptions = { wait: async () => {} };

/** A row of a plan; an insert of level 0 unless told. */
export function planned(id: string, more: Partial<PlannedRow> = {}): PlannedRow {
  return { id, action: 'insert', level: 0, fields: [], later: [], without: [], ...more };
}
