import { createHash } from 'node:crypto';
import { seal, sealStream } from '../../src/age/file.ts';
import { newAgeIdentity } from '../../src/age/keys.ts';
import type { Context } from '../../src/context.ts';
import type { Event } from '../../src/events.ts';
import { goneColumns } from '../../src/operations/backup/rows.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { encodeTable } from '../../src/rows/split.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { schemaPrint } from '../../src/schema/print.ts';
import type { Store } from '../../src/store/store.ts';
import { createVault } from '../../src/vault/create.ts';
import { type FileEntry, filesColumns } from '../../src/vault/files-page.ts';
import { filePart } from '../../src/vault/layout.ts';
import type { Detail, MapPage, Root, RootObject, SegmentRef } from '../../src/vault/manifest.ts';
import { PointWriter } from '../../src/vault/point.ts';
import type { Ref } from '../../src/vault/record.ts';
import { Run } from '../../src/vault/run.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { type ArrangedRows, writeSegments } from '../../src/vault/segment.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { tarEnd, tarEntry } from '../../src/vault/tar.ts';
import { Vault } from '../../src/vault/vault.ts';

export interface SmallVault {
  readonly identity: string;
  readonly writerKey: string;
  readonly rootFingerprint: string;
  /** Ids of its two points, oldest first. */
  readonly points: readonly string[];
  readonly head: { readonly seq: number; readonly digest: string };
}

type Table = readonly (readonly string[])[];

/** What a point of the small vault holds of one object, and lies that a test wants told about it. */
export interface SmallObject {
  readonly describe: ObjectDescribe;
  /** Each stretch becomes a segment; cells in the order of the describe's fields. */
  readonly stretches: readonly Table[];
  readonly gone?: Table;
  /** Changes the page before it is written. */
  readonly page?: (page: MapPage) => MapPage;
  readonly detail?: (detail: Detail) => Detail;
}

export interface SmallPoint {
  readonly objects: readonly SmallObject[];
  readonly files?: boolean;
  readonly filesPage?: (entries: FileEntry[]) => FileEntry[];
  readonly root?: (root: Root) => Root;
  /** Object -> the page and list of an earlier point, to be listed again. */
  readonly shared?: ReadonlyMap<string, RootObject>;
  /** The point that it builds on. */
  readonly parent?: string;
}

export function id(prefix: string, n: number): string {
  return `${prefix}${String(n).padStart(12, '0')}AAA`;
}

function describeOf(name: string, keyPrefix: string, fields: readonly (readonly [string, string, string[]?])[]) {
  return {
    name,
    label: name,
    keyPrefix,
    fields: fields.map(([field, type, referenceTo = []]) => ({ name: field, type, length: 18, referenceTo })),
  } as unknown as ObjectDescribe;
}

const system = [
  ['Id', 'id'],
  ['SystemModstamp', 'datetime'],
] as const;
export const account = describeOf('Account', '001', [
  ...system,
  ['Name', 'string'],
  ['ParentId', 'reference', ['Account']],
  ['OwnerId', 'reference', ['User']],
]);
export const contact = describeOf('Contact', '003', [
  ...system,
  ['LastName', 'string'],
  ['AccountId', 'reference', ['Account']],
]);
export const attachment = describeOf('Attachment', '00P', [
  ...system,
  ['Name', 'string'],
  ['ParentId', 'reference', ['Account', 'Contact', 'Case']],
]);

const stamp = '2026-11-20T08:00:00.000Z';
const owner = id('005', 1);

/** Five accounts in two segments; two of them under a third. */
export const accounts: SmallObject = {
  describe: account,
  stretches: [
    [
      [id('001', 1), stamp, 'Acme "quoted", with\nlines', '', owner],
      [id('001', 2), stamp, 'Globex', id('001', 1), owner],
    ],
    [
      [id('001', 3), stamp, 'Initech', id('001', 1), owner],
      [id('001', 4), stamp, 'Umbrella', '', owner],
      [id('001', 5), stamp, 'null', '', owner],
    ],
  ],
};
/** One of the contacts is of an account that is gone. */
export const contacts = (lastName: string): SmallObject => ({
  describe: contact,
  stretches: [
    [
      [id('003', 1), stamp, lastName, id('001', 1)],
      [id('003', 2), stamp, 'Ångström', id('001', 4)],
      [id('003', 3), stamp, 'Orphan', id('001', 9)],
    ],
  ],
  gone: [[id('003', 8), stamp, owner, '', 'recycle bin']],
});
/** Of an account, a contact and a case, which the point does not have. */
export const attachments: SmallObject = {
  describe: attachment,
  stretches: [
    [
      [id('00P', 1), stamp, 'a.txt', id('001', 1)],
      [id('00P', 2), stamp, 'b.txt', id('003', 2)],
      [id('00P', 3), stamp, 'large.bin', id('500', 1)],
    ],
  ],
};

