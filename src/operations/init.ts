import { checkRecipient } from '../age/header.ts';
import { newAgeIdentity } from '../age/keys.ts';
import type { Context } from '../context.ts';
import { Fault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { createVault } from '../vault/create.ts';

export interface InitRequest {
  /** age recipients that exist; empty: two identities are made. */
  readonly recipients: readonly string[];
  readonly acceptOneKey: boolean;
  /** Accept a store that cannot create conditionally. */
  readonly singleWriter: boolean;
  readonly orgId?: string;
  readonly tool: string;
  /** Called before the vault is written, so that no vault ever exists whose keys were lost on the way. */
  readonly keep?: (secrets: Secrets) => Promise<void>;
}

export interface Secrets {
  readonly vaultId: string;
  readonly rootFingerprint: string;
  readonly writerKey: string;
  /** Recovery identities that were made; empty when recipients were given. */
  readonly identities: readonly { readonly identity: string; readonly recipient: string }[];
}

/** What the store probe found (`store/probe.ts`). */
export interface Probe {
  readonly conditionalCreate: boolean;
  readonly [fact: string]: unknown;
}

export interface InitResult {
  readonly vault: string;
  readonly vaultId: string;
  readonly rootFingerprint: string;
  readonly recipients: readonly string[];
  /** Recovery identities that were made; the caller hands them to people and keeps none. */
  readonly identities: readonly { readonly identity: string; readonly recipient: string }[];
  readonly writerKey: string;
  readonly head: { readonly seq: number; readonly digest: string };
}

/**
 * Creates a vault. Throws `one-key` for fewer than two recipients unless accepted, `unproven-store` for a store without conditional
 * create unless one writer is accepted, `vault-exists`, `vault-incomplete`, `key-invalid` for a recipient that is none.
 */
export async function init(ctx: Context, store: Store, probe: Probe, request: InitRequest): Promise<InitResult> {
  for (const recipient of request.recipients) checkRecipient(recipient);
  const given = [...new Set(request.recipients)];
  if (given.length === 1 && !request.acceptOneKey) {
    throw new Fault('one-key', 'one recipient is named: if its identity is lost, so is every point');
  }
  if (!probe.conditionalCreate && !request.singleWriter) {
    throw new Fault(
      'unproven-store',
      `${store.url} replaces objects that exist instead of refusing: two runs could destroy each other's records`,
    );
  }
  const made = given.length > 0 ? [] : [await newAgeIdentity(), await newAgeIdentity()];
  const recipients = given.length > 0 ? given : made.map(({ recipient }) => recipient);
  const created = await createVault(store, {
    recipients,
    orgId: request.orgId,
    probe: { ...probe },
    keep: async ({ vault: vaultId, writerKey, rootFingerprint }) =>
      request.keep?.({ vaultId, writerKey, rootFingerprint, identities: made }),
    tool: request.tool,
    now: ctx.now(),
  });
  return {
    vault: store.url,
    vaultId: created.vault,
    rootFingerprint: created.rootFingerprint,
    recipients,
    identities: made,
    writerKey: created.writerKey,
    head: created.head,
  };
}
