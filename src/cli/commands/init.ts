import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Secrets } from '../../operations/init.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { rememberHead } from '../heads.ts';
import { assertNoFiles, replaceKeyFile, writeKeyFile } from '../key-files.ts';
import { accounts, openStoreOf, vaultUrl } from '../open-vault.ts';
import { initText } from '../output/keys.ts';
import { recoveryKit } from '../recovery-kit.ts';
import { openKeychain } from '../secrets.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'create a vault: keys, recovery kit, configuration',
  description:
    'Makes two recovery identities (one to use, one to print and lock away), the writer key of the backup host, and the vault itself. ' +
    'With --recipient the vault is encrypted to identities that exist, and none is made.',
  flags: {
    recipient: { value: 'age1…', repeatable: true, summary: 'encrypt to this recipient; give two' },
    'accept-one-key': { summary: 'one recipient is enough: if its identity is lost, so is every point', config: false },
    'single-writer': {
      summary: 'accept a store without conditional create; never run two backups at once',
      config: false,
    },
    'keys-folder': {
      value: 'folder',
      kind: 'path',
      default: 'salvor-keys',
      summary: 'where key files and the recovery kit go',
      config: false,
    },
    keychain: {
      summary: 'keep the writer key and the first identity in the OS keychain instead of files',
      config: false,
    },
    'no-config-file': { summary: 'write no salvor.config.json', config: false },
  },
  examples: [
    { command: 'salvor init --vault ./vault', summary: 'a vault in a folder' },
    {
      command: 'salvor init --vault s3://bucket/prefix --recipient age1… --recipient age1…',
      summary: 'for identities that exist',
    },
  ],
  exits: [5, 68],
  async run(ctx, { flags }) {
    const url =
      ctx.global.vault ??
      (await ctx.prompt.text('where shall the vault be (s3://bucket/prefix or a folder)?', '--vault'));
    const named: CommandContext = { ...ctx, global: { ...ctx.global, vault: url } };
    const folder = path.resolve(flags.keysFolder);
    const file = (name: string) => path.join(folder, name);
    const files = { writer: file('writer.key'), identity: file('identity.key'), kit: file('recovery-kit.txt') };
    await assertNoFiles(Object.values(files));
    const keychain = flags.keychain ? await openKeychain() : undefined;
    const store = await openStoreOf(named);
    const { assertEmpty } = await import('../../vault/create.ts');
    // before the probe writes: this may be a vault of others
    await assertEmpty(store);
    const { probeStore } = await import('../../store/probe.ts');
    const operations = await import('../../operations/init.ts');
    ctx.report({ type: 'stage', stage: 'probing the store' });
    const probe = await probeStore(store, ctx.signal);
    const kitOf = (secrets: Secrets, head?: { seq: number; digest: string }) => {
      const last = secrets.identities.at(-1)!;
      return recoveryKit({ ...secrets, ...last, vault: url, head, made: ctx.now().toISOString() });
    };
    let kept: Secrets | undefined;
    const made = await operations.init(
      ctx,
      store,
      { ...probe },
      {
        recipients: flags.recipient,
        acceptOneKey: flags.acceptOneKey,
        singleWriter: flags.singleWriter,
        tool: ctx.tool,
        keep: async (secrets) => {
          kept = secrets;
          const [first] = secrets.identities;
          const writer = keychain
            ? keychain.set(accounts.writer(url), secrets.writerKey)
            : writeKeyFile(files.writer, `${secrets.writerKey}\n`);
          await writer;
          if (!first) return;
          if (keychain) await keychain.set(accounts.identity(url), first.identity);
          else await writeKeyFile(files.identity, `# public key: ${first.recipient}\n${first.identity}\n`);
          await writeKeyFile(files.kit, kitOf(secrets));
        },
      },
    );
    if (made.identities.length > 0) await replaceKeyFile(files.kit, kitOf(kept!, made.head));
    await rememberHead(ctx.environment, made.vaultId, made.head);
    const configFile = flags.noConfigFile ? undefined : await writeConfig(ctx, vaultUrl(named), made.rootFingerprint);
    for (const problem of probe.problems) ctx.report({ type: 'warning', name: 'store', message: problem });
    const identities = made.identities.length > 0;
    const result = {
      vault: made.vault,
      vaultId: made.vaultId,
      rootFingerprint: made.rootFingerprint,
      recipients: made.recipients,
      writerKeyFile: keychain ? 'keychain' : files.writer,
      ...(identities ? { identityFile: keychain ? 'keychain' : files.identity, recoveryKeyFile: files.kit } : {}),
      ...(configFile ? { configFile } : {}),
      head: { seq: made.head.seq, digest: made.head.digest },
    };
    return { result, human: (paint) => initText(result, paint) };
  },
});

/** A configuration that names the vault and pins its root key; one that exists is left alone. One that cannot be written is a warning: the vault is made. */
async function writeConfig(ctx: CommandContext, vault: string, rootFingerprint: string): Promise<string | undefined> {
  const file = path.resolve('salvor.config.json');
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) return undefined;
  try {
    await writeFile(file, `${JSON.stringify({ vault, rootFingerprint }, null, 2)}\n`, { flag: 'wx' });
    return file;
  } catch (error) {
    const message = `${file} cannot be written: ${systemCode(error) ?? 'unknown error'}; give --vault ${vault} --root-fingerprint ${rootFingerprint} with each command, or write them into a configuration file`;
    ctx.report({ type: 'warning', name: 'disk-error', message });
    return undefined;
  }
}
