import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isFault } from '../../src/errors.ts';
import { copyVault } from '../../src/operations/copy/copy.ts';
import { repair } from '../../src/operations/copy/repair.ts';
import { exportPoint } from '../../src/operations/export/export.ts';
import type { ExportFormat } from '../../src/operations/export/request.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { openFolder } from '../../src/store/folder.ts';
import type { Store } from '../../src/store/store.ts';
import type { MapPage } from '../../src/vault/manifest.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { writeRefs } from '../../src/vault/refs.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { contextAt } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { attachment, contacts, id, type SmallObject, type SmallVault, smallVault } from '../support/small-vault.ts';
import { Forger } from './forger.ts';
import { spread, type Torment } from './torment.ts';

const now = '2026-11-23T10:00:00Z';
const stamp = '2026-11-20T08:00:00.000Z';
const formats: readonly ExportFormat[] = ['csv', 'xlsx', 'sqlite'];

/** What a person or a program may call a file, three at a time. */
const titles: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'names that climb': [
    ['../../x', '..', '../..'],
    ['..%2f..%2fx', 'a/../../../x', '..\\..\\x'],
    ['.', './x', '…/x'],
  ],
  'absolute names': [
    ['/etc/x', 'C:\\x', '\\\\host\\share\\x'],
    ['//x', 'C:x', 'file:///etc/x'],
  ],
  'control characters': [
    ['a\u0000b', '\u0000', 'a\nb'],
    ['\u202ecod.exe', '\u200b', '\u001b[2J'],
  ],
  'names without end': [
    ['x'.repeat(255), 'é'.repeat(40_000), `${'/'.repeat(20_000)}x`],
    [`a.${'b'.repeat(5000)}`, '.'.repeat(300), '🖤'.repeat(9000)],
  ],
  'names alike': [
    ['A.TXT', 'a.txt', 'a.txt '],
    ['é', 'e\u0301', 'É'],
    ['x', 'x.', 'x..'],
  ],
  'names of devices': [
    ['con', 'NUL.txt', 'com1'],
    ['aux.', 'LPT9.tar.gz', 'prn '],
  ],
  'names like options and formulas': [
    ['-rf', '--help', '=1+1'],
    ['@x', '~', '$(x)'],
  ],
};

/** API names that are none. */
const apiNames = [
  '../../x',
  '/etc/x',
  'C:\\x',
  'a\u0000b',
  '-x',
  '=x',
  'x'.repeat(5000),
  'con/x',
  'CONTACT',
  '',
  '.',
  'a"b',
];
/** Keys that are none. */
const keys = [
  '../../outside/x',
  'points/../../outside/x',
  '/etc/x',
  'data\\..\\x',
  'data/./x',
  '//x',
  'data/.hidden',
  'a\u0000b',
  'C:x',
  'con',
];

/** One case: does it with a folder of its own. */
type Case = (place: Place, struck: () => void) => Promise<void>;

