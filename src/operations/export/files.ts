import type { Context } from '../../context.ts';
import { cellsAt } from '../../rows/cells.ts';
import { encodeHeader, encodeRow } from '../../rows/csv.ts';
import { type FileEntry, metadataField, metadataObject } from '../../vault/files-page.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { Archive, Entry } from './archive.ts';
import { fileName, nameColumns } from './file-names.ts';
import type { FilesExported } from './request.ts';
import type { ObjectSource } from './rows.ts';

export const filesList = 'files.csv';

interface FileOfRow {
  readonly object: string;
  readonly id: string;
  readonly field: string;
  readonly path: string;
  /** Undefined: the point has no bytes. */
  readonly entry: FileEntry | undefined;
}

/**
 * Adds the files of the exported rows, each as `files/<object>/<Id>/<its name>` in its original bytes, and behind them `files.csv`, which lists
 * them with size and SHA-256. Rows are read twice, so that no list of the files has to be kept.
 */
export async function exportFiles(
  ctx: Context,
  point: PointReader,
  sources: readonly ObjectSource[],
  archive: Archive,
): Promise<FilesExported> {
  const found = { count: 0, bytes: 0, missing: 0 };
  let told = ctx.now().getTime();
  for await (const { object, id, field, path, entry } of filesOfRows(ctx, point, sources)) {
    if (!entry) {
      found.missing++;
      continue;
    }
    // Most formats are compressed already, and a deflate for each of very many files is slow and leaves memory behind.
    await archive.add(path, (await point.file(object, id, field))!, false);
    found.count++;
    found.bytes += entry.size;
    if (ctx.now().getTime() - told < 1000) continue;
    told = ctx.now().getTime();
    ctx.report({ type: 'files-progress', count: found.count, bytes: found.bytes });
  }
  ctx.report({ type: 'files-progress', count: found.count, bytes: found.bytes, total: found.count });
  const { sha256 } = await archive.add(filesList, listOf(filesOfRows(ctx, point, sources)));
  return { ...found, list: filesList, sha256 };
}

/** The org's metadata as the Metadata API gave it: `metadata.zip`, and `metadata-2.zip` where it took more than one. */
export async function exportMetadata(point: PointReader, archive: Archive): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const [i, id] of (point.root.metadata?.ids ?? []).entries()) {
    const name = i === 0 ? 'metadata.zip' : `metadata-${i + 1}.zip`;
    entries.push(await archive.add(name, (await point.file(metadataObject, id, metadataField))!, false));
  }
  return entries;
}

async function* listOf(files: AsyncIterable<FileOfRow>): AsyncGenerator<Buffer> {
  yield encodeHeader(['Object', 'Id', 'Field', 'Size', 'Sha256', 'Path']);
  for await (const { object, id, field, path, entry } of files) {
    const stored = entry ? [String(entry.size), entry.sha256, path] : ['', '', ''];
    yield Buffer.from(encodeRow([object, id, field, ...stored]));
  }
}

async function* filesOfRows(
  ctx: Context,
  point: PointReader,
  sources: readonly ObjectSource[],
): AsyncGenerator<FileOfRow> {
  for (const { object, describe, rows } of sources) {
    const blobs = describe.fields.filter(({ type }) => type === 'base64').map(({ name }) => name);
    if (blobs.length === 0) continue;
    const names = nameColumns(describe, (await point.map(object)).columns);
    const columns = ['Id', ...names];
    for await (const batch of rows(ctx.signal, columns)) {
      for (const row of batch.ends.keys()) {
        const [id = '', ...cells] = cellsAt(batch, row, [...columns.keys()]);
        for (const field of blobs) {
          ctx.signal.throwIfAborted();
          const name = fileName(object, names, cells, field);
          const path = `files/${object}/${id}/${blobs.length > 1 ? `${field}/` : ''}${name}`;
          yield { object, id, field, path, entry: await point.fileEntry(object, id, field) };
        }
      }
    }
  }
}
