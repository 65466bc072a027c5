import { Fault } from '../errors.ts';
import type { Event } from '../events.ts';
import type { Store } from '../store/store.ts';
import type { Vault } from '../vault/vault.ts';
import type { CommandContext } from './command.ts';
import { holdsSeen, seenHead } from './heads.ts';
import { readSecret, readSecretFile } from './secrets.ts';

/** Names under which a vault's secrets stand in the keychain. */
export const accounts = {
  writer: (vault: string) => `writer-key ${vault}`,
  identity: (vault: string) => `identity ${vault}`,
};

/** Exit codes of every command that opens a vault, besides those that every command has. */
export const vaultExits = [4, 5, 68] as const;

/** The vault's URL from flag, environment, the org's own entry in the config, or the config. Throws `no-vault`. */
export function vaultUrl(ctx: CommandContext): string {
  const given = ctx.commandLine.has('vault') || ctx.environment.SALVOR_VAULT;
  const url = (given ? undefined : orgConfig(ctx)?.vault) ?? ctx.global.vault;
  if (url === undefined) throw new Fault('no-vault', 'no vault is named');
  return url;
}

function orgConfig(ctx: CommandContext): CommandContext['config']['orgs'][string] | undefined {
  return ctx.global.targetOrg === undefined ? undefined : ctx.config.orgs[ctx.global.targetOrg];
}

/** The fingerprint that the root key of the vault has to have; undefined: none is pinned. */
export function pinnedRoot(ctx: CommandContext): string | undefined {
  return ctx.global.rootFingerprint ?? orgConfig(ctx)?.rootFingerprint;
}

/** The store at the vault's URL; S3 is loaded only for an S3 URL. `signal` ends every call on it. */
export async function openStoreOf(ctx: CommandContext, signal = ctx.signal): Promise<Store> {
  return openStoreAt(ctx, vaultUrl(ctx), signal);
}

/** The store at a URL, if the policy of the config permits its region. Throws `region-refused` before anything is sent there. */
export async function openStoreAt(ctx: CommandContext, url: string, signal = ctx.signal): Promise<Store> {
  const { assertRegion, openStore } = await import('../store/open.ts');
  const options = { report: (event: Event) => ctx.report(event), signal };
  if (ctx.config.allowedRegions !== undefined) await assertRegion(url, ctx.config.allowedRegions, options);
  return openStore(url, options);
}

/** The store of a second copy of the vault. Throws `usage` where it is no second place, but the vault's own, inside of it or around it. */
export async function openCopyAt(ctx: CommandContext, url: string): Promise<Store> {
  const { shareAPlace } = await import('../store/open.ts');
  const vault = vaultUrl(ctx);
  if (await shareAPlace(url, vault))
    throw new Fault('usage', `${url} is no second place: the vault itself is at ${vault}`, {
      actions: ['name a place outside of the vault for the copy, best on another machine or with another provider'],
    });
  return openStoreAt(ctx, url);
}

/** The second copies of the vault that the config names. */
export function copiesOf(ctx: CommandContext): readonly string[] {
  return orgConfig(ctx)?.copies ?? ctx.config.copies;
}

/** The folder that keeps journals of restores while the vault cannot be written to; undefined: none was named. */
export async function openJournalStore(ctx: CommandContext, folder: string | undefined): Promise<Store | undefined> {
  if (folder === undefined) return undefined;
  return openStoreAt(ctx, folder, behind(ctx.signal));
}

