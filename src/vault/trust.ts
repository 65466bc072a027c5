import { z } from 'zod';
import { fingerprintOf, signerOf, verifySsh } from '../age/ssh.ts';
import { Fault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { trustFile } from './layout.ts';
import { splitDocument } from './signed.ts';

/**
 * root signs `vault.json` and `trust/`; the others sign the log (see `record.ts` for which kinds). A pruner is an admin that begins no
 * epoch: whoever steals its key does not get what is written from then on encrypted to a key of his own.
 */
export type Role = 'root' | 'admin' | 'pruner' | 'writer';

const publicKeySchema = z.object({
  id: z.string(),
  role: z.enum(['root', 'admin', 'pruner', 'writer']),
  /** `ssh-ed25519 AAAA…` */
  key: z.string(),
  fingerprint: z.string(),
  /** The age recipient of a writer or pruner: indexes and manifests are encrypted to it. */
  recipient: z.string().optional(),
  /** The key of the org hash, sealed to this writer (base64 of an age file). */
  orgKey: z.string().optional(),
});
export type PublicKey = z.infer<typeof publicKeySchema>;

/** A writer's key that was stolen. */
const revokedSchema = z.object({
  /** Of the key. */
  id: z.string(),
  /** When it may have been stolen. */
  since: z.iso.datetime(),
  /** From this number of the log on nothing that it signed is believed. */
  from: z.number().int().positive(),
  /** The last number of the log that was taken when it was revoked: behind it, nothing that it signs is a record. */
  to: z.number().int().nonnegative(),
});
export type Revoked = z.infer<typeof revokedSchema>;

const trustSchema = z.object({
  v: z.literal(1),
  kind: z.literal('trust'),
  vault: z.string(),
  number: z.number().int(),
  keys: z.array(publicKeySchema),
  /** Who can recover: the age recipients that epochs are wrapped to. Public keys only. */
  recipients: z.array(z.string()),
  /** Keyed hash of the org id, in the files that add a writer: what it can check against, since older manifests are closed to it. */
  org: z.object({ hash: z.string() }).optional(),
  revoked: z.array(revokedSchema).optional(),
  created: z.string(),
});
export type TrustFile = z.infer<typeof trustSchema>;

/** All public keys of a vault, from `trust/0001` on; each file is signed by the root key, which the first one names. */
export class Trust {
  readonly files: TrustFile[] = [];

  get root(): PublicKey {
    return this.files[0]!.keys.find((key) => key.role === 'root')!;
  }
  get keys(): PublicKey[] {
    return this.files.flatMap((file) => file.keys);
  }
  get writers(): PublicKey[] {
    return this.keys.filter((key) => key.role === 'writer');
  }
  /** Stolen keys, by id; a later file may say that one was stolen earlier. */
  get revoked(): ReadonlyMap<string, Revoked> {
    const revoked = new Map<string, Revoked>();
    for (const one of this.files.flatMap((file) => file.revoked ?? [])) {
      const known = revoked.get(one.id);
      const to = Math.min(one.to, known?.to ?? one.to);
      revoked.set(one.id, { ...(known && known.from < one.from ? known : one), to });
    }
    return revoked;
  }
  /** Whether what this key signed under a number of the log is to be believed. */
  believes(id: string, seq: number): boolean {
    return seq < (this.revoked.get(id)?.from ?? Number.POSITIVE_INFINITY);
  }
  /** The people's recipients of the newest file: new epochs are wrapped to these. */
  get recipients(): string[] {
    return this.files.at(-1)!.recipients;
  }
  /** The keyed hash of the org id, where a file names it. */
  get orgHash(): string | undefined {
    return this.files.findLast(({ org }) => org !== undefined)?.org?.hash;
  }
  /** The trusted key with this `ssh-ed25519 …` text. */
  keyOf(text: string): PublicKey | undefined {
    return this.keys.find((key) => key.key === text);
  }
}

/**
 * Reads `trust/` and verifies each file. `rootFingerprint`: pinned by the client; a vault with another root is refused
 * (`signature-invalid`). Without a pin the vault's own first file is believed: the caller shows it as unanchored.
 */
export async function readTrust(store: Store, vault: string, rootFingerprint?: string): Promise<Trust> {
  const trust = new Trust();
  for (let number = 1; ; number++) {
    const key = trustFile(number);
    if (number > 1 && !(await store.head(key))) return trust;
    const refuse = (why: string) => new Fault('signature-invalid', `${key}: ${why}`, { data: { key } });
    const { line, armored, value } = splitDocument(key, await store.get(key));
    const parsed = trustSchema.safeParse(value);
    if (!parsed.success) throw refuse('it is not a trust file');
    const file = parsed.data;
    if (file.vault !== vault) throw refuse('it belongs to another vault');
    if (file.number !== number) throw refuse(`it says that it is number ${file.number}`);
    const root = number === 1 ? file.keys.find((one) => one.role === 'root') : trust.root;
    if (!root) throw refuse('it names no root key');
    if (number > 1 && file.keys.some((one) => one.role === 'root')) throw refuse('it names a second root key');
    let good = false;
    try {
      good = signerOf(armored) === root.key && verifySsh(root.key, 'salvor-vault-v1', line, armored);
    } catch {
      good = false;
    }
    if (!good) throw refuse('its signature is not of the root key');
    if (file.keys.some((one) => one.fingerprint !== fingerprintOf(one.key)))
      throw refuse('a fingerprint does not match its key');
    if (rootFingerprint !== undefined && root.fingerprint !== rootFingerprint) {
      throw new Fault('signature-invalid', `the vault's root key is ${root.fingerprint}, expected ${rootFingerprint}`, {
        actions: [
          'check --vault; this is not the vault whose fingerprint stands in the configuration or the recovery kit',
        ],
        data: { key, found: root.fingerprint, expected: rootFingerprint },
      });
    }
    trust.files.push(file);
  }
}
