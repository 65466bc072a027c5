import path from 'node:path';
import { Fault } from '../errors.ts';
import { camelCase, type Flag, type Flags, variableOf } from './command.ts';
import { nearest } from './nearest.ts';

/** Where the values of flags come from. The command line wins over the environment, which wins over the config file. */
export interface FlagSources {
  /** Texts as given, by flag name; absent: not given. Switches are `true`. */
  readonly argv: Readonly<Record<string, string | readonly string[] | true>>;
  readonly environment: NodeJS.ProcessEnv;
  /** The part of the config file that holds these flags. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Folder of the config file; its relative paths start there. */
  readonly configFolder?: string;
}

/** The value of every flag, by its camel-case name, checked. Throws `usage`. */
export function flagValues(flags: Flags, sources: FlagSources): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) values[camelCase(name)] = resolved(name, flag, sources);
  return values;
}

function resolved(name: string, flag: Flag, { argv, environment, config, configFolder }: FlagSources): unknown {
  const given = argv[name];
  if (given !== undefined) return read(flag, given, `--${name}`);
  const variable = variableOf(name, flag);
  const inherited = environment[variable];
  if (inherited) return read(flag, inherited, variable);
  const configured = flag.config === false ? undefined : config[camelCase(name)];
  if (configured !== undefined)
    return fromConfig(flag, configured, `${camelCase(name)} in the config file`, configFolder);
  if (flag.default !== undefined) return flag.default;
  if (isMany(flag)) return [];
  return flag.value === undefined && !flag.secret ? false : undefined;
}

function isMany(flag: Flag): boolean {
  return flag.repeatable === true || flag.kind === 'list';
}

/** A value from the command line or the environment. */
function read(flag: Flag, given: string | readonly string[] | true, source: string): unknown {
  if (flag.value === undefined && !flag.secret) return given === true || truth(String(given), source);
  const texts = typeof given === 'object' ? given : [String(given)];
  const values = texts.flatMap((text) => (flag.kind === 'list' ? items(text) : [text]));
  if (isMany(flag)) return values.map((text) => one(flag, text, source));
  return one(flag, values.at(-1)!, source);
}

function items(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function one(flag: Flag, text: string, source: string): string | number {
  if (flag.choices && !flag.choices.includes(text)) {
    const meant = nearest(text, flag.choices);
    throw new Fault('usage', `${source} cannot be ${JSON.stringify(text)}`, {
      actions: [`choose one of ${flag.choices.join(', ')}${meant ? `; did you mean ${meant}?` : ''}`],
    });
  }
  if (flag.kind !== 'integer' && flag.kind !== 'number') return text;
  const number = Number(text);
  if (
    text.trim() === '' ||
    !Number.isFinite(number) ||
    number < 0 ||
    (flag.kind === 'integer' && !Number.isSafeInteger(number))
  ) {
    throw new Fault(
      'usage',
      `${source} has to be a ${flag.kind === 'integer' ? 'whole ' : ''}number, not ${JSON.stringify(text)}`,
    );
  }
  if (number < (flag.least ?? 0)) throw new Fault('usage', `${source} has to be ${flag.least} at least`);
  if (flag.most !== undefined && number > flag.most)
    throw new Fault('usage', `${source} has to be ${flag.most} at most`);
  return number;
}

function truth(text: string, source: string): boolean {
  // NO_COLOR means what it says whatever it holds (no-color.org)
  if (source === 'NO_COLOR' || /^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new Fault('usage', `${source} has to be true or false, not ${JSON.stringify(text)}`);
}

/** A value from the config file, whose shape its schema has checked; ranges and choices too. */
function fromConfig(flag: Flag, value: unknown, source: string, folder: string | undefined): unknown {
  if (typeof value === 'boolean') return value;
  const values = (Array.isArray(value) ? value : [value]).map((item) => {
    const text = String(item);
    return flag.kind === 'path' && folder !== undefined ? fromFolder(text, folder) : one(flag, text, source);
  });
  return isMany(flag) ? values : values[0];
}

/** A path of the config file, which is relative to that file; URLs, absolute paths and `-` stay. */
export function fromFolder(place: string, folder: string): string {
  const standsAlone = place === '-' || /^[a-z][a-z0-9+.-]+:/i.test(place) || path.isAbsolute(place);
  return standsAlone ? place : path.resolve(folder, place);
}
