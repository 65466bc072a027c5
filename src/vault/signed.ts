import { createHash } from 'node:crypto';
import { type SigningKey, signerOf, signSsh, verifySsh } from '../age/ssh.ts';
import { Fault } from '../errors.ts';
import { parseJson } from './json.ts';
import type { PublicKey, Role, Trust } from './trust.ts';

/**
 * A signed document: line 1 is JSON, the rest an armored SSH signature (SSHSIG, Ed25519) over line 1 with its LF, so that
 * `ssh-keygen -Y verify` checks it with no salvor. The namespace tells kinds of documents apart.
 */
export type Namespace =
  | 'salvor-log-v1'
  | 'salvor-vault-v1'
  | 'salvor-attest-v1'
  | 'salvor-run-v1'
  | 'salvor-restore-v1';

export function signDocument(key: SigningKey, namespace: Namespace, value: object): Buffer {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  return Buffer.concat([line, Buffer.from(signSsh(key, namespace, line))]);
}

/** The longest line that is read, in bytes: it is parsed before it is known who signed it. Half a million points fit into a record. */
const longestLine = 16 * 1024 * 1024;

/** The two parts of a document, nothing verified yet. Throws `signature-invalid` when it is not one. */
export function splitDocument(name: string, document: Buffer): { line: Buffer; armored: string; value: unknown } {
  const end = document.indexOf(0x0a) + 1;
  if (end === 0)
    throw new Fault('signature-invalid', `${name} is not a signed document: it has no signature`, {
      data: { key: name },
    });
  if (end > longestLine)
    throw new Fault('signature-invalid', `${name} is not a signed document: its first line has ${end} bytes`, {
      data: { key: name },
    });
  const line = document.subarray(0, end);
  try {
    return { line, armored: document.subarray(end).toString('latin1'), value: parseJson(line) };
  } catch (cause) {
    throw new Fault('signature-invalid', `${name} is not a signed document: its first line is not JSON`, {
      cause,
      data: { key: name },
    });
  }
}

/**
 * Verifies a document against the trusted keys and returns its value and who signed. `roles`: who may sign it.
 * Throws `signature-invalid`: unknown signer, wrong role, or a signature that does not hold.
 */
export function openDocument(
  name: string,
  document: Buffer,
  namespace: Namespace,
  trust: Trust,
  roles: (value: unknown) => readonly Role[],
): { value: unknown; signer: PublicKey } {
  const { line, armored, value } = splitDocument(name, document);
  const refuse = (why: string) => new Fault('signature-invalid', `${name}: ${why}`, { data: { key: name } });
  let text: string;
  try {
    text = signerOf(armored);
  } catch (cause) {
    throw new Fault('signature-invalid', `${name}: its signature cannot be read`, { cause, data: { key: name } });
  }
  const signer = trust.keyOf(text);
  if (!signer) throw refuse('it is signed by a key that this vault does not trust');
  if (!verifySsh(signer.key, namespace, line, armored)) throw refuse('its signature does not match its content');
  // Journals of runs stand in no log that would tell when they were written.
  if (namespace === 'salvor-run-v1' && trust.revoked.has(signer.id))
    throw refuse(`its signer ${signer.id} was revoked`);
  if (!roles(value).includes(signer.role))
    throw refuse(`its signer ${signer.id} has the role ${signer.role}, which may not sign this`);
  return { value, signer };
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
