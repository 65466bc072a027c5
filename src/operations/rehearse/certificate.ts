import type { FieldLeftOut, Withheld } from '../restore/plan.ts';
import { counted, written } from '../verify/ladder.ts';
import type { Problem, RungResult } from '../verify/request.ts';
import type { NotJudged } from './scope.ts';

/** One object of a rehearsal. Rows of the point are equal, different, missing, standing or notRestored. */
export interface ObjectRehearsed {
  readonly object: string;
  readonly rows: number;
  readonly equal: number;
  readonly different: number;
  readonly missing: number;
  /** They were in the org before anything was restored. */
  readonly standing: number;
  /** The plan said that and why they are not restored. */
  readonly notRestored: number;
  /** Rows of the org that the point does not have. */
  readonly extra: number;
  /** Files whose bytes were compared and are the same. */
  readonly files: number;
  /** Time that its rows took, and rows written a second; 0 when nothing was written. */
  readonly seconds: number;
  readonly rowsASecond: number;
}

/** `result.rehearsal` of `salvor verify --rehearse --json`: a restore that was carried out, and what came of it. */
export interface Certificate {
  readonly point: string;
  /** SHA-256 of the point's signed record. */
  readonly digest: string;
  readonly org: { readonly id: string; readonly name: string };
  /** The point whose rows the org had before. */
  readonly onto?: string;
  /** Patterns of objects, when not all were rehearsed. */
  readonly selection?: { readonly objects: readonly string[]; readonly exclude: readonly string[] };
  readonly at: string;
  readonly tool: string;
  readonly ok: boolean;
  readonly totals: Omit<ObjectRehearsed, 'object' | 'seconds' | 'rowsASecond'>;
  readonly objects: readonly ObjectRehearsed[];
  /** Rows and fields that were not held against the point, by reason. */
  readonly notJudged: readonly NotJudgedGroup[];
  readonly measured: { readonly seconds: number; readonly rowsASecond: number; readonly apiCalls: number };
  /** What the same restore takes in the org itself. */
  readonly predicted: { readonly seconds: number; readonly apiCalls: number; readonly basis: string };
  /** What shows itself only in the org, one sentence each. */
  readonly cannotForesee: readonly string[];
}

export interface NotJudgedGroup {
  readonly code: string;
  readonly reason: string;
  readonly of: readonly { readonly object: string; readonly field?: string; readonly rows: number }[];
}

export interface Rehearsed {
  readonly rung: RungResult;
  readonly certificate: Certificate;
}

/** How `predicted` comes about. */
export const predictedBasis =
  'by the number of rows, jobs and requests, at 400 rows a second as an org without heavy automation does them; ' +
  'the automation of the org does not run in a rehearsal and takes its own time';

/** What is not judged, the same reasons together, most rows first. */
export function grouped(all: readonly NotJudged[]): NotJudgedGroup[] {
  const groups = new Map<
    string,
    Omit<NotJudgedGroup, 'of'> & { of: { object: string; field?: string; rows: number }[] }
  >();
  for (const { object, field, rows, code, reason } of all) {
    const key = `${code} ${reason}`;
    const group = groups.get(key) ?? { code, reason, of: [] };
    groups.set(key, group);
    const known = group.of.find((one) => one.object === object && one.field === field);
    if (known) known.rows += rows;
    else group.of.push({ object, ...(field === undefined ? {} : { field }), rows });
  }
  const rowsOf = ({ of }: NotJudgedGroup) => of.reduce((sum, { rows }) => sum + rows, 0);
  return [...groups.values()].sort((a, b) => rowsOf(b) - rowsOf(a));
}

/** What a plan says that it does not restore. */
export function planned(leftOut: readonly FieldLeftOut[], withheld: readonly Withheld[]): NotJudged[] {
  return [...leftOut, ...withheld.map(({ object, code, reason }) => ({ object, code, reason, rows: 1 }))];
}

export function totals(objects: readonly ObjectRehearsed[]): Certificate['totals'] {
  const sum = (key: keyof Certificate['totals']) => objects.reduce((all, one) => all + one[key], 0);
  return {
    rows: sum('rows'),
    equal: sum('equal'),
    different: sum('different'),
    missing: sum('missing'),
    standing: sum('standing'),
    notRestored: sum('notRestored'),
    extra: sum('extra'),
    files: sum('files'),
  };
}

export function rungOf(certificate: Certificate, problems: readonly Problem[]): RungResult {
  const { rows, equal, different, missing, extra, notRestored, standing, files } = certificate.totals;
  const parts = [
    `${written(equal)} of ${counted(rows, 'row')} came back equal`,
    ...(files > 0 ? [`${counted(files, 'file')} too`] : []),
    ...(standing > 0 ? [`${written(standing)} stood there`] : []),
    ...(notRestored > 0 ? [`${written(notRestored)} not to be restored`] : []),
    ...(different > 0 ? [`${written(different)} differ`] : []),
    ...(missing > 0 ? [`${written(missing)} missing`] : []),
    ...(extra > 0 ? [`${written(extra)} too many`] : []),
    `${written(certificate.measured.rowsASecond)} rows/s`,
  ];
  return { rung: 'rehearse', ok: problems.length === 0, figure: parts.join(', '), problems };
}
