import { isFault } from '../../errors.ts';
import { logRecord, trustFile, vaultFile } from '../../vault/layout.ts';
import { type Namespace, openDocument, sha256 } from '../../vault/signed.ts';
import type { Role } from '../../vault/trust.ts';
import type { LogState } from '../../vault/vault.ts';
import { counted, Rung, written } from './ladder.ts';
import type { Listing } from './listing.ts';
import type { VerifyRequest } from './request.ts';
import type { StoredObjects } from './stored.ts';

export interface LogVerified {
  readonly rung: Rung;
  /** Keys that a signature covers, itself or through a digest: all but what points reach. */
  readonly signed: ReadonlySet<string>;
}

/** How `signDocument` writes the block; a reader of the format accepts other line lengths, which no signature would tell apart. */
const signatureForm = /\n-----BEGIN SSH SIGNATURE-----\n(?:[^\n]{70}\n)*[^\n]{1,70}\n-----END SSH SIGNATURE-----\n$/;

/** The rung `log`: everything signed, and what signed records refer to by digest except points. */
export async function verifyLog(
  stored: StoredObjects,
  state: LogState,
  listed: Listing,
  request: VerifyRequest,
): Promise<LogVerified> {
  const { vault } = stored;
  const rung = new Rung('log');
  const signed = new Set<string>();
  const note = (error: unknown, key: string) => {
    if (!isFault(error) || error.exit !== 4) throw error;
    rung.problem(key, error.message);
  };
  const document = async (key: string, namespace: Namespace, roles: readonly Role[]) => {
    signed.add(key);
    try {
      const bytes = await vault.store.get(key, stored.signal);
      const { value } = openDocument(key, bytes, namespace, vault.trust, () => roles);
      if (!signatureForm.test(bytes.toString('latin1'))) rung.problem(key, `${key}: its signature block was rewritten`);
      return value;
    } catch (error) {
      note(error, key);
      return undefined;
    }
  };

  await document(vaultFile, 'salvor-vault-v1', ['root']);
  for (const { number } of vault.trust.files) {
    const value = await document(trustFile(number), 'salvor-vault-v1', ['root']);
    const found = (value as { number?: unknown } | undefined)?.number;
    if (value !== undefined && found !== number)
      rung.problem(trustFile(number), `${trustFile(number)}: it says that it is number ${found}`);
  }

  for (const { key, fault } of state.problems) {
    signed.add(key);
    rung.problem(key, fault.message);
  }
  for (const { key } of state.rejected) signed.add(key);
  let referred = 0;
  let withheld = 0;
  for (const { key, record } of state.entries) {
    signed.add(key);
    for (const ref of record.keys ?? []) {
      signed.add(ref.key);
      referred += 1;
      try {
        const bytes = await stored.read(ref);
        if (record.kind === 'attest')
          openDocument(ref.key, bytes, 'salvor-attest-v1', vault.trust, () => ['writer', 'admin']);
      } catch (error) {
        if (stored.withheld(ref.key)) withheld += 1;
        else note(error, ref.key);
      }
    }
  }
  await checkForms(stored, state, rung);
  checkListed(listed, signed, rung);
  checkHead(state, request, rung);
  rung.figure = [
    counted(state.entries.length, 'record'),
    counted(vault.trust.files.length, 'trust file'),
    `${written(referred)} wrapped keys, attestations and lists`,
    ...(state.rejected.length > 0 ? [`${counted(state.rejected.length, 'record')} of revoked keys, not believed`] : []),
    ...(withheld > 0 ? [`not ${written(withheld)} that this host may not read`] : []),
  ].join(', ');
  return { rung, signed };
}

/**
 * A record's bytes are held by the one behind it; those of the newest, and of one that was passed over, by nothing but their form. Where the
 * chain is broken, the form tells whether it was the record in front that changed.
 */
async function checkForms(stored: StoredObjects, { entries }: LogState, rung: Rung): Promise<void> {
  if (entries.length === 0) rung.problem(logRecord(1), 'the log has no record that verifies');
  const held = new Set(entries.map(({ record }) => record.prev));
  for (const { key, digest } of entries) {
    if (held.has(digest)) continue;
    try {
      const bytes = await stored.vault.store.get(key, stored.signal);
      if (sha256(bytes) !== digest) rung.problem(key, `${key} changed while it was verified`);
      if (!signatureForm.test(bytes.toString('latin1'))) rung.problem(key, `${key}: its signature block was rewritten`);
    } catch (error) {
      if (!isFault(error, 'object-missing')) throw error;
      rung.problem(key, `${key} vanished while it was verified`);
    }
  }
}

/** Nothing may stand in log/ or trust/ that reading them did not come to. */
function checkListed(listed: Listing, signed: ReadonlySet<string>, rung: Rung): void {
  for (const key of listed.keys()) {
    if (signed.has(key)) continue;
    if (key.startsWith('log/')) rung.problem(key, `${key} stands beyond the end of the log`);
    if (key.startsWith('trust/')) rung.problem(key, `${key} stands beyond a missing trust file, or is none`);
  }
}

function checkHead({ entries, head }: LogState, { expectHead }: VerifyRequest, rung: Rung): void {
  if (!expectHead) return;
  const key = logRecord(expectHead.seq);
  const found = entries.find(({ seq }) => seq === expectHead.seq);
  if (found?.digest === expectHead.digest) return;
  rung.problem(
    key,
    found
      ? `head-mismatch: ${key} is another record than the one that was noted`
      : `head-mismatch: the log ends at ${head.seq}, and the head that was noted is ${expectHead.seq}: it was rolled back`,
  );
}
