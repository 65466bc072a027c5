import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { KeyTexts } from '../../vault/keyring.ts';
import type { Vault } from '../../vault/vault.ts';
import { testKeys } from '../keys.ts';
import { orgStatus } from '../status.ts';
import { type Finding, findingsOf } from './finding.ts';
import type { Hand } from './policy.ts';

/** A key as it was found: its text, or why it cannot be read; undefined: there is none at hand. */
export type Found<T> = T | Fault | undefined;

/** What is at hand to open the vault with. */
export interface KeysAtHand {
  readonly writer: Found<string>;
  readonly identities: Found<readonly string[]>;
  readonly admin: Found<string>;
  /** Files that others may read too, a sentence each. */
  readonly exposed: readonly string[];
  /** The vault opened with these keys only. Throws `key-invalid` for a text that is none. */
  readonly open: (keys: KeyTexts) => Promise<Vault>;
}

const { ok, warn, bad, failed } = findingsOf('keys');
const dayMs = 86_400_000;
const oldTest = 90;

/** By the keys beside them, what the credentials at hand are for. */
export function handOf({ writer, identities, admin }: KeysAtHand): Hand {
  const onlyWriter = writer !== undefined && identities === undefined && admin === undefined;
  return onlyWriter ? 'writer' : 'administrator';
}

/** Whether each key at hand opens what it has to, and is kept as it should be. */
export async function keyFindings(ctx: Context, vault: Vault, keys: KeysAtHand): Promise<Finding[]> {
  const found = [
    await tested('writer-key', keys.writer, (writerKey) => keys.open({ writerKey })),
    await tested('identity', keys.identities, (identities) => keys.open({ identities })),
    ...(keys.admin === undefined ? [] : [await tested('admin-key', keys.admin, (adminKey) => keys.open({ adminKey }))]),
  ];
  const { epoch } = await vault.epoch();
  const { recipients } = vault.trust;
  found.push(
    ok('epoch', `epoch ${epoch}`),
    recipients.length > 1
      ? ok('recipients', `${recipients.length} recipients can recover`)
      : warn(
          'recipients',
          'one recipient can recover: if its identity is lost, so is every point',
          'add a second with `salvor keys add --recipient age1…`',
        ),
    keys.exposed.length === 0
      ? ok('key-files', 'no key file at hand can be read by others')
      : bad('key-files', keys.exposed.map(beforeFix).join('; '), keys.exposed.map(fixIn).join('; ')),
    anchored(vault),
    await lastTest(ctx, vault, keys),
  );
  return found;
}

async function tested<T>(name: string, key: Found<T>, open: (key: T) => Promise<Vault>): Promise<Finding> {
  if (key instanceof Fault) return failed(name, key);
  if (key === undefined) return absent(name);
  try {
    const [result] = await testKeys(await open(key));
    return ok(name, result!.figure);
  } catch (error) {
    if (!isFault(error)) throw error;
    return failed(name, error);
  }
}

function absent(name: string): Finding {
  if (name === 'writer-key') return ok(name, 'none at hand: backups are taken on another host');
  return ok(name, 'none at hand: this host opens no row, as a backup host should not');
}

function anchored({ anchored, trust }: Vault): Finding {
  const { fingerprint } = trust.root;
  if (anchored) return ok('root-fingerprint', `the root key is pinned: ${fingerprint}`);
  return warn(
    'root-fingerprint',
    'the vault is believed on its own word: no root fingerprint is pinned',
    `compare with the recovery kit, then write "rootFingerprint": "${fingerprint}" into salvor.config.json`,
  );
}

/** When somebody last saw that an identity opens the vault. An identity that was tested just now is as good. */
async function lastTest(ctx: Context, vault: Vault, { writer, identities }: KeysAtHand): Promise<Finding> {
  const readable = [writer, identities].some((key) => key !== undefined && !(key instanceof Fault));
  if (!readable) return ok('last-test', 'not looked at: no key is at hand');
  const { keyTested } = await orgStatus(ctx, vault, 0, undefined);
  const fix = 'run `salvor keys test` with an identity from the recovery kit';
  if (keyTested === null) {
    return identities !== undefined
      ? ok('last-test', 'no test is on record; the identity at hand was tried now')
      : warn('last-test', 'nobody has yet proven with `salvor keys test` that an identity opens this vault', fix);
  }
  const days = Math.floor((ctx.now().getTime() - Date.parse(keyTested)) / dayMs);
  const said = `an identity was last seen to open the vault on ${keyTested.slice(0, 10)}`;
  return days > oldTest ? warn('last-test', `${said}, ${days} days ago`, fix) : ok('last-test', said);
}

function beforeFix(sentence: string): string {
  return sentence.split('; run: ')[0]!;
}

function fixIn(sentence: string): string {
  return sentence.split('; run: ')[1] ?? 'chmod 600 the file';
}
