import { randomBytes } from 'node:crypto';
import { isFault } from '../errors.ts';
import type { Store } from './store.ts';

/** What a store was seen to do. Where a check could not be made because an earlier one failed, it is false. */
export interface ProbeResult {
  /** A second create said 'exists' and changed nothing, and of `parallelCreates` at once exactly one won. */
  conditionalCreate: boolean;
  /** How many of `parallelCreates` parallel creates of one key won; 1 is right, 0 where an earlier probe has left the key. */
  parallelWinners: number;
  readBack: boolean;
  range: boolean;
  /** An object was in the list right after its put. */
  listAfterPut: boolean;
  /** A key that is not there is told from one that may not be read. */
  missingKey: boolean;
  /** Whether these credentials may delete; those of a host that takes backups should not. */
  deleteAllowed: boolean;
  /** Not to be seen through the verbs of a store. */
  versioning: 'unknown';
  lock: 'unknown';
  /** What the store's clock is ahead of the host's, in milliseconds; an S3's is known to about a second; undefined where nothing was written now. */
  clockDriftMs: number | undefined;
  /** What is not as it should be, a sentence each; empty when all is well. */
  problems: string[];
  /** Keys that could not be removed again. */
  left: string[];
}

export const parallelCreates = 20;

/**
 * Tries on a store what salvor's safety rests on, under `probe/`, where no store locks objects, and removes what it
 * made if it may. Decides nothing: the caller refuses a store without `conditionalCreate` as 'unproven-store'. `folder`: where a probe that may
 * not delete leaves what it made; the next one in the same folder takes it for what it finds, and leaves no more.
 * Faults: those of the store when it cannot be used at all.
 */
export async function probeStore(
  store: Store,
  signal?: AbortSignal,
  folder = `probe/${randomBytes(8).toString('hex')}`,
): Promise<ProbeResult> {
  const result: ProbeResult = {
    conditionalCreate: false,
    parallelWinners: 0,
    readBack: false,
    range: false,
    listAfterPut: false,
    missingKey: false,
    deleteAllowed: false,
    versioning: 'unknown',
    lock: 'unknown',
    clockDriftMs: 0,
    problems: [],
    left: [],
  };
  const once = `${folder}/once`;
  const race = `${folder}/race`;
  const made: string[] = [];
  const check = (held: boolean, problem: string): boolean => {
    if (!held) result.problems.push(problem);
    return held;
  };
  const body = Buffer.from('first: a store keeps what came first');

  try {
    const began = Date.now();
    made.push(once);
    const left = (await store.putIfAbsent(once, body, signal)) === 'exists';
    const middle = (began + Date.now()) / 2;

    for await (const { key, size, modified } of store.list(`${folder}/`, { signal })) {
      if (key !== once) continue;
      // What an earlier probe left tells the time of that one.
      result.clockDriftMs = left ? undefined : Math.round(modified.getTime() - middle);
      result.listAfterPut = size === body.length;
    }
    check(result.listAfterPut, 'an object is not listed right after it was put');
    const back = await store.get(once, signal);
    result.readBack = check(back.equals(body), 'an object is not read back as it was put');
    const part = await store.getRange(once, 7, 7, signal);
    result.range = check(
      part.equals(body.subarray(7, 14)),
      'a range of an object is not the bytes that were asked for',
    );
    result.missingKey = check(
      await missesKey(store, `${folder}/missing`, signal),
      'a key that is not there is not told as missing',
    );

    const second = await store.putIfAbsent(once, Buffer.from('second'), signal);
    const kept = (await store.get(once, signal)).equals(body);
    check(second === 'exists' && kept, 'a second create of a key is not refused');

    made.push(race);
    const creates = Array.from({ length: parallelCreates }, (_, i) =>
      store.putIfAbsent(race, Buffer.from(`${i}`), signal),
    );
    const outcomes = await Promise.all(creates);
    result.parallelWinners = outcomes.filter((outcome) => outcome === 'created').length;
    const winner = (await store.get(race, signal)).toString();
    const one = left
      ? result.parallelWinners <= 1 && /^\d+$/.test(winner)
      : result.parallelWinners === 1 && outcomes[Number(winner)] === 'created';
    check(
      one,
      `of ${parallelCreates} creates of one key at once ${result.parallelWinners} were told that they had won`,
    );
    result.conditionalCreate = second === 'exists' && kept && one;
  } catch (error) {
    if (!isFault(error, 'unproven-store')) throw error;
    result.problems.push(error.message);
  } finally {
    for (const key of made) if (!(await removed(store, key))) result.left.push(key);
  }
  result.deleteAllowed = made.length > 0 && result.left.length === 0;
  return result;
}

async function missesKey(store: Store, key: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await store.get(key, signal);
    return false;
  } catch (error) {
    if (isFault(error, 'object-missing')) return true;
    // A policy that hides whether a key is there.
    if (isFault(error, 'store-denied')) return false;
    throw error;
  }
}

/** Also when the probe was aborted or failed: then what stops a delete is not what the caller asks about. */
async function removed(store: Store, key: string): Promise<boolean> {
  try {
    return await store.delete(key);
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}
