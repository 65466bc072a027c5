import path from 'node:path';
import { Fault } from '../../errors.ts';
import { logAccess } from '../access-log.ts';
import { defineCommand } from '../command.ts';
import { copyOf } from '../copy-of.ts';
import { rememberEnd } from '../heads.ts';
import { writeKeyFile } from '../key-files.ts';
import { openVault, vaultExits, vaultUrl } from '../open-vault.ts';
import { keysTestedText, keysText, revokedText } from '../output/keys.ts';
import { recoveryKit } from '../recovery-kit.ts';

const list = defineCommand({
  name: 'keys list',
  summary: "the vault's public keys, recipients and epochs; needs no key",
  exits: [...vaultExits],
  async run(ctx) {
    const vault = await openVault(ctx, { writer: 'no', identity: 'no', operation: 'read' });
    const { listKeys } = await import('../../operations/keys.ts');
    const result = await listKeys(vault);
    return { result, human: (paint) => keysText(result, paint) };
  },
});

const test = defineCommand({
  name: 'keys test',
  summary: 'prove that the keys at hand open what they have to',
  description: 'That an identity does is kept in the vault, signed, and `salvor status` says when it was.',
  flags: { 'no-attest': { summary: 'do not keep the result in the vault', config: false } },
  exits: [...vaultExits],
  async run(ctx, { flags }) {
    const keys = {
      writer: 'optional',
      identity: 'optional',
      admin: 'optional',
      operation: 'verify',
      warns: true,
    } as const;
    const vault = await openVault(ctx, keys);
    const { attestKeys, testKeys } = await import('../../operations/keys.ts');
    const tested = await testKeys(vault);
    const isKept = !flags.noAttest && vault.keyring.hasIdentity && (await copyOf(ctx, vault)) === undefined;
    const attested = isKept ? await attestKeys(ctx, vault, tested, ctx.tool) : undefined;
    return {
      result: { tested, ...(attested ? { attested } : {}) },
      human: (paint) => keysTestedText(tested, paint),
    };
  },
});

const add = defineCommand({
  name: 'keys add',
  summary: 'add a recipient who can recover, or a writer key for another backup host; needs an identity',
  flags: {
    recipient: { value: 'age1…', summary: 'wrap every epoch to this recipient too', config: false },
    writer: { summary: 'make a further writer key', config: false },
    'keys-folder': {
      value: 'folder',
      kind: 'path',
      default: 'salvor-keys',
      summary: 'where the new writer key goes',
      config: false,
    },
  },
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    if ((flags.recipient === undefined) === !flags.writer) {
      throw new Fault('usage', 'name what to add', { actions: ['give --recipient age1… or --writer'] });
    }
    const vault = await openVault(ctx, { writer: 'no', identity: 'required', operation: 'write', warns: true });
    const operations = await import('../../operations/keys.ts');
    const selection = { recipient: flags.recipient, writer: flags.writer };
    await logAccess(ctx, vault, { what: 'keys add', selection });
    if (flags.recipient !== undefined) {
      const result = await operations.addRecipient(ctx, vault, flags.recipient, ctx.tool);
      return { result, human: () => `${result.recipients.length} recipients can recover now` };
    }
    const fileOf = (id: string) => path.resolve(flags.keysFolder, `${id}.key`);
    const { id } = await operations.addWriter(ctx, vault, (id, key) => writeKeyFile(fileOf(id), `${key}\n`));
    const file = fileOf(id);
    return { result: { id, writerKeyFile: file }, human: () => `${id}: ${file}` };
  },
});

const rotate = defineCommand({
  name: 'keys rotate',
  summary: 'begin a new epoch: what is written from now on is encrypted to a new key; needs an identity',
  description:
    'Who could open older epochs still can. Without --recipient the new epoch is wrapped to the recipients of the old one.',
  flags: { recipient: { value: 'age1…', repeatable: true, summary: 'the recipients from now on', config: false } },
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    const vault = await openVault(ctx, { writer: 'no', identity: 'required', operation: 'write', warns: true });
    const operations = await import('../../operations/keys.ts');
    const recipients = flags.recipient.length > 0 ? flags.recipient : vault.trust.recipients;
    await logAccess(ctx, vault, { what: 'keys rotate', selection: { recipients } });
    const result = await operations.rotate(ctx, vault, recipients, ctx.tool);
    return { result, human: () => `epoch ${result.epoch} has begun, for ${result.recipients.length} recipients` };
  },
});

