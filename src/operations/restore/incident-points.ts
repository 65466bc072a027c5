import type { LogEntry } from '../../vault/log.ts';
import { PointReader } from '../../vault/point-reader.ts';
import type { Vault } from '../../vault/vault.ts';
import { findPoint } from '../points.ts';

/**
 * The point that shows the damage of an incident: the one that was named; else the first that was begun after the incident was over, when the
 * end of its window is known. Undefined: there is none.
 */
export async function pointAfter(vault: Vault, name: string | undefined, to: number): Promise<PointReader | undefined> {
  if (name !== undefined) return PointReader.open(vault, await findPoint(vault, name));
  if (!Number.isFinite(to)) return undefined;
  const { points, entries } = await vault.state();
  for (const entry of points) {
    if (Date.parse(entry.record.started) <= to || quarantined(entries).has(entry.record.point!)) continue;
    if ((await vault.root(entry)).status === 'complete') return PointReader.open(vault, entry);
  }
  return undefined;
}

/** The newest point that is complete, not suspect, and ended before the incident began; undefined when there is none. */
export async function lastGoodPoint(vault: Vault, from: number): Promise<LogEntry | undefined> {
  const { points, entries } = await vault.state();
  for (const entry of points.toReversed()) {
    if (Date.parse(entry.record.ended) > from || quarantined(entries).has(entry.record.point!)) continue;
    const { status, suspect } = await vault.root(entry);
    if (status === 'complete' && !suspect) return entry;
  }
  return undefined;
}

function quarantined(entries: readonly LogEntry[]): Set<string> {
  return new Set(
    entries.filter(({ record }) => record.kind === 'quarantine').flatMap(({ record }) => record.points ?? []),
  );
}
