import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { listPoints, type PointListed } from '../../src/operations/points.ts';
import type { Store } from '../../src/store/store.ts';
import { Vault } from '../../src/vault/vault.ts';
import type { Rig } from './rig.ts';

/** Resolves when `holds` is true; rejects after a minute. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (holds()) return;
    await pause(10);
  }
  throw new Error(`it never came to this: ${what}`);
}

/**
 * The points of a vault, newest first, read by the writer key alone. Fails unless every record of the log holds, none is missing and no point
 * has two.
 */
export async function pointsIn(rig: Rig, store: Store): Promise<readonly PointListed[]> {
  const writerKey = readFileSync(rig.env.SALVOR_WRITER_KEY_FILE!, 'utf8').trim();
  const vault = await Vault.open(store, { operation: 'read', writerKey });
  const { problems, entries } = await vault.state();
  assert.deepEqual(problems, []);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, at) => at + 1),
  );
  const { points } = await listPoints(vault);
  assert.equal(new Set(points.map(({ id }) => id)).size, points.length, 'no point has two records');
  return points;
}

/** Events that a run wrote with `--events`, as far as lines are whole. */
export function eventsIn(file: string): ReturnType<typeof JSON.parse>[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // the run has not begun to write
    return [];
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