/**
 * A vault of a few kB with two points: objects with lookups, tombstones, a pack with two files, a file in two parts, and the journal of
 * a run that never ended. The second point shares the page of Account with the first.
 */
export async function smallVault(
  store: Store,
  second: Partial<SmallPoint> = {},
  pointIds = ['20261120T080000Z-00000a', '20261121T080000Z-00000b'],
): Promise<SmallVault> {
  const { identity, recipient } = await newAgeIdentity();
  const now = new Date('2026-11-20T07:00:00Z');
  const { writerKey, rootFingerprint } = await createVault(store, {
    recipients: [recipient],
    probe: { conditionalCreate: true },
    tool: 'test',
    now,
  });
  const vault = await Vault.open(store, { operation: 'write', writerKey, rootFingerprint });
  const first = await writePoint(vault, pointIds[0]!, {
    objects: [accounts, contacts('Smith'), attachments],
    files: true,
  });
  const { head } = await writePoint(vault, pointIds[1]!, {
    objects: [contacts('Smith-Jones'), attachments],
    files: true,
    shared: new Map(first.root.objects.filter(({ object }) => object === 'Account').map((one) => [one.object, one])),
    ...second,
  });
  const run = new Run(
    { store, vault: vault.info.vault, recipients: [recipient], signer: vault.keyring.writerSigner() },
    '20261122T080000Z-00000c',
  );
  await run.append({ type: 'start' });
  return { identity, writerKey, rootFingerprint, points: pointIds, head };
}

