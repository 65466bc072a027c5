import { setTimeout as pause } from 'node:timers/promises';
import type { Org } from '../salesforce/org.ts';
import type { WriteRecord } from '../salesforce/writing.ts';

/** What a bad afternoon did to the demo's org. */
export interface Damage {
  /** The account that was deleted. */
  readonly account: string;
  /** Contacts whose phone a bad import overwrote, and those of them that somebody corrected since. */
  readonly overwritten: number;
  readonly corrected: number;
  /** `t1..t2`, as `--incident` takes it. */
  readonly incident: string;
}

const imported = 120;
const byHand = 3;

/**
 * Deletes an account with all that hangs on it, overwrites the phone of contacts, and lets somebody correct a few of them afterwards. Everything goes
 * over HTTP, as a user's mistakes do.
 */
export async function damage(org: Org): Promise<Damage> {
  const from = new Date(Math.floor((await org.serverTime()).getTime() / 1000) * 1000);
  const account = await deleteOne(org, await ids(org, 'Account'));
  const contacts = (await ids(org, 'Contact', 'Phone != null')).slice(0, imported);
  await update(
    org,
    contacts.map((Id) => ({ Id, Phone: '000-IMPORTED' })),
  );
  const to = await nextSecond(org);
  await nextSecond(org);
  await update(
    org,
    contacts.slice(0, byHand).map((Id, n) => ({ Id, Phone: `+41 44 555 01 0${n}` })),
  );
  const time = (at: Date) => at.toISOString().replace(/\.\d+Z$/, 'Z');
  return { account, overwritten: contacts.length, corrected: byHand, incident: `${time(from)}..${time(to)}` };
}

/** The org stamps records with whole seconds: waits for the next one, and tells which it is. */
async function nextSecond(org: Org): Promise<Date> {
  const before = Math.floor((await org.serverTime()).getTime() / 1000);
  await pause(1050);
  return new Date(before * 1000 + 999);
}

/** Accounts with cases are not deleted: the platform holds them back. */
async function deleteOne(org: Org, accounts: readonly string[]): Promise<string> {
  for (const id of accounts) {
    const [deleted] = await org.writer.delete([id]);
    if (deleted?.errors.length === 0) return id;
  }
  throw new TypeError('the practice org has no account that can be deleted');
}

async function update(org: Org, records: readonly WriteRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += 200) await org.writer.update('Contact', records.slice(at, at + 200));
}

async function ids(org: Org, object: string, where?: string): Promise<string[]> {
  const found: string[] = [];
  const flow = org.extract({
    object,
    plan: { way: 'rest', fields: ['Id'], blobFields: [], leftOut: [] },
    where,
    all: false,
    rowsExpected: 1,
  });
  for await (const batch of flow.batches) {
    for (const line of batch.bytes.toString('latin1').split('\n')) if (line !== '') found.push(line.slice(1, 19));
  }
  return found.reverse();
}
