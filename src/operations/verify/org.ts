import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { IdPart } from '../../rows/id-part.ts';
import type { Org } from '../../salesforce/org.ts';
import type { LogEntry } from '../../vault/log.ts';
import { PointReader } from '../../vault/point-reader.ts';
import type { Vault } from '../../vault/vault.ts';
import { tieMs } from '../backup/window.ts';
import { mostDrift } from '../clock.ts';
import { compareLive } from '../diff/live.ts';
import type { DiffRequest, DiffResult } from '../diff/request.ts';
import { Parents } from './blanked.ts';
import { counted, written } from './ladder.ts';
import type { OrgCompared, OrgCounts, OrgObject } from './org-request.ts';
import type { Problem, RungResult, VerifyRequest } from './request.ts';
import { type JudgedObject, RowJudge, type Verdict } from './row-judge.ts';

/** Objects that are read at the same time. */
const parallelObjects = 4;

/** Throws `foreign-vault` when the org is another than the point's, and what reading the point's root throws. */
export async function assertOrgOf(vault: Vault, entry: LogEntry, org: Org): Promise<void> {
  const { point, org: its } = await vault.root(entry);
  if (its.id.slice(0, 15) !== org.identity.orgId.slice(0, 15))
    throw new Fault('foreign-vault', `point ${point} is of ${its.name} (${its.id}), the org is ${org.identity.orgId}`);
}

/**
 * The rung `org`: every row of the point, or of a part, beside the org's own. What was stamped behind the window of its object changed since; what is
 * stamped before and differs is a problem of the point. A commit that came later than 15 minutes may look like one: the next point has it.
 * What damage of the vault keeps from being read is a problem too. Throws what the org throws about anything but one object.
 */
export async function compareWithOrg(
  ctx: Context,
  vault: Vault,
  entry: LogEntry,
  org: Org,
  sample: VerifyRequest['sample'],
): Promise<{ rung: RungResult; compared?: OrgCompared }> {
  const at = (await org.serverTime()).toISOString();
  try {
    const point = await PointReader.open(vault, entry);
    const objects = await judgedObjects(point);
    const judges = new Map<string, RowJudge>();
    const request: DiffRequest = { ...everything, ...(sample ? { part: new IdPart(sample) } : {}) };
    const found = await compareLive(ctx, point, org, request, ({ object }, columns) => {
      const judge = new RowJudge(objects.get(object)!, columns);
      judges.set(object, judge);
      return judge;
    });
    const open = [...judges.values()].flatMap((judge) => [...judge.openLookups()]);
    const parents = await Parents.of(ctx, point, org, open);
    for (const judge of judges.values()) judge.settle(parents);
    const failed = new Set(point.failed().map(({ object }) => object));
    return outcome(found, judges, failed, { org: org.identity, at, sample, apiCalls: org.apiCalls });
  } catch (error) {
    if (!isFault(error) || error.exit !== 4) throw error;
    const key = typeof error.data.key === 'string' ? error.data.key : entry.key;
    const problems = [{ key, problem: error.message }];
    return { rung: { rung: 'org', ok: false, figure: 'the point could not be read to its end', problems } };
  }
}

const everything: DiffRequest = {
  selection: { objects: [], exclude: [], ids: undefined, where: undefined },
  fields: [],
  allFields: true,
  changedBy: undefined,
  between: undefined,
  full: true,
  parallel: parallelObjects,
  withValues: false,
};

/** By object, until when the point knows of every change. */
async function judgedObjects(point: PointReader): Promise<Map<string, JudgedObject>> {
  const objects = new Map<string, JudgedObject>();
  for (const object of point.objects()) {
    const { stamp, watermark } = await point.map(object);
    // A run that found nothing new lists the page of an earlier one: that nothing changed until the run began is what it says.
    // The host's clock says when a point was begun, the org's what was stamped when.
    const until = Math.max(Date.parse(watermark), Date.parse(point.root.started) - mostDrift) - tieMs;
    objects.set(object, { object, until, stamp, describe: await point.describe(object) });
  }
  return objects;
}

