import type { OrgCompared } from '../../operations/verify/org-request.ts';
import { count, countOf, time } from './figures.ts';
import type { Paint } from './paint.ts';

const mostFields = 8;

/** The comparison with the org for people: objects of which something is to be told, figures and names, no values. */
export function orgText(compared: OrgCompared, paint: Paint): string[] {
  const { org, at, sample, objects, totals, notCompared, apiCalls } = compared;
  const told = objects.filter(({ rows, equal, since, missing }) => rows !== equal || since + missing > 0);
  const figure = (value: number) => (value === 0 ? paint.faint('·') : count(value));
  const right = true as const;
  const part = sample ? `, part ${sample.part} of ${sample.of}` : '';
  return [
    '',
    `${paint.strong('against the org')}  ${paint.printable(org.name)} (${org.id}) at ${time(at)}${part}, ${countOf(apiCalls, 'API call')}`,
    ...(told.length > 0
      ? [
          paint.table(told, [
            { title: 'object', value: ({ object }) => object },
            { title: 'rows', value: ({ rows }) => count(rows), right },
            { title: 'equal', value: ({ equal }) => figure(equal), right },
            { title: 'since', value: ({ since }) => figure(since), right },
            { title: 'stale', value: ({ stale }) => figure(stale), right },
            { title: 'gone', value: ({ gone }) => figure(gone), right },
            { title: 'no date', value: ({ undated }) => figure(undated), right },
            { title: 'different', value: ({ different }) => figure(different), right },
            { title: 'missing', value: ({ missing }) => figure(missing), right },
            { title: 'deleted', value: ({ undead }) => figure(undead), right },
          ]),
        ]
      : []),
    `${count(totals.equal)} of ${countOf(totals.rows, 'row')} in ${countOf(objects.length, 'object')} are equal`,
    ...staleText(compared, paint),
    ...notCompared.map(({ object, reason }) => paint.careful(`not compared: ${object}: ${paint.printable(reason)}`)),
    ...objects.flatMap(({ object, notCompared: fields }) =>
      fields.length > 0 ? [paint.careful(`not compared: fields of ${object}: ${fields.join(', ')}`)] : [],
    ),
  ];
}

function staleText({ objects, totals }: OrgCompared, paint: Paint): string[] {
  if (totals.stale === 0) return [];
  const fields = objects
    .flatMap(({ object, staleFields }) => Object.entries(staleFields).map(([field, rows]) => ({ object, field, rows })))
    .sort((a, b) => b.rows - a.rows);
  const shown = fields.slice(0, mostFields).map(({ object, field, rows }) => `${object}.${field} ${count(rows)}`);
  const more = fields.length > mostFields ? ` and ${count(fields.length - mostFields)} more, see --json` : '';
  return [paint.faint(`stale, as they change without a stamp: ${shown.join(', ')}${more}`)];
}
