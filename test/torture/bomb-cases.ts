import { createHmac } from 'node:crypto';
import { unwrapIdentityFile } from '../../src/age/identity-file.ts';
import { rowFlow } from '../../src/rows/split.ts';
import * as layout from '../../src/vault/layout.ts';
import type { MapPage, SegmentRef } from '../../src/vault/manifest.ts';
import { Run } from '../../src/vault/run.ts';
import { compress } from '../../src/vault/sealed.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import type { SmallVault } from '../support/small-vault.ts';
import { Forger, forgedPoint } from './forger.ts';
import { frameOf, listOfZeros, manyFrames, mebibyte, nested } from './unpacking.ts';

export interface Bomb {
  readonly what: string;
  /** False: it is read rightly all the same. */
  readonly fatal: boolean;
  /** Lays it into the vault; the keys that it consists of. */
  lay(store: MemoryStore, small: SmallVault): Promise<readonly string[]>;
  /** In place of all that reads a vault. */
  readonly read?: () => Promise<unknown>;
}

type Packed = () => Buffer | Promise<Buffer>;

/** Where a point may hold packed bytes: each puts them there and seals the point. */
const places: Record<string, (forger: Forger, packed: Buffer) => Promise<string>> = {
  root: async (forger, packed) => {
    await forger.sealRoot(forger.root, packed);
    return layout.pointRoot(forgedPoint);
  },
  'list of the point': async (forger, packed) => {
    await forger.sealList(packed);
    return layout.pointRefs(forgedPoint);
  },
  'list of a page': async (forger, packed) => {
    const refs = await forger.put(layout.pageRefs, packed);
    await forger.sealRoot(forger.withObject({ ...forger.object('Contact'), refs }));
    return refs.key;
  },
  page: async (forger, packed) => {
    const page = await forger.putSealed((digest) => layout.page('map', digest), 'manifest', packed);
    await forger.sealRoot(forger.withObject({ ...forger.object('Contact'), page }));
    return page.key;
  },
  detail: (forger, packed) =>
    inMap(
      forger,
      packed,
      'rows',
      (digest) => layout.detail(forgedPoint, digest),
      (map, ref) => ({
        ...map,
        detail: [ref],
      }),
    ),
  'page of describes': (forger, packed) =>
    inMap(
      forger,
      packed,
      'rows',
      (digest) => layout.page('schema', digest),
      (map, ref) => ({
        ...map,
        schema: { ...map.schema, page: ref },
      }),
    ),
  segment: (forger, packed) =>
    inMap(
      forger,
      packed,
      'rows',
      (digest) => layout.segment(forgedPoint, 1, digest),
      (map, ref) => ({
        ...map,
        base: [{ ...map.base[0]!, ...ref }],
      }),
    ),
  'index twin': (forger, packed) =>
    inMap(
      forger,
      packed,
      'manifest',
      (digest) => layout.indexTwin(forgedPoint, 1, digest),
      (map, index) => ({
        ...map,
        base: [{ ...map.base[0]!, index }],
      }),
    ),
  tombstones: (forger, packed) =>
    inMap(
      forger,
      packed,
      'manifest',
      (digest) => layout.gone(forgedPoint, 1, digest),
      (map, ref) => ({
        ...map,
        gone: [{ ...map.gone[0]!, ...ref }],
      }),
    ),
  'files page': async (forger, packed) => {
    const page = await forger.putSealed((digest) => layout.page('files', digest), 'manifest', packed);
    const { files } = forger.root;
    await forger.sealRoot({ ...forger.root, files: { ...files, pages: [page] } });
    return page.key;
  },
};

async function inMap(
  forger: Forger,
  packed: Buffer,
  to: 'rows' | 'manifest',
  key: (digest: string) => string,
  change: (map: MapPage, ref: SegmentRef) => MapPage,
): Promise<string> {
  const ref = await forger.putSealed(key, to, packed);
  const changed = change(await forger.mapOf('Contact'), ref as SegmentRef);
  await noteAlso(forger, changed);
  await forger.sealRoot(await forger.withMap(changed));
  return ref.key;
}

