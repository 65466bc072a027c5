import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newAgeIdentity } from '../../src/age/keys.ts';
import type { Context } from '../../src/context.ts';
import type { Event } from '../../src/events.ts';
import { type BackupResult, backup } from '../../src/operations/backup/backup.ts';
import type { BackupRequest } from '../../src/operations/backup/request.ts';
import type { Database } from '../../src/practice-org/database.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import { type ConnectOptions, connect, type Login } from '../../src/salesforce/connect.ts';
import type { Store } from '../../src/store/store.ts';
import { createVault } from '../../src/vault/create.ts';
import type { LogEntry } from '../../src/vault/log.ts';
import { openBytes } from '../../src/vault/sealed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from './memory-store.ts';

/** Keys of a vault that was made for a test. */
export interface VaultKeys {
  readonly identity: string;
  readonly writerKey: string;
  readonly rootFingerprint: string;
}

/**
 * A practice org and a vault in memory, and `backup` called as a function: for the many backups of a table, where a program for each would
 * take minutes. The client waits for nothing between its tries and gives up a silent org after a moment.
 */
export class InProcess implements AsyncDisposable {
  readonly org: PracticeOrg;
  readonly events: Event[] = [];
  /** Is told each event as it happens; what it does comes before the next request. */
  onEvent: (event: Event) => void = () => undefined;
  /** The host's clock. */
  now: () => Date = () => new Date();
  store: Store;
  keys: VaultKeys;
  readonly #tempDir: string;

  private constructor(org: PracticeOrg, store: Store, keys: VaultKeys, tempDir: string) {
    this.org = org;
    this.store = store;
    this.keys = keys;
    this.#tempDir = tempDir;
  }

  static async start(database: Database, settings: Partial<Settings> = {}): Promise<InProcess> {
    const store = new MemoryStore();
    const org = await startPracticeOrg(database, settings);
    return new InProcess(org, store, await newVault(store), await mkdtemp(path.join(tmpdir(), 'salvor-test-')));
  }

  /** Another, empty vault from here on. */
  async renewVault(store: Store = new MemoryStore()): Promise<void> {
    this.store = store;
    this.keys = await newVault(store);
  }

  openVault(): Promise<Vault> {
    const { identity, writerKey, rootFingerprint } = this.keys;
    return Vault.open(this.store, { operation: 'write', identities: [identity], writerKey, rootFingerprint });
  }

  async backup(
    more: { request?: Partial<BackupRequest>; login?: Login; connect?: ConnectOptions; signal?: AbortSignal } = {},
  ): Promise<BackupResult> {
    const ctx: Context = {
      signal: more.signal ?? new AbortController().signal,
      report: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
      now: this.now,
      tempDir: this.#tempDir,
    };
    const { org } = this;
    const login = more.login ?? { kind: 'token', accessToken: org.accessToken, instanceUrl: org.url };
    const client = await connect(ctx, login, {
      wait: async () => {},
      timeouts: { connect: 1000, headers: 250, body: 250 },
      budget: { maxPercent: 80 },
      ...more.connect,
    });
    try {
      return await backup(ctx, client, await this.openVault(), { ...everything, ...more.request });
    } finally {
      await client.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.org.close();
    await rm(this.#tempDir, { recursive: true, force: true });
  }
}

const everything: BackupRequest = {
  policy: { objects: [], exclude: [] },
  accept: [],
  tags: [],
  files: true,
  full: false,
  parallel: 4,
  tool: 'test',
};

async function newVault(store: Store): Promise<VaultKeys> {
  const { identity, recipient } = await newAgeIdentity();
  const { writerKey, rootFingerprint } = await createVault(store, {
    recipients: [recipient],
    probe: { conditionalCreate: true },
    tool: 'test',
    now: new Date(),
  });
  return { identity, writerKey, rootFingerprint };
}

/** What a point holds of one object. */
export interface Held {
  readonly complete: boolean;
  readonly reason: string | undefined;
  /** Ids of live rows, ascending. */
  readonly ids: readonly string[];
  /** SHA-256 of the rows' CSV, header lines left out. */
  readonly digest: string;
}

/** Reads all rows of a point; objects that have no page hold nothing. */
export async function contentsOf(vault: Vault, entry: LogEntry): Promise<Map<string, Held>> {
  const identities = await vault.rowIdentities();
  const held = new Map<string, Held>();
  for (const { object, page, complete, reason } of (await vault.root(entry)).objects) {
    const rows: string[] = [];
    for (const segment of page ? (await vault.map(page)).base : []) {
      const csv = (await openBytes(segment.key, await vault.read(segment), identities)).toString('utf8');
      rows.push(csv.slice(csv.indexOf('\n') + 1));
    }
    const text = rows.sort().join('');
    const ids = [...text.matchAll(/^"([0-9A-Za-z]{18})",/gm)].map(([, id]) => id!);
    held.set(object, { complete, reason, ids, digest: createHash('sha256').update(text).digest('hex') });
  }
  return held;
}

/** The Ids of an object's rows that are not in the recycle bin, ascending. */
export function liveIds(database: Database, object: string): string[] {
  const { source } = database.tables.get(object)!;
  return Array.from({ length: source.size }, (_, number) => source.row(number))
    .filter(({ IsDeleted }) => IsDeleted !== true)
    .map(({ Id }) => String(Id))
    .sort();
}

/** The same records under another organization Id. */
export function ofAnotherOrg(database: Database): Database {
  const organizationId = '00D00000000000zEAA';
  const table = database.tables.get('Organization')!;
  const row = { ...table.source.row(0), Id: organizationId };
  const source = { size: 1, row: () => row, find: () => 0 };
  return {
    facts: { ...database.facts, organizationId },
    tables: new Map([...database.tables, ['Organization', { ...table, source }]]),
  };
}
