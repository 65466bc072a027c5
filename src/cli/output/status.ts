import type { OrgStatus } from '../../operations/status.ts';
import type { OrgOutcome } from '../command.ts';
import { duration, time } from './figures.ts';
import type { Paint } from './paint.ts';
import { verifiedText } from './point.ts';

/** One org of `salvor status --all-orgs --json`; `failed`: its vault could not be looked at, `message` says why. */
export interface OrgToldStatus extends Omit<OrgStatus, 'org' | 'vault' | 'state'>, Omit<OrgOutcome, 'result'> {
  readonly vault: string | null;
  readonly state: OrgStatus['state'] | 'failed';
}

/** What is said of an org whose vault could not be looked at. */
export const notKnown = {
  orgId: null,
  lastGood: null,
  rest: [],
  neverGood: null,
  lateBy: null,
  newest: null,
  verified: null,
  keyTested: null,
  apiPercent: null,
  state: 'failed',
} as const;

export function statusText(orgs: readonly (OrgStatus | OrgToldStatus)[], now: Date, paint: Paint): string {
  const ago = (iso: string) => `${duration(Math.max(0, now.getTime() - Date.parse(iso)))} ago`;
  const none = paint.faint('none');
  const table = paint.table(orgs, [
    { title: 'org', value: ({ org, vault }) => paint.printable(org ?? vault ?? '') },
    { title: 'state', value: (one) => stateText(one, paint) },
    {
      title: 'last good point',
      value: ({ lastGood }) => (lastGood ? `${lastGood.id}  begun ${ago(lastGood.started)}` : none),
    },
    { title: 'verified', value: ({ verified }) => verifiedText(verified, paint) },
    { title: 'keys tested', value: ({ keyTested }) => keyTested?.slice(0, 10) ?? paint.faint('never') },
    {
      title: 'API use',
      value: ({ apiPercent }) => (apiPercent === null ? paint.faint('not known') : `${apiPercent} %`),
      right: true,
    },
  ]);
  const lines = [table];
  for (const one of orgs) {
    if (one.state === 'failed' && 'status' in one)
      lines.push(`${paint.bad(`${one.name} (exit ${one.status})`)}  ${paint.printable(`${one.org}: ${one.message}`)}`);
    const { newest, lastGood } = one;
    const of = orgs.length > 1 && one.org !== null ? `${paint.printable(one.org)}: ` : '';
    for (const { point, started, objects } of one.rest) {
      const held = `${of}${named(objects)}: not in ${lastGood?.id}, last in ${point}  begun ${ago(started)}`;
      lines.push(`${paint.faint('left out')}  ${paint.printable(held)}`);
    }
    if (one.neverGood) {
      const { point, started, objects } = one.neverGood;
      const held = `${of}${named(objects)}: in no good point, last in ${point}  begun ${ago(started)}`;
      lines.push(`${paint.careful('not good')}  ${paint.printable(held)}`);
    }
    if (!newest || newest.id === lastGood?.id) continue;
    const why = [newest.status, newest.suspect ? 'suspect' : '', newest.quarantined ? 'quarantined' : ''];
    const reasons = why.filter((one) => one !== '' && one !== 'complete').join(', ');
    lines.push(`${paint.careful('not good')}  ${of}${newest.id}, the newest, ended ${time(newest.ended)}: ${reasons}`);
  }
  lines.push(paint.next('salvor list-points', 'all points'));
  return lines.join('\n');
}

/** The first few of the objects, and how many there are besides. */
export function named(objects: readonly string[]): string {
  const more = objects.length - 3;
  return `${objects.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function stateText({ state, lateBy }: Pick<OrgToldStatus, 'state' | 'lateBy'>, paint: Paint): string {
  if (state === 'ok') return paint.good('ok');
  if (state === 'failed') return paint.bad('not known');
  if (state === 'empty') return paint.bad('no good point');
  return paint.bad(lateBy ? `late by ${duration(lateBy * 1000)}` : 'late');
}
