import { z } from 'zod';
import { Fault } from '../errors.ts';
import type { Signer } from './keyring.ts';
import { attestation, compactTime } from './layout.ts';
import type { LogEntry } from './log.ts';
import { fitting } from './manifest.ts';
import { openDocument, sha256, signDocument } from './signed.ts';
import type { Vault } from './vault.ts';

/** Keys that can be tested: an identity opens rows, the writer key tables of contents. */
const testable = z.enum(['identity', 'writer', 'admin']);

const attestSchema = z.object({
  v: z.literal(1),
  kind: z.literal('attest'),
  vault: z.string(),
  at: z.string(),
  tool: z.string(),
  points: z.array(
    z.object({
      point: z.string(),
      /** The highest rung that was reached without a problem. */
      rung: z.string(),
      ok: z.boolean(),
      problems: z.number().int(),
    }),
  ),
  /** `1/7`: only this part of the segments, files and leftovers was read; absent: all of them. */
  sample: z.string().optional(),
  /** Keys that were found to open what they have to; `points` is empty then. */
  keys: z.array(testable).optional(),
});
export type Attestation = z.infer<typeof attestSchema>;

/**
 * Keeps the result of a verification, or of a test of keys: a signed object, and a log record that refers to it. It lies in the clear, so it carries no figure of
 * a rung: who reads the bucket learns no count of rows or files.
 */
export async function attest(
  vault: Vault,
  signer: Signer,
  result: Pick<Attestation, 'points' | 'sample' | 'keys' | 'tool'>,
  now: Date,
): Promise<{ seq: number; digest: string }> {
  const value: Attestation = { v: 1, kind: 'attest', vault: vault.info.vault, at: now.toISOString(), ...result };
  const document = signDocument(signer.key, 'salvor-attest-v1', value);
  const digest = sha256(document);
  const key = attestation(compactTime(now), digest);
  await vault.store.putIfAbsent(key, document);
  const { epoch } = await vault.epoch();
  return vault.log.append(signer, {
    kind: 'attest',
    points: result.points.map(({ point }) => point),
    keys: [{ key, size: document.length, sha256: digest }],
    epoch,
    started: value.at,
    ended: value.at,
    tool: result.tool,
  });
}

/** Reads what an `attest` record refers to; both signatures are checked. Throws what `read` throws, `signature-invalid`, `segment-invalid`. */
export async function readAttestation(vault: Vault, entry: LogEntry): Promise<Attestation> {
  const [ref] = entry.record.keys ?? [];
  if (!ref) throw new Fault('signature-invalid', `${entry.key} names no attestation`, { data: { key: entry.key } });
  const document = await vault.read(ref);
  const { value } = openDocument(ref.key, document, 'salvor-attest-v1', vault.trust, () => ['writer', 'admin']);
  return fitting(ref.key, value, attestSchema);
}
