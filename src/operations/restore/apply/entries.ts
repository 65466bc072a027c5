import { z } from 'zod';

/**
 * What the journal of a restore says beside its beginning and its end (field guide, restore 8.2). A slice is some rows of one object that are
 * written at once. Nothing happens in the org before the entry that announces it.
 */

/**
 * What is done to a row, in this order: out of the recycle bin; made; what its first writing could not carry; lookups of circles; fields put
 * back; what activates it; into the recycle bin.
 */
export const steps = ['undelete', 'insert', 'rest', 'later', 'update', 'activate', 'delete'] as const;
export type Step = (typeof steps)[number];

const slice = z.number().int();
const step = z.enum(steps);
/** Fields of the plan that these rows are sent without: `Object.Field` -> rows. */
const left = z.record(z.string(), z.number().int()).optional();

export const plannedSchema = z.object({
  type: z.literal('planned'),
  slice,
  object: z.string(),
  step,
  way: z.enum(['bulk', 'collections', 'file']),
  columns: z.array(z.string()),
  /** The org's clock before anything was sent. */
  since: z.string(),
  left,
});
export type PlannedSlice = z.infer<typeof plannedSchema>;

/** `fields`: field -> rows. */
export function leftOf(object: string, fields: ReadonlyMap<string, number>): Pick<PlannedSlice, 'left'> {
  if (fields.size === 0) return {};
  return { left: Object.fromEntries([...fields].map(([field, rows]) => [`${object}.${field}`, rows])) };
}

export const entrySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('before'), object: z.string(), step }),
  plannedSchema,
  z.object({ type: z.literal('job'), slice, job: z.string() }),
  z.object({ type: z.literal('uploaded'), slice, sha256: z.string() }),
  z.object({ type: z.literal('closing'), slice }),
  z.object({ type: z.literal('closed'), slice }),
  z.object({ type: z.literal('done'), slice, state: z.string(), processed: z.number(), failed: z.number() }),
  /** The org has done nothing of it and will not. */
  z.object({ type: z.literal('abandoned'), slice, why: z.string() }),
  /** What became of rows; `slice`: of all of its rows. */
  z.object({ type: z.literal('results'), slice: slice.optional(), object: z.string(), step }),
]);
export type Entry = z.infer<typeof entrySchema>;

/**
 * `done`. `matched`: it stands in the org already, as `target`. `again`: not done, to be tried once more in the way that its code asks for.
 * `anew`: it cannot be undeleted, and is made anew. `kept`: somebody changed it since the plan was made. `failed`: for good.
 */
export const outcomes = ['done', 'matched', 'again', 'anew', 'kept', 'failed'] as const;
export type OutcomeKind = (typeof outcomes)[number];

export interface Outcome {
  /** As in the plan. */
  readonly id: string;
  readonly kind: OutcomeKind;
  /** The Id in the org, where it is another. */
  readonly target?: string;
  readonly code?: string;
  /** The org's own words. */
  readonly message?: string;
  readonly fields?: readonly string[];
}

export const outcomeColumns = ['Id', 'Outcome', 'Target', 'Code', 'Message', 'Fields'] as const;

export function outcomeCells({ id, kind, target, code, message, fields }: Outcome): (string | undefined)[] {
  return [id, kind, target, code, message, fields?.join(' ')];
}

export function outcomeFrom([id = '', kind, target, code, message, fields]: readonly string[]): Outcome {
  return {
    id,
    kind: outcomes.find((one) => one === kind) ?? 'failed',
    ...(target ? { target } : {}),
    ...(code ? { code } : {}),
    ...(message ? { message } : {}),
    ...(fields ? { fields: fields.split(' ') } : {}),
  };
}
