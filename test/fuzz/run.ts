/*
 * Fuzzes parsers one behind the other, for so many minutes in all; what they reached, as a table.
 *
 *   node test/fuzz/run.ts --minutes 30 [--seed n] [csv soql …]     one parser, or some, have the minutes for themselves
 *   node test/fuzz/run.ts --minutes 30 --keep                      what reaches something new goes into the corpus
 *   node test/fuzz/run.ts test/fuzz/corpus/csv/org/crash-…         an input again, as a finding names it
 *
 * Fails on anything that is thrown and not foreseen, on an input that takes more than a second, and on one that takes 256 MB.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inputOf } from './corpus.ts';
import { type Fuzzed, fuzz, replay } from './fuzz.ts';
import { parsers } from './parsers.ts';

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    keep: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const say = (text: string) => process.stdout.write(`${text}\n`);

const files = positionals.filter((name) => existsSync(name));
if (files.length > 0) {
  for (const file of files) {
    const { parser, input } = inputOf(file);
    const wrong = await replay(parser, input);
    say(`${file}: ${wrong ?? 'nothing is wrong'}`);
    if (wrong) process.exitCode = 1;
  }
} else {
  const unknown = positionals.filter((name) => !parsers.includes(name));
  if (unknown.length > 0) throw new Error(`there is no parser ${unknown.join(', ')}; there are ${parsers.join(', ')}`);
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('--minutes and --seed take numbers');
  const chosen = positionals.length === 0 ? parsers : positionals;
  const milliseconds = (minutes * 60_000) / chosen.length;
  for (const parser of chosen) tell(await fuzz(parser, { seed, milliseconds, keep: values.keep }));
}

function tell({ parser, inputs, covered, coveredAtFirst, findings }: Fuzzed): void {
  say(
    `${parser}: ${inputs.toLocaleString('en')} inputs, ${coveredAtFirst} → ${covered} characters of source run, ${findings.length} findings`,
  );
  for (const { way, kind, what, file } of findings) {
    say(`\n${parser}, ${way}: ${kind}: ${what}\nagain: node test/fuzz/run.ts ${path.relative('.', file)}\n`);
    process.exitCode = 1;
  }
}
