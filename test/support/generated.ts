/**
 * The files that follow from the code: blocks of README.md and the JSON Schema of the config file. `npm run readme` writes
 * them; test/readme.test.ts fails on a difference.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, camelCase, type Flags, variableOf } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { commandKey } from '../../src/cli/config.ts';
import { configJsonSchema } from '../../src/cli/config-schema.ts';
import { globalFlags } from '../../src/cli/global-flags.ts';
import { exitsOf } from '../../src/cli/help.ts';
import { explained, usageOf } from '../../src/cli/program.ts';
import { exits } from '../../src/errors.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** What stands between `<!-- salvor:name -->` and `<!-- /salvor:name -->`. */
const blocks: Record<string, () => string> = { exits: exitTable, commands: commandReference };

/** Every generated file: path from the project's root, and the text that it should have. */
export function generatedFiles(): { file: string; expected: string; actual: string }[] {
  const readme = readFileSync(path.join(project, 'README.md'), 'utf8');
  const schemaFile = 'examples/salvor.schema.json';
  return [
    { file: 'README.md', expected: withBlocks(readme), actual: readme },
    {
      file: schemaFile,
      expected: `${JSON.stringify(configJsonSchema(commands), null, 2)}\n`,
      actual: textOf(schemaFile),
    },
  ];
}

function textOf(file: string): string {
  try {
    return readFileSync(path.join(project, file), 'utf8');
  } catch {
    return '';
  }
}

function withBlocks(readme: string): string {
  let text = readme;
  for (const [name, make] of Object.entries(blocks)) {
    const [begin, end] = [`<!-- salvor:${name} -->`, `<!-- /salvor:${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`README.md lacks ${begin} … ${end}`);
    text = `${text.slice(0, from + begin.length)}\n${make()}\n${text.slice(to)}`;
  }
  return text;
}

function exitTable(): string {
  const rows = Object.entries(exits).map(([code, { name, meaning }]) => [code, name, meaning]);
  return markdownTable(['code', 'name', 'meaning'], rows);
}

function commandReference(): string {
  const overview = commands.map((command) => {
    const alias = command.alias ? ` (or \`${command.alias}\`)` : '';
    return [`\`salvor ${command.name}\`${alias}`, command.summary];
  });
  const everywhere = `Flags of every command:\n\n${flagTable(globalFlags, '')}`;
  return [markdownTable(['command', 'does'], overview), everywhere, ...commands.map(details)].join('\n\n');
}

function details(command: Command): string {
  const parts = [
    `<details><summary><code>salvor ${command.name}</code></summary>`,
    `\`salvor ${command.name} ${usageOf(command)}\``,
    ...(command.description ? [`${sentence(command.summary)} ${command.description}`] : []),
  ];
  const places = Object.entries(command.arguments).map(([name, { summary }]) => [code(name), summary]);
  if (places.length > 0) parts.push(markdownTable(['argument', 'meaning'], places));
  if (Object.keys(command.flags).length > 0) parts.push(flagTable(command.flags, `${commandKey(command)}.`));
  const examples = command.examples.map(({ command: line, summary }) => `- ${code(line)}: ${summary}`);
  if (examples.length > 0) parts.push(examples.join('\n'));
  parts.push(
    `Exit codes: ${exitsOf(command)
      .map((exit) => `${exit} ${exits[exit].name}`)
      .join(', ')}.`,
    '</details>',
  );
  return parts.join('\n\n');
}

function flagTable(flags: Flags, section: string): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const words = `${flag.short ? `${flag.short}, ` : ''}--${name}${flag.value ? ` <${flag.value}>` : ''}`;
    const key = flag.config === false || flag.secret ? '' : code(section + camelCase(name));
    return [flag.secret ? '' : code(words), code(variableOf(name, flag)), key, explained({ ...flag, env: undefined })];
  });
  return markdownTable(['flag', 'environment', 'config', 'meaning'], rows);
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  for (const { file, expected } of generatedFiles()) writeFileSync(path.join(project, file), expected);
}
