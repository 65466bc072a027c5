import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from '../../src/context.ts';
import { findPoint } from '../../src/operations/points.ts';
import { makePlan, type RestoreRequest } from '../../src/operations/restore/make-plan.ts';
import type { Plan } from '../../src/operations/restore/plan.ts';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import { IdMap, IdTable } from '../../src/rows/id-table.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { InProcess } from './in-process.ts';
import { recordingContext } from './small-vault.ts';

interface Wanted extends Partial<Omit<RestoreRequest, 'objects'>> {
  readonly objects?: readonly string[];
  readonly ids?: readonly string[];
}

/** An org that was backed up, and plans to bring it back, made in process. */
export class PlanRig implements AsyncDisposable {
  readonly process: InProcess;
  readonly org: Org;
  readonly #ctx: Context;

  constructor(process: InProcess, org: Org, ctx: Context) {
    this.process = process;
    this.org = org;
    this.#ctx = ctx;
  }

  /** Ids that a query finds now. */
  ids(soql: string): Promise<string[]> {
    return this.fields('Id', soql);
  }

  /** Values of one field of the rows that a query finds now. */
  async fields(name: string, soql: string): Promise<string[]> {
    const { url, accessToken } = this.process.org;
    const answer = await fetch(`${url}/services/data/v67.0/query?q=${encodeURIComponent(soql)}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const { records } = (await answer.json()) as { records: Record<string, string>[] };
    return records.map((record) => record[name]!);
  }

  async plan({ objects, ids, ...more }: Wanted, remade = new IdMap()): Promise<Plan> {
    const vault = await this.process.openVault();
    const entry = await findPoint(recordingContext(), vault, 'latest!');
    const reader = await PointReader.open(vault, entry);
    const request: RestoreRequest = {
      select: async (plan) => {
        const found = new Map<string, IdTable>();
        for (const object of objects ?? []) found.set(object, await plan.idsInPoint(object));
        for (const id of ids ?? []) {
          const object = plan.objectOfId(id)!;
          found.set(object, found.get(object) ?? new IdTable());
          found.get(object)!.add(id);
        }
        return found;
      },
      objects: () => objects ?? [],
      incident: undefined,
      fields: [],
      overwrite: false,
      overwriteConflicts: false,
      writeNulls: false,
      deleteCreated: false,
      related: { parents: 0, children: 0, relationships: new Map() },
      mapping: { rules: [], unmapped: 'abort' },
      asked: {},
      tool: 'test',
      ...more,
    };
    return makePlan(this.#ctx, { reader, entry, org: this.org, remade }, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.org.close();
    await this.process[Symbol.asyncDispose]();
    await rm(this.#ctx.tempDir, { recursive: true, force: true });
  }
}

export async function startPlanRig(
  options: { readonly database?: Database; readonly settings?: Partial<Settings> } = {},
): Promise<PlanRig> {
  const process = await InProcess.start(options.database ?? sampleDatabase(), options.settings);
  await process.backup();
  const ctx: Context = {
    signal: new AbortController().signal,
    report: () => undefined,
    now: () => new Date(),
    tempDir: await mkdtemp(path.join(tmpdir(), 'salvor-plan-')),
  };
  const { url: instanceUrl, accessToken } = process.org;
  const org = await connect(ctx, { kind: 'token', accessToken, instanceUrl }, { wait: async () => {} });
  return new PlanRig(process, org, ctx);
}
