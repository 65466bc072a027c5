import type { z } from 'zod';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { ExtractionPlan } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { matchesAny } from '../../schema/pattern.ts';
import type { exclusionSchema, LeftOut } from '../../vault/manifest.ts';
import { type LeftOutRows, leftOutRows } from './left-out-rows.ts';
import { stampOf } from './stamp.ts';

/** What the policy leaves out, and who answers for it: whole objects, rows of them (`where`), or fields. Patterns as in `schema/pattern.ts`. */
export interface Exclusion {
  readonly objects?: readonly string[] | undefined;
  /** `Contact.SSN__c`, `*.Temp_*`. */
  readonly fields?: readonly string[] | undefined;
  /** A SOQL condition: rows of `objects` that meet it. */
  readonly where?: string | undefined;
  readonly reason: string;
  readonly owner: string;
  /** ISO date; behind it nothing is left out any more. */
  readonly until?: string | undefined;
}

type ReadPlan = Exclude<ExtractionPlan, { way: 'none' }>;

/** Fields without which rows could not be told apart, or dated. */
const always = new Set(['Id', 'SystemModstamp', 'IsDeleted']);

/** The policy with the exclusions that hold today; of the others a warning is given. */
export function inForce<P extends { readonly exclusions?: readonly Exclusion[] }>(ctx: Context, policy: P): P {
  if (policy.exclusions === undefined) return policy;
  const today = ctx.now().toISOString().slice(0, 10);
  const exclusions = policy.exclusions.filter((one) => {
    if (one.until === undefined || one.until >= today) return true;
    const message = `the exclusion of ${nameOf(one)} (${one.reason}) ended on ${one.until}: ask ${one.owner}. It is in the point again`;
    ctx.report({ type: 'warning', name: 'exclusion-expired', message });
    return false;
  });
  return { ...policy, exclusions };
}

/** As a point records it. */
export function recorded({ objects, fields, where, reason, owner, until }: Exclusion): z.infer<typeof exclusionSchema> {
  return {
    ...(objects ? { objects: [...objects] } : {}),
    ...(fields ? { fields: [...fields] } : {}),
    ...(where === undefined ? {} : { where }),
    reason,
    owner,
    ...(until === undefined ? {} : { until }),
  };
}

/** The exclusion that leaves out a whole object of this name. */
export function excludingObject(name: string, exclusions: readonly Exclusion[]): Exclusion | undefined {
  return exclusions.find(({ objects, where }) => objects && where === undefined && matchesAny(name, objects));
}

/** What exclusions may meet: names of all objects, `Object.Field` of fields that are left out, and objects of which no field was looked at this time. */
interface Met {
  readonly names: readonly string[];
  readonly fieldsOut: readonly string[];
  readonly notLookedAt: readonly string[];
}

/** Warns of exclusions that meet nothing in this org: a name may be misspelt. A field that is named without a `*` is judged by itself. */
export function warnUnused(
  ctx: Context,
  exclusions: readonly Exclusion[],
  { names, fieldsOut, notLookedAt }: Met,
): void {
  const fits = (pattern: string, found: readonly string[]) => found.some((name) => matchesAny(name, [pattern]));
  for (const one of exclusions) {
    const { objects = [], fields = [] } = one;
    const unusedFields = fields.filter(
      (pattern) => !fits(pattern, fieldsOut) && !fits(pattern.split('.')[0]!, notLookedAt),
    );
    const unused = [
      ...objects.filter((pattern) => !fits(pattern, names)),
      ...(unusedFields.length === fields.length ? fields : unusedFields.filter((pattern) => !pattern.includes('*'))),
    ];
    if (unused.length === 0) continue;
    const message = `the exclusion of ${nameOf(one)} (${one.reason}) fits nothing that the org tells of: check how ${unused.join(', ')} is written`;
    ctx.report({ type: 'warning', name: 'exclusion-unused', message });
  }
}

/** Fields that the org hides from the user; those that the policy leaves out as well, as it says: nobody misses them. */
export function answeredFor(hidden: readonly LeftOut[], exclusions: readonly Exclusion[] = []): LeftOut[] {
  return hidden.map(({ object, field, reason }) => {
    const by = exclusions.find(({ fields }) => fields && matchesAny(`${object}.${field}`, fields));
    return by ? { object, field, reason: by.reason, owner: by.owner } : { object, field, reason };
  });
}

/** The plan less the fields that are left out. Fields that tell rows apart and date them stay, whatever a pattern says. */
export function withoutFields(
  describe: ObjectDescribe,
  plan: ReadPlan,
  exclusions: readonly Exclusion[],
): { readonly plan: ReadPlan; readonly leftOut: readonly LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const stamp = stampOf(describe);
  const stays = (field: string) => {
    if (always.has(field) || field === stamp) return true;
    const by = exclusions.find(({ fields }) => fields && matchesAny(`${describe.name}.${field}`, fields));
    if (by) leftOut.push({ object: describe.name, field, reason: by.reason, owner: by.owner });
    return by === undefined;
  };
  const fields = plan.fields.filter(stays);
  return { plan: { ...plan, fields, blobFields: plan.blobFields.filter(stays) }, leftOut };
}

/** Rows of the object that are left out; undefined: none. Throws `config-invalid`. */
export function rowsLeftOut(
  describe: ObjectDescribe,
  exclusions: readonly Exclusion[],
):
  | { readonly rows: LeftOutRows; readonly parts: readonly { readonly entry: LeftOut; readonly out: string }[] }
  | undefined {
  const found = exclusions.filter(({ objects, where }) => where !== undefined && matchesAny(describe.name, objects!));
  if (found.length === 0) return undefined;
  if (describe.name.endsWith('__b') || !describe.fields.some(({ name }) => name === 'Id'))
    throw new Fault(
      'config-invalid',
      `exclusions: rows of ${describe.name} cannot be told apart; leave it out as a whole`,
    );
  return {
    rows: leftOutRows(
      describe,
      found.map(({ where }) => where!),
    ),
    parts: found.map(({ where, reason, owner }) => ({
      entry: { object: describe.name, where: where!, reason, owner },
      out: leftOutRows(describe, [where!]).out,
    })),
  };
}

function nameOf({ objects, fields, where }: Exclusion): string {
  return `${(objects ?? fields ?? []).join(', ')}${where === undefined ? '' : ` where ${where}`}`;
}
