import type { Answer } from '../../operations/doctor/probe/probe.ts';
import type { Paint } from './paint.ts';

/** What the org answered, question by question, and where the report lies. */
export function probeText(
  answers: readonly Omit<Answer, 'exchanges'>[],
  left: readonly string[],
  file: string,
  paint: Paint,
): string {
  const lines = answers.flatMap(({ id, question, answer, notAsked }) => [
    `${paint.strong(id)}  ${question}`,
    `  ${answer === null ? paint.faint(`not asked: ${paint.printable(notAsked ?? '')}`) : paint.printable(answer)}`,
  ]);
  const settled = answers.filter(({ answer }) => answer !== null).length;
  lines.push(
    '',
    `${settled} of ${answers.length} questions answered; ${left.length === 0 ? 'nothing is left in the org' : paint.bad(`${left.length} records are left in the org`)}`,
  );
  for (const one of left) lines.push(`  ${one}`);
  lines.push(
    `report: ${file}   ${paint.faint('no names, Ids, tokens or records of the org; read it, then send it in with an issue')}`,
  );
  return lines.join('\n');
}
