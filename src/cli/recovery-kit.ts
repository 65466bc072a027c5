import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';

/**
 * One page to print and lock away: all that a fresh machine needs to restore. The page is also an age identity file: every line but
 * the identity is a comment.
 */
export function recoveryKit(facts: {
  vault: string;
  vaultId: string;
  rootFingerprint: string;
  identity: string;
  recipient: string;
  head?: { seq: number; digest: string };
  made: string;
}): string {
  const head = facts.head ? `${facts.head.seq}:${facts.head.digest}` : undefined;
  // The page is read elsewhere: a folder is named from the root on.
  const place = facts.vault.includes('://') ? facts.vault : path.resolve(facts.vault);
  const vault = `--vault ${place} --identity recovery-kit.txt --root-fingerprint ${facts.rootFingerprint}`;
  return `# SALVOR RECOVERY KIT                            print this page, lock it away
#
# Whoever holds the identity below can read every recovery point of this vault, and
# administer it. Without an identity of this vault nobody can.
#
# vault             ${place}
# vault id          ${facts.vaultId}
# root fingerprint  ${facts.rootFingerprint}
# last head         ${head ?? 'none yet'}
# made              ${facts.made}
# recipient         ${facts.recipient}
#
# identity:
${facts.identity}
#
# In an emergency, on a machine with Node 22.19 or newer and access to the vault:
#
#   1. Type this page's identity line into a file recovery-kit.txt that only you can read.
#   2. npx salvor list-points ${vault}
#   3. npx salvor verify latest ${vault}${head ? ` --expect-head ${head}` : ''}
#   4. npx salvor rescue --kit recovery-kit.txt --target-org <the org>
#      It asks what happened, and saves a plan. Then: npx salvor restore --plan <file> ${vault}
#
# Without salvor: README.txt in the vault says how to read it with age, zstd and ssh-keygen.
# Prove once a quarter that this page still opens the vault: npx salvor keys test ${vault}
`;
}

/** What a kit says of its vault. Throws `usage` when the file is none. */
export async function readRecoveryKit(file: string): Promise<{ vault: string; rootFingerprint: string }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new Fault('usage', `the recovery kit ${file} cannot be read: ${systemCode(cause) ?? 'unknown error'}`, {
      cause,
    });
  }
  const vault = /^# vault {2,}(\S.*)$/m.exec(text)?.[1]?.trim();
  const rootFingerprint = /^# root fingerprint {2,}(SHA256:\S+)$/m.exec(text)?.[1];
  if (!vault || !rootFingerprint) {
    throw new Fault('usage', `${file} is no whole recovery kit: it does not name the vault and its root fingerprint`, {
      actions: ['give --vault, --root-fingerprint and --identity instead, as the printed page shows them'],
    });
  }
  return { vault, rootFingerprint };
}