/** Segments that no detail knows are refused before they are read: of each is said what is true of the one whose place it takes. */
async function noteAlso(forger: Forger, map: MapPage): Promise<void> {
  const real = await forger.mapOf('Contact');
  if (map.detail[0]!.key !== real.detail[0]!.key) return;
  const detail = await forger.vault.detail(real.detail[0]!);
  const segments = map.base.map(({ key }, at) => ({ ...detail.segments[at]!, key }));
  map.detail = [await forger.writer.putDetail({ ...detail, segments })];
}

function packedIn(names: readonly string[], packed: Packed): Bomb[] {
  return names.map((name) => ({
    what: name,
    fatal: true,
    lay: async (store, small) => [await places[name]!(await Forger.of(store, small), await packed())],
  }));
}

/** The one that is read least often is the cheapest. */
const everywhere = ['list of a page', ...Object.keys(places).filter((name) => name !== 'list of a page')];
const documents = everywhere.filter((name) => !['segment', 'index twin', 'tombstones'].includes(name));
const json = ['root', 'page', 'detail', 'page of describes'];

/** A page of an object that claims what is not so. */
function claim(what: string, change: (map: MapPage) => MapPage): Bomb {
  return forged(what, async (forger) => {
    const map = change(await forger.mapOf('Contact'));
    await forger.sealRoot(await forger.withMap(map));
    return [layout.pointRoot(forgedPoint)];
  });
}

function forged(what: string, lay: (forger: Forger) => Promise<string[]>): Bomb {
  return { what, fatal: true, lay: async (store, small) => lay(await Forger.of(store, small)) };
}

const huge = Number.MAX_SAFE_INTEGER;

/** A detail whose blocks lie where nothing is. */
function blocks(what: string, change: (offset: number, length: number) => [number, number]): Bomb {
  return forged(what, async (forger) => {
    const map = await forger.mapOf('Contact');
    const detail = await forger.vault.detail(map.detail[0]!);
    const segments = detail.segments.map((one) => ({
      ...one,
      // Of one block in ten thousand a range is read.
      blocks: Array.from({ length: 10 }, (_, n) => {
        const [offset, length, rows, bytes, first] = one.blocks[0]!;
        return [...change(offset, length), rows, bytes, n === 0 ? first : `004${n}`] as (typeof one.blocks)[number];
      }),
    }));
    const ref = await forger.writer.putDetail({ ...detail, segments });
    const base = map.base.map((one) => ({ ...one, rows: 1000 }));
    await forger.sealRoot(await forger.withMap({ ...map, base, rows: 1000, detail: [ref] }));
    return [ref.key];
  });
}

/** An age file by hand, with these stanzas and a checksum under some key; its body is of no one. */
function ageFile(stanzas: string): Buffer {
  const head = `age-encryption.org/v1\n${stanzas}---`;
  const mac = createHmac('sha256', 'some key').update(head).digest('base64').replace(/=+$/, '');
  return Buffer.concat([Buffer.from(`${head} ${mac}\n`), Buffer.alloc(64)]);
}

const share = Buffer.alloc(32, 9).toString('base64').replace(/=+$/, '');
const wrap = Buffer.alloc(32, 7).toString('base64').replace(/=+$/, '');
const stanza = `-> X25519 ${share}\n${wrap}\n`;

function rootBody(what: string, body: () => Buffer): Bomb {
  return forged(what, async (forger) => {
    await forger.sealBody(forger.root, body());
    return [layout.pointRoot(forgedPoint)];
  });
}

function armored(end: string, bytes: number): Buffer {
  return Buffer.from(`-----BEGIN AGE ENCRYPTED FILE-----\n${`${'A'.repeat(64)}\n`.repeat(bytes / 65)}${end}`);
}

function identityFile(factor: string): Bomb {
  const salt = Buffer.alloc(16, 1).toString('base64').replace(/=+$/, '');
  const file = ageFile(`-> scrypt ${salt} ${factor}\n${wrap}\n`);
  return {
    what: `a work factor of ${factor}`,
    fatal: true,
    lay: async () => [],
    read: () => unwrapIdentityFile(file, 'x'),
  };
}

