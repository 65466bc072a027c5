import { Fault } from '../../errors.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { BlindSpot, LeftOut, RootObject } from '../../vault/manifest.ts';
import { fileObjects, judgeVisibility, type Verdict } from './completeness.ts';
import type { Acceptance } from './request.ts';
import { type Chosen, hidden, noFiles, notChosen, structural, unseen } from './select.ts';

/** What a point has of what the org holds, or would have. */
export interface Covered {
  readonly chosen: readonly Chosen[];
  /** Of each object that is read, or was to be, whether all of it is in the point. */
  readonly verdicts: ReadonlyMap<string, Pick<Verdict, 'complete' | 'incomplete'>>;
  readonly notCovered: readonly LeftOut[];
  readonly accepted: (object: string, verdict: Pick<Verdict, 'incomplete'>) => boolean;
}

/**
 * How much of the org is in the point, in percent, rounded down to a tenth. Each object that the org holds and that can be read weighs the same, and
 * counts by the share of its fields that the point has; an object that is not complete counts nothing. What somebody answers for counts neither way:
 * exclusions of the policy with their owner, accepted incompleteness. What can be in no point does not count either: objects that
 * answer no query, compound fields.
 */
export function coverageOf({ chosen, verdicts, notCovered, accepted }: Covered): number {
  const lacking = new Map<string, number>();
  let objects = 0;
  let covered = 0;
  for (const { object, field, where, reason, owner } of notCovered) {
    if (owner !== undefined || where !== undefined) continue;
    if (field === undefined) objects += counts(reason) ? 1 : 0;
    else if (!structural.test(reason)) lacking.set(object, (lacking.get(object) ?? 0) + 1);
  }
  const plans = new Map(chosen.map(({ describe, plan }) => [describe.name, plan]));
  for (const [object, verdict] of verdicts) {
    if (!verdict.complete && accepted(object, verdict)) continue;
    objects += 1;
    if (!verdict.complete) continue;
    const plan = plans.get(object);
    const missing = lacking.get(object) ?? 0;
    const asked = plan ? plan.fields.length + plan.blobFields.length : 0;
    const left = (plan?.blobFields ?? []).filter((name) =>
      notCovered.some((one) => one.object === object && one.field === name && one.reason === noFiles),
    ).length;
    covered += asked + missing - left === 0 ? 1 : (asked - left) / (asked + missing - left);
  }
  return objects === 0 ? 100 : Math.floor((1000 * covered) / objects + 1e-9) / 10;
}

/** True for a whole object that could have been in the point. */
function counts(reason: string): boolean {
  return reason === unseen || notChosen.has(reason);
}

/** Whether the configuration accepts that an object is incomplete, today. */
export function acceptances(accept: readonly Acceptance[], now: Date): Covered['accepted'] {
  const today = now.toISOString();
  return (object, { incomplete }) =>
    accept.some(
      ({ objects, reason, until }) =>
        objects.some((name) => name.toLowerCase() === object.toLowerCase()) &&
        reason === incomplete &&
        until >= today.slice(0, until.length),
    );
}

/** Before a row is read: what describes and permissions tell of each object. */
export function foreseen(
  chosen: readonly Chosen[],
  failed: readonly LeftOut[],
  permissions: Permissions,
): Map<string, Pick<Verdict, 'complete' | 'incomplete'>> {
  return new Map([
    ...chosen.map(({ describe }) => [describe.name, judgeVisibility(describe, permissions)] as const),
    ...failed.map(({ object }) => [object, { complete: false, incomplete: 'failed' } as const] as const),
  ]);
}

/**
 * What the user's permissions hide, as far as it can be measured, and what would mend it. `rows`: by object, live rows that the user sees; `all`: rows that
 * the org has, as it keeps count of them for itself.
 */
