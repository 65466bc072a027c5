import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import { type Command, camelCase } from './command.ts';
import type { OrgConfig } from './config-schema.ts';
import { fromFolder } from './flags.ts';

/** The name that is looked for in the working folder and above. */
export const configName = 'salvor.config.json';

/** The config file, checked. Values of flags are read by `flagValues`; what is no flag stands here with its type. */
export interface Config {
  /** Undefined: there is no config file. */
  readonly file: string | undefined;
  readonly orgs: Readonly<Record<string, OrgConfig>>;
  /** Second copies of the vault. */
  readonly copies: readonly string[];
  /** Where vaults and copies may be; undefined: anywhere. */
  readonly allowedRegions: readonly string[] | undefined;
  /** Everything as it stands in the file, by key; commands' own keys one level down. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The key of a command in the config file: `practiceOrg`, `keysAdd`. */
export function commandKey(command: Pick<Command, 'name'>): string {
  return camelCase(command.name.replaceAll(' ', '-'));
}

/** The nearest config file from `folder` upwards. */
export function findConfig(folder: string): string | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const file = path.join(at, configName);
    if (existsSync(file)) return file;
    if (path.dirname(at) === at) return undefined;
  }
}

/** Reads and checks a config file; `file` undefined: an empty one. Throws `config-invalid`; `usage` when a named file is not there. */
export async function readConfig(file: string | undefined, commands: readonly Command[]): Promise<Config> {
  if (file === undefined) return { file, orgs: {}, copies: [], allowedRegions: undefined, values: {} };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')
      throw new Fault('usage', `there is no configuration file ${file}`, { cause });
    throw new Fault('disk-error', `${file} cannot be read: ${code ?? 'unknown error'}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Fault('config-invalid', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  // a run without a config file does without the schema library
  const { checkConfig } = await import('./config-schema.ts');
  const values = checkConfig(json, file, commands);
  const folder = path.dirname(file);
  const orgs = withPaths(values.orgs ?? {}, folder);
  const copies = (values.copies ?? []).map((place) => fromFolder(place, folder));
  return { file, orgs, copies, allowedRegions: values.allowedRegions, values };
}

/** Paths of the orgs, relative to the config file. */
function withPaths(orgs: Config['orgs'], folder: string): Config['orgs'] {
  const place = (value: string | undefined) => (value === undefined ? undefined : fromFolder(value, folder));
  return Object.fromEntries(
    Object.entries(orgs).map(([alias, { login, vault, copies, writerKeyFile, ...rest }]) => {
      const files = login && {
        ...login,
        clientSecretFile: place(login.clientSecretFile),
        jwtKeyFile: place(login.jwtKeyFile),
        sfdxUrlFile: place(login.sfdxUrlFile),
      };
      const places = copies?.map((copy) => fromFolder(copy, folder));
      return [
        alias,
        { ...rest, vault: place(vault), writerKeyFile: place(writerKeyFile), copies: places, login: files },
      ];
    }),
  );
}
