import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { encodeRows } from '../../rows/csv.ts';
import { metadataObject } from '../../vault/files-page.ts';
import type { LeftOut } from '../../vault/manifest.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { select, takesIn } from '../select/selection.ts';
import { Archive, type Entry, fillWhileRead } from './archive.ts';
import { csvOf } from './csv.ts';
import { Database } from './database.ts';
import { exportFiles, exportMetadata } from './files.ts';
import { OutputFile } from './output-file.ts';
import type { ExportManifest, ExportRequest, ExportResult, FilesExported, ObjectExported } from './request.ts';
import { type ObjectSource, objectSources, userOfPoint } from './rows.ts';
import { Workbook } from './workbook.ts';

/** What is written while it goes on. */
interface Work {
  readonly ctx: Context;
  readonly point: PointReader;
  readonly request: ExportRequest;
  readonly sources: readonly ObjectSource[];
  readonly notCovered: readonly LeftOut[];
  readonly file: OutputFile;
}

/** What was written. */
interface Written {
  readonly objects: readonly ObjectExported[];
  readonly files?: FilesExported;
}

/**
 * Writes rows of a point, and its files, into one file that other programs read. The file is whole and as told, or there is none. Needs an
 * identity. `before` is awaited with the names of the objects before their rows are read. Throws what it, `select` and the vault throw,
 * `nothing-selected`, `usage`, `disk-full`, `disk-error`.
 */
export async function exportPoint(
  ctx: Context,
  point: PointReader,
  request: ExportRequest,
  before: (objects: string[]) => Promise<void> = async () => {},
): Promise<ExportResult> {
  const file = await OutputFile.begin(request.to);
  try {
    const changedBy = request.changedBy === undefined ? undefined : await userOfPoint(point, request.changedBy);
    const selection = await select(point, request.selection, ctx.now());
    const sources = await objectSources(point, selection, request.fields, { changedBy, between: request.between });
    if (sources.length === 0 && !withMetadata(point, request)) {
      throw new Fault('nothing-selected', `the selection fits nothing that point ${point.root.point} holds`, {
        actions: ['select more: see --objects, --exclude, and `salvor show` for what the point holds'],
      });
    }
    const notCovered = leftOut(point, request, sources);
    await before(sources.map(({ object }) => object));
    ctx.report({ type: 'stage', stage: 'exporting', total: sources.length });
    const written = await writers[request.format]({ ctx, point, request, sources, notCovered, file });
    const { bytes, sha256 } = await file.commit();
    return {
      point: point.root.point,
      format: request.format,
      file: file.to,
      bytes,
      sha256,
      encryptedTo: request.recipients,
      ...written,
      notCovered,
    };
  } finally {
    await file.discard();
  }
}

const writers: Record<ExportRequest['format'], (work: Work) => Promise<Written>> = {
  csv: (work) =>
    zipped(work, async (archive) => {
      const objects: ObjectExported[] = [];
      for (const source of work.sources) {
        const read = new ReadRows(work, source);
        const csv = csvOf(source.fields, read.batches(), work.request.safeForSpreadsheets);
        const entry = await archive.add(`${source.object}.csv`, csv);
        objects.push(told(work, read, { rows: read.rows, ...entry }));
      }
      return { objects };
    }),
  xlsx: async (work) => {
    if (!work.request.files) {
      const archive = new Archive(new Date(work.point.root.ended));
      let objects: ObjectExported[] = [];
      const fill = async () => {
        objects = await fillWorkbook(work, archive);
      };
      await fillWhileRead(archive, fill, (stream) => work.file.write(stream, work.request.recipients));
      return { objects };
    }
    return zipped(work, async (archive) => {
      const inner = new Archive(new Date(work.point.root.ended));
      let objects: ObjectExported[] = [];
      let entry: Entry | undefined;
      const fill = async () => {
        objects = await fillWorkbook(work, inner);
      };
      await fillWhileRead(inner, fill, async (stream) => {
        entry = await archive.add('data.xlsx', stream, false);
      });
      return { objects, entries: [entry!] };
    });
  },
  sqlite: async (work) => {
    const { request, file } = work;
    const encrypted = request.recipients.length > 0;
    if (!request.files && !encrypted) return { objects: await fillDatabase(work, file.aside) };
    if (!request.files) {
      const { objects, bytes } = await databaseInMemory(work);
      await file.write(pieces(bytes), request.recipients);
      return { objects };
    }
    return zipped(work, async (archive) => {
      if (encrypted) {
        const { objects, bytes } = await databaseInMemory(work);
        return { objects, entries: [await archive.add('data.sqlite', pieces(bytes))] };
      }
      const aside = `${file.aside}.${randomBytes(4).toString('hex')}`;
      await (await open(aside, 'wx', 0o600)).close();
      try {
        const objects = await fillDatabase(work, aside);
        return { objects, entries: [await archive.add('data.sqlite', createReadStream(aside))] };
      } finally {
        await rm(aside, { force: true });
      }
    });
  },
};

