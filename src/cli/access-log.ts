import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { Fault, isFault } from '../errors.ts';
import type { NewAccess } from '../vault/access.ts';
import type { Vault } from '../vault/vault.ts';
import type { CommandContext } from './command.ts';
import { copyOf } from './copy-of.ts';

/** What the program tells of an access itself. */
export type Accessed = Omit<NewAccess, 'who' | 'tool' | 'what' | 'selection'> & {
  readonly what:
    | 'show'
    | 'diff'
    | 'find'
    | 'export'
    | 'restore'
    | 'undo'
    | 'prune'
    | 'keys add'
    | 'keys rotate'
    | 'keys kit'
    | 'keys revoke-writer';
  /** What was selected, as a digest of its own or as JSON, of which the digest is kept. */
  readonly selection?: string | object;
};

/** What reads and writes nothing else to the log. */
const reads: ReadonlySet<Accessed['what']> = new Set(['show', 'diff', 'find', 'export', 'keys kit']);

/**
 * Appends to the vault's log that this person reads rows or uses keys; to be awaited before anything is shown or changed. A vault that takes no
 * record, or is to be left alone for `journalTo`, is a warning, and with `accessLog: required` in the config file the fault `access-not-logged`. What is
 * only read of a copy is noted where the config file requires it, and else a warning: `copy` goes on as long as nothing was written there.
 */
export async function logAccess(
  ctx: CommandContext,
  vault: Vault,
  accessed: Accessed,
  journalTo?: string,
): Promise<void> {
  const { selection, ...more } = accessed;
  const isRequired = ctx.config.values.accessLog === 'required';
  try {
    const copy = reads.has(accessed.what) && !isRequired ? await copyOf(ctx, vault) : undefined;
    if (copy !== undefined) throw new Fault('store-denied', `${copy}, and a record would make its log go its own way`);
    if (journalTo !== undefined) throw new Fault('store-denied', '--journal-to leaves the vault as it is');
    const signer = await vault.keyring.anySigner((await vault.state()).epochs);
    if (!signer) throw new Fault('no-writer-key', 'there is no key to sign with');
    const { recordAccess } = await import('../vault/access.ts');
    const digest = typeof selection === 'object' ? digestOf(selection) : selection;
    const access = { ...more, who: actor(ctx.environment), tool: ctx.tool, ...(digest ? { selection: digest } : {}) };
    await recordAccess(vault, signer, access, ctx.now());
  } catch (error) {
    if (!isFault(error) || error.exit === 130) throw error;
    const message = `the access is not noted in the vault: ${error.message}`;
    if (isRequired) throw new Fault('access-not-logged', message, { cause: error });
    ctx.report({ type: 'warning', name: 'access-not-logged', message });
  }
}

function digestOf(selection: object): string {
  return createHash('sha256').update(JSON.stringify(selection)).digest('hex');
}

/** SALVOR_ACTOR, for jobs that act for somebody; else the user of this machine. */
function actor(environment: NodeJS.ProcessEnv): string {
  if (environment.SALVOR_ACTOR) return environment.SALVOR_ACTOR;
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    user = `uid-${process.getuid?.() ?? 'unknown'}`;
  }
  return `${user}@${hostname()}`;
}