/** Megabytes in the pieces that come from a network. */
function sentCell(begin: string): Bomb {
  const pieces = function* () {
    yield Buffer.from(begin);
    for (let n = 0; n < 6000; n++) yield Buffer.alloc(16 * 1024, 'x');
  };
  const read = async () => {
    for await (const batch of (await rowFlow(pieces())).batches) batch.release?.();
  };
  return { what: `a body that begins ${JSON.stringify(begin)}`, fatal: true, lay: async () => [], read };
}

/** Objects under numbers of the log that are no records; who can only put objects can do that. */
function numbersAhead(what: string, fatal: boolean, numbers: (taken: number) => number[]): Bomb {
  return {
    what,
    fatal,
    lay: async (store) => {
      const taken = [...store.objects.keys()].filter((key) => key.startsWith('log/')).length;
      for (const seq of numbers(taken)) store.objects.set(layout.logRecord(seq), Buffer.from('no record'));
      return [layout.logRecord(taken)];
    },
  };
}

/** What is put into the log by somebody without a key is parsed before it is known whose it is. */
function record(what: string, body: () => Buffer): Bomb {
  return {
    what,
    fatal: true,
    lay: async (store) => {
      const taken = [...store.objects.keys()].filter((key) => key.startsWith('log/')).length;
      store.objects.set(layout.logRecord(taken + 1), body());
      return [layout.logRecord(taken + 1)];
    },
  };
}

/** The journal of a run, which who takes the next backup reads. */
const journal = (what: string, entry: object): Bomb =>
  forged(what, async (forger) => {
    const { store, info, keyring } = forger.vault;
    const { recipients, vault } = { recipients: forger.writer.recipients.manifest, vault: info.vault };
    const run = new Run({ store, vault, recipients, signer: keyring.writerSigner() }, '20261122T090000Z-0000fe');
    const before = await keysOf(store.list('runs/'));
    await run.append(entry);
    return (await keysOf(store.list('runs/'))).filter((key) => !before.includes(key));
  });

