import type { OrgStatus } from '../../operations/status.ts';
import { duration, time } from './figures.ts';
import type { Paint } from './paint.ts';

export function statusText(orgs: readonly OrgStatus[], now: Date, paint: Paint): string {
  const ago = (iso: string) => `${duration(Math.max(0, now.getTime() - Date.parse(iso)))} ago`;
  const none = paint.faint('none');
  const table = paint.table(orgs, [
    { title: 'org', value: ({ org, vault }) => paint.printable(org ?? vault) },
    { title: 'state', value: (one) => stateText(one, paint) },
    {
      title: 'last good point',
      value: ({ lastGood }) => (lastGood ? `${lastGood.id}  begun ${ago(lastGood.started)}` : none),
    },
    { title: 'verified', value: ({ verified }) => verifiedText(verified, paint) },
    {
      title: 'API use',
      value: ({ apiPercent }) => (apiPercent === null ? paint.faint('not known') : `${apiPercent} %`),
      right: true,
    },
  ]);
  const lines = [table];
  for (const { newest, lastGood } of orgs) {
    if (!newest || newest.id === lastGood?.id) continue;
    const why = [newest.status, newest.suspect ? 'suspect' : '', newest.quarantined ? 'quarantined' : ''];
    const reasons = why.filter((one) => one !== '' && one !== 'complete').join(', ');
    lines.push(`${paint.careful('not good')}  ${newest.id}, the newest, ended ${time(newest.ended)}: ${reasons}`);
  }
  lines.push(paint.next('salvor list-points', 'all points'));
  return lines.join('\n');
}

function stateText({ state, lateBy }: OrgStatus, paint: Paint): string {
  if (state === 'ok') return paint.good('ok');
  return paint.bad(state === 'empty' ? 'no good point' : `late by ${duration((lateBy ?? 0) * 1000)}`);
}

function verifiedText(verified: OrgStatus['verified'], paint: Paint): string {
  if (!verified) return paint.faint('never');
  const { ok, rung, at } = verified;
  return `${ok ? paint.good(rung) : paint.bad(`failed after ${rung}`)} ${at.slice(0, 10)}`;
}