/** A zip with what `fill` adds, the files, and the manifest behind all. */
async function zipped(
  work: Work,
  fill: (archive: Archive) => Promise<{ objects: readonly ObjectExported[]; entries?: readonly Entry[] }>,
): Promise<Written> {
  const { ctx, point, request, sources } = work;
  const archive = new Archive(new Date(point.root.ended));
  let written: Written = { objects: [] };
  const fillAll = async () => {
    const { objects, entries } = await fill(archive);
    const files = request.files ? await exportFiles(ctx, point, sources, archive) : undefined;
    written = { objects, ...(files ? { files } : {}) };
    const zips = withMetadata(point, request) ? await exportMetadata(point, archive) : [];
    const others = [...(entries ?? []), ...zips];
    const manifest = manifestOf(work, written, others.length > 0 ? others : undefined);
    await archive.add('manifest.json', pieces(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)));
  };
  await fillWhileRead(archive, fillAll, (stream) => work.file.write(stream, request.recipients));
  return written;
}

/** True when the zip also holds the org's metadata. */
function withMetadata({ root }: PointReader, { files, selection }: ExportRequest): boolean {
  return files && (root.metadata?.ids ?? []).length > 0 && takesIn(selection, metadataObject);
}

const listed = ['object', 'sheets', 'rows', 'columns', 'complete', 'reason', 'cut texts'];

/** A sheet for each object, and behind them one that says what they are. */
async function fillWorkbook(work: Work, archive: Archive): Promise<ObjectExported[]> {
  const workbook = new Workbook(archive);
  const objects: ObjectExported[] = [];
  for (const source of work.sources) {
    const read = new ReadRows(work, source);
    const { cut, sheets } = await workbook.add(source.object, source.fields, read.batches());
    objects.push(told(work, read, { rows: read.rows, sheets, ...(cut > 0 ? { cutCells: cut } : {}) }));
  }
  const manifest = manifestOf(work, { objects });
  const about = objects.map((one) => [
    ...[one.object, one.sheets!.join(', '), String(one.rows), String(one.columns.length), String(one.complete)],
    ...[one.reason ?? '', String(one.cutCells ?? 0)],
  ]);
  const facts = ['point', 'ended', 'vault', 'rootFingerprint', 'tool', 'made'] as const;
  about.push(...facts.map((name) => [name, String(manifest[name]), '', '', '', '', '']));
  about.push(['record', `${manifest.record.seq} ${manifest.record.digest}`, '', '', '', '', '']);
  about.push(['times', 'in UTC', '', '', '', '', '']);
  for (const { object, field, reason } of work.notCovered)
    about.push([field === undefined ? object : `${object}.${field}`, '', '', '', 'not covered', reason, '']);
  const columns = listed.map((name) => ({ name, type: 'string' }));
  await workbook.add('salvor', columns, once(encodeRows(about)));
  await workbook.end();
  return objects;
}

async function fillDatabase(work: Work, file: string): Promise<ObjectExported[]> {
  const database = await Database.open(file);
  try {
    return await fillTables(work, database);
  } finally {
    database.close();
  }
}

/** Nothing in plaintext may touch a disk when the file is to be encrypted. */
async function databaseInMemory(work: Work): Promise<{ objects: ObjectExported[]; bytes: Buffer }> {
  const database = await Database.open(undefined);
  try {
    return { objects: await fillTables(work, database), bytes: database.bytes() };
  } finally {
    database.close();
  }
}

