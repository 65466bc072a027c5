import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { verify } from '../../src/operations/verify/verify.ts';
import { cells, rowBytes } from '../../src/rows/cells.ts';
import { openStore } from '../../src/store/open.ts';
import { readAccess } from '../../src/vault/access.ts';
import { readAttestation } from '../../src/vault/attest.ts';
import { filesOf } from '../../src/vault/files-page.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { readRestore, readTable, restorePlace } from '../../src/vault/restores.ts';
import { openBytes } from '../../src/vault/sealed.ts';
import { readSegment } from '../../src/vault/segment.ts';
import { Vault } from '../../src/vault/vault.ts';
import { byHand } from '../support/by-hand.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { without } from '../support/tools.ts';

/**
 * A second vault of format 1 that is never made again: what the first lacks. Two versions wrote it, the first point with a root as it was before roots
 * were compressed. It has an incremental chain with tombstones, files in parts and in a pack, a second epoch, a restore, and a point that was retired
 * and let go. Files were cut at 8 KiB in place of 16 MiB when it was made, so that it is small.
 */
const golden = path.join(import.meta.dirname, 'format-1b');
const expected = JSON.parse(readFileSync(path.join(golden, 'expected.json'), 'utf8'));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** When it was looked at first: nothing in it is held by a lease since. */
const now = new Date('2026-11-27T00:00:00Z');

