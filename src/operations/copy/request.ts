import type { Head } from '../../vault/log.ts';

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
  /** What is damaged: in the vault, where it is not copied, or in the copy. */
  readonly problems: readonly { readonly key: string; readonly problem: string }[];
  /** The end of the copy's log. */
  readonly head: Pick<Head, 'seq' | 'digest'>;
  /** The points that are in use in the copy. */
  readonly points: number;
}
