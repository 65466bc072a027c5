import type { RungResult, VerifyResult } from '../../operations/verify/request.ts';
import { count } from './figures.ts';
import { orgText } from './org-compared.ts';
import type { Paint } from './paint.ts';
import { certificateText } from './rehearsed.ts';

const shownProblems = 10;
const shownDangling = 5;

export function verifyText(result: VerifyResult, paint: Paint): string {
  const lines: string[] = [];
  if (result.points.length === 0) lines.push(...rungLines(result.log, paint), 'the vault holds no recovery point yet');
  for (const { id, rungs } of result.points) {
    const whole = rungs.every(({ rung, ok }) => ok || rung === 'rehearse' || rung === 'org');
    lines.push(`${paint.strong(id)}  ${whole ? paint.good('whole') : paint.bad('NOT WHOLE')}`);
    for (const rung of rungs) lines.push(...rungLines(rung, paint));
  }
  if (result.rehearsal) lines.push(...certificateText(result.rehearsal, paint), '');
  if (result.againstOrg) lines.push(...orgText(result.againstOrg, paint), '');
  lines.push(`head ${result.head.seq}:${result.head.digest}`);
  if (result.attested) lines.push(paint.faint(`kept in the vault as record ${result.attested.seq}`));
  lines.push(
    result.ok
      ? result.points.length === 0
        ? paint.next('salvor backup', 'take the first')
        : paint.next('salvor show latest', 'what is in it')
      : paint.next('salvor verify --all', 'see which other points are concerned'),
  );
  return lines.join('\n');
}

function rungLines(rung: RungResult, paint: Paint): string[] {
  const lines = [`  ${rung.ok ? paint.good('ok    ') : paint.bad('FAILED')}  ${rung.rung.padEnd(10)}  ${rung.figure}`];
  for (const { key, problem } of rung.problems.slice(0, shownProblems))
    lines.push(`            ${paint.bad(key)}: ${paint.printable(problem)}`);
  if (rung.problems.length > shownProblems)
    lines.push(`            and ${count(rung.problems.length - shownProblems)} more, see --json`);
  for (const { field, count: times } of rung.dangling?.slice(0, shownDangling) ?? [])
    lines.push(paint.faint(`            dangling  ${field}  ${count(times)}`));
  return lines;
}
