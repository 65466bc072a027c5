/**
 * What `npm test` prints: a line for each file, failures in full, skipped tests with their reason, and at the end
 * `N passed, N failed`. Under CI a skipped test is a failure unless it wants ../shared/data, which CI may not have.
 */
import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

interface FileCount {
  passed: number;
  failed: number;
  skipped: number;
  milliseconds: number;
}

const allowedToSkip = /\bshared\/data\b/;

export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const total: FileCount = { passed: 0, failed: 0, skipped: 0, milliseconds: 0 };
  const skipped = new Map<string, number>();
  const failures: string[] = [];
  let file: string | undefined;
  let count: FileCount = { ...total };
  const line = () => (file === undefined ? '' : fileLine(file, count));

  for await (const event of source) {
    if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      if (process.env.SALVOR_TEST_OUTPUT) yield event.data.message;
      continue;
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    const of = path.relative(process.cwd(), data.file ?? data.name);
    if (of !== file) {
      yield line();
      file = of;
      count = { passed: 0, failed: 0, skipped: 0, milliseconds: 0 };
    }
    const add = (what: 'passed' | 'failed' | 'skipped') => {
      count[what]++;
      total[what]++;
    };
    if (data.nesting === 0) count.milliseconds += data.details.duration_ms;
    if (data.details.type === 'suite') continue;
    if (data.skip !== undefined && data.skip !== false) {
      add('skipped');
      const reason = `${of}: ${typeof data.skip === 'string' && data.skip !== '' ? data.skip : data.name}`;
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    } else if (event.type === 'test:pass' || data.todo !== undefined) {
      add('passed');
    } else {
      add('failed');
      failures.push(`✖ ${of}: ${data.name}\n${indented(errorText(event.data.details.error))}\n`);
      yield failures.at(-1)!;
    }
  }
  yield line();
  for (const [reason, times] of skipped) yield `skipped ${times}: ${reason}\n`;
  const forbidden = process.env.CI ? [...skipped.keys()].filter((reason) => !allowedToSkip.test(reason)) : [];
  if (forbidden.length > 0) {
    process.exitCode = 1;
    yield `${forbidden.length} of these must run under CI\n`;
  }
  if (failures.length > 1) yield `\nall failures again:\n${failures.join('')}`;
  yield `\n${total.passed} passed, ${total.failed + forbidden.length} failed, ${total.skipped} skipped\n`;
}

function fileLine(file: string, { passed, failed, skipped, milliseconds }: FileCount): string {
  const counts = [`${passed} passed`, failed > 0 ? `${failed} failed` : '', skipped > 0 ? `${skipped} skipped` : ''];
  const mark = failed > 0 ? '✖' : '✔';
  return `${mark} ${file}: ${counts.filter(Boolean).join(', ')} in ${(milliseconds / 1000).toFixed(1)} s\n`;
}

/** The error of a test stands as the cause of the runner's own. */
function errorText(error: Error): string {
  const cause = error.cause ?? error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
