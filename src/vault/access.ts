import { z } from 'zod';
import { seal } from '../age/file.ts';
import { Fault } from '../errors.ts';
import type { Signer } from './keyring.ts';
import { accessDetail, compactTime } from './layout.ts';
import type { LogEntry } from './log.ts';
import { parseStored } from './manifest.ts';
import { openAge } from './sealed.ts';
import { sha256 } from './signed.ts';
import type { Vault } from './vault.ts';

const accessSchema = z.object({
  v: z.literal(1),
  kind: z.literal('access'),
  vault: z.string(),
  at: z.string(),
  /** What was done: `show`, `diff`, `find`, `export`, `restore`, `undo`, `prune`, `keys add`, `keys rotate`, `keys kit`, `keys revoke-writer`; later versions add more. */
  what: z.string(),
  /** Who says to have done it, as user@host; proven is only which key signed. */
  who: z.string(),
  point: z.string().optional(),
  /** Of a comparison, what `point` was held against: a later or earlier point, or `live`, the org. */
  to: z.string().optional(),
  restore: z.string().optional(),
  objects: z.array(z.string()).optional(),
  /** SHA-256 of what was selected: the plan of a restore, else the selection as JSON. */
  selection: z.string().optional(),
  tool: z.string(),
});
export type Access = z.infer<typeof accessSchema>;
/** What is told of an access; the rest follows from where it is recorded. */
export type NewAccess = Omit<Access, 'v' | 'kind' | 'vault' | 'at'>;

/** Details are as long as a multiple of this, in bytes, so that their size says little. */
const padding = 1024;

/**
 * Appends that somebody read rows or used keys: a signed log record, which shows when and by which key, and refers to an object with the
 * rest, encrypted to the epoch alone.
 */
export async function recordAccess(
  vault: Vault,
  signer: Signer,
  access: NewAccess,
  now: Date,
): Promise<{ seq: number; digest: string }> {
  const { epoch, recipient } = await vault.epoch();
  const at = now.toISOString();
  const value: Access = { v: 1, kind: 'access', vault: vault.info.vault, at, ...access };
  const json = Buffer.from(JSON.stringify(value));
  const padded = Buffer.alloc(Math.ceil(json.length / padding) * padding, ' ');
  json.copy(padded);
  const body = await seal([recipient], padded);
  const digest = sha256(body);
  const key = accessDetail(compactTime(now), digest);
  await vault.store.putIfAbsent(key, body);
  return vault.log.append(
    signer,
    {
      kind: 'access',
      keys: [{ key, size: body.length, sha256: digest }],
      epoch,
      started: at,
      ended: at,
      tool: access.tool,
    },
    undefined,
    (await vault.state()).head,
  );
}

/** Reads what an `access` record refers to. Needs an identity. Throws what `read` throws, `segment-invalid`, `no-identity`, `wrong-identity`. */
export async function readAccess(vault: Vault, entry: LogEntry): Promise<Access> {
  const [ref] = entry.record.keys ?? [];
  if (!ref) throw new Fault('segment-invalid', `${entry.key} names no detail`, { data: { key: entry.key } });
  return parseStored(ref.key, await openAge(ref.key, await vault.read(ref), await vault.rowIdentities()), accessSchema);
}
