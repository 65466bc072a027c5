import type { Context } from '../../context.ts';
import { type Fault, isFault } from '../../errors.ts';
import { encodeTable } from '../../rows/split.ts';
import type { Org } from '../../salesforce/org.ts';
import { filesColumns, filesOf } from '../../vault/files-page.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import type { FileList, WantedFile } from './file-list.ts';
import { FileWriter, type StoredFile } from './files.ts';

/** Entries of one files page. */
const entriesPerPage = 2000;
const parallel = 5;
/** This many failed files of one object are named in its reason. */
const namedFailures = 5;

export interface FilesPage {
  readonly page: Ref;
  readonly refs: Ref;
  readonly count: number;
  readonly bytes: number;
  /** Objects under `files/` that the page names. */
  readonly stored: readonly Ref[];
}

export interface FilesResult {
  readonly pages: readonly FilesPage[];
  /** Object -> what could not be fetched. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Fetches the files of all objects, several at once, and writes their pages; `onPage` is called when a page stands in the vault.
 * A file that cannot be fetched is a failure of its object and does not stop the others.
 */
export async function storeFiles(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  lists: readonly FileList[],
  done: ReadonlySet<string>,
  onPage: (page: FilesPage) => Promise<void>,
): Promise<FilesResult> {
  const files = new FileWriter(ctx, org, writer);
  const pages: FilesPage[] = [];
  const failed = new Map<string, string[]>();
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  let entries: StoredFile[] = [];
  let count = done.size;
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = () => {
    if (entries.length === 0) return;
    const page = entries;
    entries = [];
    writing = writing.then(async () => {
      const written = await writePage(writer, page, ctx.signal);
      pages.push(written);
      await onPage(written);
    });
  };
  const keep = (stored: readonly StoredFile[]) => {
    entries.push(...stored);
    count += stored.length;
    bytes += stored.reduce((sum, { size }) => sum + size, 0);
    if (stored.length > 0) ctx.report({ type: 'files-progress', count, bytes, total });
    if (entries.length >= entriesPerPage) flush();
  };
  const one = async (file: WantedFile) => {
    try {
      keep(await files.fetch(file));
    } catch (error) {
      if (!isFileFault(error)) throw error;
      failed.set(file.object, [...(failed.get(file.object) ?? []), `${file.id}: ${error.message}`]);
    }
  };
  const queue = wantedFiles(lists, done);
  const workers = Array.from({ length: parallel }, async () => {
    for (const file of queue) {
      ctx.signal.throwIfAborted();
      await one(file);
    }
  });
  const outcomes = await Promise.allSettled(workers);
  const broken = outcomes.find((outcome) => outcome.status === 'rejected');
  // What was fetched is kept for the next run also when this one has to stop.
  keep(await files.end());
  flush();
  await writing;
  if (broken) throw broken.reason;
  return { pages, failures: new Map([...failed].map(([object, reasons]) => [object, reasonOf(reasons)])) };
}

/**
 * Of the files pages of an interrupted run, oldest first, those that are still true, and the files that they name. Pages are never
 * rewritten, so a page is left out as a whole, and its files are fetched again, when the row of one of them was changed at or after
 * `since` or now says another length, or when a newer page names one of them too.
 */
export async function stillTrue<Page extends { readonly page: Ref }>(
  vault: Vault,
  pages: readonly Page[],
  lists: readonly FileList[],
  since: number,
): Promise<{ readonly pages: readonly Page[]; readonly done: ReadonlySet<string> }> {
  if (pages.length === 0) return { pages, done: new Set() };
  const now = new Map<string, WantedFile>();
  for (const list of lists) for (const file of list.wanted()) now.set(fileKey(file.object, file.id, file.field), file);
  const kept: Page[] = [];
  const done = new Set<string>();
  for (const page of [...pages].reverse()) {
    const files = (await filesOf(vault, page.page)).map((file) => ({
      ...file,
      key: fileKey(file.object, file.id, file.field),
    }));
    const isTrue = ({ key, size }: (typeof files)[number]) => {
      const row = now.get(key);
      return !done.has(key) && (row === undefined || ((row.stamp ?? 0) < since && (row.size ?? size) === size));
    };
    if (!files.every(isTrue)) continue;
    kept.unshift(page);
    for (const { key } of files) done.add(key);
  }
  return { pages: kept, done };
}

function* wantedFiles(lists: readonly FileList[], done: ReadonlySet<string>): Generator<WantedFile> {
  for (const list of lists) {
    for (const file of list.wanted()) if (!done.has(fileKey(file.object, file.id, file.field))) yield file;
  }
}

function isFileFault(error: unknown): error is Fault {
  return isFault(error, 'count-mismatch', 'object-refused', 'permission-missing', 'org-refused', 'no-such-record');
}

function reasonOf(reasons: readonly string[]): string {
  const more = reasons.length > namedFailures ? ` and ${reasons.length - namedFailures} more` : '';
  return `${reasons.length} files could not be fetched: ${reasons.slice(0, namedFailures).join('; ')}${more}`;
}

export function fileKey(object: string, id: string, field: string): string {
  return `${object} ${id} ${field}`;
}

/** A files page of these entries, and the list of what it needs. */
export async function writePage(
  writer: PointWriter,
  entries: readonly StoredFile[],
  signal: AbortSignal,
): Promise<FilesPage> {
  const sorted = [...entries].sort((a, b) =>
    fileKey(a.file.object, a.file.id, a.file.field) < fileKey(b.file.object, b.file.id, b.file.field) ? -1 : 1,
  );
  const csv = encodeTable(
    filesColumns,
    sorted.map(({ file, size, sha256, stored, entry }) => [
      file.object,
      file.id,
      file.field,
      String(size),
      sha256,
      stored.map(({ key }) => key).join(' '),
      entry,
    ]),
  );
  const stored = [...new Map(entries.flatMap((one) => one.stored).map((ref) => [ref.key, ref])).values()];
  const written = await writer.putFiles(csv, stored, signal);
  return { ...written, stored, count: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
}
