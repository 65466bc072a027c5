import type { Context } from '../../context.ts';
import type { Org } from '../../salesforce/org.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import type { LeftOut } from '../../vault/manifest.ts';
import { judgeVisibility } from './completeness.ts';
import type { BackupRequest } from './request.ts';
import { type Chosen, select } from './select.ts';

export interface Preview {
  readonly objects: readonly {
    readonly object: string;
    readonly way: string;
    readonly rows: number | null;
    readonly bytes: number;
    readonly apiCalls: number;
  }[];
  readonly rows: number;
  /** Estimated CSV bytes before compression; files are not in it. */
  readonly bytes: number;
  readonly apiCalls: number;
  readonly apiUsed: number | null;
  readonly apiMax: number | null;
  readonly notCovered: readonly LeftOut[];
  readonly warnings: readonly string[];
}

/** Rows of one Bulk result page, rows of one REST page, and what a Bulk job costs besides its pages (create, polls, delete). */
const bulkPage = 100_000;
const restPage = 2000;
const bulkOverhead = 8;
/** Counting before and after, and asking for hidden fields: five calls for five objects. */
const proofCalls = 1;

/** What `backup` would do: objects, rows (as the org's cached counts say), API calls and bytes, both estimated. Nothing is written. */
export async function preview(ctx: Context, org: Org, request: BackupRequest): Promise<Preview> {
  ctx.report({ type: 'stage', stage: 'looking at the org' });
  const permissions = await org.permissions();
  const { chosen, failed, notCovered } = await select(ctx, org, request.policy);
  const counts = await org.approximateCounts();
  const objects = chosen.map((one) => estimate(one, counts.get(one.describe.name)));
  const blind = chosen
    .map(({ describe }) => judgeVisibility(describe, permissions))
    .filter(({ complete }) => !complete);
  const sum = (pick: (one: (typeof objects)[number]) => number) => objects.reduce((total, one) => total + pick(one), 0);
  return {
    objects,
    rows: sum(({ rows }) => rows ?? 0),
    bytes: sum(({ bytes }) => bytes),
    apiCalls: Math.ceil(sum(({ apiCalls }) => apiCalls)),
    apiUsed: org.apiUsage?.used ?? null,
    apiMax: org.apiUsage?.max ?? null,
    notCovered: [...notCovered, ...failed],
    warnings: [...new Set(blind.map(({ reason }) => reason!))],
  };
}

function estimate({ describe, plan }: Chosen, rows: number | undefined): Preview['objects'][number] {
  const count = rows ?? 0;
  const pages =
    plan.way === 'bulk' && count >= restPage
      ? bulkOverhead + Math.ceil(count / bulkPage)
      : Math.max(1, Math.ceil(count / restPage));
  const files = plan.blobFields.length * count;
  return {
    object: describe.name,
    way: plan.way,
    rows: rows ?? null,
    bytes: count * rowBytes(describe, plan.fields),
    apiCalls: pages + proofCalls + files,
  };
}

/** A rough width: fixed for what has a fixed form, a small share of the length for text, which is mostly empty. */
function rowBytes(describe: ObjectDescribe, names: readonly string[]): number {
  const wanted = new Set(names);
  return describe.fields.filter(({ name }) => wanted.has(name)).reduce((sum, field) => sum + 3 + cellBytes(field), 0);
}

function cellBytes({ type, length }: FieldDescribe): number {
  if (type === 'id' || type === 'reference') return 18;
  if (type === 'datetime') return 24;
  if (type === 'boolean') return 5;
  if (['double', 'currency', 'percent', 'int', 'date', 'time'].includes(type)) return 8;
  return Math.min(60, Math.ceil(length / 10));
}
