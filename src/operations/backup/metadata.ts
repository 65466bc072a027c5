import type { Context } from '../../context.ts';
import { isFault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import { metadataField, metadataObject } from '../../vault/files-page.ts';
import type { LeftOut, Root } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { WantedFile } from './file-list.ts';
import { type FilesPage, writePage } from './file-pages.ts';
import { FileWriter, type StoredFile } from './files.ts';

/** The org's metadata in a point, or why it is not there. */
export interface MetadataStored {
  /** What the root says of it. */
  readonly told: NonNullable<Root['metadata']>;
  /** undefined: nothing was stored. */
  readonly page: FilesPage | undefined;
  /** Components that the org did not hand out. */
  readonly notCovered: readonly LeftOut[];
}

/**
 * Retrieves the org's metadata and stores its zips as files of the pseudo object `Metadata`. What the org refuses is told in the result, and
 * what ends the run is thrown.
 */
export async function storeMetadata(ctx: Context, org: Org, writer: PointWriter): Promise<MetadataStored> {
  ctx.report({ type: 'stage', stage: 'retrieving metadata' });
  const stored: StoredFile[] = [];
  const notCovered: LeftOut[] = [];
  let components = 0;
  let reason: string | undefined;
  try {
    for await (const zip of org.metadata()) {
      // As small files wait for a pack to fill up, each zip has a writer of its own.
      const files = new FileWriter(ctx, { blob: () => zip.bytes }, writer);
      stored.push(...(await files.fetch(wanted(zip.id))), ...(await files.end()));
      components += zip.components;
      for (const { name, reason: why } of zip.problems())
        notCovered.push({ object: metadataObject, field: name, reason: why || 'the org does not say why' });
    }
  } catch (error) {
    reason = refusal(error);
  }
  const page = stored.length > 0 ? await writePage(writer, stored, ctx.signal) : undefined;
  if (reason !== undefined) notCovered.push({ object: metadataObject, reason });
  return {
    told: {
      components,
      bytes: stored.reduce((sum, { size }) => sum + size, 0),
      ids: stored.map(({ file }) => file.id),
      ...(page && { page: page.page.key }),
      complete: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    },
    page,
    notCovered,
  };
}

/** What a run with the org's metadata would add: API calls, estimated, and that the org does not hand it out. */
export async function foreseeMetadata(org: Org): Promise<{ calls: number; notCovered: LeftOut[] }> {
  try {
    return { calls: await org.metadataCalls(), notCovered: [] };
  } catch (error) {
    return { calls: 1, notCovered: [{ object: metadataObject, reason: refusal(error) }] };
  }
}

/** Why the org does not hand its metadata out. Throws what is no such answer. */
function refusal(error: unknown): string {
  if (isFault(error, 'object-refused', 'permission-missing', 'org-refused', 'count-mismatch')) return error.message;
  throw error;
}

function wanted(id: string): WantedFile {
  return { object: metadataObject, id, field: metadataField, size: undefined, md5: undefined, stamp: undefined };
}
