import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { ExtractionPlan, NotDescribed, Org } from '../../salesforce/org.ts';
import type { ObjectDescribe, ObjectSummary } from '../../schema/describe.ts';
import { matchesAny } from '../../schema/pattern.ts';
import type { LeftOut } from '../../vault/manifest.ts';

/** What the user wants in the point. Empty `objects`: everything. Patterns as in `schema/pattern.ts`. */
export interface Policy {
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
}

export interface Chosen {
  readonly describe: ObjectDescribe;
  readonly plan: Exclude<ExtractionPlan, { way: 'none' }>;
}

export interface Selection {
  readonly chosen: readonly Chosen[];
  /** Objects that the org did not describe this time, and why. */
  readonly failed: readonly LeftOut[];
  /** Every object and field that is not in the point, and why. */
  readonly notCovered: readonly LeftOut[];
  /** Objects that could be read: the chosen ones and those that the policy leaves out. The measure of coverage. */
  readonly readable: number;
}

/**
 * Decides what goes into a point: every object that can be queried and every field that can be read, less the policy.
 * Throws `no-such-object` when the policy names an object that the org does not show.
 */
export async function select(ctx: Context, org: Org, policy: Policy): Promise<Selection> {
  const all = await org.objects();
  assertKnown(all, policy);
  const notCovered: LeftOut[] = [];
  const wanted: ObjectSummary[] = [];
  let readable = 0;
  for (const object of all) {
    const reason = reasonToLeaveOut(object, policy);
    if (reason === undefined) {
      wanted.push(object);
      continue;
    }
    if (object.queryable) readable += 1;
    notCovered.push({ object: object.name, reason });
  }
  const visible = new Set(all.map(({ name }) => name));
  for (const name of await allNames(ctx, org)) {
    if (!visible.has(name) && chosenBy(name, policy)) notCovered.push({ object: name, reason: unseen });
  }
  const described = await org.describe(wanted.map(({ name }) => name));
  const chosen: Chosen[] = [];
  const failed: LeftOut[] = [];
  for (const { name } of wanted) {
    const describe = described.get(name) ?? { reason: 'the org did not describe it', never: false };
    if (!isDescribe(describe)) {
      if (!describe.never) readable += 1;
      (describe.never ? notCovered : failed).push({ object: name, reason: describe.reason });
      continue;
    }
    const plan = org.plan(describe);
    if (plan.way === 'none') {
      notCovered.push({ object: name, reason: plan.reason });
      continue;
    }
    readable += 1;
    chosen.push({ describe, plan });
    for (const { field, reason } of plan.leftOut) notCovered.push({ object: name, field, reason });
  }
  return { chosen, failed, notCovered, readable };
}

/** Names of all objects of the org, visible or not; those that are not are only named, so a refusal does not stop the run. */
async function allNames(ctx: Context, org: Org): Promise<readonly string[]> {
  try {
    return await org.objectNames();
  } catch (error) {
    if (!isFault(error, 'object-refused')) throw error;
    ctx.report({
      type: 'warning',
      name: error.name,
      message: `objects that the user does not see are missing in the coverage report: ${error.message}`,
    });
    return [];
  }
}

/** Why an object is left out that the org has and does not list. */
export const unseen = 'the user does not see this object';

/** Why a field is left out that the org has and does not show. */
export const hidden = 'hidden from the user by field-level security';

/** Fields that the org has and that the user's describe does not show, of each object: hidden by field-level security. */
export async function hiddenFields(org: Org, describes: readonly ObjectDescribe[]): Promise<LeftOut[][]> {
  const names = await org.fieldNames(describes.map(({ name }) => name));
  return describes.map(({ name: object, fields }, i) => {
    const seen = new Set(fields.map(({ name }) => name.toLowerCase()));
    return (names[i] ?? [])
      .filter((name) => !seen.has(name.toLowerCase()))
      .map((field) => ({ object, field, reason: hidden }));
  });
}

function isDescribe(value: ObjectDescribe | NotDescribed): value is ObjectDescribe {
  return 'fields' in value;
}

function chosenBy(name: string, policy: Policy): boolean {
  return (policy.objects.length === 0 || matchesAny(name, policy.objects)) && !matchesAny(name, policy.exclude);
}

function reasonToLeaveOut(object: ObjectSummary, policy: Policy): string | undefined {
  if (!object.queryable) return 'the org says that it cannot be queried';
  if (policy.objects.length > 0 && !matchesAny(object.name, policy.objects)) return 'not selected (--objects)';
  if (matchesAny(object.name, policy.exclude)) return 'excluded (--exclude)';
  if (object.deprecatedAndHidden) return 'deprecated and hidden by the org';
  return undefined;
}

function assertKnown(all: readonly ObjectSummary[], policy: Policy): void {
  const names = all.map(({ name }) => name);
  for (const pattern of policy.objects) {
    if (names.some((name) => matchesAny(name, [pattern]))) continue;
    throw new Fault('no-such-object', `the org shows no object that matches ${pattern}`, {
      actions: ['check the API name (Account, Invoice__c); the user may lack access to it'],
    });
  }
}
