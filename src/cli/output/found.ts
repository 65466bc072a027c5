import type { Found, Version } from '../../operations/find/request.ts';
import { count, countOf, time } from './figures.ts';
import type { Paint } from './paint.ts';

export function foundText(found: Found, paint: Paint): string {
  const records = new Map<string, Version[]>();
  for (const version of found.versions) {
    const name = `${version.object} ${version.id}`;
    records.set(name, [...(records.get(name) ?? []), version]);
  }
  const lines: string[] = [];
  for (const [name, versions] of records)
    lines.push(
      `${paint.strong(name)}  ${countOf(versions.length, 'version')} in ${countOf(found.points, 'point')}`,
      ...versionsLines(versions, paint),
      '',
    );
  const objects = found.notSearched.filter(({ object }) => object !== undefined);
  for (const { object, reason } of objects) lines.push(paint.faint(`not searched: ${object}: ${reason}`));
  if (found.more) lines.push(paint.careful(`there are more than ${countOf(records.size, 'record')}: raise --limit`));
  // The newest in which the record still stands.
  const standing = found.versions.findLast(({ change }) => change !== 'deleted')!;
  const { lastPoint, object, id } = standing;
  lines.push(paint.next(`salvor show ${lastPoint} ${object} ${id} --with-values`, 'the record as it stood there'));
  return lines.join('\n');
}

/** The versions of one record, oldest first. */
export function versionsLines(versions: readonly Version[], paint: Paint): string[] {
  return versions.flatMap((version) => {
    const { change, to, lastPoint, from, points, changedBy, changedAt, deletedWith, fields } = version;
    const painted = { seen: paint.good, returned: paint.good, changed: paint.careful, deleted: paint.bad }[change];
    const span = to === lastPoint ? to : `${to} to ${lastPoint} (${count(points)})`;
    const by = [
      changedBy === null ? '' : ` by ${changedBy}`,
      changedAt === null ? '' : ` at ${whenOf(changedAt)}`,
      deletedWith === null ? '' : `, deleted with ${deletedWith}`,
    ].join('');
    const names = Array.isArray(fields) && fields.length > 0 ? `  ${fields.join(', ')}` : '';
    return [
      `  ${painted(change.padEnd('returned'.length))}  ${span}${by === '' ? '' : paint.faint(`  last changed${by}`)}${names}`,
      ...(from === null ? [] : [paint.faint(`    between ${from} and ${to}`)]),
      ...(Array.isArray(fields) ? [] : valueLines(version, paint)),
    ];
  });
}

function whenOf(text: string): string {
  return Number.isNaN(Date.parse(text)) ? text : time(text);
}

function valueLines({ change, fields }: Version, paint: Paint): string[] {
  const entries = Object.entries(fields as Readonly<Record<string, { from: string; to: string }>>);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  const shown = (text: string) => (text === '' ? paint.faint('(empty)') : paint.printable(text));
  return entries.map(([name, { from, to }]) => {
    const values = change === 'seen' ? [to] : change === 'deleted' ? [from] : [from, to];
    return `    ${paint.faint(name.padEnd(width))}  ${values.map(shown).join(' -> ')}`;
  });
}