async function keysOf(list: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

const rowsHead = '"Id","SystemModstamp"\n"';

/** By the fault of the menu. */
export const bombs: Readonly<Record<string, readonly Bomb[]>> = {
  'a frame of gigabytes': packedIn(everywhere, () => frameOf('{', ' ', 4096 * mebibyte)),
  'a frame that says that it is a terabyte': packedIn(everywhere, () => frameOf('{', ' ', mebibyte, 1n << 40n)),
  'a frame that says that it is small': packedIn(everywhere, () => frameOf('{', ' ', 120 * mebibyte, 256n)),
  'frames one behind the other': packedIn(everywhere, () => manyFrames('{', ' ')),
  'a document of its full size': [
    ...packedIn(['list of a page'], () => frameOf('#', ' ', 32 * mebibyte)),
    ...packedIn(documents, () => frameOf('[', '[', 120 * mebibyte)),
  ],
  'JSON 100,000 levels deep': [
    ...packedIn(json, () => compress(Buffer.from(nested()))),
    ...packedIn(json, () => compress(Buffer.from(`{"v":1,"objects":${nested()}}`))),
    forged('describe', async (forger) => {
      const map = await forger.mapOf('Contact');
      const page = await forger.vault.schema(map.schema.page);
      const text = JSON.stringify(page).replaceAll('"label":"Contact"', `"label":${nested()}`);
      const packed = await compress(Buffer.from(text));
      return [await places['page of describes']!(forger, packed)];
    }),
    journal('journal', JSON.parse(`{"type":"start","deep":${nested(2000)}}`)),
  ],
  'a list of millions that do not fit': [
    ...packedIn(json, () => compress(Buffer.from(`{"v":1,"x":[{}${',{}'.repeat(4_100_000)}]}`))),
    ...packedIn(json, () => compress(Buffer.from(`{"v":1,"x":[0${',0'.repeat(16_100_000)}]}`))),
    ...packedIn(['root'], () => listOfZeros('objects')),
    ...packedIn(['page'], () => listOfZeros('base')),
    ...packedIn(['detail'], () => listOfZeros('segments')),
    ...packedIn(['page of describes'], () => listOfZeros('objects')),
  ],
  'a list of nothing but line ends': packedIn(['list of the point', 'list of a page'], () =>
    frameOf('', '\n', 24 * mebibyte),
  ),
  'a page of too many files': packedIn(['files page'], () => {
    const row = '"","","","0","","",""\n';
    return compress(Buffer.from(`"Object","Id","Field","Size","Sha256","Stored","Entry"\n${row.repeat(200_000)}`));
  }),
  'absurd counts': [
    claim('rows of a page', (map) => ({ ...map, rows: huge })),
    claim('rows of a segment', (map) => ({
      ...map,
      base: map.base.map((one) => ({ ...one, rows: huge, bytes: huge })),
    })),
    claim('size of a segment', (map) => ({ ...map, base: map.base.map((one) => ({ ...one, size: huge })) })),
    claim('fewer than none', (map) => ({ ...map, rows: -huge, deleted: -1, bytes: -huge })),
    claim('a segment 500 times', (map) => ({ ...map, base: Array.from({ length: 500 }, () => map.base[0]!) })),
    blocks('blocks behind the end', (offset) => [offset + 2 ** 40, 1]),
    blocks('blocks of terabytes', (offset) => [offset, 2 ** 50]),
    blocks('blocks before the beginning', () => [-1000, 100]),
  ],
  'a stored cell that never closes': [
    ...packedIn(['files page'], () => frameOf('"', 'x', 24 * mebibyte)),
    ...packedIn(['segment', 'index twin', 'tombstones'], () => frameOf(rowsHead, 'x', 120 * mebibyte)),
    ...packedIn(['segment', 'index twin', 'tombstones'], () => manyFrames(rowsHead, 'x')),
    ...packedIn(['files page'], () => frameOf('"', 'x', 120 * mebibyte)),
  ],
  'a sent cell that never closes': ['a,b\nx,"', '"a"\n"', 'a,b\nx,y', '"'].map(sentCell),
  'an age header of thousands of stanzas': [
    rootBody('more than a header may be', () => ageFile(stanza.repeat(200_000))),
    rootBody('stanzas for others', () => ageFile(stanza.repeat(9000))),
    rootBody('stanzas without a body', () => ageFile('-> x\n\n'.repeat(170_000))),
  ],
  'an enormous stanza': [
    rootBody('its arguments', () => ageFile(`-> x ${'a'.repeat(1_000_000)}\n\n`)),
    rootBody('its body', () => ageFile(`-> x y\n${`${'A'.repeat(64)}\n`.repeat(16_000)}\n`)),
    rootBody('its arguments, one letter each', () => ageFile(`-> x${' a'.repeat(500_000)}\n\n`)),
  ],
  'armor without end': [
    rootBody('of a root', () => armored('', 4 * mebibyte)),
    rootBody('with an end', () => armored('-----END AGE ENCRYPTED FILE-----\n', 16 * mebibyte)),
    rootBody('only blanks in front', () => Buffer.alloc(16 * mebibyte, ' ')),
  ],
  'an absurd work factor': ['21', '30', '99', `${huge}`, '1e9', '-1'].map(identityFile),
  'a log with numbers far ahead': [
    numbersAhead('a trail of doubling steps', true, (taken) => Array.from({ length: 40 }, (_, n) => taken + 2 ** n)),
    numbersAhead('one', false, (taken) => [taken + 2 ** 40]),
    numbersAhead('the last number', false, () => [huge]),
    numbersAhead('every thousandth', true, (taken) => Array.from({ length: 20 }, (_, n) => taken + 1000 * (n + 1))),
  ],
  'a record of megabytes': [
    record('nested', () => Buffer.from(`${nested()}\n`)),
    record('a line of 40 MiB', () => Buffer.from(`[0${',0'.repeat(20 * mebibyte)}]\n`)),
    record('without a line end', () => Buffer.alloc(40 * mebibyte, '[')),
    record('an endless signature', () =>
      Buffer.from(`{}\n-----BEGIN SSH SIGNATURE-----\n${'A'.repeat(20 * mebibyte)}`),
    ),
  ],
};
