import type { FieldLeftOut, Plan, Withheld } from '../../operations/restore/plan.ts';
import type { Restored, RestoreResult } from '../../operations/restore/restore.ts';
import type { Outcome } from '../command.ts';
import { count, countOf, duration, time } from './figures.ts';
import type { Paint } from './paint.ts';

const columns = ['undelete', 'insert', 'relink', 'update', 'delete', 'skip', 'conflict'] as const;
const mostNamed = 4;

/** What the platform does with every record that is made again; said in one line and not by field. */
const ofEveryInsert = new Set(['audit-field', 'number-given-anew', 'read-only', 'platform-derives']);

/** A plan for people: what will be done, what will not, and what nobody can foresee. */
export function planText({ plan, digest }: { plan: Plan; digest: string }, paint: Paint): string {
  const { header, objects } = plan;
  const shown = objects.filter(({ rows }) => columns.some((action) => rows.count(action) > 0));
  const figure = (value: number) => (value === 0 ? paint.faint('·') : count(value));
  return [
    `${paint.strong('plan')} ${digest.slice(0, 12)}  point ${header.point.id} (${time(header.point.ended)}) into ${orgName(plan, paint)}`,
    ...(shown.length === 0
      ? ['nothing to do: what was selected stands in the org as the point has it']
      : [
          paint.table(shown, [
            { title: 'object', value: ({ object }) => object },
            ...columns.map((action) => ({
              title: action,
              value: ({ rows }: Plan['objects'][number]) => figure(rows.count(action)),
              right: true as const,
            })),
          ]),
        ]),
    ...withheldText(header.withheld, paint),
    ...leftOutText(header.leftOut, paint),
    ...(header.cannotForesee.length === 0 ? [] : [paint.faint('what no plan can foresee:')]),
    ...header.cannotForesee.map((sentence) => `  ${sentence}`),
    `about ${countOf(header.apiCalls, 'API call')}, about ${duration(header.predictedSeconds * 1000)} plus the org's own automation`,
  ].join('\n');
}

function orgName({ header }: Plan, paint: Paint): string {
  const kind = header.org.isSandbox ? 'sandbox' : paint.bad('PRODUCTION');
  return `${paint.strong(paint.printable(header.org.name))} (${kind}, ${header.org.id}, as ${paint.printable(header.org.username)})`;
}

/** Rows that cannot be restored, by object and reason. */
function withheldText(withheld: readonly Withheld[], paint: Paint): string[] {
  if (withheld.length === 0) return [];
  const groups = new Map<string, string[]>();
  for (const { object, id, reason } of withheld) {
    const key = `${object}: ${reason}`;
    const ids = groups.get(key);
    if (ids) ids.push(id);
    else groups.set(key, [id]);
  }
  return [
    paint.careful(`${countOf(withheld.length, 'row')} cannot be restored:`),
    ...[...groups].map(([key, ids]) => `  ${paint.printable(key)}: ${named(ids)}`),
  ];
}

function leftOutText(leftOut: readonly FieldLeftOut[], paint: Paint): string[] {
  const own = leftOut.filter(({ code }) => !ofEveryInsert.has(code));
  const always = leftOut.filter(({ code }) => ofEveryInsert.has(code));
  const lines = own.map(
    ({ object, field, reason, rows }) => `  ${object}.${field}, ${countOf(rows, 'row')}: ${paint.printable(reason)}`,
  );
  return [
    ...(lines.length === 0 ? [] : [paint.faint('fields that stay as they are:'), ...lines]),
    ...(always.length === 0
      ? []
      : [
          paint.faint(
            'records that are made again get new stamps, numbers and what the platform derives; see leftOut in --json',
          ),
        ]),
  ];
}

function named(ids: readonly string[]): string {
  const more = ids.length > mostNamed ? ` and ${count(ids.length - mostNamed)} more` : '';
  return ids.slice(0, mostNamed).join(', ') + more;
}

/** What a restore or an undo leaves its command with. */
export function restoredOutcome({ result, fault }: Restored): Outcome {
  return { result, human: (paint) => restoreText(result, paint), ...(fault ? { fault } : {}) };
}

/** What a restore did. */
export function restoreText(result: RestoreResult, paint: Paint): string {
  const done = Object.entries(result.done ?? {}).filter(([, counts]) =>
    Object.values(counts).some((value) => value > 0),
  );
  const figure = (value: number) => (value === 0 ? paint.faint('·') : count(value));
  const titles = ['undeleted', 'inserted', 'relinked', 'updated', 'deleted', 'skipped', 'failed'] as const;
  const { failedFile, idMapFile, conflicts } = result;
  return [
    `${paint.strong('restore')} ${result.restoreId}${result.undoes ? `, which undoes ${result.undoes}` : ''}`,
    ...(done.length === 0
      ? ['nothing was to be done']
      : [
          paint.table(done, [
            { title: 'object', value: ([object]) => object },
            ...titles.map((title) => ({
              title,
              value: ([, counts]: (typeof done)[number]) => {
                const value = figure(counts[title]);
                return title === 'failed' && counts[title] > 0 ? paint.bad(value) : value;
              },
              right: true as const,
            })),
          ]),
        ]),
    ...(conflicts.length === 0
      ? []
      : [
          paint.careful(`${countOf(conflicts.length, 'row')} kept, since somebody changed them:`),
          ...conflicts
            .slice(0, mostNamed)
            .map(
              ({ object, id, fields, reason }) => `  ${object} ${id}  ${fields.join(', ')}  ${paint.printable(reason)}`,
            ),
          ...(conflicts.length > mostNamed ? [`  and ${count(conflicts.length - mostNamed)} more, see --json`] : []),
        ]),
    ...leftOutText(
      result.leftOut.filter(({ code }) => code === 'not-written' || code === 'emptied' || code === 'differs'),
      paint,
    ),
    ...(failedFile ? [`failed rows, to be given to --ids-file when the reason is gone: ${failedFile}`] : []),
    ...(idMapFile ? [`old and new Ids: ${idMapFile}`] : []),
    !result.ended
      ? paint.next(`salvor restore --resume ${result.restoreId}`, 'go on with it')
      : result.undoes
        ? paint.next(`salvor undo ${result.restoreId}`, 'take this back too')
        : paint.next(`salvor undo ${result.restoreId}`, 'take it back'),
  ].join('\n');
}
