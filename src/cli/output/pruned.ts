import type { PruneResult } from '../../operations/prune/request.ts';
import { bytes, countOf, time } from './figures.ts';
import type { Paint } from './paint.ts';

/** `comeBack`: the retired have a grace; without one they were let go in the same run. */
export function pruneText(result: PruneResult, paint: Paint, comeBack: boolean): string {
  const { points, dryRun, inGrace, due, frees, deleted, refused, spared, locks } = result;
  const retired = points.filter(({ retire }) => retire);
  const amount = ({ objects, bytes: size }: PruneResult['frees']) => `${countOf(objects, 'object')}, ${bytes(size)}`;
  const lines = [
    paint.table(points, [
      { title: 'point', value: ({ id }) => id },
      { title: 'ended', value: ({ ended }) => time(ended) },
      { title: 'status', value: ({ status }) => status },
      { title: 'decision', value: ({ retire }) => (retire ? paint.careful('retired') : paint.good('kept')) },
      { title: 'because', value: ({ keep }) => (keep.length > 0 ? keep.join(', ') : 'no rule keeps it') },
    ]),
    '',
    `${countOf(points.length - retired.length, 'point')} kept, ${retired.length} ${dryRun ? 'would be retired' : 'retired'}`,
    ...inGrace.map(({ id, until }) => `${id}  ${paint.careful('retired')}, can be brought back until ${time(until)}`),
    ...due.map((id) => `${id}  ${paint.careful('retired')}, its grace is over`),
  ];
  if (frees.objects > 0) lines.push(`only retired points reach ${amount(frees)}`);
  if (deleted.objects > 0) lines.push(`deleted ${amount(deleted)}`);
  if (spared.objects > 0) lines.push(`spared ${amount(spared)}, which a newer point reaches`);
  if (refused.objects > 0)
    lines.push(`${paint.careful('still held by the store')}: ${amount(refused)}; a later run tries again`);
  if (locks) {
    const refused = locks.refused > 0 ? `, ${paint.careful(`${locks.refused} refused`)}` : '';
    lines.push(`${countOf(locks.extended, 'lock')} lengthened, of ${countOf(locks.looked, 'object')}${refused}`);
  }
  if (dryRun && (retired.length > 0 || due.length > 0))
    lines.push(paint.next('salvor prune … --confirm-prune', 'the same, done'));
  if (!dryRun && comeBack && retired.length > 0)
    lines.push(paint.next(`salvor keep ${retired[0]!.id}`, 'bring one back while its grace lasts'));
  return lines.join('\n');
}