/** Writes and seals one point through the vault's own writer. */
export async function writePoint(
  vault: Vault,
  point: string,
  given: SmallPoint,
): Promise<{ root: Root; head: { seq: number; digest: string } }> {
  const writer = new PointWriter(vault, point, await vault.epoch());
  if (given.parent !== undefined) await writer.buildsOn(given.parent);
  const written: Ref[] = [];
  const schema = await schemaPage(
    writer,
    given.objects.map(({ describe }) => describe),
  );
  const objects: RootObject[] = [...(given.shared?.values() ?? [])];
  for (const object of given.objects) objects.push(await writeObject(writer, object, schema, written));
  const sharedSchemas = given.shared ? await schemasOf(vault, [...given.shared.values()]) : [];
  const files = given.files ? await writeFiles(writer, written, given.filesPage) : undefined;
  const times = { started: '2026-11-20T08:00:00.000Z', ended: '2026-11-20T08:05:00.000Z' };
  const root: Root = {
    v: 1,
    vault: vault.info.vault,
    point,
    org: {
      id: '00D000000000001AAA',
      instanceUrl: 'https://example.my.salesforce.com',
      name: 'Example',
      isSandbox: false,
      username: 'backup@example.com',
      apiVersion: '67.0',
    },
    kind: 'full',
    status: 'complete',
    suspect: false,
    ...times,
    tags: [],
    policy: { objects: ['*'], exclude: [] },
    objects: objects.sort((a, b) => (a.object < b.object ? -1 : 1)),
    schema: [schema.page, ...sharedSchemas],
    files: files ?? { count: 0, bytes: 0, pages: [], refs: [] },
    notCovered: [],
    coverage: 100,
    apiCalls: 10,
    rows: objects.reduce((sum, { rows }) => sum + rows, 0),
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const changed = given.root?.(root) ?? root;
  const head = await writer.seal(changed, written, vault.keyring.writerSigner(), 'test');
  return { root: changed, head };
}

interface Schemas {
  readonly page: Ref;
  readonly prints: ReadonlyMap<string, string>;
}

async function schemaPage(writer: PointWriter, described: readonly ObjectDescribe[]): Promise<Schemas> {
  const objects = described.map((describe) => ({ print: schemaPrint(describe), describe: { ...describe } }));
  const page = await writer.putSchema({ v: 1, objects });
  return { page, prints: new Map(objects.map(({ print, describe }) => [describe.name, print])) };
}

async function schemasOf(vault: Vault, objects: readonly RootObject[]): Promise<Ref[]> {
  const maps = await Promise.all(objects.map(({ page }) => vault.map(page!)));
  return [...new Map(maps.map(({ schema }) => [schema.page.key, schema.page])).values()];
}

async function writeObject(
  writer: PointWriter,
  object: SmallObject,
  schema: Schemas,
  written: Ref[],
): Promise<RootObject> {
  const { describe, stretches, gone = [] } = object;
  const columns = describe.fields.map(({ name }) => name);
  const base: SegmentRef[] = [];
  const noted: Detail['segments'] = [];
  const flow = (async function* (): AsyncGenerator<ArrangedRows> {
    for (const stretch of stretches) yield { batch: encodeRows(stretch), cut: true };
  })();
  const { rows: recipients, manifest: indexRecipients } = writer.recipients;
  for await (const made of writeSegments(columns, flow, { recipients, indexRecipients })) {
    const index = await writer.putNumbered('indexTwin', made.index!.body, made.index!.sha256);
    const ref = await writer.putNumbered('segment', made.body, made.sha256);
    base.push({ ...ref, rows: made.rows, bytes: made.bytes, index });
    noted.push({
      key: ref.key,
      columns: [...columns],
      rows: made.rows,
      minId: made.minId,
      maxId: made.maxId,
      plainSha256: made.plainSha256,
      blocks: made.blocks.map((one) => [one.offset, one.length, one.rows, one.bytes, one.firstId ?? '']),
    });
  }
  const tombstones: SegmentRef[] = [];
  if (gone.length > 0) {
    const csv = encodeTable(goneColumns, gone);
    const body = await sealBytes(csv, indexRecipients);
    tombstones.push({
      ...(await writer.putNumbered('gone', body, sha256(body))),
      rows: gone.length,
      bytes: csv.length,
    });
  }
  const detail: Detail = { v: 1, object: describe.name, segments: noted };
  const rows = base.reduce((sum, one) => sum + one.rows, 0);
  const bytes = base.reduce((sum, one) => sum + one.bytes, 0);
  const page: MapPage = {
    v: 1,
    object: describe.name,
    columns,
    hasId: true,
    stamp: 'SystemModstamp',
    watermark: '2026-11-20T08:00:00.000Z',
    window: { from: null, to: '2026-11-20T08:01:00.000Z' },
    way: 'bulk',
    rows,
    deleted: gone.length,
    bytes,
    base,
    deltas: [],
    gone: tombstones,
    detail: [await writer.putDetail(object.detail?.(detail) ?? detail)],
    schema: { print: schema.prints.get(describe.name)!, page: schema.page },
    counted: { before: rows, after: rows, changes: 0 },
    complete: true,
  };
  const { page: map, refs } = await writer.putMap(object.page?.(page) ?? page);
  written.push(...base, ...base.flatMap(({ index }) => index ?? []), ...tombstones);
  return {
    object: describe.name,
    page: map,
    refs,
    rows,
    changed: rows,
    deleted: gone.length,
    segments: base.length,
    bytes,
    path: 'bulk',
    complete: true,
  };
}

/** The bytes of the two small files and of the large one, which is cut into two parts. */
export const fileContents = [Buffer.from('first file\n'), Buffer.from('second file\n'), Buffer.alloc(400, 'large ')];

async function writeFiles(
  writer: PointWriter,
  written: Ref[],
  change: SmallPoint['filesPage'] = (entries) => entries,
): Promise<Root['files']> {
  const [one, two, large] = fileContents as [Buffer, Buffer, Buffer];
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const tar = await seal(writer.recipients.rows, [...tarEntry('1', one), ...tarEntry('2', two), tarEnd]);
  const pack = await writer.putNumbered('pack', tar, sha256(tar));
  const sealed: Buffer[] = [];
  for await (const piece of sealStream(writer.recipients.rows, [large])) sealed.push(piece);
  const whole = Buffer.concat(sealed);
  const number = writer.number('pack');
  const parts: Ref[] = [];
  for (const body of [whole.subarray(0, 250), whole.subarray(250)]) {
    parts.push(await writer.put(filePart(writer.point, number, parts.length + 1, sha256(body)), body));
  }
  written.push(pack, ...parts);
  const entry = (n: number, content: Buffer, stored: readonly Ref[], name: string): FileEntry => ({
    object: 'Attachment',
    id: id('00P', n),
    field: 'Body',
    size: content.length,
    sha256: digest(content),
    stored: stored.map(({ key }) => key),
    entry: name,
  });
  const entries = change([entry(1, one, [pack], '1'), entry(2, two, [pack], '2'), entry(3, large, parts, '')]);
  const csv = encodeTable(
    filesColumns,
    entries.map((file) => [
      file.object,
      file.id,
      file.field,
      String(file.size),
      file.sha256,
      file.stored.join(' '),
      file.entry,
    ]),
  );
  const { page, refs } = await writer.putFiles(csv, [pack, ...parts]);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { count: entries.length, bytes, pages: [page], refs: [refs] };
}

/** A context that keeps its events. */
export function recordingContext(signal = new AbortController().signal): Context & { readonly events: Event[] } {
  const events: Event[] = [];
  return {
    signal,
    events,
    report: (event) => events.push(event),
    now: () => new Date('2026-11-23T10:00:00Z'),
    tempDir: '/nonexistent',
  };
}
