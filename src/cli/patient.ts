import { Fault, isFault } from '../errors.ts';
import type { Event } from '../events.ts';
import type { VaultPatient } from '../operations/doctor/doctor.ts';
import type { KeysAtHand } from '../operations/doctor/keys.ts';
import type { Trial } from '../operations/doctor/policy.ts';
import type { Org } from '../salesforce/org.ts';
import type { Store } from '../store/store.ts';
import type { KeyTexts } from '../vault/keyring.ts';
import type { CommandContext } from './command.ts';
import { connectOrg } from './login.ts';
import { adminKeyOf, identitiesOf, openStoreAt, pinnedRoot, vaultUrl, writerKeyOf } from './open-vault.ts';

/** The org of this run, or why there is none. */
export function orgAtHand(ctx: CommandContext): Promise<Org | Fault> {
  return orFault(() => connectOrg(ctx));
}

/**
 * The vault of this run with what its doctor looks at it with, or why it cannot be opened; undefined: none is named. A key that cannot be read
 * keeps nobody from looking at the rest.
 */
export async function vaultAtHand(ctx: CommandContext): Promise<VaultPatient | Fault | undefined> {
  const url = await orFault(async () => vaultUrl(ctx));
  if (url instanceof Fault) return undefined;
  return orFault(async () => {
    const store = await openStoreAt(ctx, url);
    try {
      return await examined(ctx, url, store);
    } catch (error) {
      await store.close();
      throw error;
    }
  });
}

async function examined(ctx: CommandContext, url: string, store: Store): Promise<VaultPatient> {
  const { Vault } = await import('../vault/vault.ts');
  const { probeStore } = await import('../store/probe.ts');
  const found = await keysAtHand(ctx, url);
  const open = (keys: KeyTexts) => Vault.open(store, { operation: 'read', rootFingerprint: pinnedRoot(ctx), ...keys });
  // One folder a day: where nothing may be deleted, no more than three small objects of a day stay behind.
  const folder = `probe/doctor-${ctx.now().toISOString().slice(0, 10)}`;
  const vault = await orFault(async () => open(await usable(found)));
  // Elsewhere than in a vault nothing is tried.
  if (vault instanceof Fault && vault.name !== 'store-denied') throw vault;
  return {
    vault,
    store,
    keys: { ...found, open },
    probe: () => probeStore(store, ctx.signal, folder),
    trial: () => trialOf(ctx, url, store, `${folder}/changes`),
  };
}

async function trialOf(ctx: CommandContext, url: string, store: Store, key: string): Promise<Trial> {
  const { allowedRegions } = ctx.config;
  if (!/^s3:/i.test(url)) return { store, key, allowedRegions };
  const { bucketFacts, putAnyway } = await import('../store/s3-bucket.ts');
  const options = { report: (event: Event) => ctx.report(event), signal: ctx.signal };
  const again = (key: string, body: Uint8Array) => putAnyway(url, key, body, options);
  return { store, key, allowedRegions, putAnyway: again, bucket: await bucketFacts(url, options) };
}

async function keysAtHand(ctx: CommandContext, url: string): Promise<Omit<KeysAtHand, 'open'>> {
  const exposed = new Set<string>();
  const report = (event: Event) => {
    if (event.type === 'warning' && event.name === 'exposed-key') exposed.add(event.message);
    else ctx.report(event);
  };
  const listening = { ...ctx, report };
  const writer = await orFault(() => writerKeyOf(listening, url, false));
  const identities = await orFault(() => identitiesOf(listening, url, false));
  const admin = await orFault(() => adminKeyOf(listening));
  const none = Array.isArray(identities) && identities.length === 0;
  return { writer, identities: none ? undefined : identities, admin, exposed: [...exposed] };
}

/** Keys that are of their kind; what they open, the doctor finds out. */
async function usable({ writer, identities, admin }: Omit<KeysAtHand, 'open'>): Promise<KeyTexts> {
  const { parseAdminKey, parseWriterKey } = await import('../age/keys.ts');
  const { checkIdentity } = await import('../age/header.ts');
  const holds = async (check: () => unknown) => !((await orFault(async () => check())) instanceof Fault);
  const texts: { -readonly [key in keyof KeyTexts]: KeyTexts[key] } = {};
  if (typeof writer === 'string' && (await holds(() => parseWriterKey(writer)))) texts.writerKey = writer;
  if (typeof admin === 'string' && (await holds(() => parseAdminKey(admin)))) texts.adminKey = admin;
  if (identities !== undefined && !(identities instanceof Fault)) {
    const all = await holds(() => identities.forEach(checkIdentity));
    if (all) texts.identities = identities;
  }
  return texts;
}

async function orFault<T>(work: () => Promise<T>): Promise<T | Fault> {
  try {
    return await work();
  } catch (error) {
    if (!isFault(error) || error.name === 'interrupted') throw error;
    return error;
  }
}