export function blindSpots(
  chosen: readonly Chosen[],
  notCovered: readonly LeftOut[],
  permissions: Permissions,
  rows: ReadonlyMap<string, number>,
  all: ReadonlyMap<string, number>,
): BlindSpot[] {
  const names = chosen.map(({ describe }) => describe.name);
  const rowsHidden = (objects: readonly string[]) => {
    const counted = objects.filter((name) => rows.has(name) && all.has(name));
    if (counted.length === 0) return null;
    return counted.reduce((sum, name) => sum + Math.max(0, all.get(name)! - rows.get(name)!), 0);
  };
  const spots: BlindSpot[] = [];
  const spot = (
    permission: string,
    hides: BlindSpot['hides'],
    objects: readonly string[],
    count: number | null,
    mend: string,
  ) => {
    if (objects.length === 0) return;
    const what = { permission, hides, objects: objects.length, count };
    spots.push({ ...what, message: messageOf(what), mend });
  };
  if (!permissions.viewAllData) spot('View All Data', 'rows', names, rowsHidden(names), 'give the user View All Data');
  if (!permissions.queryAllFiles) {
    const inFiles = names.filter((name) => fileObjects.has(name));
    const mend = 'give the user Query All Files, which needs View All Data';
    spot('Query All Files', 'rows', inFiles, rowsHidden(inFiles), mend);
  }
  if (!permissions.viewEncryptedData) {
    const masked = chosen.flatMap(({ describe }) => maskedIn(describe));
    const mend = 'give the user View Encrypted Data';
    spot('View Encrypted Data', 'values', [...new Set(masked)], masked.length, mend);
  }
  const fields = notCovered.filter(({ field, reason }) => field !== undefined && reason === hidden);
  const fieldsOf = [...new Set(fields.map(({ object }) => object))];
  const readable = 'give the user read access to the fields that are named, or View All Fields';
  spot('field-level security', 'fields', fieldsOf, fields.length, readable);
  const objects = notCovered.filter(({ field, reason }) => field === undefined && reason === unseen);
  const objectsOf = objects.map(({ object }) => object);
  const visible = 'give the user read access to the objects that are named, or the licence of their package';
  spot('object access', 'objects', objectsOf, objects.length, visible);
  return spots;
}

/** The object once for each field that comes masked. */
function maskedIn({ name, fields }: ObjectDescribe): string[] {
  return fields.flatMap(({ type }) => (type === 'encryptedstring' ? [name] : []));
}

/** The verdicts that a point records. */
export function verdictsOf(objects: readonly RootObject[]): Covered['verdicts'] {
  return new Map(objects.map((one) => [one.object, one]));
}

/** `the lack of View All Data hides about 120 rows of 3 objects` */
function messageOf({ permission, hides, objects, count }: Omit<BlindSpot, 'message' | 'mend'>): string {
  const of = objects === 1 ? '1 object' : `${objects} objects`;
  const many = (one: string) => (count === 1 ? `1 ${one}` : `${count} ${one}s`);
  if (hides === 'fields') return `${permission} hides ${many('field')} of ${of}`;
  if (hides === 'objects') return `the user does not see ${of} at all`;
  const lack = `the lack of ${permission} hides`;
  if (hides === 'values') return `${lack} the values of ${many('field')} of ${of}`;
  if (count === null) return `${lack} rows of ${of}, nobody can say how many`;
  return count === 0
    ? `${lack} rows of ${of}, if any: the org counts no more than are seen`
    : `${lack} about ${many('row')} of ${of}`;
}

/** Live rows that the user sees, of objects of which some may be hidden. */
export async function rowsSeen(org: Org, blind: readonly Chosen[]): Promise<Map<string, number>> {
  const counts = await org.counts(blind.map(({ describe }) => ({ object: describe })));
  return new Map(
    blind.flatMap(({ describe }, i) => (counts[i] === undefined ? [] : [[describe.name, counts[i]] as const])),
  );
}

/** For a point that would cover less than `--min-coverage` asks for. */
export function coversTooLittle(coverage: number, minCoverage: number, spots: readonly BlindSpot[]): Fault {
  const message = `the point would cover ${coverage} % of what the org holds, ${minCoverage} % are asked for`;
  return new Fault('coverage-too-low', [message, ...spots.map((spot) => spot.message)].join('; '), {
    data: { coverage, minCoverage, blindSpots: spots },
    actions: [
      ...spots.map(({ mend }) => mend),
      'see what is not covered, and why, with `salvor backup --dry-run`; exclude what is not wanted with a reason and an owner, or lower --min-coverage',
    ],
  });
}
