import { Fault, isFault } from '../errors.ts';
import { inOrder } from '../rows/in-order.ts';
import { readAccess } from '../vault/access.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Vault } from '../vault/vault.ts';

/** One line of `salvor report --access`. */
export interface AccessListed {
  readonly at: string;
  /** Id of the key that signed. */
  readonly signer: string;
  readonly record: { readonly seq: number; readonly digest: string };
  /** The rest is there where an identity opens it. */
  readonly what?: string;
  readonly who?: string;
  readonly point?: string;
  readonly restore?: string;
  readonly objects?: readonly string[];
  readonly selection?: string;
}

/** Who read rows or used keys, newest first, as the log says. Without an identity only when, and by which key. `problems`: details that are damaged. */
export async function listAccess(vault: Vault, since: number): Promise<{ access: AccessListed[]; problems: Fault[] }> {
  const { entries } = await vault.state();
  const records = entries
    .filter(({ record }) => record.kind === 'access' && Date.parse(record.ended) >= since)
    .reverse();
  const problems: Fault[] = [];
  const access: AccessListed[] = [];
  for await (const { entry, detail } of inOrder(records, 8, async (one) => ({
    entry: one,
    detail: await detailOf(vault, one),
  }))) {
    if (detail instanceof Fault) problems.push(detail);
    const { seq, digest, record, signer } = entry;
    const known = detail instanceof Fault ? {} : detail;
    access.push({ at: record.ended, signer: signer.id, record: { seq, digest }, ...known });
  }
  return { access, problems };
}

async function detailOf(
  vault: Vault,
  entry: LogEntry,
): Promise<Omit<AccessListed, 'at' | 'signer' | 'record'> | Fault> {
  if (!vault.keyring.hasIdentity) return {};
  try {
    const { what, who, point, restore, objects, selection } = await readAccess(vault, entry);
    return { what, who, point, restore, objects, selection };
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}
