import type { Event } from '../../events.ts';
import type { WatchResult } from '../../operations/watch/watch.ts';
import { count, countOf, duration, time } from './figures.ts';
import type { Paint } from './paint.ts';

/** The line that tells of one point of a watch. */
export function pointTakenText(event: Extract<Event, { type: 'point-taken' }>, now: Date, paint: Paint): string {
  const { changed, deleted, rpoSeconds } = event;
  const news =
    event.kind === 'full' ? countOf(event.rows, 'row') : `${count(changed)} changed, ${count(deleted)} deleted`;
  const parts = [
    event.kind === 'full' ? 'full' : '',
    event.status === 'partial' ? paint.bad('partial') : '',
    event.suspect ? paint.careful('suspect') : '',
    news,
    countOf(event.apiCalls, 'API call'),
    duration(event.seconds * 1000),
    rpoSeconds === null ? '' : `RPO ${duration(rpoSeconds * 1000)}`,
  ];
  return `${time(now.toISOString())}  ${paint.strong(event.point)}  ${parts.filter(Boolean).join(', ')}`;
}

/** The line that tells that there was no point this time. */
export function pointMissedText(event: Extract<Event, { type: 'point-missed' }>, now: Date, paint: Paint): string {
  const { name, message, againInSeconds } = event;
  const again = paint.faint(`again in ${duration(againInSeconds * 1000)}`);
  return `${time(now.toISOString())}  ${paint.careful('no point')}  ${name}: ${paint.printable(message)}  ${again}`;
}

export function watchText(result: WatchResult, paint: Paint): string {
  const { points, missed, partial, suspect, rpoSeconds, apiCalls, last } = result;
  const parts = [
    countOf(points, 'point'),
    missed > 0 ? paint.careful(`${count(missed)} missed`) : '',
    partial > 0 ? paint.bad(`${count(partial)} partial`) : '',
    suspect > 0 ? paint.careful(`${count(suspect)} suspect`) : '',
    countOf(apiCalls, 'API call'),
  ];
  const lines = [parts.filter(Boolean).join(', ')];
  if (rpoSeconds) {
    const { longest, mean } = rpoSeconds;
    lines.push(`RPO: ${duration(longest * 1000)} at most, ${duration(mean * 1000)} on average`);
  }
  lines.push(paint.next(last ? `salvor show ${last.id}` : 'salvor list-points', 'what is in it'));
  return lines.join('\n');
}
