import type { RepairResult } from '../../operations/copy/repair.ts';
import type { CopyResult } from '../../operations/copy/request.ts';
import type { FailedCopy } from '../each-copy.ts';
import { bytes, countOf } from './figures.ts';
import type { Paint } from './paint.ts';

export function copyText({ to, ...copy }: CopyResult & { readonly to: string }, paint: Paint): string {
  const amount = ({ objects, bytes: size }: CopyResult['copied']) => `${countOf(objects, 'object')} (${bytes(size)})`;
  return [
    `${paint.strong(to)}  ${amount(copy.copied)} copied, ${amount(copy.there)} there already, ${countOf(copy.points, 'point')}, head ${copy.head.seq}`,
    ...(copy.deleted.objects > 0 ? [`deleted ${amount(copy.deleted)}, which the log let go`] : []),
    ...copy.problems.map(({ problem }) => `${paint.bad('damaged')}  ${problem}`),
    ...copy.notWhole.map((point) => `${paint.bad('not whole')}  point ${point} lacks some of it in the copy`),
  ].join('\n');
}

export function failedCopyText({ to, name, status, message }: FailedCopy, paint: Paint): string {
  return `${paint.strong(to)}  ${paint.bad(name)} (exit ${status}): ${paint.printable(message)}`;
}

export function repairText({ dryRun, checked, healed, unhealed }: RepairResult, paint: Paint): string {
  return [
    ...healed.map(({ problem }) => `${paint.good(dryRun ? 'can be healed' : 'healed')}  ${problem}`),
    ...unhealed.map(({ problem, why }) => `${paint.bad('damaged')}  ${problem}; ${why}`),
    `${countOf(checked.objects, 'object')} (${bytes(checked.bytes)}) read, ${healed.length} ${dryRun ? 'could be healed' : 'healed'}, ${unhealed.length} still damaged`,
    ...(healed.length > 0 && !dryRun ? [paint.next('salvor verify --all', 'prove that it is whole')] : []),
  ].join('\n');
}
