import type { Alert, BlindSpot, Incompleteness, LeftOut, Root } from '../../vault/manifest.ts';
import type { AlertRule } from './alerts.ts';
import type { Policy } from './select.ts';
import type { Layering } from './window.ts';

/** A reason that the user has accepted for an object, so that it does not make points partial. */
export interface Acceptance {
  /** Names of objects. */
  readonly objects: readonly string[];
  readonly reason: Incompleteness;
  readonly owner: string;
  /** ISO date; behind it the acceptance no longer holds. */
  readonly until: string;
}

export interface BackupRequest {
  readonly policy: Policy;
  readonly accept: readonly Acceptance[];
  /** What marks the point suspect, besides what always does. */
  readonly alerts?: readonly AlertRule[];
  readonly tags: readonly string[];
  /** False: files, attachments and documents are left out, and the coverage report says so. */
  readonly files: boolean;
  /** True: the org's metadata goes into the point too, as a zip. */
  readonly metadata?: boolean;
  /** True: everything is read, whatever the vault has. */
  readonly full: boolean;
  /** Refuse (`coverage-too-low`) a point that would cover less, in percent (`coverage.ts`). */
  readonly minCoverage?: number;
  /** Objects that are read first, in this order; names or patterns. */
  readonly priorities?: readonly string[];
  /** Bytes of CSV of a large object behind which the run could go on in it; default 64 MiB. */
  readonly partBytes?: number;
  /** How many layers lie on a base before they are replaced; the usual ones unless told. */
  readonly layering?: Layering;
  /** Objects that are read at the same time. */
  readonly parallel: number;
  readonly tool: string;
}

/** One object as results and reports show it. */
export interface ObjectResult {
  readonly object: string;
  readonly rows: number;
  readonly changed: number;
  readonly deleted: number;
  readonly segments: number;
  readonly bytes: number;
  readonly path: string;
  readonly complete: boolean;
  readonly reason?: string;
}

/** `result.point` of `salvor backup --json`. */
export interface PointResult {
  readonly id: string;
  readonly status: 'complete' | 'partial';
  readonly suspect: boolean;
  /** Why it is suspect. */
  readonly alerts: readonly Alert[];
  readonly kind: 'full' | 'incremental';
  readonly started: string;
  readonly ended: string;
  readonly objects: readonly ObjectResult[];
  readonly files: { readonly count: number; readonly bytes: number };
  /** Where it was asked for. */
  readonly metadata?: Omit<NonNullable<Root['metadata']>, 'page' | 'ids'>;
  readonly notCovered: readonly LeftOut[];
  readonly coverage: number;
  /** What permissions that the user lacks hide, as far as it can be measured. */
  readonly blindSpots: readonly BlindSpot[];
  readonly rows: number;
  readonly bytes: number;
  readonly apiCalls: number;
  readonly tags: readonly string[];
}

export function pointResult(root: Root): PointResult {
  return {
    id: root.point,
    status: root.status,
    suspect: root.suspect,
    alerts: root.alerts ?? [],
    kind: root.kind,
    started: root.started,
    ended: root.ended,
    objects: root.objects.map(({ object, rows, changed, deleted, segments, bytes, path, complete, reason }) => ({
      object,
      rows,
      changed,
      deleted,
      segments,
      bytes,
      path,
      complete,
      ...(reason === undefined ? {} : { reason }),
    })),
    files: { count: root.files.count, bytes: root.files.bytes },
    ...(root.metadata && { metadata: metadataResult(root.metadata) }),
    notCovered: root.notCovered,
    coverage: root.coverage,
    blindSpots: root.blindSpots ?? [],
    rows: root.rows,
    bytes: root.bytes,
    apiCalls: root.apiCalls,
    tags: root.tags,
  };
}

function metadataResult({ components, bytes, complete, reason }: NonNullable<Root['metadata']>) {
  return { components, bytes, complete, ...(reason === undefined ? {} : { reason }) };
}
