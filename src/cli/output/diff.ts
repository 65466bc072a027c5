import type { DiffResult, NotCompared, ObjectDiff, RecordDiff } from '../../operations/diff/request.ts';
import { count, countOf } from './figures.ts';
import type { Paint } from './paint.ts';
import type { Column } from './table.ts';

/** How much is shown: names of objects, their counts, their fields too. */
export type Detail = 'names' | 'counts' | 'fields';

/** Fields that are named on the line of their object. */
const fieldsOnLine = 4;
/** Objects that are not compared, and are named on one line. */
const namesOnLine = 8;

export function diffText(
  result: DiffResult,
  records: readonly RecordDiff[],
  detail: Detail,
  paint: Paint,
  patch?: { readonly file: string; readonly records: number },
): string {
  const { objects, from } = result;
  if (detail === 'names') return objects.map(({ object }) => object).join('\n');
  const lines = [`${paint.strong(from)} to ${result.to === 'live' ? 'the org now' : paint.strong(result.to)}`];
  if (objects.length > 0) lines.push('', paint.table(objects, columns(detail)), ...objects.flatMap(asides));
  if (records.length > 0) lines.push('', ...records.flatMap((record) => recordLines(record, paint)));
  lines.push('', summary(result), ...notComparedLines(result.notCompared, paint));
  if (result.unattributed > 0)
    lines.push(
      paint.careful(
        `${countOf(result.unattributed, 'row')} vanished without a trace, so that nobody can say who deleted them: not shown`,
      ),
    );
  if (patch) lines.push(`${countOf(patch.records, 'record')} in the patch ${patch.file}`);
  if (patch) lines.push(paint.next(`salvor restore ${from} --patch ${patch.file} --dry-run`, 'what would be put back'));
  else if (objects.length > 0)
    lines.push(paint.next(`salvor restore ${from} ${selectionOf(objects)} --dry-run`, 'what would be put back'));
  return lines.join('\n');
}

function columns(detail: Detail): Column<ObjectDiff>[] {
  const counts: Column<ObjectDiff>[] = [
    { title: 'object', value: ({ object }) => object },
    { title: 'added', value: ({ added }) => count(added), right: true },
    { title: 'changed', value: ({ changed }) => count(changed), right: true },
    { title: 'deleted', value: ({ deleted }) => count(deleted), right: true },
  ];
  return detail === 'fields' ? [...counts, { title: 'fields', value: fieldsText }] : counts;
}

function fieldsText({ fields }: ObjectDiff): string {
  const names = Object.entries(fields);
  const shown = names.slice(0, fieldsOnLine).map(([name, rows]) => `${name} ${count(rows)}`);
  return [...shown, ...(names.length > fieldsOnLine ? [`and ${names.length - fieldsOnLine} more`] : [])].join(', ');
}

/** What stands beside the counts of an object. */
function asides({ object, only, incomplete, fieldsGone, fieldsNew }: ObjectDiff): string[] {
  return [
    ...(incomplete === undefined ? [] : [`  ${object}: ${incomplete}`]),
    ...(only ? [`  ${object}: ${only.reason}`] : []),
    ...(fieldsGone.length > 0 ? [`  ${object}: fields that are gone: ${fieldsGone.join(', ')}`] : []),
    ...(fieldsNew.length > 0 ? [`  ${object}: fields that are new: ${fieldsNew.join(', ')}`] : []),
  ];
}

function recordLines({ object, id, change, fields, deletedWith }: RecordDiff, paint: Paint): string[] {
  const painted = { added: paint.good, changed: paint.careful, deleted: paint.bad }[change];
  const root = deletedWith === undefined ? '' : paint.faint(`  deleted with ${deletedWith}`);
  const head = `${painted(change.padEnd('changed'.length))}  ${object}  ${id}${root}`;
  if (isNames(fields)) return [fields.length === 0 ? head : `${head}  ${fields.join(', ')}`];
  const width = Math.max(0, ...Object.keys(fields).map((name) => name.length));
  return [
    head,
    ...Object.entries(fields).map(([name, { from, to }]) => {
      const values = { added: [to], deleted: [from], changed: [from, to] }[change].map((text) => shown(text, paint));
      return `  ${paint.faint(name.padEnd(width))}  ${values.join(' -> ')}`;
    }),
  ];
}

function isNames(fields: RecordDiff['fields']): fields is readonly string[] {
  return Array.isArray(fields);
}

function shown(text: string, paint: Paint): string {
  return text === '' ? paint.faint('(empty)') : paint.printable(text);
}

function summary({ objects, compared }: DiffResult): string {
  if (objects.length === 0) return `no differences in ${countOf(compared, 'object')}`;
  const sum = (of: (one: ObjectDiff) => number) => count(objects.reduce((total, one) => total + of(one), 0));
  return (
    `${countOf(objects.length, 'object')} of ${count(compared)} ${objects.length === 1 ? 'differs' : 'differ'}: ` +
    `${sum(({ added }) => added)} added, ${sum(({ changed }) => changed)} changed, ${sum(({ deleted }) => deleted)} deleted`
  );
}

function notComparedLines(notCompared: readonly NotCompared[], paint: Paint): string[] {
  if (notCompared.length === 0) return [];
  return [
    paint.faint('not compared:'),
    ...byReason(notCompared).map(
      ({ objects, reason, failed }) =>
        `  ${failed ? paint.bad(objects) : objects}: ${paint.faint(paint.printable(reason))}`,
    ),
  ];
}

/** Objects that are not compared for the same reason, together: a point of few objects leaves out all others. */
export function byReason(
  notCompared: readonly NotCompared[],
): { readonly objects: string; readonly count: number; readonly reason: string; readonly failed: boolean }[] {
  const groups = Map.groupBy(notCompared, ({ reason, failed }) => `${failed} ${reason}`);
  return [...groups.values()].map((alike) => {
    const names = alike.slice(0, namesOnLine).map(({ object }) => object);
    const more = alike.length - names.length;
    const { reason, failed } = alike[0]!;
    return {
      objects: names.join(', ') + (more > 0 ? ` and ${count(more)} more` : ''),
      count: alike.length,
      reason,
      failed,
    };
  });
}

function selectionOf(objects: readonly ObjectDiff[]): string {
  return objects.length > fieldsOnLine ? '--all' : `--objects ${objects.map(({ object }) => object).join(',')}`;
}

/** The same as CSV: a line for each field of each record that differs, or without records a line for each object. */
export function diffCsv(
  { objects }: DiffResult,
  records: readonly RecordDiff[] | undefined,
  encode: (cells: readonly string[]) => string,
): string {
  if (!records) {
    const rows = objects.map(({ object, added, changed, deleted }) => [object, added, changed, deleted].map(String));
    return [['object', 'added', 'changed', 'deleted'], ...rows].map(encode).join('');
  }
  const rows = records.flatMap(({ object, id, change, fields }) => {
    if (isNames(fields))
      return fields.length === 0
        ? [[object, id, change, '', '', '']]
        : fields.map((name) => [object, id, change, name, '', '']);
    return Object.entries(fields).map(([name, { from, to }]) => [object, id, change, name, from, to]);
  });
  return [['object', 'id', 'change', 'field', 'from', 'to'], ...rows].map(encode).join('');
}
