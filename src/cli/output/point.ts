import type { BackupResult } from '../../operations/backup/backup.ts';
import type { Preview } from '../../operations/backup/preview.ts';
import type { PointResult } from '../../operations/backup/request.ts';
import type { PointListed } from '../../operations/points.ts';
import type { Alert, BlindSpot, LeftOut } from '../../vault/manifest.ts';
import { bytes, count, countOf, duration, time } from './figures.ts';
import type { Paint } from './paint.ts';

/** Reasons of the coverage report that are true of every org and hide nothing. */
const harmless = /^compound: /;

/** `Account: 31.2 % of its rows were deleted, the limit is 20 %` */
export function alertText({ object, rule, figure, limit }: Alert): string {
  const [what, kind] = rule.split('-');
  const rows = (value: number) => (kind === 'percent' ? `${value} %` : count(value));
  const of = kind === 'percent' ? 'of its rows' : 'rows';
  const usual = kind === 'outlier' ? 'up to' : 'the limit is';
  return `${object}: ${rows(figure)} ${of} were ${what}, ${usual} ${rows(limit)}${kind === 'outlier' ? ' would be usual' : ''}`;
}

export function backupText({ point, head }: BackupResult, paint: Paint): string {
  const took = duration(Date.parse(point.ended) - Date.parse(point.started));
  const status = statusText({ ...point, quarantined: false, retired: null, holds: [] }, paint);
  const lines = [
    `${paint.strong(point.id)}  ${status}, ${point.kind}, ${countOf(point.objects.length, 'object')}, ${countOf(point.rows, 'row')}, ` +
      `${countOf(point.files.count, 'file')} (${bytes(point.files.bytes)}), ${bytes(point.bytes)} stored, ${took}, ${countOf(point.apiCalls, 'API call')}`,
  ];
  const incomplete = point.objects.filter(({ complete }) => !complete);
  for (const { object, reason } of incomplete)
    lines.push(`  ${paint.bad('not complete')}  ${object}: ${paint.printable(reason ?? '')}`);
  lines.push(...metadataText(point, paint));
  for (const alert of point.alerts) lines.push(`  ${paint.careful('suspect')}  ${alertText(alert)}`);
  lines.push(...blindSpotsText(point.blindSpots, paint).map((line) => `  ${line}`));
  lines.push(...notCoveredText(point.notCovered, paint));
  lines.push(`head ${head.seq}:${head.digest}`);
  lines.push(paint.next(`salvor verify ${point.id}`, 'prove that it is whole; without an identity: --no-identity'));
  return lines.join('\n');
}

/** A line about the org's metadata, where it was asked for. */
export function metadataText({ metadata }: Pick<PointResult, 'metadata'>, paint: Paint): string[] {
  if (!metadata) return [];
  if (!metadata.complete)
    return [`  ${paint.bad('not complete')}  Metadata: ${paint.printable(metadata.reason ?? '')}`];
  return [`  metadata: ${countOf(metadata.components, 'component')} (${bytes(metadata.bytes)})`];
}

/** The coverage report in short: reasons with what they concern. The JSON has every line. */
export function notCoveredText(notCovered: readonly LeftOut[], paint: Paint): string[] {
  const reasons = new Map<string, string[]>();
  for (const one of notCovered) {
    if (harmless.test(one.reason)) continue;
    const reason = one.owner === undefined ? one.reason : `${one.reason} (${one.owner})`;
    reasons.set(reason, [...(reasons.get(reason) ?? []), leftOutName(one)]);
  }
  if (reasons.size === 0) return [];
  const lines = [paint.faint('not in the point:')];
  for (const [reason, names] of reasons) {
    const shown = names.slice(0, 4).join(', ');
    const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
    lines.push(`  ${shown}${more}: ${paint.faint(paint.printable(reason))}`);
  }
  return lines;
}

/** `Contact.SSN__c`, `Lead where Status = 'Junk' (120 rows)` */
function leftOutName({ object, field, where, rows }: LeftOut): string {
  if (where !== undefined) return `${object} where ${where}${rows === undefined ? '' : ` (${countOf(rows, 'row')})`}`;
  return field === undefined ? object : `${object}.${field}`;
}

export function blindSpotsText(spots: readonly BlindSpot[], paint: Paint): string[] {
  return spots.map((spot) => `${paint.careful('blind spot')}  ${spot.message}: ${spot.mend}`);
}

const changedColumn = {
  title: 'to read',
  value: ({ changed }: Preview['objects'][number]) => (changed === null ? '?' : count(changed)),
  right: true,
} as const;

