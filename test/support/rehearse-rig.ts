import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from '../../src/context.ts';
import { findPoint } from '../../src/operations/points.ts';
import type { Rehearsed } from '../../src/operations/rehearse/certificate.ts';
import { rehearse } from '../../src/operations/rehearse/rehearse.ts';
import type { Database, Row, Table, Value } from '../../src/practice-org/database.ts';
import { startRehearsalOrg } from '../../src/practice-org/from-schema.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { LogEntry } from '../../src/vault/log.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { InProcess } from './in-process.ts';
import { MemoryStore } from './memory-store.ts';

/** Rows of the sample org by object: all of them, or the first so many that are live. */
const chosen: Readonly<Record<string, number>> = {
  Organization: 1,
  User: 100,
  Profile: 100,
  UserRole: 100,
  PermissionSet: 100,
  PermissionSetAssignment: 100,
  Group: 100,
  RecordType: 100,
  Account: 12,
  Contact: 24,
  AccountContactRelation: 24,
  Opportunity: 8,
  Campaign: 2,
  CampaignMemberStatus: 4,
  Project__c: 5,
  Milestone__c: 6,
  Assignment__c: 8,
  Task: 12,
  Note: 4,
  Attachment: 3,
  ContentDocument: 3,
  ContentVersion: 9,
  ContentDocumentLink: 10,
  Everything__c: 60,
};

/** A few rows of most kinds out of the sample org; lookups that would lead out of them are empty. */
export function fewRows(): Database {
  const sample = sampleDatabase();
  const ids = new Map<string, Set<string>>();
  const rows = new Map<string, Row[]>();
  for (const [object, count] of Object.entries(chosen)) {
    const { source } = sample.tables.get(object)!;
    const live: Row[] = [];
    for (let number = 0; number < source.size && live.length < count; number++) {
      const row = source.row(number);
      if (row.IsDeleted !== true) live.push(row);
    }
    rows.set(object, live);
    ids.set(object, new Set(live.map(({ Id }) => String(Id))));
  }
  const tables = new Map<string, Table>();
  for (const object of rows.keys()) {
    const table = sample.tables.get(object)!;
    const kept = settled(object, table, rows, ids);
    const find = (id: string) => kept.findIndex(({ Id }) => Id === id);
    tables.set(object, {
      ...table,
      source: { size: kept.length, row: (number) => kept[number]!, find },
      blob: smallFile,
    });
  }
  return { facts: sample.facts, tables };
}

/** Rows without lookups to what is not there; rows that need what is not there are left out, and what refers to them too. */
function settled(
  object: string,
  { describe }: Table,
  rows: Map<string, Row[]>,
  ids: ReadonlyMap<string, Set<string>>,
): Row[] {
  const known = new Set([...ids.values()].flatMap((of) => [...of]));
  const lookups = describe.fields.filter(({ type }) => type === 'reference');
  const kept: Row[] = [];
  for (const row of rows.get(object)!) {
    const lost = lookups.filter(({ name }) => row[name] && !known.has(String(row[name])));
    if (lost.some(({ nillable }) => nillable === false)) {
      ids.get(object)!.delete(String(row.Id));
      continue;
    }
    kept.push({ ...row, ...Object.fromEntries(lost.map(({ name }) => [name, null])), ...fileCells(row) });
  }
  rows.set(object, kept);
  return kept;
}

function smallFile(id: string): Buffer {
  return Buffer.from(`the file of ${id}, with a byte that no text has: \xff`, 'latin1');
}

/** What a row says of its file; a document belongs to whom its versions belong to. */
function fileCells(row: Row): Record<string, Value> {
  const bytes = smallFile(String(row.Id));
  const cells: Record<string, Value> = {};
  if ('BodyLength' in row) cells.BodyLength = bytes.length;
  if ('Checksum' in row) cells.Checksum = createHash('md5').update(bytes).digest('hex');
  if ('ContentSize' in row) Object.assign(cells, { ContentSize: bytes.length, OwnerId: sampleDatabase().facts.userId });
  return cells;
}

export interface Defect {
  /** The org as the restore sees it; the comparison sees it too. */
  readonly org?: (org: Org) => Org;
  /** The point as the restore reads it; the comparison reads it anew. */
  readonly reader?: (reader: PointReader) => PointReader;
}

/** A point that can be rehearsed again and again, with something going wrong on the way. */
export class RehearseRig implements AsyncDisposable {
  readonly process: InProcess;
  readonly vault: Vault;
  readonly entry: LogEntry;
  readonly reader: PointReader;
  readonly #ctx: Context;

  private constructor(process: InProcess, vault: Vault, entry: LogEntry, reader: PointReader, ctx: Context) {
    this.process = process;
    this.vault = vault;
    this.entry = entry;
    this.reader = reader;
    this.#ctx = ctx;
  }

  static async start(database: Database): Promise<RehearseRig> {
    const process = await InProcess.start(database);
    await process.backup();
    const vault = await process.openVault();
    const ctx: Context = {
      signal: new AbortController().signal,
      report: () => undefined,
      now: () => new Date(),
      tempDir: await mkdtemp(path.join(tmpdir(), 'salvor-rehearse-')),
    };
    const entry = await findPoint(ctx, vault, 'latest!');
    return new RehearseRig(process, vault, entry, await PointReader.open(vault, entry), ctx);
  }

  async rehearse(objects: readonly string[] = [], defect: Defect = {}, onto?: LogEntry): Promise<Rehearsed> {
    await using closing = new AsyncDisposableStack();
    const reader = await PointReader.open(this.vault, this.entry);
    return await rehearse(
      this.#ctx,
      {
        vault: this.vault,
        entry: this.entry,
        reader: defect.reader?.(reader) ?? reader,
        journalStore: new MemoryStore(),
        startOrg: async (schema) => {
          const practice = closing.use(await startRehearsalOrg(schema));
          const { accessToken, url: instanceUrl } = practice;
          const org = await connect(this.#ctx, { kind: 'token', accessToken, instanceUrl }, { wait: async () => {} });
          closing.defer(() => org.close());
          return defect.org?.(org) ?? org;
        },
      },
      { objects, exclude: [], tool: 'test', ...(onto ? { onto } : {}) },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.#ctx.tempDir, { recursive: true, force: true });
  }
}
