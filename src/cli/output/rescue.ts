import type { Planned } from '../../operations/restore/restore.ts';
import { time } from './figures.ts';
import type { Paint } from './paint.ts';
import { planText } from './restore.ts';

/** The proposal of an emergency: the point, the plan, and the command that applies it. */
export function rescueText(
  rescue: {
    readonly point: { readonly id: string; readonly ended: string };
    readonly planned: Planned;
    readonly planFile: string;
    readonly flags: string;
  },
  paint: Paint,
): string {
  const { point, planned, planFile, flags } = rescue;
  return [
    `the last good point before it is ${paint.strong(point.id)}, which ended ${time(point.ended)}`,
    '',
    planText(planned, paint),
    '',
    `the plan is saved in ${planFile}; nothing was written to the org`,
    paint.next(`salvor restore --plan ${planFile}${flags}`, 'apply exactly this; it asks before it writes'),
  ].join('\n');
}
