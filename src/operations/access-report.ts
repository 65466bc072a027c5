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
  /** Of retention and of tests of keys always there; of accesses to rows, as all of the rest, where an identity opens it. */
  readonly what?: string;
  /** Points that were retired, let go or kept; their records name them in the clear. */
  readonly points?: readonly string[];
  readonly who?: string;
  readonly point?: string;
  /** Of a comparison: the other point, or `live`. */
  readonly to?: string;
  readonly restore?: string;
  readonly objects?: readonly string[];
  readonly selection?: string;
}

/** What records say by themselves. A test of keys is an attestation of no points. */
const clear = new Map([
  ['retire', 'prune'],
  ['unretire', 'keep'],
  ['sweep', 'prune, sweep'],
  ['keep', 'keep'],
  ['hold', 'hold'],
  ['attest', 'keys test'],
]);

/** Who read rows, used keys or pruned, newest first, as the log says. Without an identity only when, and by which key. `problems`: records that are damaged or missing, which may have been accesses, and details that are damaged. */
export async function listAccess(vault: Vault, since: number): Promise<{ access: AccessListed[]; problems: Fault[] }> {
  const { entries, problems: broken } = await vault.state();
  const records = entries.filter(({ record }) => isAccess(record) && Date.parse(record.ended) >= since).reverse();
  const problems = broken.map(({ fault }) => fault);
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

function isAccess({ kind, points = [] }: LogEntry['record']): boolean {
  return kind === 'access' || (kind === 'attest' ? points.length === 0 : clear.has(kind));
}

async function detailOf(
  vault: Vault,
  entry: LogEntry,
): Promise<Omit<AccessListed, 'at' | 'signer' | 'record'> | Fault> {
  const { kind, points = [] } = entry.record;
  const what = clear.get(kind);
  if (what !== undefined) return { what, ...(points.length > 0 ? { points } : {}) };
  if (!vault.keyring.hasIdentity) return {};
  try {
    const { what, who, point, to, restore, objects, selection } = await readAccess(vault, entry);
    return { what, who, point, to, restore, objects, selection };
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}
