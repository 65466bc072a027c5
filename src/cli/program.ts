import { CommanderError, Option, Command as Program } from 'commander';
import { Fault } from '../errors.ts';
import { type Command, camelCase, type Flag, type Flags, variableOf } from './command.ts';
import type { FlagSources } from './flags.ts';
import { globalFlags } from './global-flags.ts';
import { helpEnd, programHelpEnd } from './help.ts';

/** What a command line asks for: a text (help, version), or a command with what was given. */
export type Invocation =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly global: FlagSources['argv'];
      readonly own: FlagSources['argv'];
      readonly arguments: Readonly<Record<string, string | undefined>>;
    };

export interface About {
  readonly version: string;
  readonly description: string;
}

/** Summaries of the groups that hold commands of two words. */
export const groups: Readonly<Record<string, string>> = {
  keys: 'list, test, add, rotate keys and print the recovery kit',
};

/** Reads a command line, without environment and config. Throws `usage`. */
export function parse(argv: readonly string[], commands: readonly Command[], about: About): Invocation {
  const printed: string[] = [];
  let found: Invocation | undefined;
  const program = build(
    commands,
    about,
    (text) => printed.push(text),
    (invocation) => {
      found = invocation;
    },
  );
  try {
    program.parse(argv.length === 0 ? ['--help'] : completed(argv, commands), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') {
      return { kind: 'text', text: printed.join('') };
    }
    if (error.code === 'commander.help') {
      const group = argv.find((word) => word in groups);
      if (group === undefined) throw new Fault('usage', 'no command is given', { actions: ['see `salvor --help`'] });
      const members = commands.map(({ name }) => name.split(' ')).filter(([first]) => first === group);
      throw new Fault('usage', `${group} wants one of ${members.map(([, second]) => second).join(', ')}`, {
        actions: [`see \`salvor ${group} --help\``],
      });
    }
    throw usage(error.message);
  }
  return found!;
}

/** Flags that may stand without a value get the one that they then have, so that they never take the next word for it. */
function completed(argv: readonly string[], commands: readonly Command[]): string[] {
  const bare = new Map<string, string>();
  for (const { flags } of commands) {
    for (const [name, flag] of Object.entries(flags)) if (flag.bare !== undefined) bare.set(`--${name}`, flag.bare);
  }
  const end = argv.indexOf('--');
  return argv.map((word, at) => (bare.has(word) && (end < 0 || at < end) ? `${word}=${bare.get(word)}` : word));
}

function usage(message: string): Fault {
  const [sentence, ...rest] = message.replace(/^error: /, '').split('\n');
  const actions = rest.map((line) => line.replace(/^\((.*)\)$/, '$1')).filter((line) => line !== '');
  return new Fault('usage', sentence!, actions.length > 0 ? { actions } : {});
}

function build(
  commands: readonly Command[],
  about: About,
  print: (text: string) => void,
  found: (invocation: Invocation) => void,
): Program {
  const program = new Program('salvor')
    .description(about.description)
    .version(about.version, '--version', 'print the version');
  prepare(program, print);
  program.usage('<command> [flags]').commandsGroup('Commands:').addHelpText('after', programHelpEnd());
  addFlags(program, globalFlags);
  const opened = new Map<string, Program>();
  for (const command of commands) {
    const words = command.name.split(' ');
    let parent = program;
    if (words.length === 2) {
      parent = opened.get(words[0]!) ?? program.command(words[0]!).description(groups[words[0]!] ?? '');
      opened.set(words[0]!, prepare(parent, print));
    }
    const leaf = prepare(parent.command(words.at(-1)!), print);
    leaf
      .usage(usageOf(command))
      .summary(command.summary)
      .description(command.description ? `${command.summary}\n\n${command.description}` : command.summary);
    if (command.alias) leaf.alias(command.alias);
    for (const [name, { required, summary }] of Object.entries(command.arguments)) {
      leaf.argument(required ? `<${name}>` : `[${name}]`, summary);
    }
    addFlags(leaf, command.flags);
    leaf.addHelpText('after', helpEnd(command));
    leaf.action(() => {
      const names = Object.keys(command.arguments);
      found({
        kind: 'command',
        command,
        global: given(program, globalFlags),
        own: given(leaf, command.flags),
        arguments: Object.fromEntries(names.map((name, at) => [name, leaf.args[at]])),
      });
    });
  }
  return program;
}

function prepare(program: Program, print: (text: string) => void): Program {
  return program
    .exitOverride()
    .helpOption('--help', 'explain')
    .helpCommand(false)
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => title.replace('Global Options', 'Flags of every command').replace('Options', 'Flags'),
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => 110 });
}

/** `<point> [Object] [flags]` */
export function usageOf(command: Pick<Command, 'arguments'>): string {
  const words = Object.entries(command.arguments).map(([name, { required }]) => (required ? `<${name}>` : `[${name}]`));
  return [...words, '[flags]'].join(' ');
}

function argumentTerm(argument: { name(): string; required: boolean }): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function addFlags(program: Program, flags: Flags): void {
  for (const [name, flag] of Object.entries(flags)) {
    const words = `${flag.short ? `${flag.short}, ` : ''}--${name}${flag.value ? ` <${flag.value}>` : ''}`;
    const option = new Option(flag.secret ? `--${name} [value]` : words, explained(flag));
    if (flag.repeatable || flag.kind === 'list')
      option.argParser((text: string, before: string[] = []) => [...before, text]);
    if (flag.secret) option.hideHelp();
    program.addOption(option);
  }
}

/** The summary with what follows from the declaration. */
export function explained(flag: Flag): string {
  const more = [
    flag.choices ? `one of ${flag.choices.join(', ')}` : '',
    flag.repeatable ? 'repeatable' : '',
    flag.most === undefined ? '' : `${flag.least ?? 0} to ${flag.most}`,
    flag.bare === undefined ? '' : `${flag.bare} without a value; a value follows =`,
    flag.default === undefined ? '' : `default ${flag.default}`,
    flag.env ? `env ${flag.env}` : '',
  ].filter((part) => part !== '');
  return more.length > 0 ? `${flag.summary} (${more.join('; ')})` : flag.summary;
}

/** Flags of the command line only. Throws `usage` for a secret among them. */
function given(program: Program, flags: Flags): FlagSources['argv'] {
  const values: Record<string, string | readonly string[] | true> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const attribute = camelCase(name.replace(/^no-/, ''));
    if (program.getOptionValueSource(attribute) !== 'cli') continue;
    if (flag.secret) {
      throw new Fault('usage', `--${name} is never given on the command line, where others can read it`, {
        actions: [`set ${variableOf(name, flag)}`],
      });
    }
    const value: unknown = program.getOptionValue(attribute);
    values[name] = flag.value === undefined ? true : (value as string | readonly string[]);
  }
  return values;
}
