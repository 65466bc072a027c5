import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Store } from '../../store/store.ts';
import type { Root } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Policy } from '../backup/select.ts';
import { orgClock, storeClock } from './clock.ts';
import { areas, type Finding, findingsOf, lookedAt } from './finding.ts';
import { handOf, type KeysAtHand, keyFindings } from './keys.ts';
import { notLoggedIn } from './login.ts';
import { orgFindings } from './org.ts';
import { policyFindings, type Trial } from './policy.ts';
import { type StoreProbe, storeFindings, unproven } from './store.ts';

/** The vault, and what it and its store are looked at with. */
export interface VaultPatient {
  /** Opened with every key at hand that is one; a Fault where the store refuses that, which the probe of the store may explain. */
  readonly vault: Vault | Fault;
  readonly store: Store;
  readonly keys: KeysAtHand;
  /** Puts the store to the proof. Throws `store-denied` where the credentials may not. */
  readonly probe: () => Promise<StoreProbe>;
  readonly trial: () => Promise<Trial>;
}

/** Whatever is at hand. A Fault in its place: why it is not. */
export interface Patient {
  readonly org: Org | Fault;
  /** Undefined: none is named. */
  readonly vault: VaultPatient | Fault | undefined;
  readonly policy: Policy;
  readonly maxApiPercent: number;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
}

/**
 * Looks at everything that a backup and a restore rest on. Writes nothing but objects below `probe/`, which it removes where it may. A part
 * that cannot be looked at is a finding and keeps no other from being made.
 */
export async function diagnose(ctx: Context, { org, vault, policy, maxApiPercent }: Patient): Promise<Diagnosis> {
  const opened = openedIn(vault);
  const newest = opened && (await newestRoot(opened));
  const found = [
    ...(org instanceof Fault ? [notLoggedIn(org)] : await orgFindings(ctx, org, policy, maxApiPercent, newest)),
    ...(await vaultOrWhy(ctx, vault)),
    ...(await together(ctx, org, opened)),
    ...(org instanceof Fault ? [] : await lookedAt(ctx.signal, 'clock', 'org', async () => [await orgClock(ctx, org)])),
  ];
  return { findings: areas.flatMap((area) => found.filter((one) => one.area === area)) };
}

/** Whether the points of the vault are of this org; a key has to open that. */
async function together(ctx: Context, org: Org | Fault, vault: Vault | undefined): Promise<readonly Finding[]> {
  if (org instanceof Fault || !vault?.keyring.isKnown) return [];
  return lookedAt(ctx.signal, 'store', 'vault-org', async () => {
    await vault.assertOrg(org.identity.orgId);
    return [findingsOf('store').ok('vault-org', 'the vault holds points of this org, or of none yet')];
  });
}

function openedIn(patient: Patient['vault']): Vault | undefined {
  if (patient === undefined || patient instanceof Fault || patient.vault instanceof Fault) return undefined;
  return patient.vault;
}

async function vaultOrWhy(ctx: Context, vault: Patient['vault']): Promise<readonly Finding[]> {
  const { warn, failed } = findingsOf('store');
  if (vault instanceof Fault) return [failed('vault', vault)];
  if (vault) return vaultFindings(ctx, vault);
  return [
    warn(
      'vault',
      'no vault was looked at: none is named',
      'name it with --vault, SALVOR_VAULT or in salvor.config.json',
    ),
  ];
}

async function vaultFindings(ctx: Context, { vault, store, keys, probe, trial }: VaultPatient): Promise<Finding[]> {
  const { signal } = ctx;
  const { url } = store;
  ctx.report({ type: 'stage', stage: 'looking at the vault and its store' });
  const proven = await lookedAt(signal, 'store', 'store', async () => {
    try {
      const result = await probe();
      return [...storeFindings(url, result), storeClock(result.clockDriftMs)];
    } catch (error) {
      if (isFault(error, 'store-denied') && error.message.includes('GET probe/')) return [unproven(url)];
      throw error;
    }
  });
  const tried = await lookedAt(signal, 'policy', 'policy', async () =>
    policyFindings(await trial(), handOf(keys), signal),
  );
  if (vault instanceof Fault) return [findingsOf('store').failed('vault', vault), ...proven, ...tried];
  const held = await lookedAt(signal, 'keys', 'keys', () => keyFindings(ctx, vault, keys));
  return [...proven, ...tried, ...held];
}

/** What the newest point cost; undefined where no key at hand opens its table of contents. */
async function newestRoot(vault: Vault): Promise<Root | undefined> {
  try {
    const last = (await vault.state()).points.at(-1);
    return last && (await vault.root(last));
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}
