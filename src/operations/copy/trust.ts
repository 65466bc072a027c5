import { Fault, isDamage } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { trustFile } from '../../vault/layout.ts';
import { readTrust, type Trust } from '../../vault/trust.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Problem } from './request.ts';

/**
 * Holds the copy's `trust/` against the vault's: who stands in one alone signs nothing that the other believes. What is damaged in the copy, or in the copy alone, is told, since
 * only a person puts it right. Throws `vaults-diverged` when both have a file of their own under one number.
 */
export async function compareTrust(vault: Vault, to: Store, signal: AbortSignal): Promise<Problem[]> {
  if (!(await to.head(trustFile(1), signal))) return [];
  let theirs: Trust;
  try {
    theirs = await readTrust(to, vault.info.vault, vault.trust.root.fingerprint);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const key = String(error.data.key);
    return [{ key, problem: `in the copy ${error.message}: copy it over by hand from the vault` }];
  }
  const problems: Problem[] = [];
  for (const [at, file] of theirs.files.entries()) {
    const key = trustFile(at + 1);
    const ours = vault.trust.files[at];
    if (ours && JSON.stringify(ours) !== JSON.stringify(file)) throw parted(vault, to, key);
    // Another process may have added it, and another copy brought it, since the vault was opened.
    if (ours || (await vault.store.head(key, signal))) continue;
    const problem = `${key} is in the copy and missing in the vault, which does not know the keys in it: copy it over by hand`;
    problems.push({ key, problem });
  }
  return problems;
}

function parted(vault: Vault, to: Store, key: string): Fault {
  return new Fault(
    'vaults-diverged',
    `${vault.store.url} and ${to.url} went different ways: keys were added in each of them, and ${key} is another file there`,
    { data: { key } },
  );
}