describe('the second frozen vault of format 1', () => {
  let folder: string;
  let vault: Vault;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'salvor-golden-'));
    await cp(path.join(golden, 'vault'), folder, { recursive: true });
    const identity = (await readFile(path.join(golden, 'identity.key'), 'utf8')).trim();
    const writerKey = (await readFile(path.join(golden, 'writer.key'), 'utf8')).trim();
    const { rootFingerprint } = expected;
    vault = await Vault.open(await openStore(folder), {
      operation: 'verify',
      rootFingerprint,
      identities: [identity],
      writerKey,
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const readers = async () => Promise.all((await vault.state()).points.map((entry) => PointReader.open(vault, entry)));

  test('still ends where it ended, and says the same of what is kept and what was let go', async () => {
    const { head, problems, points, entries, epochs, retention } = await vault.state();
    assert.deepEqual({ seq: head.seq, digest: head.digest }, expected.head);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      entries.map(({ record }) => record.kind),
      expected.kinds,
    );
    assert.deepEqual(
      points.map(({ record }) => record.point),
      expected.points,
    );
    assert.deepEqual(
      epochs.map(({ record }) => record.epoch),
      [1, 2],
    );
    assert.deepEqual([...retention.retired.keys()], [expected.swept]);
    assert.equal(retention.retired.get(expected.swept)!.swept!.record.kind, 'sweep');
    assert.deepEqual([...retention.pins.keys()], expected.points.slice(0, 2));
    assert.deepEqual(retention.unfinished, []);
  });

  test('is whole on every rung', async () => {
    const context = { signal: new AbortController().signal, report() {}, now: () => now, tempDir: folder };
    const { points } = await vault.state();
    const result = await verify(context, vault, { points, noIdentity: false, attest: false, tool: 'test' });
    assert.deepEqual(
      [result.log, ...result.points.flatMap(({ rungs }) => rungs)].filter(({ ok }) => !ok),
      [],
    );
    assert.equal(result.points.length, 4);
    assert.equal(result.ok, true);
  });

  test('has what it was made for', async () => {
    const [first, second, third, last] = await readers();
    const names = (reader: PointReader) => readdirSync(path.join(folder, 'points', reader.root.point)).sort();
    assert.deepEqual(names(first!), ['refs.zst', 'root.json.age']);
    for (const reader of [second!, third!, last!]) assert.deepEqual(names(reader), ['refs.zst', 'root.json.zst.age']);

    const page = (reader: PointReader, object: string) => reader.found(object).page!.key;
    assert.equal(page(second!, 'Account'), page(first!, 'Account'), 'a page that two points share');
    assert.notEqual(page(second!, 'Contact'), page(first!, 'Contact'));
    const shape = async (reader: PointReader) => {
      const { base, deltas, gone } = await reader.map('Contact');
      return [base.length, deltas.length, gone.length];
    };
    assert.deepEqual(await Promise.all([first!, second!, third!, last!].map(shape)), expected.shapes);
    assert.deepEqual(
      [first!, second!, third!, last!].map(({ root, entry }) => [root.kind, entry.record.epoch]),
      [
        ['full', 1],
        ['incremental', 1],
        ['full', 2],
        ['incremental', 2],
      ],
    );
  });

  test('holds the same rows, byte for byte', async () => {
    assert.deepEqual(await Promise.all((await readers()).map(rowsOf)), expected.rows);
  });

  test('tells of each contact what the org held then', async () => {
    assert.deepEqual(await Promise.all((await readers()).map(spares)), [
      ['Spare 1', 'Spare 2', 'Spare 3', 'Spare 4', 'Spare 5', 'Spare 6'],
      ['Changed "once",\nand in two lines', 'Made between', 'Spare 3', 'Spare 4', 'Spare 5', 'Spare 6'],
      ['Changed twice', 'In the second epoch', 'Made between', 'Spare 5', 'Spare 6'],
      ['Changed twice', 'In the second epoch', 'Made between', 'Spare 5', 'Spare 6'],
    ]);
  });

  test('holds the same files, in parts and in a pack', async () => {
    const found = await Promise.all((await readers()).map(filesIn));
    assert.deepEqual(found, expected.files);
    const stored = found.flat().map(({ parts, entry }) => [parts > 1, entry === '']);
    assert.ok(stored.some(([inParts]) => inParts) && stored.some(([, alone]) => !alone));
  });

  test('tells of the restore, with what stood there before', async () => {
    const place = await restorePlace(vault);
    const read = await readRestore(place, expected.restore.id, now);
    assert.equal(read.state, 'ended');
    assert.deepEqual(read.problems, []);
    assert.deepEqual(
      read.entries.map(({ entry }) => entry.type),
      expected.restore.entries,
    );
    const tables: Record<string, string> = {};
    for (const table of [...read.entries.flatMap((entry) => entry.tables)]) {
      const parts: Buffer[] = [];
      for await (const part of readTable(place, table)) parts.push(part);
      tables[table.name] = sha256(Buffer.concat(parts));
      if (table.name === 'before') assert.match(Buffer.concat(parts).toString(), /"Wrong"/);
    }
    assert.deepEqual(tables, expected.restore.tables);
  });

  test('tells who used keys, and what was verified', async () => {
    const { entries } = await vault.state();
    const of = (kind: string) => entries.filter(({ record }) => record.kind === kind);
    const accesses = await Promise.all(of('access').map((entry) => readAccess(vault, entry)));
    assert.deepEqual(
      accesses.map(({ what, who }) => [what, who]),
      [
        ['keys rotate', 'ann@example.com'],
        ['restore', 'ann@example.com'],
      ],
    );
    const [attestation] = await Promise.all(of('attest').map((entry) => readAttestation(vault, entry)));
    assert.deepEqual(attestation!.points, [
      { point: expected.points.at(-1), rung: 'references', ok: true, problems: 0 },
    ]);
  });

  test('the commands of its README.txt give the same bytes', { skip: without(...foreignPrograms) }, async () => {
    for (const [n, reader] of (await readers()).entries()) {
      for (const object of ['Account', 'Contact', 'Attachment']) {
        const copy = path.join(folder, 'by-hand');
        cpSync(path.join(golden, 'vault'), copy, { recursive: true });
        const ran = byHand(copy, path.join(golden, 'identity.key'), (commands) => readingOf(commands, reader, object));
        await rm(copy, { recursive: true });
        assert.equal(ran.status, 0, ran.stderr);
        const csv = ran.made.get('account.csv')!;
        assert.equal(sha256(csv), expected.byHand[n][object], `${object} of point ${n + 1}`);
        assert.ok(csv.equals(await csvOf(reader, object)), `${object} of point ${n + 1} as salvor reads it`);
        assert.deepEqual(mergedByHand(csv, await goneOf(reader, object)), await idsOf(reader, object));
      }
    }
  });
});

