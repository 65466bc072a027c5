import { type Exit, exits } from '../errors.ts';
import { type Command, variableOf } from './command.ts';

/** Exit codes that every command has. */
export const commonExits: readonly Exit[] = [0, 1, 2, 74, 130];

/** The codes of a command in the order of their numbers. */
export function exitsOf(command: Command): Exit[] {
  return [...new Set([...commonExits, ...command.exits])].sort((a, b) => a - b);
}

/** The end of a command's help: what the flags cannot say. */
export function helpEnd(command: Command): string {
  const parts: string[] = [];
  const secrets = Object.entries(command.flags).filter(([, flag]) => flag.secret);
  if (secrets.length > 0) {
    const lines = secrets.map(([name, flag]) => `  ${variableOf(name, flag)}  ${flag.summary}`);
    parts.push(`From the environment only:\n${lines.join('\n')}`);
  }
  if (command.examples.length > 0) {
    parts.push(
      `Examples:\n${command.examples.map(({ command: line, summary }) => `  ${line}\n      ${summary}`).join('\n')}`,
    );
  }
  parts.push(
    `Exit codes: ${exitsOf(command)
      .map((code) => `${code} ${exits[code].name}`)
      .join(', ')}`,
  );
  return `\n${parts.join('\n\n')}`;
}

/** The end of the program's help: what holds for every flag. */
export function programHelpEnd(): string {
  return `
Every flag is also an environment variable (--api-version: SALVOR_API_VERSION) and a key of salvor.config.json (apiVersion;
flags of one command stand under its name: backup.exclude). Flags win over the environment, which wins over the file.
Exit codes: ${Object.entries(exits)
    .map(([code, { name }]) => `${code} ${name}`)
    .join(', ')}`;
}
