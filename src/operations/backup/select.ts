import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { ExtractionPlan, NotDescribed, Org } from '../../salesforce/org.ts';
import type { ObjectDescribe, ObjectSummary } from '../../schema/describe.ts';
import { matchesAny } from '../../schema/pattern.ts';
import type { LeftOut } from '../../vault/manifest.ts';
import { type Exclusion, excludingObject, rowsLeftOut, warnUnused, withoutFields } from './exclusions.ts';
import type { LeftOutRows } from './left-out-rows.ts';
import type { BackupRequest } from './request.ts';

/** What the user wants in the point. Empty `objects`: everything. Patterns as in `schema/pattern.ts`. */
export interface Policy {
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
  /** Those that hold today (`inForce`). */
  readonly exclusions?: readonly Exclusion[];
}

export interface Chosen {
  readonly describe: ObjectDescribe;
  readonly plan: Exclude<ExtractionPlan, { way: 'none' }>;
  /** Rows that the policy leaves out of it. */
  readonly rowsOut?: LeftOutRows;
}

export interface Selection {
  readonly chosen: readonly Chosen[];
  /** Objects that the org did not describe this time, and why. */
  readonly failed: readonly LeftOut[];
  /** Every object and field that is not in the point, and why. */
  readonly notCovered: readonly LeftOut[];
  /** Names of all objects that the org tells of, seen or not. */
  readonly names: readonly string[];
  /** Rows that the policy leaves out, by what it says. */
  readonly conditions: readonly { readonly describe: ObjectDescribe; readonly entry: LeftOut; readonly out: string }[];
}

/**
 * Decides what goes into a point: every object that can be queried and every field that can be read, less the policy.
 * Throws `no-such-object` when the policy names an object that the org does not show.
 */
export async function select(ctx: Context, org: Org, policy: Policy): Promise<Selection> {
  const { exclusions = [] } = policy;
  const all = await org.objects();
  assertKnown(all, policy);
  const notCovered: LeftOut[] = [];
  const wanted: ObjectSummary[] = [];
  const conditions: Selection['conditions'][number][] = [];
  for (const object of all) {
    const why = whyLeftOut(object, policy);
    if (why === undefined) {
      wanted.push(object);
      continue;
    }
    notCovered.push({ object: object.name, ...why });
  }
  const visible = new Set(all.map(({ name }) => name));
  const known = await allNames(ctx, org);
  for (const name of known) {
    if (!visible.has(name) && !whyNotChosen(name, policy)) notCovered.push({ object: name, reason: unseen });
  }
  const described = await org.describe(wanted.map(({ name }) => name));
  const chosen: Chosen[] = [];
  const failed: LeftOut[] = [];
  for (const { name } of wanted) {
    const describe = described.get(name) ?? { reason: 'the org did not describe it', never: false };
    if (!isDescribe(describe)) {
      (describe.never ? notCovered : failed).push({ object: name, reason: describe.reason });
      continue;
    }
    const whole = org.plan(describe);
    if (whole.way === 'none') {
      notCovered.push({ object: name, reason: whole.reason });
      continue;
    }
    const { plan, leftOut } = withoutFields(describe, whole, exclusions);
    const rows = rowsLeftOut(describe, exclusions);
    chosen.push({ describe, plan, ...(rows ? { rowsOut: rows.rows } : {}) });
    conditions.push(...(rows?.parts ?? []).map((part) => ({ describe, ...part })));
    for (const { field, reason } of plan.leftOut) notCovered.push({ object: name, field, reason });
    notCovered.push(...leftOut);
  }
  return { chosen, failed, notCovered, names: [...visible, ...known], conditions };
}