/** A folder with a vault in memory, room for what is written, and something beside it that nobody may touch. */
class Place implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'salvor-paths-'));
  readonly store = new MemoryStore();

  constructor() {
    for (const name of ['outside', 'out']) mkdirSync(this.at(name));
    writeFileSync(this.at('outside/x'), 'as it was');
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Everything that is not in `own`: names, kinds, bytes. */
  around(own: readonly string[]): string[] {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).sort();
    return names
      .filter((name) => !own.some((one) => name.startsWith(`${one}${path.sep}`)))
      .map((name) => `${name} ${lstatSync(this.at(name)).isFile() ? readFileSync(this.at(name), 'latin1') : ''}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Names that the org, a bucket or a stolen writer key chooses lead nowhere but to where they belong. */
export const paths: Torment = {
  name: 'paths',
  figure: 'names that lead elsewhere',
  faults: [...Object.keys(titles), 'names of objects', 'names of fields', 'keys of a list', 'links in a folder'],
  short: 11,
  share: 0.5,
  async prepare() {
    const lists: [string, Case[]][] = [
      ...Object.entries(titles).map(([fault, some]): [string, Case[]] => [
        fault,
        some.flatMap((names) => formats.map((format) => titled(names, format))),
      ]),
      [
        'names of objects',
        ['Other__c', ...apiNames]
          .map((name, n) => named(name, 'object', formats[n % 3]!))
          .concat(named('sqlite_x', 'object', 'sqlite')),
      ],
      ['names of fields', apiNames.map((name, n) => named(name, 'field', formats[n % 3]!))],
      ['keys of a list', keys.flatMap((key) => [listed(key, 'point'), listed(key, 'page')])],
      ['links in a folder', ['x', 'nowhere', '.'].map(linked)],
    ];
    const all = spread(lists.map(([fault, cases]) => cases.map((one) => ({ fault, one }))));
    return {
      cases: all.length,
      async run(number, struck) {
        const { fault, one } = all[number]!;
        using place = new Place();
        await one(place, () => struck(fault));
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

function open(store: Store, { identity, writerKey, rootFingerprint }: SmallVault): Promise<Vault> {
  return Vault.open(store, { operation: 'read', identities: [identity], writerKey, rootFingerprint });
}

/** Exports the newest point with its files; what the zip has, or the fault that it ended with. */
async function exported(place: Place, small: SmallVault, format: ExportFormat): Promise<string[] | string> {
  const before = place.around(['out']);
  const ctx = contextAt(now);
  const to = place.at('out/org.zip');
  try {
    const vault = await open(place.store, small);
    const point = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
    const request = { fields: [], changedBy: undefined, between: undefined, safeForSpreadsheets: true, tool: 'test' };
    const selection = { objects: ['*'], exclude: [], ids: undefined, where: undefined };
    await exportPoint(ctx, point, { ...request, selection, format, files: true, to, recipients: [] });
    assert.deepEqual(readdirSync(place.at('out')), ['org.zip']);
    return entriesOf(readFileSync(to));
  } catch (error) {
    if (!isFault(error)) throw error;
    assert.deepEqual(readdirSync(place.at('out')), [], 'nothing is left of an export that failed');
    return error.name;
  } finally {
    assert.deepEqual(place.around(['out']), before);
  }
}

/** Names in the table of contents of a zip. */
function entriesOf(zip: Buffer): string[] {
  const names: string[] = [];
  let at = zip.readUInt32LE(zip.length - 6);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    names.push(zip.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}

function assertHarmless(names: readonly string[]): void {
  for (const name of names) {
    const parts = name.split('/');
    assert.ok(!path.isAbsolute(name) && !path.win32.isAbsolute(name) && !/^[A-Za-z]:/.test(name), name);
    assert.ok(!/[\\\p{Cc}\p{Cf}]/u.test(name), JSON.stringify(name));
    for (const part of parts) {
      assert.ok(part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255, JSON.stringify(name));
      assert.ok(!/[. ]$/.test(part) && !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part), JSON.stringify(name));
    }
  }
  const same = new Set(names.map((name) => name.normalize('NFC').toLowerCase()));
  assert.equal(same.size, names.length, 'no two unpack to one file');
}

const withBody = {
  ...attachment,
  fields: [...attachment.fields, { name: 'Body', type: 'base64', length: 0, referenceTo: [] }],
} as unknown as ObjectDescribe;

function titled(names: readonly string[], format: ExportFormat): Case {
  return async (place, struck) => {
    const rows = names.map((name, n) => [id('00P', n + 1), stamp, name, id('001', 1), '']);
    const files: SmallObject = { describe: withBody, stretches: [rows] };
    const small = await smallVault(place.store, { objects: [contacts('Smith'), files] });
    const entries = await exported(place, small, format);
    assert.ok(Array.isArray(entries), `${names.join()}: ${entries}`);
    assert.equal(entries.filter((entry) => entry.startsWith('files/Attachment/00P')).length, 3);
    struck();
    assertHarmless(entries);
  };
}

/** A forged point that names an object, or a field of it, so. */
function named(name: string, what: 'object' | 'field', format: ExportFormat): Case {
  return async (place, struck) => {
    const small = await smallVault(place.store);
    const forger = await Forger.of(place.store, small);
    const map = await forger.mapOf('Contact');
    const field = name === 'CONTACT' ? 'lastname' : name;
    const changed =
      what === 'field'
        ? { ...map, columns: [...map.columns, field] }
        : { ...map, object: name, schema: await renamed(forger, map, name) };
    const one = { ...forger.object('Contact'), object: changed.object, ...(await forger.writer.putMap(changed)) };
    // Beside the real one: two whose names differ in nothing but case, too.
    const kept = forger.root.objects.filter(
      ({ object }) => object !== 'Contact' || (what === 'object' && name === 'CONTACT'),
    );
    await forger.sealRoot({ ...forger.root, objects: [...kept, one] });
    const entries = await exported(place, small, format);
    struck();
    // Another name that could be one is as good, but in a database.
    const isGood = name === 'Other__c' && what === 'object';
    assert.equal(typeof entries, isGood ? 'object' : 'string', `${name} as the name of a ${what}: ${entries}`);
    if (typeof entries !== 'string') assertHarmless(entries);
  };
}

/** The describe of an object under another name, so that only the name is wrong. */
async function renamed(forger: Forger, map: MapPage, name: string): Promise<MapPage['schema']> {
  const { objects } = await forger.vault.schema(map.schema.page);
  const own = objects.filter(({ describe }) => describe.name === map.object);
  const page = await forger.writer.putSchema({
    v: 1,
    objects: own.map(({ print, describe }) => ({ print, describe: { ...describe, name } })),
  });
  return { ...map.schema, page };
}

/** A forged point whose list, or that of a page, names an object so; a vault in a folder, copied and repaired, touches nothing but its own. */
function listed(key: string, where: 'point' | 'page'): Case {
  return async (place, struck) => {
    const small = await smallVault(place.store);
    const forger = await Forger.of(place.store, small);
    const evil = { key, size: 9, sha256: sha256(Buffer.from('as it was')) };
    if (where === 'point') await forger.sealRoot(forger.root, undefined, [evil]);
    else {
      const refs = await forger.put((digest) => `pages/${digest}.refs.zst`, await writeRefs([evil]));
      await forger.sealRoot(forger.withObject({ ...forger.object('Contact'), refs }));
    }
    const folder = openFolder(place.at('vault'));
    for (const [name, body] of place.store.objects) await folder.putIfAbsent(name, body);
    const own = ['vault', 'copy'];
    const copy = openFolder(place.at('copy'));
    // Both folders are there before it is looked at what is around them.
    await copy.putIfAbsent('trust/0001', place.store.objects.get('trust/0001')!);
    const before = place.around(own);
    const vault = await open(folder, small);
    const found: string[] = [];
    const copied = await copyVault(contextAt(now), vault, copy, { deleteSwept: true });
    found.push(...copied.problems.map(({ problem }) => problem));
    const repaired = await repair(contextAt(now), vault, copy, false);
    found.push(...repaired.unhealed.map(({ problem }) => problem));
    assert.deepEqual(repaired.healed, []);
    const request = { points: 'all', noIdentity: false, attest: false, tool: 'test' } as const;
    if (!(await verify(contextAt(now), vault, request)).ok) found.push('verify');
    struck();
    assert.ok(
      found.includes('verify') && found.length > 2,
      `${JSON.stringify(key)} is told by all three: ${found.join('; ')}`,
    );
    assert.deepEqual(place.around(own), before);
  };
}

/** Where an object would be put stands a link that leads out. */
function linked(to: string): Case {
  return async (place, struck) => {
    const store = openFolder(place.at('vault'));
    await store.putIfAbsent('data/first', Buffer.from('ours'));
    symlinkSync(path.join(place.at('outside'), to), place.at('vault/data/link'));
    const before = place.around(['vault']);
    try {
      await store.putIfAbsent('data/link', Buffer.from('ours'));
    } catch (error) {
      if (!isFault(error)) throw error;
    }
    struck();
    assert.deepEqual(place.around(['vault']), before, 'nothing is written through the link');
    assert.ok(lstatSync(place.at('vault/data/link')).isSymbolicLink());
    assert.equal(await store.delete('data/link'), true);
    assert.deepEqual(place.around(['vault']), before, 'the link goes, and not what it leads to');
  };
}
