import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, countOf, duration, percent, time } from '../../src/cli/output/figures.ts';
import { makePaint } from '../../src/cli/output/paint.ts';
import { makeProgress } from '../../src/cli/output/progress.ts';
import { printable, table } from '../../src/cli/output/table.ts';
import type { Event } from '../../src/events.ts';

test('bytes are told in decimal units with at most three digits', () => {
  const told = [0, 1, 999, 1000, 1500, 9949, 9950, 24_000_000, 999_499, 999_500, 1e12].map(bytes);
  assert.deepEqual(told, [
    '0 B',
    '1 B',
    '999 B',
    '1.0 kB',
    '1.5 kB',
    '9.9 kB',
    '10 kB',
    '24 MB',
    '999 kB',
    '1.0 MB',
    '1.0 TB',
  ]);
});

test('durations are told in the two units that matter', () => {
  const told = [0, 430, 9_949, 9_950, 59_400, 60_000, 185_000, 7_800_000, 86_400_000, 273_600_000].map(duration);
  assert.deepEqual(told, [
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min',
    '3 min 5 s',
    '2 h 10 min',
    '1 d',
    '3 d 4 h',
  ]);
});

test('a share is never rounded up to all', () => {
  assert.deepEqual([1, 0.9999, 0.5, 0, 0.123].map(percent), ['100 %', '99.9 %', '50 %', '0 %', '12.3 %']);
});

test('counts have separators and their noun', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.equal(countOf(1, 'row'), '1 row');
  assert.equal(countOf(2, 'entry', 'entries'), '2 entries');
  assert.equal(time('2026-11-22T10:17:03.123Z'), '2026-11-22 10:17:03Z');
});

test('a table is aligned, figures on the right, colours take no width', () => {
  const rows = [
    { object: 'Account', rows: 12 },
    { object: '\u001b[31mLead\u001b[39m', rows: 1234 },
  ];
  const text = table(rows, [
    { title: 'object', value: (row) => row.object },
    { title: 'rows', value: (row) => count(row.rows), right: true },
  ]);
  assert.equal(text, 'object    rows\nAccount     12\n\u001b[31mLead\u001b[39m     1,234');
  assert.equal(table([], [{ title: 'object', value: String }]), 'object');
});

test('a text from outside cannot steer the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\nc\u0007\u009b1m'), 'a [2Jb c 1m');
});

const events: Event[] = [
  { type: 'stage', stage: 'reading objects', total: 2 },
  { type: 'object-started', object: 'Account', way: 'bulk', rowsExpected: 100 },
  { type: 'object-started', object: 'Lead', way: 'rest' },
  { type: 'object-progress', object: 'Account', rows: 50, bytes: 5000 },
  {
    type: 'job-progress',
    object: 'Lead',
    operation: 'insert',
    job: '750',
    state: 'InProgress',
    processed: 20,
    failed: 1,
  },
  { type: 'retry', what: 'page 2 of Account', attempt: 2, waitMs: 1000, reason: '503' },
  { type: 'api-usage', used: 50, max: 100, own: 12 },
  { type: 'object-finished', object: 'Account', rows: 100, bytes: 10_000, segments: 1, complete: true },
  { type: 'object-finished', object: 'Lead', rows: 1, bytes: 100, segments: 1, complete: false, reason: 'failed' },
  { type: 'files-progress', count: 1, bytes: 10, total: 2 },
  { type: 'files-progress', count: 2, bytes: 20, total: 2 },
  { type: 'resumed', point: 'p1', objects: 3 },
  { type: 'point-sealed', point: 'p1', seq: 4, digest: 'abc' },
  { type: 'rung', point: 'p1', rung: 'digests', ok: false, figure: '7 of 8', problems: 1 },
  { type: 'warning', name: 'odd', message: 'careful' },
  { type: 'note', message: 'hello' },
];

function shown(options: {
  quiet?: boolean;
  verbose?: boolean;
  spinner?: { text: string; start(): void; stop(): void };
}) {
  let text = '';
  const progress = makeProgress({
    paint: makePaint(false),
    write: (line) => {
      text += line;
    },
    columns: 60,
    quiet: false,
    verbose: false,
    now: () => new Date(0),
    ...options,
  });
  for (const event of events) progress.event(event);
  progress.stop();
  return text;
}

test('without a terminal there is one quiet line for each object and each thing that matters', () => {
  assert.equal(
    shown({}),
    [
      'reading objects (2)',
      'Account: 100 rows, 10 kB',
      '✖ Lead: not complete: failed',
      'files: 2 files, 20 B',
      'going on with p1: 3 objects are finished already',
      '✔ sealed p1 as record 4  abc',
      '✖ p1  digests: 7 of 8, 1 problem',
      'warning: careful',
      'hello',
      '',
    ].join('\n'),
  );
});

test('quiet shows warnings only, verbose shows retries, jobs and API use', () => {
  assert.equal(shown({ quiet: true }), 'warning: careful\n');
  const verbose = shown({ verbose: true });
  assert.match(verbose, /^Account: read by bulk$/m);
  assert.match(verbose, /^Lead: insert job InProgress: 20 rows, 1 failed$/m);
  assert.match(verbose, /^page 2 of Account: attempt 2 in 1\.0 s: 503$/m);
  assert.match(verbose, /^API requests: 12 here, 50 % of the day's API requests used$/m);
});

test('on a terminal a bar moves, complete objects leave no line and the stage leaves its figures', () => {
  const texts: string[] = [];
  let moving = 0;
  const spinner = {
    set text(text: string) {
      texts.push(text);
    },
    start() {
      moving++;
    },
    stop() {
      moving--;
    },
  };
  const text = shown({ spinner });
  assert.equal(moving, 0, 'every start has its stop');
  assert.doesNotMatch(text, /Account/);
  assert.match(text, /✖ Lead: not complete: failed/);
  assert.match(text, /✔ reading objects {2}2 objects, 101 rows, 10 kB, 2 files, 20 B, 0\.0 s/);
  const busy = texts.find((line) => line.includes('50 rows'))!;
  assert.match(busy, /^reading objects {2}░{20} 0\/2\n {4}Account {2}50 rows {2}50 %\n {4}Lead {2}0 rows$/);
  assert.ok(texts.some((line) => line.includes('██████████░░░░░░░░░░ 1/2')));
  assert.ok(texts.every((line) => line.split('\n').every((part) => part.length <= 57)));
});
