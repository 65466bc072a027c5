/*
 * What a small point costs when nothing changed: API calls, seconds, and bytes that it adds to the vault, of orgs with 100, 300 and 1,000 objects. The
 * org answers each request 50 ms late, as over a network. Nothing here is asserted.
 *
 *   node test/bench/points.ts [--objects 100,300,1000] [--rows 20] [--latency 50] [--readme]
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { digits } from '../../src/practice-org/record-ids.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { id, table as smallTable } from '../practice-org/small-database.ts';
import { publish } from './figures.ts';
import { cleanUp, folder, measured, program, salvorEnvironment, slowed } from './measure.ts';

const { values: given } = parseArgs({
  options: {
    objects: { type: 'string', default: '100,300,1000' },
    rows: { type: 'string', default: '20' },
    latency: { type: 'string', default: '50' },
    readme: { type: 'boolean', default: false },
  },
});
const latency = Number(given.latency);

/** The sample org and so many custom objects beside it that it has `count` in all that can be read. */
function orgOf(count: number, rows: number): Database {
  const { facts, tables } = sampleDatabase();
  const all = new Map(tables);
  const standing = [...tables.values()].filter(({ describe }) => describe.queryable).length;
  const names = Array.from({ length: Math.max(0, count - standing) }, (_, n) => `Object_${n}__c`);
  for (const [n, name] of names.entries()) {
    const prefix = `z${digits[Math.floor(n / 62)]}${digits[n % 62]}`;
    const made = Array.from({ length: rows }, (_, row) => ({
      Id: id(prefix, row),
      Name: `Row ${row}`,
      Text__c: `Text of row ${row}`,
      Amount__c: row,
      IsDeleted: false,
      SystemModstamp: '2026-03-01T10:00:00.000Z',
    }));
    const text = ['Name', 'Text__c'];
    const fields: Parameters<typeof smallTable>[2] = [
      ...text,
      ['Amount__c', 'double'],
      ['SystemModstamp', 'datetime'],
      ['IsDeleted', 'boolean'],
    ];
    all.set(name, smallTable(name, prefix, fields, made));
  }
  return { facts, tables: all };
}

function bytesOf(place: string): { bytes: number; objects: number } {
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const sizes = files.map((one) => statSync(path.join(one.parentPath, one.name)).size);
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), objects: sizes.length };
}

async function costs(count: number): Promise<string[][]> {
  const org = await startPracticeOrg(orgOf(count, Number(given.rows)));
  const slow = await slowed(org.url, latency);
  const vault = path.join(folder, `vault-${count}`);
  const facts = { url: slow.url, token: org.accessToken, username: '', cpu: () => 0, end: () => undefined };
  const keys = path.join(folder, `keys-${count}`);
  const { SALVOR_IDENTITY_FILE: _, ...env } = salvorEnvironment(facts, vault, keys);
  const init = ['init', '--no-prompt', '--no-config-file', '--keys-folder', keys, '--quiet'];
  await measured([process.execPath, program, ...init], env);
  const lines: string[][] = [];
  for (const what of ['first', 'nothing changed', 'nothing changed']) {
    const before = lines.length === 0 ? { bytes: 0, objects: 0 } : bytesOf(vault);
    const { seconds, stdout } = await measured([process.execPath, program, 'backup', '--json'], env);
    const { point } = JSON.parse(stdout).result;
    const after = bytesOf(vault);
    lines.push([
      String(point.objects.length),
      what,
      String(point.apiCalls),
      seconds.toFixed(1),
      ((after.bytes - before.bytes) / 1024).toFixed(0),
      String(after.objects - before.objects),
    ]);
  }
  slow.close();
  await org.close();
  return lines;
}

const lines: string[][] = [];
for (const count of given.objects.split(',')) lines.push(...(await costs(Number(count))));
const titles = ['objects', 'point', 'API calls', 'seconds', 'KiB added', 'objects added to the vault'];
publish('points', `Points of orgs that answer each request ${latency} ms late`, titles, lines);
cleanUp();
process.exit(0);
