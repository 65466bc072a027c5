import type { ObjectShown, RecordShown, showPoint } from '../../operations/show.ts';
import { bytes, count, countOf, time } from './figures.ts';
import { versionsLines } from './found.ts';
import type { Paint } from './paint.ts';
import { blindSpotsText, metadataText, notCoveredText } from './point.ts';

export function pointText({ point, seq, digest }: Awaited<ReturnType<typeof showPoint>>, paint: Paint): string {
  const status = point.status === 'complete' ? paint.good('complete') : paint.bad('partial');
  return [
    `${paint.strong(point.id)}  ${status}, ${point.kind}, ${time(point.started)} to ${time(point.ended)}${point.tags.length > 0 ? `, tags ${point.tags.join(', ')}` : ''}`,
    `record ${seq}, ${digest}`,
    '',
    paint.table(point.objects, [
      { title: 'object', value: ({ object }) => object },
      { title: 'rows', value: ({ rows }) => count(rows), right: true },
      { title: 'deleted', value: ({ deleted }) => count(deleted), right: true },
      { title: 'segments', value: ({ segments }) => count(segments), right: true },
      { title: 'stored', value: (object) => bytes(object.bytes), right: true },
      { title: 'path', value: ({ path }) => path },
      {
        title: 'complete',
        value: ({ complete, reason }) => (complete ? 'yes' : paint.bad(`no: ${paint.printable(reason ?? '')}`)),
      },
    ]),
    '',
    `${countOf(point.objects.length, 'object')}, ${countOf(point.rows, 'row')}, ${countOf(point.files.count, 'file')} (${bytes(point.files.bytes)}), coverage ${point.coverage} %`,
    ...metadataText(point, paint),
    ...blindSpotsText(point.blindSpots, paint),
    ...notCoveredText(point.notCovered, paint),
    paint.next(`salvor show ${point.id} ${point.objects[0]?.object ?? 'Account'}`, 'fields of an object'),
  ].join('\n');
}

export function objectText(shown: ObjectShown, paint: Paint): string {
  const lines = [
    `${paint.strong(shown.object)}  ${countOf(shown.rows, 'row')}${shown.complete ? '' : paint.bad(`, not complete: ${paint.printable(shown.reason ?? '')}`)}`,
    '',
    paint.table(shown.fields, [
      { title: 'field', value: ({ name }) => name },
      { title: 'type', value: ({ type }) => type },
      { title: 'label', value: ({ label }) => paint.printable(label) },
      { title: 'in the point', value: ({ inPoint }) => (inPoint ? 'yes' : 'no') },
    ]),
  ];
  for (const row of shown.page) lines.push('', recordLines(row, paint));
  return lines.join('\n');
}

/** One record: names of its filled fields, and the values only when they are asked for; its related records and its versions. */
export function recordText(shown: RecordShown, values: boolean, paint: Paint): string {
  const { record } = shown;
  const filled = Object.entries(record).filter(([, value]) => value !== '');
  const head = values
    ? [recordLines(record, paint)]
    : [
        `${paint.strong(record.Id ?? '')}  ${countOf(filled.length, 'field')} filled of ${Object.keys(record).length}`,
        filled.map(([name]) => name).join(', '),
      ];
  return [
    ...head,
    ...relatedLines(shown, values, paint),
    '',
    paint.faint('history:'),
    ...versionsLines(shown.history, paint),
    ...(values ? [] : [paint.next('the same with --with-values or --json', 'show the values')]),
  ].join('\n');
}

function relatedLines({ parents, children, notCounted }: RecordShown, values: boolean, paint: Paint): string[] {
  const lines: string[] = [];
  if (parents.length > 0) lines.push('', paint.faint('refers to:'));
  for (const { field, object, id, name } of parents) {
    const named = values && name !== null ? `  ${paint.printable(name)}` : '';
    lines.push(`  ${field}: ${object ?? paint.careful('not in the point:')} ${id}${named}`);
  }
  if (children.length > 0) lines.push('', paint.faint('is referred to by:'));
  for (const { object, field, rows } of children) lines.push(`  ${object}.${field}: ${countOf(rows, 'record')}`);
  if (notCounted.length > 0) {
    const shown = notCounted.slice(0, 4).map(({ object, bytes: size }) => `${object} (${bytes(size)})`);
    const more = notCounted.length > 4 ? ` and ${notCounted.length - 4} more` : '';
    lines.push(
      '',
      paint.faint(`not looked through for records that refer to it: ${shown.join(', ')}${more}; --all-children does`),
    );
  }
  return lines;
}

function recordLines(record: Readonly<Record<string, string>>, paint: Paint): string {
  const filled = Object.entries(record).filter(([, value]) => value !== '');
  const width = Math.max(...filled.map(([name]) => name.length));
  return filled.map(([name, value]) => `${paint.faint(name.padEnd(width))}  ${paint.printable(value)}`).join('\n');
}
