import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Rig } from '../support/rig.ts';
import { without } from '../support/tools.ts';

const size = 120 * 1024 * 1024 + 7;

async function digest(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<[bytes: number, sha256: string]> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return [bytes, hash.digest('hex')];
}

test('a file that is far larger than a part comes out with the bytes that it went in with', {
  skip: without('unzip'),
}, async () => {
  const database = sampleDatabase({ largestFile: size });
  await using rig = await Rig.start({ database });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'ContentVersion');
  assert.equal(ran.status, 0, ran.stderr);

  const table = database.tables.get('ContentVersion')!;
  const ids = Array.from({ length: table.source.size }, (_, n) => String(table.source.row(n).Id));
  const id = ids.find((one) => table.pieces!(one, 'VersionData')?.size === size)!;
  const expected = await digest(table.pieces!(id, 'VersionData')!.chunks());
  assert.equal(expected[0], size);

  const zip = path.join(rig.folder, 'out.zip');
  const out = await rig.salvor('export', 'latest', '--to', zip, '--json');
  assert.equal(out.status, 0, out.stderr);
  const unzip = spawn('unzip', ['-p', zip, `files/ContentVersion/${id}/*`], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.deepEqual(await digest(unzip.stdout), expected);
});
