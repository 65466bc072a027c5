import type { FieldDescribe } from '../../schema/describe.ts';
import { sameValue } from '../../schema/values.ts';

/**
 * What becomes of a field of a row that stands in the org. `same` nothing. `put-back` the point's value is written. `differs` it stays, and
 * the plan says so. `conflict` somebody changed it since the incident: it stays. `emptied` the point has nothing there: it stays, since
 * nothing overwrites something only when that is asked for.
 */
export type Verdict = 'same' | 'put-back' | 'differs' | 'conflict' | 'emptied';

/** What may be overwritten. */
export interface Overwriting {
  /** `never`: only what is missing comes back. `all`: every difference. `incident`: what the incident did. */
  readonly mode: 'never' | 'all' | 'incident';
  /** True: conflicts are overwritten too. */
  readonly conflicts: boolean;
  /** Writes emptiness over a value, for this field. */
  nulls(field: string): boolean;
}

/**
 * One field, by three values (product page, restore). `after`: the value when the incident was over; undefined when there is no point that
 * shows it. `byIncident`: then, whether the row as it stands was last changed by the incident.
 */
export function judge(
  field: FieldDescribe,
  values: { readonly before: string; readonly now: string; readonly after?: string; readonly byIncident: boolean },
  overwriting: Overwriting,
): Verdict {
  const { before, now, after, byIncident } = values;
  if (sameValue(field, before, now)) return 'same';
  const back = before === '' && !overwriting.nulls(field.name) ? 'emptied' : 'put-back';
  if (overwriting.mode === 'never') return 'differs';
  if (overwriting.mode === 'all') return back;
  // Not touched by the incident: what somebody wrote there since is none of its damage.
  if (after !== undefined && sameValue(field, before, after)) return 'differs';
  const damage = after === undefined ? byIncident : sameValue(field, now, after);
  return damage || overwriting.conflicts ? back : 'conflict';
}
