import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { verify } from '../../src/operations/verify/verify.ts';
import { rowBytes } from '../../src/rows/cells.ts';
import type { Store } from '../../src/store/store.ts';
import type { LogEntry } from '../../src/vault/log.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { Vault } from '../../src/vault/vault.ts';
import { contextAt } from '../support/aged-vault.ts';
import type { VaultKeys } from '../support/in-process.ts';

/** Point -> what it holds, as `contentsOf` says it. */
export type Model = ReadonlyMap<string, string>;

/** A day that is so many days before today: stores that are real keep real time. */
export function dayBefore(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

/** When it is in stores that keep their own time. */
export const now = '2026-11-26T10:00:00Z';

export interface Whole {
  /** Points in use, oldest first. */
  readonly points: readonly string[];
  readonly vault: Vault;
}

export function openVault(store: Store, { identity, writerKey, rootFingerprint }: VaultKeys): Promise<Vault> {
  return Vault.open(store, { operation: 'write', identities: [identity], writerKey, rootFingerprint });
}

/** Every row of every object of a point: a line with the digest for each object. */
export async function contentsOf(vault: Vault, entry: LogEntry): Promise<string> {
  const reader = await PointReader.open(vault, entry);
  const held: string[] = [];
  for (const object of reader.objects()) {
    const { columns, batches } = await reader.rows(object);
    const digest = createHash('sha256').update(columns.join());
    let rows = 0;
    for await (const batch of batches) {
      for (let row = 0; row < batch.ends.length; row++) digest.update(rowBytes(batch, row));
      rows += batch.ends.length;
    }
    held.push(`${object} ${rows} ${digest.digest('hex')}`);
  }
  return held.sort().join('\n');
}

/**
 * Opens a vault with a clean store and holds it to its invariants: the log is a whole chain, everything that verifies is there, every point of
 * the model that was not let go is listed and holds the rows that it held, and no point has two records. `gone`: points that may be retired.
 */
export async function assertWhole(
  store: Store,
  keys: VaultKeys,
  model: Model,
  gone: readonly string[] = [],
): Promise<Whole> {
  const vault = await openVault(store, keys);
  const { problems, entries, points } = await vault.state();
  assert.deepEqual(problems, [], 'the chain of the log');
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, at) => at + 1),
    'the log is dense',
  );
  const listed = points.map(({ record }) => record.point!);
  const sealed = entries.flatMap(({ record }) => (record.kind === 'point' ? [record.point!] : []));
  assert.equal(new Set(sealed).size, sealed.length, 'no point has two records');
  const missing = [...model.keys()].filter((point) => !listed.includes(point) && !gone.includes(point));
  assert.deepEqual(missing, [], 'acknowledged points that are not listed');
  const verified = await verify(contextAt(now), vault, {
    points: 'all',
    noIdentity: false,
    attest: false,
    tool: 'test',
  });
  const found = [verified.log, ...verified.points.flatMap(({ rungs }) => rungs)].flatMap((rung) => rung.problems);
  assert.deepEqual(found, [], 'what verify finds');
  for (const entry of points) {
    const expected = model.get(entry.record.point!);
    if (expected !== undefined) assert.equal(await contentsOf(vault, entry), expected, `rows of ${entry.record.point}`);
  }
  return { points: listed, vault };
}

/** What every point of a vault holds. */
export async function modelOf(vault: Vault): Promise<Map<string, string>> {
  const model = new Map<string, string>();
  for (const entry of (await vault.state()).points) model.set(entry.record.point!, await contentsOf(vault, entry));
  return model;
}