const kit = defineCommand({
  name: 'keys kit',
  summary: 'write the recovery kit of an identity, a page to print; needs that identity',
  flags: {
    out: {
      value: 'file',
      kind: 'path',
      default: 'recovery-kit.txt',
      summary: 'the page; it holds the identity',
      config: false,
    },
  },
  exits: [...vaultExits],
  async run(ctx, { flags }) {
    const vault = await openVault(ctx, { writer: 'no', identity: 'required', operation: 'read' });
    const { testKeys } = await import('../../operations/keys.ts');
    await testKeys(vault);
    await logAccess(ctx, vault, { what: 'keys kit' });
    const { recipientOf } = await import('../../age/keys.ts');
    const [identity] = vault.keyring.identities;
    const { head } = await vault.state();
    const file = path.resolve(flags.out);
    const page = recoveryKit({
      vault: vaultUrl(ctx),
      vaultId: vault.info.vault,
      rootFingerprint: vault.trust.root.fingerprint,
      identity: identity!,
      recipient: await recipientOf(identity!),
      head,
      made: ctx.now().toISOString(),
    });
    await writeKeyFile(file, page);
    await rememberEnd(ctx.environment, vault, head);
    return {
      result: { recoveryKeyFile: file },
      human: (paint) => `${file}   ${paint.faint('print it, lock it away, delete the file')}`,
    };
  },
});

const exportAdmin = defineCommand({
  name: 'keys export-admin',
  summary: 'make an admin key for a job that prunes; it opens no row and begins no epoch; needs an identity',
  description:
    'The job gets it as SALVOR_ADMIN_KEY or SALVOR_ADMIN_KEY_FILE and needs no other key. It opens the tables of contents of points that are ' +
    'taken from now on; older points stay until somebody prunes with an identity, or with the writer key beside it.',
  flags: {
    'keys-folder': {
      value: 'folder',
      kind: 'path',
      default: 'salvor-keys',
      summary: 'where the new admin key goes',
      config: false,
    },
  },
  exits: [...vaultExits, 69],
  async run(ctx, { flags }) {
    const vault = await openVault(ctx, { writer: 'no', identity: 'required', operation: 'write', warns: true });
    const { addPruner } = await import('../../operations/keys.ts');
    const fileOf = (id: string) => path.resolve(flags.keysFolder, `${id}.key`);
    const { id } = await addPruner(ctx, vault, (id, key) => writeKeyFile(fileOf(id), `${key}\n`));
    const file = fileOf(id);
    return { result: { id, adminKeyFile: file }, human: () => `${id}: ${file}` };
  },
});

const revoke = defineCommand({
  name: 'keys revoke-writer',
  summary: 'a writer key was stolen: trust nothing that it signed since; needs an identity',
  description:
    'Points that it signed since then, and points that were built on those, stand in quarantine: `latest` passes them over, and nothing is built on them. What it signs ' +
    'from now on is no record. A new epoch begins, of which it opens nothing. Close the bucket and the org to whoever has the key as well: take their credentials away.',
  arguments: { id: { summary: 'the key, as `salvor keys list` names it', required: true } },
  flags: {
    since: { value: 'time', summary: 'when it may have been stolen: 2026-11-01 or 2026-11-22T10:17Z', config: false },
  },
  examples: [
    { command: 'salvor keys revoke-writer writer-1 --since 2026-11-22T10:17Z', summary: 'the host was broken into' },
  ],
  exits: [...vaultExits, 69],
  async run(ctx, { flags, arguments: { id } }) {
    if (flags.since === undefined) {
      throw new Fault('usage', 'say when the key may have been stolen', { actions: ['give --since'] });
    }
    const { parseWindow } = await import('../../operations/select/window.ts');
    const since = new Date(parseWindow(`${flags.since}..`, 'since').from);
    const vault = await openVault(ctx, { writer: 'no', identity: 'required', operation: 'write', warns: true });
    const { revokeWriter } = await import('../../operations/revoke-writer.ts');
    await logAccess(ctx, vault, { what: 'keys revoke-writer', selection: { id, since: since.toISOString() } });
    const result = await revokeWriter(ctx, vault, id, since, ctx.tool);
    return { result, human: (paint) => revokedText(result, paint) };
  },
});

export const keys = [list, test, add, rotate, kit, exportAdmin, revoke];
