import type { LogEntry } from '../../vault/log.ts';
import type { Certificate, Rehearsed } from '../rehearse/certificate.ts';
import type { OrgCompared } from './org-request.ts';

/** The steps of the ladder, in their order. Each proves something that the ones before do not. */
export const rungs = [
  /** Signatures, roles and chain of the log; trust; digests of wrapped keys and of attestations. */
  'log',
  /** Everything that the point reaches stands in the vault with its size. */
  'existence',
  /** SHA-256 of stored bytes, of what the point reaches and of leftovers that carry a digest in their name. */
  'digests',
  /** The age files open to their last byte. */
  'decrypt',
  /** CSV grammar, header, order, block index, digests of the CSV, index twins, pages. */
  'parse',
  /** Row counts and lists agree with each other at every level. */
  'counts',
  /** Files come out with the size and the SHA-256 that their page says. */
  'files',
  /** Lookups lead to rows of the point. */
  'references',
  /** Restored into an org made from the point's own schema, every row is as in the point. */
  'rehearse',
  /** Every row is as the org has it, but for what changed since. */
  'org',
] as const;
export type RungName = (typeof rungs)[number];

export interface VerifyRequest {
  /** `point` records to verify; undefined: the newest one. */
  readonly points?: 'all' | readonly LogEntry[];
  /** Check what can be checked without an identity: log, existence, digests, and counts when the writer key is at hand. */
  readonly noIdentity: boolean;
  /** Read only the segments, files and leftovers of part `part` (1 to `of`) of `of`. All parts together cover everything. */
  readonly sample?: { readonly part: number; readonly of: number };
  /** A head that was noted before: the log must still hold it. */
  readonly expectHead?: { readonly seq: number; readonly digest: string };
  /** Restores the point into an org of its own and tells what came of it: the last rung, climbed when all others hold. */
  readonly rehearse?: (entry: LogEntry) => Promise<Rehearsed>;
  /** Compares the point with its org: the last rung, climbed when all others hold. */
  readonly againstOrg?: (entry: LogEntry) => Promise<{ readonly rung: RungResult; readonly compared?: OrgCompared }>;
  /** False: the result is not kept in the vault. */
  readonly attest?: boolean;
  readonly tool: string;
}

export interface Problem {
  /** Key of the object that is concerned; `rehearse`: Id of the record in the point, or the Salesforce object; `org`: the Salesforce object. */
  readonly key: string;
  /** One sentence. */
  readonly problem: string;
}

export interface RungResult {
  readonly rung: RungName;
  readonly ok: boolean;
  /** For people: counts and bytes, never names. */
  readonly figure: string;
  readonly problems: readonly Problem[];
  /** `references`: lookups to rows that the point does not have, although it has their object; most first. Not a failure. */
  readonly dangling?: readonly { readonly field: string; readonly count: number }[];
}

export interface PointVerified {
  readonly id: string;
  readonly ok: boolean;
  readonly rungs: readonly RungResult[];
}

/** `result` of `salvor verify --json`. */
export interface VerifyResult {
  /** True when no rung of no point has a problem. */
  readonly ok: boolean;
  readonly points: readonly PointVerified[];
  /** The end of the log when the verification began; the log's own result, which also stands in each point. */
  readonly head: { readonly seq: number; readonly digest: string };
  readonly log: RungResult;
  /** What the rehearsal found, where one was asked for and the point is whole. */
  readonly rehearsal?: Certificate;
  /** What the comparison with the org found, where one was asked for and the point is whole. */
  readonly againstOrg?: OrgCompared;
  /** Keys that no signature covers, ascending: README.txt, journals of runs, what unfinished runs left behind. */
  readonly notCovered: readonly string[];
  /** The log record that keeps this result, when there was a key to sign it. */
  readonly attested?: { readonly seq: number; readonly digest: string };
}
