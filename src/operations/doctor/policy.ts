import { isFault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { counted, type Finding, findingsOf } from './finding.ts';

/** What a bucket keeps (`store/s3-bucket.ts`); undefined where it does not tell. */
export interface BucketFacts {
  readonly region: string | undefined;
  readonly versioning: boolean | undefined;
  readonly objectLock: boolean | undefined;
  readonly defaultDays: number | undefined;
  readonly retainDays: number | undefined;
}

/** What the credentials at hand are for, by the keys beside them: a host that only takes backups, or whoever restores and prunes. */
export type Hand = 'writer' | 'administrator';

/** What the policy is tried with. */
export interface Trial {
  readonly store: Store;
  /** A key below `probe/` that nobody else uses today. */
  readonly key: string;
  /** Puts the key again, as a client would that asks for nothing; true: it was replaced. Missing where files can be replaced as they can be deleted. */
  readonly putAnyway?: (key: string, body: Uint8Array) => Promise<boolean>;
  readonly bucket?: BucketFacts;
  readonly allowedRegions: readonly string[] | undefined;
}

const { ok, warn, bad } = findingsOf('policy');

/** Folders that hold rows, or what was replaced in them: a backup host has no business there. */
const closed = ['data', 'detail', 'files', 'restores'] as const;

/** What a backup host is to do that may do too much. */
function stricter(isBucket: boolean): string {
  return isBucket
    ? 'give the backup host credentials with the policy of examples/s3-writer-policy.json'
    : 'use a bucket with a policy, or keep a second copy where this host may not write (`salvor copy`)';
}

/** What these credentials may do to the vault, and how the bucket keeps it. Destroys nothing: what is tried on is an object of its own. */
export async function policyFindings(trial: Trial, hand: Hand, signal: AbortSignal): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const folder of closed) found.push(await reading(trial, folder, hand, signal));
  const { replaced, deleted } = await changing(trial, signal);
  found.push(may(trial, 'overwrite', replaced, hand, 'replace objects', 'whoever steals them can destroy points'));
  found.push(may(trial, 'delete', deleted, hand, 'delete objects', 'whoever steals them can empty the vault'));
  if (trial.bucket) found.push(region(trial.bucket, trial.allowedRegions), kept(trial.bucket));
  else found.push(ok('region', 'a folder of this machine'), ok('object-lock', 'a folder has no Object Lock'));
  return found;
}

function may(trial: Trial, name: string, can: boolean, hand: Hand, what: string, danger: string): Finding {
  const isBucket = trial.bucket !== undefined;
  if (!can) return ok(name, `these credentials may not ${what}`);
  if (hand === 'administrator') return ok(name, `these credentials may ${what}, as an administrator needs`);
  return warn(name, `these credentials may ${what}, which a backup host needs not: ${danger}`, stricter(isBucket));
}

async function reading({ store, bucket }: Trial, folder: string, hand: Hand, signal: AbortSignal): Promise<Finding> {
  const name = `read-${folder}`;
  const isBucket = bucket !== undefined;
  const answer = await triedRead(store, folder, signal);
  if (answer === 'unknown') return ok(name, `there is nothing below ${folder}/ yet to try on; a key there is refused`);
  if (hand === 'administrator') {
    return answer === 'allowed'
      ? ok(name, `these credentials may read ${folder}/, as a restore needs`)
      : warn(
          name,
          `these credentials may not read ${folder}/: no row can be restored with them`,
          'take credentials that may read the whole vault for restores and verifications',
        );
  }
  if (answer === 'denied') return ok(name, `these credentials may not read ${folder}/`);
  return warn(name, `these credentials may read ${folder}/, which a backup host needs not`, stricter(isBucket));
}

/**
 * One byte of an object that is there, or of one that is not: told as missing, it could have been read. Refused, it may as well be that the
 * store tells nobody what is missing.
 */
async function triedRead(store: Store, folder: string, signal: AbortSignal): Promise<'allowed' | 'denied' | 'unknown'> {
  let there: string | undefined;
  for await (const { key } of store.list(`${folder}/`, { signal })) {
    there = key;
    break;
  }
  try {
    await store.getRange(there ?? `${folder}/doctor-looks-for-nothing`, 0, 1, signal);
    return 'allowed';
  } catch (error) {
    if (isFault(error, 'object-missing')) return 'allowed';
    if (isFault(error, 'store-denied')) return there === undefined ? 'unknown' : 'denied';
    throw error;
  }
}

async function changing({ store, key, putAnyway }: Trial, signal: AbortSignal) {
  const body = Buffer.from('salvor doctor tries to replace and to delete this object, and no other');
  await store.putIfAbsent(key, body, signal);
  const replaced = await putAnyway?.(key, body);
  let deleted = false;
  try {
    deleted = await store.delete(key, signal);
  } catch (error) {
    if (!isFault(error, 'store-denied')) throw error;
  }
  return { replaced: replaced ?? deleted, deleted };
}

function region({ region: at }: BucketFacts, allowed: readonly string[] | undefined): Finding {
  const place = at === undefined ? 'the bucket does not say where it is' : `the bucket is in ${at}`;
  if (allowed === undefined) return ok('region', `${place}; allowedRegions names no region`);
  return ok('region', `${place}; allowedRegions permits it`);
}

function kept({ objectLock, versioning, defaultDays, retainDays }: BucketFacts): Finding {
  const name = 'object-lock';
  const asked = retainDays === undefined ? undefined : `the vault's URL asks for ${counted(retainDays, 'day')}`;
  if (objectLock === undefined) {
    return ok(name, `the bucket does not tell these credentials whether Object Lock is on${asked ? `; ${asked}` : ''}`);
  }
  if (!objectLock && asked !== undefined) {
    return bad(
      name,
      `${asked}, and the bucket has no Object Lock: every put is refused`,
      'switch Object Lock on for the bucket, or take objectLock and retainDays out of the URL',
    );
  }
  if (!objectLock) {
    return warn(
      name,
      `Object Lock is off${versioning ? ', and versioning on' : ' and so is versioning'}: who may delete can empty the vault`,
      'use a bucket with Object Lock (add objectLock and retainDays to the URL), or copy the vault elsewhere with `salvor copy`',
    );
  }
  const days = [
    asked,
    ...(defaultDays === undefined ? [] : [`the bucket locks for ${counted(defaultDays, 'day')} by itself`]),
  ];
  const told = days.filter((one) => one !== undefined);
  if (told.length === 0) {
    return warn(
      name,
      'Object Lock is on, and nothing is locked',
      'add objectLock=GOVERNANCE and retainDays=35 to the URL of the vault, or give the bucket a default retention',
    );
  }
  return ok(name, `Object Lock is on: ${told.join('; ')}`);
}
