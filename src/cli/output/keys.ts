import type { KeysListed, KeyTested } from '../../operations/keys.ts';
import type { WriterRevoked } from '../../operations/revoke-writer.ts';
import type { Paint } from './paint.ts';

export function initText(
  made: {
    vault: string;
    vaultId: string;
    rootFingerprint: string;
    recipients: readonly string[];
    writerKeyFile: string;
    identityFile?: string;
    recoveryKeyFile?: string;
    configFile?: string;
  },
  paint: Paint,
): string {
  const lines: [string, string, string][] = [
    ['vault', made.vault, made.vaultId],
    ['root fingerprint', made.rootFingerprint, 'the mark by which this vault is known'],
    ['writer key', made.writerKeyFile, 'for the backup host; opens no row'],
  ];
  if (made.identityFile) lines.push(['identity', made.identityFile, 'opens every row; keep it off the backup host']);
  if (made.recoveryKeyFile)
    lines.push(['recovery kit', made.recoveryKeyFile, 'print it, lock it away, delete the file']);
  if (made.configFile) lines.push(['configuration', made.configFile, 'names the vault and pins its root key']);
  const width = Math.max(...lines.map(([name]) => name.length));
  const next =
    made.writerKeyFile === 'keychain' ? 'salvor backup' : `SALVOR_WRITER_KEY_FILE=${made.writerKeyFile} salvor backup`;
  return [
    ...lines.map(
      ([name, value, meaning]) =>
        `${paint.faint(name.padEnd(width))}  ${paint.strong(value)}   ${paint.faint(meaning)}`,
    ),
    paint.next(next, 'take the first point'),
  ].join('\n');
}

export function keysText(listed: KeysListed, paint: Paint): string {
  return [
    `vault ${listed.vaultId}${listed.anchored ? '' : paint.careful('  UNANCHORED: no root fingerprint is pinned')}`,
    '',
    paint.table(listed.keys, [
      { title: 'key', value: ({ id }) => id },
      { title: 'role', value: ({ role }) => role },
      { title: 'fingerprint', value: ({ fingerprint }) => fingerprint },
      ...(listed.keys.some(({ revokedSince }) => revokedSince)
        ? [
            {
              title: 'revoked',
              value: ({ revokedSince }: KeysListed['keys'][number]) =>
                revokedSince ? paint.bad(`stolen since ${revokedSince}`) : '',
            },
          ]
        : []),
    ]),
    '',
    paint.table(
      listed.recipients.map((recipient) => ({ recipient })),
      [{ title: 'recipients who can recover', value: ({ recipient }) => recipient }],
    ),
    '',
    paint.table(listed.epochs, [
      { title: 'epoch', value: ({ epoch }) => String(epoch), right: true },
      { title: 'since', value: ({ since }) => since },
      { title: 'encrypts to', value: ({ recipient }) => recipient },
    ]),
    paint.next('salvor keys test', 'prove that the keys at hand open the vault'),
  ].join('\n');
}

export function keysTestedText(tested: readonly KeyTested[], paint: Paint): string {
  return tested
    .map(({ key, ok, figure }) => `${ok ? paint.good('ok') : paint.bad('failed')}  ${key}  ${figure}`)
    .join('\n');
}

export function revokedText({ id, since, quarantined, epoch }: WriterRevoked, paint: Paint): string {
  const points = quarantined.length === 1 ? '1 point stands' : `${quarantined.length} points stand`;
  return [
    `${id} is trusted no more, nor is what it signed since ${since}`,
    quarantined.length === 0
      ? 'no point is of that time'
      : `${points} in quarantine: ${quarantined.map((point) => paint.bad(point)).join(', ')}`,
    `epoch ${epoch} is what is encrypted to from now on; the next point reads everything anew`,
    paint.next(
      'salvor keys add --writer',
      'a new key for the backup host; take bucket and org credentials from the old one',
    ),
  ].join('\n');
}
