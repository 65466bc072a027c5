import type { Flags, FlagValues } from './command.ts';

/** Flags that mean the same in every command. */
export const globalFlags = {
  'target-org': {
    short: '-o',
    value: 'alias or username',
    summary: 'the org, as in sf',
    env: 'SF_TARGET_ORG',
  },
  vault: { value: 'url', kind: 'path', summary: 'where recovery points live: s3://bucket/prefix, or a folder' },
  identity: {
    value: 'file',
    kind: 'path',
    repeatable: true,
    summary: 'a file with an identity that opens rows; SALVOR_IDENTITY holds the key itself',
    env: 'SALVOR_IDENTITY_FILE',
  },
  'root-fingerprint': {
    value: 'SHA256:…',
    summary: "fingerprint of the vault's root key, as the recovery kit shows it; another vault is refused",
  },
  json: { summary: 'print one JSON document: status, result, warnings' },
  events: { value: 'file or -', kind: 'path', summary: 'write events as they happen, one JSON object a line' },
  'no-prompt': { short: '-p', summary: 'never ask; what is missing is an error' },
  quiet: { summary: 'no progress' },
  verbose: { summary: 'say more: retries, API use, causes of errors' },
  'no-color': { summary: 'plain text', env: 'NO_COLOR' },
  'api-version': { value: 'version', summary: 'Salesforce API version; the newest that both sides know unless told' },
  config: {
    value: 'file',
    kind: 'path',
    summary: 'configuration file; salvor.config.json here or in a folder above unless told',
    config: false,
  },
} as const satisfies Flags;

export type GlobalFlags = FlagValues<typeof globalFlags>;
