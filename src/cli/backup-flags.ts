import { Fault } from '../errors.ts';
import type { AlertRule } from '../operations/backup/alerts.ts';
import type { Exclusion } from '../operations/backup/exclusions.ts';
import type { BackupRequest, PointResult } from '../operations/backup/request.ts';
import type { CommandContext, Flags, FlagValues } from './command.ts';
import { alertText } from './output/point.ts';

/** What every command is told that takes points. */
export const pointFlags = {
  objects: { value: 'names', kind: 'list', summary: 'only these objects; * stands for any characters' },
  exclude: { value: 'names', kind: 'list', summary: 'without these objects; * stands for any characters' },
  'no-files': { summary: 'without the bytes of files, attachments and documents' },
  'max-api-percent': {
    value: 'percent',
    kind: 'number',
    default: 80,
    summary: "stop, resumable, when this much of the org's daily API requests is used, by anybody",
  },
  'org-timeout': {
    value: 'time',
    summary: 'give up a request that the org leaves unanswered, or half answered, for this time: 30s, 5m',
  },
  'min-coverage': {
    value: 'percent',
    kind: 'number',
    summary: 'refuse, before a row is read, a point that would cover less of what the org holds',
  },
  priorities: {
    value: 'names',
    kind: 'list',
    summary: 'objects that are read first, in this order; * stands for any characters',
  },
  parallel: {
    value: 'number',
    kind: 'integer',
    least: 1,
    most: 100,
    default: 4,
    summary: 'objects that are read at the same time',
  },
} as const satisfies Flags;

/** The request of a point without labels that goes on from earlier ones. Throws `usage`. */
export function pointRequest(ctx: CommandContext, flags: FlagValues<typeof pointFlags>): BackupRequest {
  assertPercent('max-api-percent', flags.maxApiPercent);
  assertPercent('min-coverage', flags.minCoverage);
  return {
    policy: { objects: flags.objects, exclude: flags.exclude, exclusions: exclusionsOf(ctx) },
    accept: acceptances(ctx),
    alerts: (ctx.config.values.alerts ?? []) as readonly AlertRule[],
    tags: [],
    files: !flags.noFiles,
    full: false,
    minCoverage: flags.minCoverage,
    priorities: flags.priorities,
    parallel: flags.parallel,
    tool: ctx.tool,
  };
}

/** Why the exit code is not 0 although the point was sealed; undefined: it is complete, and nothing is out of the ordinary. */
export function pointFault({
  id,
  status,
  suspect,
  alerts,
  objects,
  metadata,
}: Pick<PointResult, 'id' | 'status' | 'suspect' | 'alerts' | 'objects' | 'metadata'>): Fault | undefined {
  const failed: { readonly object: string; readonly reason?: string }[] = objects.filter(({ complete }) => !complete);
  if (metadata?.complete === false) failed.push({ object: 'Metadata', reason: metadata.reason });
  const named = failed.slice(0, 3).map(({ object, reason }) => `${object} (${reason})`);
  const partial = `the point is partial: ${named.join('; ')}${more(failed.length)}`;
  if (suspect) {
    const told = alerts.slice(0, 3).map(alertText);
    const both = status === 'partial' ? `; and ${partial}` : '';
    return new Fault('point-suspect', `point ${id} is suspect: ${told.join('; ')}${more(alerts.length)}${both}`);
  }
  return status === 'partial' ? new Fault('object-failed', partial) : undefined;
}

function more(length: number): string {
  return length > 3 ? ` and ${length - 3} more` : '';
}

/** Throws `usage` for more than 100. */
export function assertPercent(flag: string, value: number | undefined): void {
  if (value !== undefined && value > 100)
    throw new Fault('usage', `--${flag} has to be between 0 and 100, not ${value}`);
}

/** What the policy of the configuration leaves out; its schema has checked it. */
export function exclusionsOf(ctx: CommandContext): readonly Exclusion[] {
  return (ctx.config.values.exclusions ?? []) as readonly Exclusion[];
}

/** Known reasons that the configuration accepts; its schema has checked them. */
function acceptances(ctx: CommandContext): BackupRequest['accept'] {
  const own = ctx.config.values.backup as { accept?: BackupRequest['accept'] } | undefined;
  return own?.accept ?? [];
}
