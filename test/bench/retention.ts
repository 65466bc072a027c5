/*
 * What it takes to prune and to copy a vault of many points: one a day, of which half are retired by a window of so many days. Each point has pages of its own
 * and one that all share. Nothing here is asserted.
 *
 *   node test/bench/retention.ts [--points 1000] [--readme]     needs GNU time
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../../src/store/open.ts';
import { Vault } from '../../src/vault/vault.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { contacts, writePoint } from '../support/small-vault.ts';
import { publish } from './figures.ts';
import { cleanUp, folder, type Measured, measured, program, vaultEnvironment } from './measure.ts';

const { values: given } = parseArgs({
  options: { points: { type: 'string', default: '1000' }, readme: { type: 'boolean', default: false } },
});
const points = Number(given.points);
const day = 86_400_000;

/** A vault in a folder with a point of each of the last days, and how it is opened. */
async function agedVault(place: string): Promise<Record<string, string>> {
  const store = await openStore(place);
  const first = new Date(Date.now() - points * day).toISOString().slice(0, 10);
  const aged = await AgedVault.of(store, [first]);
  const { identity, writerKey, rootFingerprint } = aged.keys;
  const vault = await Vault.open(store, { operation: 'write', rootFingerprint, writerKey });
  const { points: sealed } = await vault.state();
  const shared = (await vault.root(sealed[0]!)).objects.filter(({ object }) => object === 'Account');
  for (let n = 1; n < points; n++) {
    const date = new Date(Date.parse(`${first}T08:00:00Z`) + n * day).toISOString().slice(0, 10);
    const id = `${date.replaceAll('-', '')}T080000Z-${n.toString(16).padStart(6, '0')}`;
    const times = { started: `${date}T08:00:00.000Z`, ended: `${date}T08:05:00.000Z` };
    await writePoint(vault, id, {
      objects: [contacts(id)],
      shared: new Map(shared.map((one) => [one.object, one])),
      root: (made) => ({ ...made, ...times }),
    });
  }
  await store.close();
  return vaultEnvironment(place, identity, rootFingerprint);
}

try {
  const env = await agedVault(path.join(folder, 'vault'));
  const lines: string[][] = [];
  const run = async (what: string, args: readonly string[], figure: (seen: Measured) => string) => {
    const seen = await measured([process.execPath, program, ...args, '--json'], env);
    lines.push([what, figure(seen), seen.seconds.toFixed(1), seen.cpu.toFixed(1), seen.peakMiB.toFixed(0)]);
  };
  const result = ({ stdout }: Measured) => JSON.parse(stdout).result;
  const copy = ['copy', '--to', path.join(folder, 'copy')];
  const copied = (seen: Measured) => `${result(seen).copies[0].copied.objects.toLocaleString('en')} objects copied`;
  await run('copy', copy, copied);
  await run('copy again, nothing new', copy, copied);
  const policy = ['--keep-window', `${Math.floor(points / 2)}d`, '--allow-large', '--confirm-prune'];
  const retired = (seen: Measured) =>
    `${result(seen).points.filter(({ retire }: { retire: boolean }) => retire).length} points retired`;
  await run('prune', ['prune', ...policy], retired);
  await run('prune again, nothing to do', ['prune', ...policy], retired);
  const titles = ['what', 'done', 's', 'CPU s', 'peak MiB'];
  publish('retention', `A vault of ${points.toLocaleString('en')} points in a folder`, titles, lines);
} finally {
  cleanUp();
}
process.exit(0);