export function previewText(preview: Preview, paint: Paint): string {
  const rows = [...preview.objects].sort((a, b) => (b.rows ?? 0) - (a.rows ?? 0));
  const used = preview.apiMax === null ? '' : ` of ${count(preview.apiMax)} a day, ${count(preview.apiUsed ?? 0)} used`;
  return [
    paint.table(rows, [
      { title: 'object', value: ({ object }) => object },
      { title: 'way', value: ({ way }) => way },
      { title: 'rows', value: ({ rows }) => (rows === null ? '?' : count(rows)), right: true },
      ...(preview.kind === 'full' ? [] : [changedColumn]),
      { title: 'about', value: (row) => bytes(row.bytes), right: true },
      { title: 'API calls', value: ({ apiCalls }) => count(Math.ceil(apiCalls)), right: true },
    ]),
    '',
    `${countOf(rows.length, 'object')}, ${countOf(preview.rows, 'row')}, about ${bytes(preview.bytes)} of CSV without files, about ${countOf(preview.apiCalls, 'API call')}${used}; coverage ${preview.coverage} %`,
    `this preview made ${countOf(preview.ownCalls, 'API call')}, and reads no row; ${preview.kind === 'full' ? 'everything would be read' : 'what changed would be read'}`,
    ...blindSpotsText(preview.blindSpots, paint),
    ...notCoveredText(preview.notCovered, paint),
    paint.next('salvor backup', 'take the point'),
  ].join('\n');
}

export function pointsText(points: readonly PointListed[], paint: Paint): string {
  if (points.length === 0)
    return `the vault holds no recovery point yet\n${paint.next('salvor backup', 'take the first')}`;
  const readable = points.find(({ status, retired }) => status !== 'unreadable' && retired === null);
  return [
    paint.table(points, [
      { title: 'point', value: ({ id }) => id },
      { title: 'ended', value: ({ ended }) => time(ended) },
      { title: 'took', value: ({ started, ended }) => duration(Date.parse(ended) - Date.parse(started)), right: true },
      { title: 'kind', value: ({ kind }) => kind },
      { title: 'status', value: (point) => statusText(point, paint) },
      { title: 'objects', value: ({ objects }) => count(objects), right: true },
      { title: 'rows', value: ({ rows }) => count(rows), right: true },
      { title: 'changed', value: ({ changed }) => count(changed), right: true },
      { title: 'deleted', value: ({ deleted }) => count(deleted), right: true },
      { title: 'stored', value: (point) => bytes(point.bytes), right: true },
      { title: 'coverage', value: ({ coverage }) => `${coverage} %`, right: true },
      { title: 'verified', value: ({ verified }) => verifiedText(verified, paint) },
      { title: 'tags', value: ({ tags }) => tags.join(', ') },
    ]),
    ...points.flatMap(({ id, incomplete }) =>
      incomplete.map(({ object, reason }) => `${paint.bad('partial')}  ${id}  ${object}: ${paint.printable(reason)}`),
    ),
    ...points.flatMap(({ id, alerts }) => alerts.map((one) => `${paint.careful('suspect')}  ${id}  ${alertText(one)}`)),
    ...points.flatMap(({ id, unreadable }) =>
      unreadable === undefined ? [] : [`${paint.bad('unreadable')}  ${id}  ${paint.printable(unreadable)}`],
    ),
    readable
      ? paint.next(`salvor show ${readable.id}`, 'what is in it')
      : paint.next(`salvor verify ${points[0]!.id}`, 'what of it holds'),
  ].join('\n');
}

function statusText(
  point: Pick<PointListed, 'status' | 'suspect' | 'quarantined' | 'retired' | 'holds'>,
  paint: Paint,
): string {
  const status = point.status === 'complete' ? paint.good('complete') : paint.bad(point.status);
  return [
    status,
    point.suspect ? paint.careful('suspect') : '',
    point.quarantined ? paint.bad('quarantined') : '',
    point.retired === null ? '' : paint.careful(`retired until ${point.retired.slice(0, 10)}`),
    ...point.holds.map((hold) => paint.faint(hold.slice(0, 'pinned until 2026-11-22'.length))),
  ]
    .filter(Boolean)
    .join(', ');
}

/** The rung that the last verification climbed to, the part that was read when it was not all, and the day. */
export function verifiedText(
  verified: { readonly ok: boolean; readonly rung: string; readonly at: string; readonly sample?: string } | null,
  paint: Paint,
): string {
  if (!verified) return paint.faint('never');
  const { ok, rung, at, sample } = verified;
  const part = sample ? ` (${sample})` : '';
  return `${ok ? paint.good(rung) : paint.bad(`failed after ${rung}`)}${part} ${at.slice(0, 10)}`;
}
