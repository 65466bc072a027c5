import type { Certificate, NotJudgedGroup } from '../../operations/rehearse/certificate.ts';
import { count, countOf, duration, time } from './figures.ts';
import type { Paint } from './paint.ts';

const mostObjects = 4;

/** What a restore said in one line for every record that is made again, and not by field. */
const ofEveryRecord = new Set([
  'audit-field',
  'system-field',
  'number-given-anew',
  'read-only',
  'formula',
  'platform-derives',
]);

/** The certificate of a rehearsal for people: figures and names of objects, no values. */
export function certificateText(certificate: Certificate, paint: Paint): string[] {
  const { point, digest, org, at, tool, onto, totals, objects, measured, predicted, ok } = certificate;
  const shown = objects.filter(({ rows, extra }) => rows + extra > 0);
  const figure = (value: number) => (value === 0 ? paint.faint('·') : count(value));
  const right = true as const;
  return [
    '',
    `${paint.strong('rehearsal')}  ${ok ? paint.good('the point restores') : paint.bad('THE POINT DOES NOT RESTORE AS IT IS')}`,
    `point     ${point}  sha256 ${digest}`,
    `org       ${paint.printable(org.name)} (${org.id})${onto === undefined ? ', empty' : `, as it was in ${onto}`}`,
    `on        ${time(at)} by ${paint.printable(tool)}`,
    paint.table(shown, [
      { title: 'object', value: ({ object }) => object },
      { title: 'rows', value: ({ rows }) => count(rows), right },
      { title: 'equal', value: ({ equal }) => figure(equal), right },
      { title: 'differ', value: ({ different }) => figure(different), right },
      { title: 'missing', value: ({ missing }) => figure(missing), right },
      { title: 'too many', value: ({ extra }) => figure(extra), right },
      { title: 'stood', value: ({ standing }) => figure(standing), right },
      { title: 'not restored', value: ({ notRestored }) => figure(notRestored), right },
      { title: 'rows/s', value: ({ rowsASecond }) => figure(rowsASecond), right },
    ]),
    `${countOf(totals.equal, 'row')} of ${count(totals.rows)} and ${countOf(totals.files, 'file')} came back equal, ` +
      `in ${duration(measured.seconds * 1000)} (${count(measured.rowsASecond)} rows/s) and ${countOf(measured.apiCalls, 'API call')}`,
    `in the org itself about ${duration(predicted.seconds * 1000)} and ${countOf(predicted.apiCalls, 'API call')}: ${predicted.basis}`,
    ...notJudgedText(certificate.notJudged, paint),
  ];
}

function notJudgedText(groups: readonly NotJudgedGroup[], paint: Paint): string[] {
  if (groups.length === 0) return [];
  return [
    paint.careful('not judged:'),
    ...groups.map(({ code, reason, of }) => {
      const fields = of.filter(({ field }) => field !== undefined).length;
      const names = [...new Set(of.map(({ object, field }) => (field === undefined ? object : `${object}.${field}`)))];
      const more = names.length > mostObjects ? ` and ${count(names.length - mostObjects)} more` : '';
      const what = ofEveryRecord.has(code) ? countOf(fields, 'field') : names.slice(0, mostObjects).join(', ') + more;
      return `  ${paint.printable(reason)}: ${what}`;
    }),
  ];
}