/** README.txt was written before there were compressed roots and another epoch: what the CHANGELOG and FORMAT.md say of them is typed in. */
function readingOf(commands: string, { root, entry }: PointReader, object: string): string {
  const compressed = root.point !== expected.points[0];
  return commands
    .replace(/POINT=.*/, `POINT=${root.point}`)
    .replaceAll('keys/e0001', `keys/e000${entry.record.epoch}`)
    .replace('/root.json.age" >', compressed ? '/root.json.zst.age" | zstd -d >' : '/root.json.age" >')
    .replace('"object":"Account"', `"object":"${object}"`);
}

/** Ids of the newest rows of a concatenation of segments, less those that are gone: as README.txt words it. */
function mergedByHand(csv: Buffer, gone: ReadonlySet<string>): string[] {
  const ids = [...csv.toString().matchAll(/^"([0-9A-Za-z]{18})",/gm)].map(([, id]) => id!);
  return [...new Set(ids)].filter((id) => !gone.has(id)).sort();
}

/** The CSV of all segments of an object, one behind the other. */
async function csvOf(reader: PointReader, object: string): Promise<Buffer> {
  const { base, deltas } = await reader.map(object);
  const identities = await reader.vault.rowIdentities();
  const opened = [...base, ...deltas].map(async (ref) => openBytes(ref.key, await reader.vault.read(ref), identities));
  return Buffer.concat(await Promise.all(opened));
}

async function goneOf(reader: PointReader, object: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const ref of (await reader.map(object)).gone) {
    const stored = await reader.vault.read(ref);
    for await (const { batch } of readSegment(await reader.vault.rowIdentities(), stored))
      for (const row of batch.ends.keys()) ids.add(cells(batch, row)[0]!);
  }
  return ids;
}

async function idsOf(reader: PointReader, object: string): Promise<string[]> {
  const { batches } = await reader.rows(object, { columns: ['Id'] });
  const ids: string[] = [];
  for await (const batch of batches) for (const row of batch.ends.keys()) ids.push(cells(batch, row)[0]!);
  return ids;
}

/** Rows and SHA-256 of the rows of each object. */
async function rowsOf(reader: PointReader): Promise<Record<string, { rows: number; columns: number; sha256: string }>> {
  const found: Record<string, { rows: number; columns: number; sha256: string }> = {};
  for (const object of reader.objects()) {
    const { columns, batches } = await reader.rows(object);
    const digest = createHash('sha256').update(columns.join());
    let rows = 0;
    for await (const batch of batches) {
      for (const row of batch.ends.keys()) digest.update(rowBytes(batch, row));
      rows += batch.ends.length;
    }
    found[object] = { rows, columns: columns.length, sha256: digest.digest('hex') };
  }
  return found;
}

/** Last names of the contacts that were made for this vault. */
async function spares(reader: PointReader): Promise<string[]> {
  const { batches } = await reader.rows('Contact', { columns: ['Id', 'LastName'] });
  const names: string[] = [];
  for await (const batch of batches) for (const row of batch.ends.keys()) names.push(cells(batch, row)[1]!);
  return names.filter((name) => /^(Spare|Changed|Made|In |Wrong)/.test(name)).sort();
}

interface FileSeen {
  readonly id: string;
  readonly size: number;
  readonly sha256: string;
  readonly parts: number;
  readonly entry: string;
}

/** Every file of a point, its bytes read. */
async function filesIn(reader: PointReader): Promise<FileSeen[]> {
  const files: FileSeen[] = [];
  for (const page of reader.root.files.pages) {
    for (const { object, id, field, stored, entry } of await filesOf(reader.vault, page)) {
      const pieces: Buffer[] = [];
      for await (const piece of (await reader.file(object, id, field))!) pieces.push(Buffer.from(piece));
      const bytes = Buffer.concat(pieces);
      files.push({ id, size: bytes.length, sha256: sha256(bytes), parts: stored.length, entry });
    }
  }
  return files.sort((a, b) => (a.id < b.id ? -1 : 1));
}