async function fillTables(work: Work, database: Database): Promise<ObjectExported[]> {
  const objects: ObjectExported[] = [];
  for (const source of work.sources) {
    const read = new ReadRows(work, source);
    const rounded = await database.add(source.object, source.fields, read.batches());
    const found = { rows: read.rows, table: source.object, ...(rounded > 0 ? { roundedNumbers: rounded } : {}) };
    objects.push(told(work, read, found));
  }
  database.note('salvor_manifest', JSON.stringify(manifestOf(work, { objects })));
  return objects;
}

/** Rows of one object on their way, counted. */
class ReadRows {
  readonly source: ObjectSource;
  readonly #signal: AbortSignal;
  rows = 0;
  /** Of CSV. */
  bytes = 0;

  constructor({ ctx }: Work, source: ObjectSource) {
    this.source = source;
    this.#signal = ctx.signal;
  }

  async *batches(): AsyncGenerator<RowBatch> {
    for await (const batch of this.source.rows(this.#signal)) {
      this.rows += batch.ends.length;
      this.bytes += batch.bytes.length;
      yield batch;
    }
  }
}

function told(
  { ctx, point }: Work,
  { source: { object, fields }, rows, bytes }: ReadRows,
  found: Omit<ObjectExported, 'object' | 'columns' | 'complete'>,
): ObjectExported {
  const { complete, reason } = point.found(object);
  ctx.report({ type: 'object-finished', object, rows, bytes, segments: 0, complete: true });
  const columns = fields.map(({ name }) => name);
  return { object, columns, ...found, complete, ...(reason === undefined ? {} : { reason }) };
}

/** What of the selection the file does not hold: what the point does not, and bytes of files that are not asked for. */
function leftOut(point: PointReader, request: ExportRequest, sources: readonly ObjectSource[]): LeftOut[] {
  const { selection } = request;
  const lost = [
    ...point.failed().map(({ object, reason }) => ({ object, reason })),
    ...point.root.notCovered.filter(({ object, field }) => field === undefined || point.has(object)),
  ].filter(
    ({ object }) => takesIn(selection, object) && (!selection.ids || sources.some((one) => one.object === object)),
  );
  if (request.files) return lost;
  const reason = 'bytes of files are not in this export';
  const blobs = sources.flatMap(({ object, describe }) =>
    describe.fields.filter(({ type }) => type === 'base64').map(({ name }) => ({ object, field: name, reason })),
  );
  return [...lost, ...blobs];
}

function manifestOf(
  { ctx, point, request, notCovered }: Work,
  { objects, files }: Written,
  entries?: readonly Entry[],
): ExportManifest {
  const { root, entry, vault } = point;
  const { ids, ...selection } = request.selection;
  return {
    v: 1,
    tool: request.tool,
    made: ctx.now().toISOString(),
    vault: vault.info.vault,
    rootFingerprint: vault.trust.root.fingerprint,
    point: root.point,
    ended: root.ended,
    record: { seq: entry.seq, digest: entry.digest },
    org: { id: root.org.id, name: root.org.name, isSandbox: root.org.isSandbox },
    format: request.format,
    selection: {
      ...selection,
      ...(ids ? { ids: ids.size } : {}),
      fields: request.fields,
      changedBy: request.changedBy,
      between: request.between && [request.between.from, request.between.to].map(timeText),
    },
    objects,
    ...(files ? { files } : {}),
    ...(entries ? { entries } : {}),
    notCovered,
  };
}

function timeText(time: number): string | null {
  return Number.isFinite(time) ? new Date(time).toISOString() : null;
}

async function* once(batch: RowBatch): AsyncGenerator<RowBatch> {
  yield batch;
}

const pieceBytes = 1024 * 1024;

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Why an export is not the point to the last character: texts that its cells cannot hold. */
export function cutTexts({ objects }: Pick<ExportResult, 'objects'>): Fault | undefined {
  const cut = objects.filter(({ cutCells = 0 }) => cutCells > 0);
  if (cut.length === 0) return undefined;
  const sum = cut.reduce((total, { cutCells = 0 }) => total + cutCells, 0);
  return new Fault(
    'texts-cut',
    `${sum} ${sum === 1 ? 'text is' : 'texts are'} longer than a cell of a workbook may be, and cut at 32,767 characters, in ${cut.map(({ object }) => object).join(', ')}`,
  );
}
