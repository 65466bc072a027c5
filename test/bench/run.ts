/*
 * The benches one behind the other, each in a process of its own: a machine does one thing at a time.
 *
 *   npm run bench [-- backup restore …] [-- --readme]     --readme: the figures go into README.md
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';

const all = ['coverage', 'backup', 'restore', 'files', 'history', 'points', 'list-points', 'retention', 'watch'];
const { values, positionals } = parseArgs({
  options: { readme: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((one) => !all.includes(one));
if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(', ')}; there are ${all.join(', ')}`);

const failed = all.filter((one) => {
  if (positionals.length > 0 && !positionals.includes(one)) return false;
  process.stderr.write(`\n${one}\n`);
  const args = [path.join(import.meta.dirname, `${one}.ts`), ...(values.readme ? ['--readme'] : [])];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) {
  process.stderr.write(`failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
