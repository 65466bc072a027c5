import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import type { RowBatch } from '../../src/rows/batch.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { type Run, Spill } from '../../src/rows/spill.ts';

const tempDir = mkdtempSync(path.join(tmpdir(), 'salvor-spill-'));
after(() => rmSync(tempDir, { recursive: true }));
const batches = ['first', 'second', 'third'].map((word) =>
  encodeRows(Array.from({ length: 500 }, (_, n) => [`${n}`, word])),
);

async function all(spill: Spill, run: Run): Promise<RowBatch[]> {
  const found: RowBatch[] = [];
  for await (const { bytes, ends } of spill.read(run)) found.push({ bytes, ends });
  return found;
}

test('batches come back as they were, and nothing readable lies on the disk', async () => {
  const spill = new Spill(tempDir);
  const run = await spill.write([...batches, encodeRows([])]);
  assert.deepEqual(await all(spill, run), [...batches, encodeRows([])]);
  const stored = readFileSync(run.file);
  assert.equal(stored.includes('second'), false);
  assert.equal(statSync(run.file).mode & 0o077, 0);
  assert.equal(spill.bytes, stored.length);
  const other = await spill.write(batches);
  assert.notDeepEqual(readFileSync(other.file), stored.subarray(0, statSync(other.file).size));
  await spill.remove();
  assert.deepEqual(readdirSync(tempDir), []);
});

test('a spill that was changed, cut or put in another order is not read', async () => {
  const broken = (error: unknown) => isFault(error, 'disk-error');
  const spill = new Spill(tempDir);
  const run = await spill.write([batches[0]!, batches[0]!]);
  const whole = readFileSync(run.file);
  for (const at of [0, run.ends[0]! - 1, whole.length - 1]) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1;
    writeFileSync(run.file, changed);
    await assert.rejects(all(spill, run), broken);
  }
  const [middle, end] = run.ends as [number, number];
  assert.equal(end, 2 * middle);
  writeFileSync(run.file, Buffer.concat([whole.subarray(middle), whole.subarray(0, middle)]));
  await assert.rejects(all(spill, run), broken);
  writeFileSync(run.file, whole);
  truncateSync(run.file, whole.length - 1);
  await assert.rejects(all(spill, run), broken);
  await spill.remove();
});

test('a folder that cannot be written to is told as such', async () => {
  await assert.rejects(new Spill(path.join(tempDir, 'none')).write(batches), (error) => isFault(error, 'disk-error'));
});
