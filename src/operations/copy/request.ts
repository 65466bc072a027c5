import type { Head } from '../../vault/log.ts';

/** What is damaged or missing, and how. */
export interface Problem {
  readonly key: string;
  readonly problem: string;
}

/** `result` of `salvor copy --json`. */
export interface CopyResult {
  readonly vaultId: string;
  /** Objects put into the copy by this run; those that were there already. */
  readonly copied: { readonly objects: number; readonly bytes: number };
  readonly there: { readonly objects: number; readonly bytes: number };
  /** Records of the log that this run added. */
  readonly records: number;
  /** Objects that the log let go and that this run deleted in the copy. */
  readonly deleted: { readonly objects: number; readonly bytes: number };
  /** What is damaged or missing: in the vault, whence it is not copied, or in the copy. */
  readonly problems: readonly Problem[];
  /** Points that lack in the copy some of what `problems` names, or whose own record is damaged there. */
  readonly notWhole: readonly string[];
  /** Records of the log that are damaged or missing in the vault and not in the copy either: what they say, points among it, is in none of both. */
  readonly lostRecords: readonly string[];
  /** The end of the copy's log. */
  readonly head: Pick<Head, 'seq' | 'digest'>;
  /** The points that are in use in the copy. */
  readonly points: number;
}
