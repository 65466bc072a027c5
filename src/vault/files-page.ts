import { Fault } from '../errors.ts';
import { cells } from '../rows/cells.ts';
import { splitRows } from '../rows/split.ts';
import type { Ref } from './record.ts';
import { openBytes } from './sealed.ts';
import type { Vault } from './vault.ts';

export const filesColumns = ['Object', 'Id', 'Field', 'Size', 'Sha256', 'Stored', 'Entry'] as const;

/** Under which names the zips of the org's metadata stand in a files page; `Id` is that of the retrieval. */
export const metadataObject = 'Metadata';
export const metadataField = 'zipFile';

/** A line of a files page. */
export interface FileEntry {
  readonly object: string;
  readonly id: string;
  readonly field: string;
  readonly size: number;
  readonly sha256: string;
  /** Keys: one pack, or the parts of a large file in order. */
  readonly stored: readonly string[];
  readonly entry: string;
}

/** Lines of one page: a run ends a page behind 2,000 and the pack that holds the last, of which the smallest files make some ten thousand. */
const mostEntries = 100_000;
/** Characters of the keys of one file: some thousands of parts. */
const longestStored = 1024 * 1024;

/** Which files a page names. Takes the writer key or an identity. Throws `segment-invalid` for what is no such page. */
export async function filesOf(vault: Vault, page: Ref): Promise<FileEntry[]> {
  const csv = await openBytes(page.key, await vault.read(page), await vault.manifestIdentities());
  const files: FileEntry[] = [];
  for await (const batch of splitRows([csv], { columns: filesColumns, strict: true, fault: 'segment-invalid' })) {
    for (let i = 0; i < batch.ends.length; i++) {
      const [object, id, field, size, sha256, stored, entry] = cells(batch, i) as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const invalid = (what: string) =>
        new Fault('segment-invalid', `${page.key} ${what}`, { data: { key: page.key } });
      if (!/^\d{1,15}$/.test(size)) throw invalid('names a file without its size');
      if (stored.length > longestStored) throw invalid('names a file in more parts than any has');
      if (files.length === mostEntries) throw invalid(`names more than ${mostEntries} files`);
      files.push({ object, id, field, size: Number(size), sha256, stored: stored.split(' '), entry });
    }
  }
  return files;
}
