import type { AccessListed } from '../../operations/access-report.ts';
import { countOf, time } from './figures.ts';
import type { Paint } from './paint.ts';

export function accessText(access: readonly AccessListed[], paint: Paint): string {
  if (access.length === 0) return 'the log names no access';
  return paint.table(access, [
    { title: 'time', value: ({ at }) => time(at) },
    { title: 'who', value: ({ who }) => paint.printable(who ?? '?') },
    { title: 'what', value: ({ what }) => paint.printable(what ?? '?') },
    { title: 'point', value: (one) => paint.printable(pointOf(one)) },
    { title: 'objects', value: ({ objects }) => named(objects ?? [], paint) },
    { title: 'signed by', value: ({ signer }) => paint.printable(signer) },
    { title: 'record', value: ({ record }) => String(record.seq), right: true },
  ]);
}

function pointOf({ point, to, restore, points = [] }: AccessListed): string {
  if (point === undefined) return restore ?? few(points);
  return to === undefined ? point : `${point}..${to}`;
}

function few(points: readonly string[]): string {
  return points.length > 1 ? countOf(points.length, 'point') : (points[0] ?? '');
}

function named(objects: readonly string[], paint: Paint): string {
  return objects.length > 3 ? countOf(objects.length, 'object') : paint.printable(objects.join(', '));
}