function outcome(
  found: DiffResult,
  judges: ReadonlyMap<string, RowJudge>,
  failed: ReadonlySet<string>,
  given: { org: Org['identity']; at: string; sample: VerifyRequest['sample']; apiCalls: number },
): { rung: RungResult; compared: OrgCompared } {
  const { org, at, sample, apiCalls } = given;
  const told = new Map(found.objects.map((one) => [one.object, one]));
  const unread = new Set(found.notCompared.map(({ object }) => object));
  const objects: OrgObject[] = [];
  const problems: Problem[] = [];
  for (const [object, judge] of [...judges].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (unread.has(object)) continue;
    const judged = judge.judged(told.get(object)?.fieldsGone ?? []);
    objects.push(judged);
    problems.push(...problemsOf(judged, judge));
  }
  const hidden = found.objects.flatMap(({ object, only }) =>
    only ? [{ object, reason: only.reason, failed: false }] : [],
  );
  // What the point itself says it lacks is no news.
  const notCompared = [...found.notCompared, ...hidden].map((one) =>
    failed.has(one.object) ? { ...one, failed: false } : one,
  );
  for (const { object, reason, failed } of notCompared)
    if (failed) problems.push({ key: object, problem: `it could not be compared: ${reason}` });
  const compared: OrgCompared = {
    org: { id: org.orgId, name: org.organizationName },
    at,
    ...(sample ? { sample } : {}),
    objects,
    totals: totalsOf(objects),
    notCompared,
    apiCalls,
  };
  return { rung: { rung: 'org', ok: problems.length === 0, figure: figureOf(compared), problems }, compared };
}

const sentences: Readonly<Partial<Record<Verdict, string>>> = {
  different: 'not as the org has them, though it stamped them before the point read the object',
  missing: 'in the org since before the point read the object, and not in the point',
  undead: 'deleted before the point read the object, and live in the point',
};

function problemsOf(judged: OrgObject, judge: RowJudge): Problem[] {
  return Object.entries(sentences).flatMap(([name, sentence]) => {
    const verdict = name as Verdict;
    const rows = judged[verdict];
    if (rows === 0) return [];
    const ids = judge.idsOf(verdict);
    const more = rows > ids.length ? ` and ${written(rows - ids.length)} more` : '';
    const fields = verdict === 'different' ? ` (${Object.keys(judged.differentFields).slice(0, 5).join(', ')})` : '';
    return [{ key: judged.object, problem: `${counted(rows, 'row')} ${sentence}: ${ids.join(', ')}${more}${fields}` }];
  });
}

function totalsOf(objects: readonly OrgObject[]): OrgCounts {
  const sum = (name: keyof OrgCounts) => objects.reduce((all, one) => all + one[name], 0);
  return {
    rows: sum('rows'),
    equal: sum('equal'),
    since: sum('since'),
    stale: sum('stale'),
    gone: sum('gone'),
    undated: sum('undated'),
    different: sum('different'),
    missing: sum('missing'),
    undead: sum('undead'),
  };
}

function figureOf({ totals, sample, apiCalls }: OrgCompared): string {
  const some = (rows: number, words: string) => (rows > 0 ? [`${written(rows)} ${words}`] : []);
  return [
    `${written(totals.equal)} of ${counted(totals.rows, 'row')} are as the org has them`,
    ...some(totals.since, 'changed since'),
    ...some(totals.stale, 'stale'),
    ...some(totals.gone, 'gone without a trace'),
    ...some(totals.undated, 'without a date'),
    ...some(totals.different, 'different'),
    ...some(totals.missing, 'missing'),
    ...some(totals.undead, 'deleted and live in the point'),
    ...(sample ? [`part ${sample.part} of ${sample.of}`] : []),
    counted(apiCalls, 'API call'),
  ].join(', ');
}
