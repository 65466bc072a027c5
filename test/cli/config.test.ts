import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { findConfig, readConfig } from '../../src/cli/config.ts';
import { configSchema } from '../../src/cli/config-schema.ts';
import { nearest } from '../../src/cli/nearest.ts';
import { Fault } from '../../src/errors.ts';
import { project, testFolder } from './run.ts';

const folder = testFolder();

function write(name: string, content: unknown): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function faultOf(content: unknown): Promise<Fault> {
  const error = await readConfig(write('wrong.json', content), commands).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Fault, 'a fault was expected');
  return error;
}

test('the config file is found in the working folder or above', () => {
  const file = write('a/salvor.config.json', {});
  mkdirSync(path.join(folder, 'a/b/c'), { recursive: true });
  assert.equal(findConfig(path.join(folder, 'a/b/c')), file);
  assert.equal(findConfig(path.join(folder, 'a')), file);
});

test('an unknown key is an error that names it and the nearest known one', async () => {
  const fault = await faultOf({ valut: './v' });
  assert.equal(fault.exit, 2);
  assert.equal(fault.name, 'config-invalid');
  assert.match(fault.message, /unknown key valut$/);
  assert.deepEqual(fault.actions, ['write vault instead of valut']);
  const nested = await faultOf({ practiceOrg: { prot: 1 } });
  assert.match(nested.message, /unknown key practiceOrg\.prot$/);
  assert.deepEqual(nested.actions, ['write port instead of prot']);
  const inOrg = await faultOf({ orgs: { prod: { login: { clientID: 'x' } } } });
  assert.match(inOrg.message, /unknown key orgs\.prod\.login\.clientID$/);
  assert.deepEqual(inOrg.actions, ['write clientId instead of clientID']);
});

test('a value of the wrong kind is named by its path', async () => {
  assert.match((await faultOf({ practiceOrg: { port: 'x' } })).message, /practiceOrg\.port: /);
  assert.match((await faultOf({ quiet: 'yes' })).message, /quiet: /);
  assert.match((await faultOf({ practiceOrg: { order: 'sideways' } })).message, /practiceOrg\.order: /);
  assert.match((await faultOf([])).message, /the file: /);
  assert.match((await faultOf('{')).message, /is not JSON/);
});

test('a secret has no key, and what stands for one run only has none', async () => {
  assert.match((await faultOf({ login: { clientSecret: 's' } })).message, /unknown key login\.clientSecret/);
  assert.match((await faultOf({ config: 'x' })).message, /unknown key config/);
});

test('several orgs have their vaults and logins, with paths relative to the file', async () => {
  const file = write('orgs/salvor.config.json', {
    $schema: './node_modules/salvor/examples/salvor.schema.json',
    orgs: {
      prod: {
        vault: 's3://backups/prod',
        login: { clientId: 'c', jwtKeyFile: 'server.key', username: 'u@example.com' },
      },
      uat: { vault: 'vaults/uat' },
    },
  });
  const { orgs } = await readConfig(file, commands);
  assert.equal(orgs.prod?.vault, 's3://backups/prod');
  assert.equal(orgs.prod?.login?.jwtKeyFile, path.join(folder, 'orgs/server.key'));
  assert.equal(orgs.uat?.vault, path.join(folder, 'orgs/vaults/uat'));
});

test('every example of a config file in examples/ is valid', () => {
  const example = JSON.parse(readFileSync(path.join(project, 'examples/salvor.config.json'), 'utf8'));
  assert.deepEqual(configSchema(commands).safeParse(example).error?.issues ?? [], []);
});

test('the nearest name is found only when it is near', () => {
  assert.equal(nearest('acount', ['Contact', 'Account']), 'Account');
  assert.equal(nearest('VAULT', ['vault']), 'vault');
  assert.equal(nearest('colour', ['vault', 'quiet']), undefined);
  assert.equal(nearest('', ['vault']), undefined);
});
