import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { exitsOf } from '../../src/cli/help.ts';
import { main } from '../../src/cli/main.ts';
import { testFolder } from './run.ts';

/** What makes a command line whole, besides the arguments that it needs. */
const given: Readonly<Record<string, readonly string[]>> = {
  copy: ['--to', 'elsewhere'],
  export: ['--to', 'exported'],
  'keys add': ['--writer'],
  'keys revoke-writer': ['--since', '2026-01-01T00:00Z'],
  repair: ['--from', 'elsewhere'],
  report: ['--access'],
  rescue: ['--incident', '2026-01-01T00:00Z'],
};

/** They open no vault of somebody else, or tell of it among their findings. */
const others = ['demo', 'doctor', 'login', 'practice-org'];

test('a vault outside of the permitted regions is refused by every command that opens one, as its help says', async (t) => {
  const folder = testFolder();
  const config = path.join(folder, 'salvor.config.json');
  writeFileSync(config, JSON.stringify({ vault: './vault', allowedRegions: ['eu-west-1'] }));
  let said = '';
  t.mock.method(process.stderr, 'write', (text: string, written?: () => void) => {
    said += text;
    written?.();
    return true;
  });
  const environment = { HOME: folder, SALVOR_NO_KEYCHAIN: '1' };
  for (const command of commands.filter(({ name }) => !others.includes(name))) {
    said = '';
    const needed = Object.entries(command.arguments).filter(([, { required }]) => required);
    const words = [...needed.map(([name]) => name), ...(given[command.name] ?? [])];
    const line = [...command.name.split(' '), ...words, '--config', config, '--no-prompt'];
    assert.equal(await main(line, environment), 5, `${command.name}: ${said}`);
    assert.match(said, /^region-refused: /m, command.name);
    assert.ok(exitsOf(command).includes(5), command.name);
  }
});
