/*
 * The torments one behind the other, for so many minutes in all; what they reached, as a table.
 *
 *   npm run torture -- --minutes 30 [--seed n] [crash-points tamper …]     one torment, or some, have the minutes for themselves
 *   npm run torture -- --minutes 35 --parallel 2 fuzz-csv fuzz-soql …      two at a time, each in a process of its own, which shares the minutes out
 *   npm run torture -- --seed 812 --cases 1 crash-points                   a case again, as a violation names it
 *   npm run torture -- --minutes 30 --readme [kill-restores …]             its lines, dated, go into the table of README.md
 *
 * Fails on any violation, and when a fault of a menu never struck.
 */
import { parseArgs } from 'node:util';
import { inOrder } from '../../src/rows/in-order.ts';
import { publish, table } from '../bench/figures.ts';
import { apart } from './apart.ts';
import { type Reached, type Torment, torture } from './torment.ts';
import { torments } from './torments.ts';

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '0' },
    cases: { type: 'string' },
    parallel: { type: 'string', default: '1' },
    readme: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !torments.some((one) => one.name === name));
if (unknown.length > 0)
  throw new Error(
    `there is no torment ${unknown.join(', ')}; there are ${torments.map(({ name }) => name).join(', ')}`,
  );
const chosen = positionals.length === 0 ? torments : torments.filter(({ name }) => positionals.includes(name));
if (values.readme) {
  const torn = torments.filter((one) => !chosen.includes(one) && chosen.some(({ figure }) => figure === one.figure));
  if (torn.length > 0)
    throw new Error(`a line of README.md is of all its torments: add ${torn.map(({ name }) => name).join(', ')}`);
}
const minutes = Number(values.minutes);
const parallel = Number(values.parallel);
const seed = Number(values.seed);
const cases = values.cases === undefined ? undefined : Number(values.cases);
if (!(minutes > 0) || !(parallel >= 1) || !Number.isInteger(seed) || (cases !== undefined && !(cases > 0)))
  throw new Error('--minutes, --parallel, --seed and --cases take numbers');

const share = ({ share: part = 1 }: Torment) => part;
let shares = chosen.reduce((sum, one) => sum + share(one), 0);
let left = minutes * parallel * 60_000;
const reached: (Reached & { readonly minutes: number })[] = [];
for await (const { torment, one, took } of inOrder(chosen, parallel, async (torment) => {
  const began = performance.now();
  // What others left of theirs is divided too.
  const bounds = { seed, cases, milliseconds: (left * share(torment)) / shares };
  const one = parallel === 1 ? await torture(torment, bounds) : await apart(torment, bounds);
  const took = performance.now() - began;
  left = Math.max(0, left - took);
  shares -= share(torment);
  return { torment, one, took };
})) {
  reached.push({ ...one, minutes: took / 60_000 });
  process.stderr.write(`${torment.name}: ${said(one)}, ${Math.round(took / 1000)} s\n`);
  for (const { number, what } of one.violations)
    process.stderr.write(
      `\n${torment.name}, case ${number}: ${what}\nagain: npm run torture -- --seed ${number} --cases 1 ${torment.name}\n\n`,
    );
  if (cases === undefined && one.missed.length > 0) process.stderr.write(`never struck: ${one.missed.join('; ')}\n`);
}

const sum = (of: Iterable<number>) => [...of].reduce((total, one) => total + one, 0);
const titles = ['torment', 'cases', 'faults that struck', 'kinds', 'violations', 'minutes', 'on'];
const today = new Date().toISOString().slice(0, 10);
const line = (name: string, all: typeof reached) => [
  name,
  all.map(casesOf).join(' + '),
  sum(all.flatMap(({ struck }) => [...struck.values()])).toLocaleString('en'),
  String(sum(all.map(({ struck }) => struck.size))),
  String(sum(all.map(({ violations }) => violations.length))),
  sum(all.map((one) => one.minutes)).toFixed(1),
  today,
];
const lines = reached.map((one) => line(one.torment.name, [one]));
process.stderr.write(`\n${table(titles, lines)}\n`);
const figures = [...Map.groupBy(reached, ({ torment }) => torment.figure)];
publish(
  'torture',
  'Fault bench, the last long run of each line',
  titles,
  figures.map(([name, all]) => line(name, all)),
  torments.map(({ figure }) => figure),
);

const failed = reached.some((one) => one.violations.length > 0 || (cases === undefined && one.missed.length > 0));
process.exit(failed ? 1 : 0);

function casesOf({ cases: done, of }: Reached): string {
  return of === undefined ? done.toLocaleString('en') : `${done.toLocaleString('en')} of ${of.toLocaleString('en')}`;
}

function said(one: Reached): string {
  return `${casesOf(one)} cases, ${one.violations.length} violations`;
}
