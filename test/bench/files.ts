/*
 * What one very large file takes: from the practice org, which makes its bytes while it sends them, into a folder, and out again.
 *
 *   node test/bench/files.ts [--mib 1024] [--readme]     needs GNU time and unzip; 2047 MiB is as large as a file of an org may be
 */

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { publish } from './figures.ts';
import {
  cleanUp,
  folder,
  type Measured,
  measured,
  needs,
  practice,
  program,
  salvorEnvironment,
  takePoint,
} from './measure.ts';

const { values: given } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, readme: { type: 'boolean', default: false } },
});
needs('unzip');
const mib = Number(given.mib);
const salvor = [process.execPath, program];

/** Id and SHA-256 of the largest file, made here from the same seed. */
function largest(): { id: string; sha256: string; size: number } {
  const table = sampleDatabase({ largestFile: mib * 1024 * 1024 }).tables.get('ContentVersion')!;
  for (let n = table.source.size - 1; n >= 0; n--) {
    const id = String(table.source.row(n).Id);
    const pieces = table.pieces?.(id, 'VersionData');
    if (!pieces || pieces.size < mib * 1024 * 1024) continue;
    const hash = createHash('sha256');
    for (const chunk of pieces.chunks()) hash.update(chunk);
    return { id, sha256: hash.digest('hex'), size: pieces.size };
  }
  throw new Error('the sample org has no such file');
}

async function digestIn(zip: string, entry: string): Promise<string> {
  const unzip = spawn('unzip', ['-p', zip, entry], { stdio: ['ignore', 'pipe', 'inherit'] });
  const hash = createHash('sha256');
  for await (const chunk of unzip.stdout) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

try {
  const file = largest();
  const org = await practice({}, 'ascending', ['--largest-file', String(mib)]);
  const keys = path.join(folder, 'keys');
  const env = salvorEnvironment(org, path.join(folder, 'vault'), keys);
  const lines: string[][] = [];
  const line = (what: string, { seconds, cpu, peakMiB }: Measured, note: string) =>
    lines.push([what, seconds.toFixed(1), (mib / seconds).toFixed(0), cpu.toFixed(1), peakMiB.toFixed(0), note]);

  const small = await practice({}, 'ascending', ['--largest-file', '1']);
  const without = { ...salvorEnvironment(small, path.join(folder, 'vault-small'), path.join(folder, 'keys-small')) };
  const before = await takePoint(without, path.join(folder, 'keys-small'), ['ContentVersion']);
  small.end();
  lines.push([
    'backup without it',
    before.seconds.toFixed(1),
    '',
    before.cpu.toFixed(1),
    before.peakMiB.toFixed(0),
    '',
  ]);

  line('backup', await takePoint(env, keys, ['ContentVersion']), 'size and MD5 are as the row says');
  org.end();
  line(
    'verify',
    await measured([...salvor, 'verify', 'latest', '--no-attest', '--quiet', '--json'], env),
    'every byte',
  );
  const zip = path.join(folder, 'out.zip');
  line('export', await measured([...salvor, 'export', 'latest', '--to', zip, '--quiet', '--json'], env), 'to a zip');
  const names = execFileSync('unzip', ['-Z1', zip], { encoding: 'utf8' }).split('\n');
  const entry = names.find((name) => name.startsWith(`files/ContentVersion/${file.id}/`));
  if (!entry || (await digestIn(zip, entry)) !== file.sha256) throw new Error('the file came out with other bytes');
  rmSync(zip);
  publish(
    'files',
    `One file of ${file.size.toLocaleString('en-US')} bytes, which came out with the SHA-256 that it went in with`,
    ['what', 's', 'MiB/s', 'CPU s', 'peak MiB', 'note'],
    lines,
  );
} finally {
  cleanUp();
}
