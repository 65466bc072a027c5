import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { newAgeIdentity } from '../../../src/age/keys.ts';
import { filesOf } from '../../../src/vault/files-page.ts';
import { detailSchema, mapSchema, parseStored, rootSchema, schemaPageSchema } from '../../../src/vault/manifest.ts';
import { readRefs, writeRefs } from '../../../src/vault/refs.ts';
import { openRoot, rootRefOf } from '../../../src/vault/root.ts';
import { compress, decompress, openAge, openBytes, sealBytes } from '../../../src/vault/sealed.ts';
import { SealedFrames } from '../../../src/vault/sealed-frames.ts';
import { readSegment } from '../../../src/vault/segment.ts';
import { tarEnd, tarEntries, tarEntry } from '../../../src/vault/tar.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { compressFrame, frames } from '../../../src/vault/zstd.ts';
import { faults, type Parser } from '../parser.ts';

const golden = new URL('../../golden/format-1/', import.meta.url);
const identities = [/AGE-SECRET-KEY-\S+/.exec(readFileSync(new URL('identity.key', golden), 'latin1'))![0]];
const wrapped = readFileSync(new URL('vault/keys/e0001/r0001.age', golden));
const epoch = [/AGE-SECRET-KEY-\S+/.exec((await openAge('keys', wrapped, identities)).toString())![0]];
const all = readdirSync(new URL('vault/', golden), { recursive: true }) as string[];
const stored = (end: string) => {
  const key = all.filter((name) => name.endsWith(end)).sort()[0]!;
  return readFileSync(new URL(`vault/${key}`, golden));
};
const opened = (end: string) => openBytes(end, stored(end), epoch);
const detail = all.find((name) => name.startsWith('detail/') && name.endsWith('.json.zst.age'))!;
const root = await openAge('root', stored('root.json.age'), epoch);
const refs = stored('refs.zst');

const own = await newAgeIdentity();
const key = 'points/20261123T234928Z-adb687/root.json.zst.age';
const damaged = faults('segment-invalid', 'not-authentic', 'newer-format');
const rows = '"Id","SystemModstamp"\n"0015e00000AbCdEAAV","2026-11-22T09:00:00.000Z"\n"b",""\n';
/** A vault that holds one page and nothing else. */
const vaultOf = (page: Buffer) =>
  ({ read: async () => page, manifestIdentities: async () => [own.identity] }) as unknown as Vault;

export const parser: Parser = {
  sources: [
    ...['manifest.ts', 'refs.ts', 'root.ts', 'files-page.ts', 'tar.ts', 'zstd.ts', 'sealed.ts', 'sealed-frames.ts'],
    ...['segment.ts', 'layout.ts'],
  ]
    .map((file) => `src/vault/${file}`)
    .concat('src/rows/split.ts', 'node_modules/zod/v4/core/schemas'),
  words: [
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      'null',
      'true',
      '0',
      '1.5',
      '1e999',
      '""',
      '__proto__',
      'toString',
      '"v":2',
      '"rows":',
    ],
    ...['# size 12 ', '  points/', '\n', ' ', '"', '","', '"\n', 'ustar\u000000', '00000000017', '0000600\0'],
    ...[
      Buffer.from('28b52ffd', 'hex'),
      Buffer.from('28b52ffd0058', 'hex'),
      Buffer.from('0300', 'hex'),
      Buffer.alloc(512),
    ],
    // A frame that says nothing of its content, and blocks of one repeated byte.
    ...[Buffer.from('28b52ffd0080', 'hex'), Buffer.from('0200100041', 'hex'), Buffer.from('faff0f41', 'hex')],
  ],
  ways: {
    root: {
      seeds: [root, root.subarray(0, 900)],
      run: (bytes) => parseStored(key, bytes, rootSchema).objects.length,
      foreseen: damaged,
    },
    map: {
      seeds: [await opened('.map.zst.age')],
      run: (bytes) => parseStored(key, bytes, mapSchema).base.length,
      foreseen: damaged,
    },
    detail: {
      seeds: [await openBytes(detail, readFileSync(new URL(`vault/${detail}`, golden)), epoch)],
      run: (bytes) => parseStored(key, bytes, detailSchema).segments.length,
      foreseen: damaged,
    },
    schema: {
      seeds: [
        (await opened('.schema.zst.age')).subarray(0, 2000),
        '{"v":1,"objects":[{"print":"","describe":{"name":""}}]}',
      ],
      run: (bytes) => parseStored(key, bytes, schemaPageSchema).objects.length,
      foreseen: damaged,
    },
    // As it is stored: what is compressed, and what it says when it is not damaged.
    'refs-stored': {
      seeds: [refs],
      async run(bytes) {
        const list = await readRefs(key, bytes);
        return rootRefOf('20261123T234928Z-adb687', list).key;
      },
      foreseen: faults('segment-invalid', 'object-missing'),
    },
    refs: {
      seeds: [await decompress('refs', refs)],
      async run(bytes) {
        const list = await readRefs(key, await compress(bytes));
        const again = await readRefs(key, await writeRefs(list));
        assert.deepEqual(again.length, list.length);
      },
      foreseen: faults('segment-invalid'),
    },
    zstd: {
      seeds: [Buffer.concat([await compressFrame(Buffer.from(rows)), await compressFrame(Buffer.from(rows))])],
      async run(bytes) {
        const plain = await decompress(key, bytes);
        const found = [...frames(bytes)];
        assert.equal(
          found.reduce((sum, { length }) => sum + length, 0),
          bytes.length,
        );
        return Math.min(3, found.length) + (plain.length > 0 ? 10 : 0);
      },
      foreseen: faults('segment-invalid'),
    },
    tar: {
      seeds: [
        Buffer.concat([
          ...tarEntry('Attachment/00P000000000001AAA/Body', Buffer.from('text')),
          ...tarEntry('b', Buffer.alloc(0)),
          tarEnd,
        ]),
      ],
      run(bytes) {
        const entries = tarEntries(bytes);
        let length = 0;
        for (const [, content] of entries) length += content.length;
        assert.ok(length <= bytes.length);
        return entries.size;
      },
      foreseen: faults('segment-invalid'),
    },
    'files-page': {
      seeds: [
        `"Object","Id","Field","Size","Sha256","Stored","Entry"\n"Attachment","00P","Body","4","${'a'.repeat(64)}","files/a files/b",""\n`,
        (await opened('.files.zst.age')).subarray(0, 1500),
      ],
      async run(bytes) {
        const page = await sealBytes(bytes, [own.recipient]);
        const files = await filesOf(vaultOf(page), { key, size: page.length, sha256: '' });
        for (const { size } of files) assert.ok(Number.isSafeInteger(size) && size >= 0, `a file of ${size} bytes`);
        return Math.min(3, files.length);
      },
      foreseen: faults('segment-invalid'),
    },
    segment: {
      seeds: [rows],
      async run(bytes) {
        const frame = await compressFrame(bytes);
        const file = (await SealedFrames.begin([own.recipient], frame)).end();
        let count = 0;
        for await (const { batch } of readSegment([own.identity], Buffer.from(file.body))) count += batch.ends.length;
        return Math.min(3, count);
      },
      foreseen: faults('segment-invalid'),
    },
    'root-stored': {
      seeds: [await sealBytes(root, [own.recipient])],
      run: async (bytes) => (await openRoot(key, bytes, [own.identity])).objects.length,
      foreseen: faults('segment-invalid', 'not-authentic', 'wrong-identity', 'newer-format'),
    },
  },
};
