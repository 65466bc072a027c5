import type { Event } from '../../events.ts';
import { bytes, count, countOf, duration, percent } from './figures.ts';
import type { Paint } from './paint.ts';
import { printable } from './table.ts';
import { pointMissedText, pointTakenText } from './watch.ts';

/** Shows events on standard error while work goes on. */
export interface Progress {
  event(event: Event): void;
  /** Clears what moves, so that a question or a text can be printed; `resume` brings it back. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** What may move on a terminal: the part of ora that is used. */
export interface Spinner {
  text: string;
  start(): unknown;
  stop(): unknown;
}

export interface ProgressOptions {
  readonly paint: Paint;
  /** Writes a line, line break included. */
  readonly write: (text: string) => void;
  /** Absent: quiet lines, one for each object. */
  readonly spinner?: Spinner;
  readonly columns: number;
  /** Warnings only. */
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly now: () => Date;
}

interface Moving {
  stage: string | undefined;
  total: number | undefined;
  done: number;
  /** What `done` counts. */
  unit: 'object' | 'rung';
  rows: number;
  bytes: number;
  began: number;
  objects: Map<string, { rows: number; bytes: number; expected: number | undefined }>;
  files: string;
  usage: string;
}

/** Objects shown at the same time under the bar. */
const mostObjects = 6;

export function makeProgress(options: ProgressOptions): Progress {
  const { paint, spinner } = options;
  const moving: Moving = start(undefined, undefined);
  let shown = false;
  const orgs = new Map<string, Progress>();

  /** Of several orgs at once each has lines of its own, with its name in front. */
  function of(org: string): Progress {
    const known = orgs.get(org);
    if (known) return known;
    const write = (text: string) => options.write(`${org}: ${text}`);
    const made = makeProgress({ ...options, spinner: undefined, write });
    orgs.set(org, made);
    return made;
  }

  function start(stage: string | undefined, total: number | undefined): Moving {
    const began = options.now().getTime();
    return {
      stage,
      total,
      done: 0,
      unit: 'object',
      rows: 0,
      bytes: 0,
      began,
      objects: new Map(),
      files: '',
      usage: '',
    };
  }
  function line(text: string): void {
    if (shown) spinner?.stop();
    options.write(`${text}\n`);
    if (shown) spinner?.start();
  }
  function draw(): void {
    if (!spinner || moving.stage === undefined) return;
    spinner.text = movingText(moving, paint, options.columns);
    if (!shown) spinner.start();
    shown = true;
  }
  function endStage(): void {
    if (shown) spinner?.stop();
    shown = false;
    if (moving.stage === undefined || !spinner) return;
    const figures = [
      moving.done > 0 ? countOf(moving.done, moving.unit) : '',
      moving.rows > 0 ? countOf(moving.rows, 'row') : '',
      moving.bytes > 0 ? bytes(moving.bytes) : '',
      moving.files,
      duration(options.now().getTime() - moving.began),
    ];
    line(`${paint.good('✔')} ${moving.stage}  ${paint.faint(figures.filter(Boolean).join(', '))}`);
    moving.stage = undefined;
  }

  function show(event: Event): void {
    switch (event.type) {
      case 'stage':
        endStage();
        Object.assign(moving, start(printable(event.stage), event.total));
        if (!spinner) line(`${moving.stage}${event.total === undefined ? '' : ` (${count(event.total)})`}`);
        return;
      case 'object-started':
        moving.objects.set(event.object, { rows: 0, bytes: 0, expected: event.rowsExpected });
        if (options.verbose) line(paint.faint(`${event.object}: read by ${event.way}`));
        return;
      case 'object-progress': {
        const expected = moving.objects.get(event.object)?.expected;
        moving.objects.set(event.object, { rows: event.rows, bytes: event.bytes, expected });
        return;
      }
      case 'object-finished':
        moving.objects.delete(event.object);
        moving.done++;
        moving.rows += event.rows;
        moving.bytes += event.bytes;
        if (!event.complete)
          line(`${paint.bad('✖')} ${event.object}: not complete: ${printable(event.reason ?? 'no reason told')}`);
        else if (!spinner || options.verbose)
          line(`${event.object}: ${countOf(event.rows, 'row')}, ${bytes(event.bytes)}`);
        return;
      case 'files-progress':
        moving.files = `${countOf(event.count, 'file')}, ${bytes(event.bytes)}`;
        if (!spinner && event.count === event.total) line(`files: ${moving.files}`);
        return;
      case 'job-progress':
        if (options.verbose) {
          const { object, operation, state, processed, failed } = event;
          const figures = `${countOf(processed, 'row')}, ${count(failed)} failed`;
          line(paint.faint(`${object}: ${operation} job ${printable(state)}: ${figures}`));
        }
        return;
      case 'restore-step': {
        const { object, step, rows, failed } = event;
        const figures = `${countOf(rows, 'row')}${failed === 0 ? '' : `, ${count(failed)} failed`}`;
        moving.objects.delete(object);
        moving.objects.set(object, { rows, bytes: 0, expected: undefined });
        if (options.verbose) line(paint.faint(`${object}: ${step}: ${figures}`));
        return;
      }
      case 'retry':
        if (options.verbose) {
          const { what, attempt, waitMs, reason } = event;
          line(paint.faint(`${printable(what)}: attempt ${attempt} in ${duration(waitMs)}: ${printable(reason)}`));
        }
        return;
      case 'quota-wait': {
        const used = event.max === undefined ? '' : ` (${count(event.used ?? 0)} of ${count(event.max)})`;
        line(
          `the API requests of the day are used up${used}: the run waits, and asks again in ${duration(event.waitMs)}`,
        );
        return;
      }
      case 'api-usage':
        moving.usage = `${percent(event.used / event.max)} of the day's API requests used`;
        if (options.verbose && !spinner) line(paint.faint(`API requests: ${count(event.own)} here, ${moving.usage}`));
        return;
      case 'resumed':
        line(`going on with ${event.point}: ${countOf(event.objects, 'object')} are finished already`);
        return;
      case 'object-resumed':
        line(`going on with ${printable(event.object)} behind ${countOf(event.rows, 'row')}`);
        return;
      case 'point-sealed':
        endStage();
        line(
          `${paint.good('✔')} sealed ${paint.strong(event.point)} as record ${count(event.seq)}  ${paint.faint(event.digest)}`,
        );
        return;
      case 'point-taken':
        endStage();
        line(pointTakenText(event, options.now(), paint));
        return;
      case 'point-missed':
        endStage();
        line(pointMissedText(event, options.now(), paint));
        return;
      case 'rung': {
        moving.unit = 'rung';
        moving.done++;
        const mark = event.ok ? paint.good('✔') : paint.bad('✖');
        const problems = event.problems > 0 ? `, ${countOf(event.problems, 'problem')}` : '';
        line(`${mark} ${event.point}  ${event.rung}: ${printable(event.figure)}${problems}`);
        return;
      }
      case 'warning':
        line(`${paint.careful('warning:')} ${printable(event.message)}`);
        return;
      case 'note':
        line(event.message);
        return;
      default:
        event satisfies never;
    }
  }
  return {
    event(event) {
      const { org, ...rest } = event;
      if (org !== undefined) return of(org).event(rest);
      if (options.quiet && event.type !== 'warning') return;
      show(event);
      draw();
    },
    pause() {
      if (shown) spinner?.stop();
    },
    resume() {
      if (shown) spinner?.start();
    },
    stop: endStage,
  };
}

function movingText(moving: Moving, paint: Paint, columns: number): string {
  const share = moving.total ? Math.min(1, moving.done / moving.total) : undefined;
  const head = [
    moving.stage!,
    share === undefined ? '' : `${bar(share)} ${count(moving.done)}/${count(moving.total!)}`,
    moving.rows > 0 ? countOf(moving.rows + active(moving, 'rows'), 'row') : '',
    moving.bytes > 0 ? bytes(moving.bytes + active(moving, 'bytes')) : '',
    moving.files,
  ];
  const lines = [head.filter(Boolean).join('  ')];
  for (const [object, { rows, expected }] of [...moving.objects].slice(0, mostObjects)) {
    const part = expected ? `  ${percent(Math.min(0.999, rows / expected))}` : '';
    lines.push(`    ${object}  ${countOf(rows, 'row')}${part}`);
  }
  if (moving.objects.size > mostObjects) lines.push(`    and ${moving.objects.size - mostObjects} more`);
  if (moving.usage) lines.push(`    ${moving.usage}`);
  // the spinner and a space stand before the first line
  const cut = lines.map((line) => [...line].slice(0, Math.max(10, columns - 3)).join(''));
  return [cut[0]!, ...cut.slice(1).map((line) => paint.faint(line))].join('\n');
}

function active(moving: Moving, figure: 'rows' | 'bytes'): number {
  let sum = 0;
  for (const object of moving.objects.values()) sum += object[figure];
  return sum;
}

function bar(share: number): string {
  const full = Math.floor(share * 20);
  return '█'.repeat(full) + '░'.repeat(20 - full);
}
