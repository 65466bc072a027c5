import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { verify } from '../../src/operations/verify/verify.ts';
import { openStore } from '../../src/store/open.ts';
import { filesOf } from '../../src/vault/files-page.ts';
import { readSegment } from '../../src/vault/segment.ts';
import { Vault } from '../../src/vault/vault.ts';

/**
 * A vault of format 1 as it was first written, with its keys. It is never made again: whatever changes in the program has to go on
 * reading it, and seeing the same in it.
 */
const golden = path.join(import.meta.dirname, 'format-1');
const expected = JSON.parse(readFileSync(path.join(golden, 'expected.json'), 'utf8'));

describe('the frozen vault of format 1', () => {
  let folder: string;
  let vault: Vault;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-golden-'));
    await cp(path.join(golden, 'vault'), folder, { recursive: true });
    const identity = /AGE-SECRET-KEY-\S+/.exec(await readFile(path.join(golden, 'identity.key'), 'utf8'))![0];
    const writerKey = (await readFile(path.join(golden, 'writer.key'), 'utf8')).trim();
    const store = await openStore(folder);
    const { rootFingerprint } = expected;
    vault = await Vault.open(store, { operation: 'verify', rootFingerprint, identities: [identity], writerKey });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('still ends where it ended', async () => {
    const { head, problems, points } = await vault.state();
    assert.deepEqual({ seq: head.seq, digest: head.digest }, expected.head);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      points.map(({ record }) => record.point),
      expected.points,
    );
  });

  test('is whole on every rung', async () => {
    const context = { signal: new AbortController().signal, report() {}, now: () => new Date(), tempDir: folder };
    const { points } = await vault.state();
    const result = await verify(context, vault, { points, noIdentity: false, attest: false, tool: 'test' });
    assert.deepEqual(
      result.points.flatMap(({ rungs }) => rungs.filter(({ ok }) => !ok)),
      [],
    );
    assert.equal(result.ok, true);
  });

  test('holds the same rows, byte for byte', async () => {
    assert.deepEqual(await contents(vault), expected.objects);
  });

  test('holds the same files', async () => {
    const { points } = await vault.state();
    const root = await vault.root(points[0]!);
    const files = (await Promise.all(root.files.pages.map((page) => filesOf(vault, page)))).flat();
    assert.deepEqual(
      files.map(({ object, id, field, size, sha256 }) => ({ object, id, field, size, sha256 })),
      expected.files,
    );
  });
});

/** Rows and SHA-256 of the rows of each object of the first point, header lines left out. */
async function contents(vault: Vault): Promise<Record<string, { rows: number; columns: string[]; sha256: string }>> {
  const identities = await vault.rowIdentities();
  const root = await vault.root((await vault.state()).points[0]!);
  const found: Record<string, { rows: number; columns: string[]; sha256: string }> = {};
  for (const { object, page } of root.objects) {
    const map = await vault.map(page!);
    const digest = createHash('sha256');
    let rows = 0;
    for (const ref of map.base) {
      for await (const { batch } of readSegment(identities, await vault.read(ref))) {
        digest.update(batch.bytes);
        rows += batch.ends.length;
      }
    }
    found[object] = { rows, columns: map.columns, sha256: digest.digest('hex') };
  }
  return found;
}