/** Warns of exclusions, `--exclude` and `--priorities` that fit nothing. `hidden`: fields that the user does not see, as `answeredFor` tells of them. */
export function warnOfUnused(
  ctx: Context,
  { policy: { exclude, exclusions = [] }, priorities = [] }: Pick<BackupRequest, 'policy' | 'priorities'>,
  { failed, notCovered, names }: Pick<Selection, 'failed' | 'notCovered' | 'names'>,
  hidden: readonly LeftOut[],
): void {
  const byPolicy = [...notCovered, ...hidden].filter(({ owner }) => owner !== undefined);
  const fieldsOut = byPolicy.flatMap(({ object, field }) => (field === undefined ? [] : [`${object}.${field}`]));
  const objectsOut = notCovered.filter(({ field, reason, owner }) => !field && (owner || notChosen.has(reason)));
  const notLookedAt = [...objectsOut, ...failed].map(({ object }) => object);
  warnUnused(ctx, exclusions, { names, fieldsOut, notLookedAt });
  for (const [flag, patterns] of [
    ['exclude', exclude],
    ['priorities', priorities],
  ] as const) {
    const unused = patterns.filter((pattern) => !names.some((name) => matchesAny(name, [pattern])));
    if (unused.length === 0) continue;
    const message = `--${flag} names what fits no object that the org tells of: check how ${unused.join(', ')} is written`;
    ctx.report({ type: 'warning', name: `${flag}-unused`, message });
  }
}

/** Throws `usage` when no object is left that would be in the point, and names what left them out. */
export function assertNotEmpty(policy: Policy, objects: readonly unknown[], notCovered: readonly LeftOut[]): void {
  if (objects.length > 0) return;
  const by = new Map<string, string[]>();
  for (const { object, field, reason, owner } of notCovered) {
    const isAskedFor = policy.objects.length === 0 || matchesAny(object, policy.objects);
    if (field !== undefined || reason === unseen || !isAskedFor) continue;
    const why = owner === undefined ? reason : `${reason} (${owner})`;
    by.set(why, [...(by.get(why) ?? []), object]);
  }
  const told = [...by].map(([why, names]) => {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `${names.slice(0, 3).join(', ')}${more}: ${why}`;
  });
  throw new Fault('usage', `no object is left to be in the point${told.length > 0 ? `; ${told.join('; ')}` : ''}`, {
    actions: ['leave out less: see --objects, --exclude, and `exclusions` in the configuration'],
  });
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

/** What each condition leaves out, with the number of rows: one API call for five of them. */
export async function rowsNotCovered(org: Org, { conditions }: Pick<Selection, 'conditions'>): Promise<LeftOut[]> {
  if (conditions.length === 0) return [];
  const counts = await org.counts(conditions.map(({ describe, out }) => ({ object: describe, where: out })));
  return conditions.map(({ entry }, i) => ({ ...entry, ...(counts[i] === undefined ? {} : { rows: counts[i] }) }));
}

/** Why a field is left out that the org has and does not show. */
export const hidden = 'hidden from the user by field-level security';
/** Why an object is left out that the org has and does not show. */
export const unseen = 'the user does not see this object';
/** Why the bytes of files are left out. */
export const noFiles = 'files are left out (--no-files)';
/** Why an object is left out that the command line does not ask for. */
export const notSelected = 'not selected (--objects)';
export const notChosen = new Set([notSelected, 'excluded (--exclude)']);
/** Reasons that hold for every point: what the field says stands in others, or cannot be read by anybody. */
export const structural = /^(compound: |a list of related records|withdrawn by the package|big objects have no Id)/;

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

/** The bytes of files of an object, as they are left out when no files are wanted. */
export function filesLeftOut({ describe, plan }: Chosen): LeftOut[] {
  return plan.blobFields.map((field) => ({ object: describe.name, field, reason: noFiles }));
}

function isDescribe(value: ObjectDescribe | NotDescribed): value is ObjectDescribe {
  return 'fields' in value;
}

/** Why a policy takes in no object of this name; undefined: it does. */
export function whyNotChosen(name: string, policy: Policy): Omit<LeftOut, 'object'> | undefined {
  // What somebody answers for is out of every point, whatever is asked for.
  const by = excludingObject(name, policy.exclusions ?? []);
  if (by) return { reason: by.reason, owner: by.owner };
  if (policy.objects.length > 0 && !matchesAny(name, policy.objects)) return { reason: notSelected };
  if (matchesAny(name, policy.exclude)) return { reason: 'excluded (--exclude)' };
  return undefined;
}

function whyLeftOut(object: ObjectSummary, policy: Policy): Omit<LeftOut, 'object'> | undefined {
  if (!object.queryable) return { reason: 'the org says that it cannot be queried' };
  const byPolicy = whyNotChosen(object.name, policy);
  if (byPolicy) return byPolicy;
  if (object.deprecatedAndHidden) return { reason: 'deprecated and hidden by the org' };
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
