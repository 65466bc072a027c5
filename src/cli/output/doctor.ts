import type { Finding } from '../../operations/doctor/finding.ts';
import type { Paint } from './paint.ts';

/** The findings by area; what is not well with its fix under it. */
export function doctorText(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines: string[] = [];
  let area: string | undefined;
  for (const one of findings) {
    if (one.area !== area) {
      if (area !== undefined) lines.push('');
      lines.push(paint.strong(one.area));
      area = one.area;
    }
    lines.push(`  ${mark(one, paint)}  ${one.name.padEnd(width)}  ${paint.printable(one.said)}`);
    if (one.ok !== 'ok' && one.fix !== null)
      lines.push(`  ${' '.repeat(4 + 2 + width)}  ${paint.faint('fix:')} ${paint.printable(one.fix)}`);
  }
  const figure = (ok: Finding['ok']) => findings.filter((one) => one.ok === ok).length;
  const [bad, warn] = [figure('bad'), figure('warn')];
  lines.push('', `${figure('ok')} ok, ${warn} to look at, ${bad} bad`);
  lines.push(
    bad > 0
      ? paint.next('salvor doctor', 'again, when what is bad is mended')
      : paint.next('salvor backup --dry-run', 'what a point would hold and cost'),
  );
  return lines.join('\n');
}

function mark({ ok }: Finding, paint: Paint): string {
  if (ok === 'ok') return paint.good('ok  ');
  return ok === 'warn' ? paint.careful('warn') : paint.bad('bad ');
}
