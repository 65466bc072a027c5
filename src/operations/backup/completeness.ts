import type { Permissions } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { Incompleteness, RootObject } from '../../vault/manifest.ts';

/** What the org counted around the read of one object. null: it refuses to count this object. */
export interface Counted {
  readonly before: number | null;
  readonly after: number | null;
  /** Rows stamped since `before` was taken, those in the bin included; null: not to be counted. */
  readonly changes: number | null;
}

export interface Verdict {
  readonly complete: boolean;
  readonly incomplete?: Incompleteness;
  readonly reason?: string;
}

/**
 * Whether the live rows that were read are all that the org has (vault format 5): their number lies between the counts before and
 * after, widened by what changed meanwhile. An object that the org refuses to count stands on the counts of its pages and
 * job alone, which the read has checked already.
 */
export function judgeCount(rows: number, counted: Counted): Verdict {
  const counts = [counted.before, counted.after].filter((count) => count !== null);
  if (counts.length === 0) return { complete: true };
  const slack = counted.changes ?? 0;
  const low = Math.min(...counts) - slack;
  const high = Math.max(...counts) + slack;
  if (rows >= low && rows <= high) return { complete: true };
  const range = low === high ? `${low}` : `between ${low} and ${high}`;
  return { complete: false, incomplete: 'unproven', reason: `${rows} rows were read and the org counts ${range}` };
}

export const fileObjects = new Set(['ContentDocument', 'ContentVersion', 'ContentDocumentLink']);

/** What the user's permissions hide without any error: rows, files, and letters behind a mask (field guide, extract 1.8). */
export function judgeVisibility({ name, fields }: ObjectDescribe, permissions: Permissions): Verdict {
  if (!permissions.viewAllData) {
    return {
      complete: false,
      incomplete: 'visibility',
      reason: 'the user lacks View All Data: sharing rules may hide rows',
    };
  }
  if (fileObjects.has(name) && !permissions.queryAllFiles) {
    return {
      complete: false,
      incomplete: 'visibility',
      reason: "the user lacks Query All Files: other users' files may be hidden",
    };
  }
  const masked = fields.filter(({ type }) => type === 'encryptedstring').map((field) => field.name);
  if (masked.length > 0 && !permissions.viewEncryptedData) {
    return {
      complete: false,
      incomplete: 'visibility',
      reason: `the user lacks View Encrypted Data: ${masked.join(', ')} came masked`,
    };
  }
  return { complete: true };
}

/** An object that is incomplete for want of a permission, with the reason as it is now: of several that were lacking, some may have been given since it was read. */
export function seenNow(
  object: RootObject,
  describe: ObjectDescribe | undefined,
  permissions: Permissions,
): RootObject {
  if (object.incomplete !== 'visibility' || !describe) return object;
  const { reason } = judgeVisibility(describe, permissions);
  return reason === undefined ? object : { ...object, reason };
}
