import type { Decision } from './decide.ts';
import type { Locks } from './locks.ts';
import type { Policy } from './policy.ts';

export interface PruneRequest {
  readonly policy: Policy;
  /** So many points stay whatever the policy says. */
  readonly minPoints: number;
  /** How long a retired point can still come back, in milliseconds. */
  readonly grace: number;
  /** More than a quarter of the points may be retired in one run. */
  readonly allowLarge: boolean;
  /** The locks of what stays are lengthened; nothing of it happens in a dry run. */
  readonly extendLocks: boolean;
  /** False: a dry run; nothing is written. */
  readonly confirmed: boolean;
  /** A head that was noted before: the log must still hold it. */
  readonly expectHead?: { readonly seq: number; readonly digest: string } | undefined;
  readonly tool: string;
}

export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

/** `result` of `salvor prune --json`. */
export interface PruneResult {
  readonly dryRun: boolean;
  /** Newest first. */
  readonly points: readonly (Decision & { readonly retire: boolean })[];
  /** Points that were retired before and can still come back, with the end of their grace. */
  readonly inGrace: readonly { readonly id: string; readonly until: string }[];
  /** Points whose grace is over: what only they reach is let go. */
  readonly due: readonly string[];
  /** What only retired points and points to be retired reach. */
  readonly frees: Amount;
  /** What was deleted in this run, what the store refused to delete (a lock, no permission), and what was spared since a newer point reaches it. */
  readonly deleted: Amount;
  readonly refused: Amount;
  readonly spared: Amount;
  /** Locks that were lengthened, where that was asked for. */
  readonly locks?: Locks;
  /** Why the same run with --confirm-prune would be refused. */
  readonly obstacles: readonly { readonly name: string; readonly message: string }[];
  /** The log's end after this run. */
  readonly head: { readonly seq: number; readonly digest: string };
}