/** Aborts some seconds behind `signal`: a run that is stopped can still say so in the vault, or end what it began to seal. */
export function behind(signal: AbortSignal, ms = 5000): AbortSignal {
  const controller = new AbortController();
  const abort = () => setTimeout(() => controller.abort(signal.reason), ms).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

export interface VaultKeys {
  /** `required`: throws when there is none; `optional`: taken when it is there; `no`: not looked for. */
  readonly writer: 'required' | 'optional' | 'no';
  readonly identity: 'required' | 'optional' | 'no';
  /** The admin key, where one is at hand; not looked for unless told. */
  readonly admin?: 'optional';
  readonly operation: 'read' | 'write' | 'verify' | 'prune';
  /** Warns of what is wrong with the log; for commands that do not tell it themselves. */
  readonly warns?: true;
}

/**
 * Opens the vault with the keys that are at hand, in the order flag, environment, keychain. Warns when the vault is not anchored
 * (no root fingerprint is pinned), or when its log lost a head that was seen before. `at`: a copy of it, or its store when that is open already;
 * the keys are those of the vault. `prepared`: makes the store that the vault is read from, told the secrets that open it.
 */
export async function openVault(
  ctx: CommandContext,
  wanted: VaultKeys,
  at?: string | Store,
  prepared: (store: Store, secrets: readonly string[]) => Store | Promise<Store> = (store) => store,
): Promise<Vault> {
  const { Vault } = await import('../vault/vault.ts');
  const url = vaultUrl(ctx);
  const writes = wanted.operation === 'write' || wanted.operation === 'prune';
  const signal = writes ? behind(ctx.signal) : ctx.signal;
  const store = typeof at === 'object' ? at : await openStoreAt(ctx, at ?? url, signal);
  const writerKey = wanted.writer === 'no' ? undefined : await writerKeyOf(ctx, url, wanted.writer === 'required');
  const identities = wanted.identity === 'no' ? [] : await identitiesOf(ctx, url, wanted.identity === 'required');
  const adminKey = wanted.admin === undefined ? undefined : await adminKeyOf(ctx);
  const secrets = [writerKey, adminKey, ...identities].filter((one) => one !== undefined);
  const vault = await Vault.open(await prepared(store, secrets), {
    operation: wanted.operation,
    rootFingerprint: pinnedRoot(ctx),
    writerKey,
    identities,
    adminKey,
  });
  if (!vault.anchored) {
    const { fingerprint } = vault.trust.root;
    ctx.report({
      type: 'warning',
      name: 'unanchored',
      message: `UNANCHORED: the vault is believed on its own word; pin its root key with --root-fingerprint ${fingerprint} (compare it with the recovery kit)`,
    });
  }
  if (wanted.warns) {
    const { tellLogProblems } = await import('../operations/log-problems.ts');
    await tellLogProblems(ctx, vault);
  }
  const seen = await seenHead(ctx.environment, vault.info.vault);
  // A copy may be behind.
  if (seen && at === undefined) {
    if (!(await holdsSeen(vault, seen))) {
      const { head } = await vault.state();
      ctx.report({
        type: 'warning',
        name: 'head-mismatch',
        message: `the log no longer holds record ${seen.seq} as this client saw it: the vault may have been rolled back; when it is right as it is, \`salvor verify --expect-head ${head.seq}:${head.digest}\` has this client go on from there`,
      });
    }
  }
  return vault;
}

/** The writer key of a vault, where one is at hand. Throws `no-writer-key` when it is required, `usage` and `disk-error` for its file. */
export async function writerKeyOf(ctx: CommandContext, url: string, required: boolean): Promise<string | undefined> {
  const ofOrg = ctx.commandLine.has('target-org') ? orgConfig(ctx)?.writerKeyFile : undefined;
  if (ofOrg !== undefined) {
    const { bytes, warnings } = await readSecretFile(ofOrg);
    for (const message of warnings) ctx.report({ type: 'warning', name: 'exposed-key', message });
    return bytes.toString('utf8').trim();
  }
  const secret = await readSecret(
    {
      env: 'SALVOR_WRITER_KEY',
      fileEnv: 'SALVOR_WRITER_KEY_FILE',
      account: keychainAccount(ctx, accounts.writer(url)),
    },
    ctx.environment,
  );
  for (const message of secret.warnings) ctx.report({ type: 'warning', name: 'exposed-key', message });
  const fallback = secret.value === undefined ? orgConfig(ctx)?.writerKeyFile : undefined;
  if (fallback !== undefined) return (await readSecretFile(fallback)).bytes.toString('utf8').trim();
  if (secret.value === undefined && required) {
    throw new Fault('no-writer-key', 'there is no writer key: nothing can be written to the vault', {
      cause: secret.keychain,
    });
  }
  return secret.value?.trim();
}

/** The admin key, where one is at hand. */
export async function adminKeyOf(ctx: CommandContext): Promise<string | undefined> {
  const secret = await readSecret({ env: 'SALVOR_ADMIN_KEY', fileEnv: 'SALVOR_ADMIN_KEY_FILE' }, ctx.environment);
  for (const message of secret.warnings) ctx.report({ type: 'warning', name: 'exposed-key', message });
  return secret.value?.trim();
}

/** Identities from --identity files, SALVOR_IDENTITY, or the keychain. A protected file asks for its passphrase. */
export async function identitiesOf(ctx: CommandContext, url: string, required: boolean): Promise<string[]> {
  const { isProtected, unwrapIdentityFile } = await import('../age/identity-file.ts');
  const identities: string[] = [];
  for (const file of ctx.global.identity) {
    const { bytes, warnings } = await readSecretFile(file);
    for (const message of warnings) ctx.report({ type: 'warning', name: 'exposed-key', message });
    const passphrase = isProtected(bytes)
      ? await ctx.prompt.secret(`passphrase of ${file}`, 'an unprotected identity file')
      : undefined;
    identities.push(...(await unwrapIdentityFile(bytes, passphrase)));
  }
  if (identities.length > 0) return identities;
  const secret = await readSecret(
    { env: 'SALVOR_IDENTITY', account: keychainAccount(ctx, accounts.identity(url)) },
    ctx.environment,
  );
  if (secret.value !== undefined) return unwrapIdentityFile(Buffer.from(`${secret.value}\n`));
  if (required)
    throw new Fault('no-identity', 'rows are encrypted and there is no identity to open them', {
      cause: secret.keychain,
    });
  return [];
}

/** The keychain is left alone where SALVOR_NO_KEYCHAIN is set: on hosts that have none, asking costs time and says nothing. */
export function keychainAccount(ctx: CommandContext, account: string): string | undefined {
  return ctx.environment.SALVOR_NO_KEYCHAIN ? undefined : account;
}
