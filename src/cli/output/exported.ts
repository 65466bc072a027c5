import type { ExportResult } from '../../operations/export/request.ts';
import { bytes, count, countOf } from './figures.ts';
import type { Paint } from './paint.ts';
import { notCoveredText } from './point.ts';

export function exportText(result: ExportResult, paint: Paint): string {
  const { objects, files } = result;
  const rows = objects.reduce((sum, one) => sum + one.rows, 0);
  const encrypted =
    result.encryptedTo.length > 0
      ? `encrypted to ${countOf(result.encryptedTo.length, 'recipient')}`
      : 'not encrypted: it holds values in the clear';
  const lines = [
    paint.table(objects, [
      { title: 'object', value: ({ object }) => object },
      { title: 'rows', value: (one) => count(one.rows), right: true },
      { title: 'columns', value: ({ columns }) => count(columns.length), right: true },
      { title: 'where', value: ({ entry, table, sheets }) => entry ?? table ?? sheets?.join(', ') ?? '' },
      {
        title: 'whole',
        value: ({ complete, reason }) => (complete ? 'yes' : paint.bad(`no: ${paint.printable(reason ?? '')}`)),
      },
    ]),
    '',
    `point ${result.point}: ${countOf(objects.length, 'object')}, ${countOf(rows, 'row')}${files ? `, ${countOf(files.count, 'file')} (${bytes(files.bytes)})` : ''}`,
  ];
  if (files && files.missing > 0)
    lines.push(
      paint.careful(
        `${countOf(files.missing, 'file')} of these rows ${files.missing === 1 ? 'is' : 'are'} not in the point`,
      ),
    );
  const rounded = objects.filter(({ roundedNumbers = 0 }) => roundedNumbers > 0);
  for (const { object, roundedNumbers = 0 } of rounded)
    lines.push(
      paint.careful(`${object}: ${countOf(roundedNumbers, 'number')} with more digits than the database keeps`),
    );
  lines.push(
    ...notCoveredText(
      result.notCovered.filter(({ reason }) => reason !== 'bytes of files are not in this export'),
      paint,
    ),
  );
  lines.push(
    `${paint.strong(result.file)}  ${bytes(result.bytes)}, ${encrypted}`,
    paint.faint(`sha256 ${result.sha256}`),
  );
  return lines.join('\n');
}
