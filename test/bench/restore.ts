/*
 * How fast `salvor restore` makes rows again that are gone, and what it takes: comments, each with the lookup to its case resolved; or contacts,
 * which refer to accounts and, fifteen levels deep, to each other. Beside it the practice org's own speed, the sf CLI and SFDMU with the same rows
 * as CSV. Nothing here is asserted.
 *
 *   node test/bench/restore.ts [--object CaseComment|Contact] [--rows 200000] [--only salvor,org,sf,sfdmu] [--readme]     needs GNU time
 */
import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { RowBatch, RowFlow } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { rowFlow } from '../../src/rows/split.ts';
import { publish } from './figures.ts';
import {
  cleanUp,
  download,
  fieldsOf,
  folder,
  headersOf,
  type Measured,
  measured,
  needs,
  type Practice,
  practice,
  program,
  SfCli,
  salvorEnvironment,
  takePoint,
} from './measure.ts';

const { values: given } = parseArgs({
  options: {
    object: { type: 'string', default: 'CaseComment' },
    rows: { type: 'string', default: '200000' },
    readme: { type: 'boolean', default: false },
    only: { type: 'string', default: 'org,salvor,sf,sfdmu' },
  },
});
const rows = Number(given.rows);
const { object } = given;

/** What the rows of an object refer to, by which lookup and by which name; and what an import leaves out. */
const lookups: Readonly<Record<string, { parent: string; name: string; lookup: string; left: readonly string[] }>> = {
  CaseComment: { parent: 'Case', name: 'CaseNumber', lookup: 'ParentId', left: [] },
  Contact: { parent: 'Account', name: 'Name', lookup: 'AccountId', left: ['OwnerId', 'RecordTypeId', 'ReportsToId'] },
};
const { parent, name: parentName, lookup, left } = lookups[object] ?? lookups.CaseComment!;

interface Figures {
  readonly what: string;
  readonly done: number;
  readonly seconds: number;
  readonly cpu?: number;
  readonly peakMiB?: number;
  /** Seconds of CPU that the org took meanwhile. */
  readonly orgCpu: number;
  readonly note?: string;
}
const figures: Figures[] = [];

/** The org without these rows: rows are computed, so that one of another volume has all the others under the same Ids. */
async function emptied(work: (org: Practice) => Promise<Omit<Figures, 'orgCpu'> | undefined>): Promise<void> {
  const org = await practice({ [object]: 1 });
  const before = org.cpu();
  const seen = await work(org);
  if (seen) figures.push({ ...seen, orgCpu: org.cpu() - before });
  process.stderr.write(seen ? `${seen.what}: ${seen.done} rows in ${seen.seconds.toFixed(1)} s\n` : '');
  org.end();
}

async function rowsIn(org: Practice): Promise<number> {
  const query = `${org.url}/services/data/v67.0/query?q=SELECT+COUNT()+FROM+${object}`;
  const { totalSize } = (await (await fetch(query, { headers: headersOf(org) })).json()) as { totalSize: number };
  return totalSize;
}

/** What came of a command; rows that were there already are taken off. */
async function counted(what: string, org: Practice, seen: Measured, note?: string): Promise<Omit<Figures, 'orgCpu'>> {
  const done = (await rowsIn(org)) - 1;
  return { what, done, seconds: seen.seconds, cpu: seen.cpu, peakMiB: seen.peakMiB, ...(note ? { note } : {}) };
}

/** One ingest job after another, polled without a pause: the org's own speed. */
async function alone(org: Practice, flow: RowFlow): Promise<Omit<Figures, 'orgCpu'>> {
  const jobs = `${org.url}/services/data/v67.0/jobs/ingest`;
  const headers = headersOf(org);
  const header = Buffer.from(`${flow.columns.join()}\n`);
  let seconds = 0;
  const send = async (batches: readonly RowBatch[]) => {
    const began = performance.now();
    const body = JSON.stringify({ object, operation: 'insert', contentType: 'CSV', lineEnding: 'LF' });
    const { id } = (await (await fetch(jobs, { method: 'POST', headers, body })).json()) as { id: string };
    const csv = Buffer.concat([header, ...batches.map(({ bytes }) => bytes)]);
    await fetch(`${jobs}/${id}/batches`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'text/csv' },
      body: csv,
    });
    await fetch(`${jobs}/${id}`, { method: 'PATCH', headers, body: JSON.stringify({ state: 'UploadComplete' }) });
    for (;;) {
      const { state } = (await (await fetch(`${jobs}/${id}`, { headers })).json()) as { state: string };
      if (state === 'JobComplete') break;
      if (state === 'Failed') throw new Error(`job ${id} failed`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    seconds += (performance.now() - began) / 1000;
  };
  let batches: RowBatch[] = [];
  for await (const batch of flow.batches) {
    batches.push(batch);
    if (batches.length < 40) continue;
    await send(batches);
    batches = [];
  }
  if (batches.length > 0) await send(batches);
  return { what: 'practice org alone', done: (await rowsIn(org)) - 1, seconds };
}

/** The columns that an import writes: references to setup, which differs from org to org, and to rows of the same object are left to salvor. */
async function importedColumns(org: Practice): Promise<string[]> {
  const fields = (await fieldsOf(org, object)).filter(({ name, createable }) => createable && !left.includes(name));
  return fields.map(({ name }) => name);
}

/** SFDMU finds the parents by their names as it goes: it wants them in a file of their own. */
async function sfdmuFolder(names: ReadonlyMap<string, string>, csv: string, columns: readonly string[]) {
  const place = path.join(folder, 'sfdmu');
  mkdirSync(place);
  const at = columns.indexOf(lookup);
  const relation = lookup.replace(/Id$/, '.Id');
  const { batches } = await rowFlow(createReadStream(csv));
  const quoted = (texts: readonly string[]) => `${texts.map((text) => `"${text.replaceAll('"', '""')}"`).join()}\n`;
  await pipeline(
    async function* () {
      yield quoted([...columns, 'Id', relation]);
      let n = 0;
      for await (const batch of batches) {
        let text = '';
        for (let i = 0; i < batch.ends.length; i++) {
          const values = cells(batch, i);
          text += quoted([...values, `C${n++}`, values[at]!]);
        }
        yield text;
      }
    },
    createWriteStream(path.join(place, `${object}.csv`)),
  );
  writeFileSync(path.join(place, `${parent}.csv`), quoted(['Id', parentName]) + [...names].map(quoted).join(''));
  return place;
}

async function namesOf(org: Practice, file: string): Promise<Map<string, string>> {
  await download(org, `SELECT Id,${parentName} FROM ${parent}`, file);
  const names = new Map<string, string>();
  const { batches } = await rowFlow(createReadStream(file));
  for await (const batch of batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const [id, name] = cells(batch, i);
      names.set(id!, name!);
    }
  }
  return names;
}

needs('/usr/bin/time');
const only = given.only.split(',');
try {
  const keys = path.join(folder, 'keys');
  const vault = path.join(folder, 'vault');
  const csv = path.join(folder, 'rows.csv');
  const full = await practice({ [object]: rows });
  const columns = await importedColumns(full);
  await takePoint(salvorEnvironment(full, vault, keys), keys, [parent, object, 'User']);
  const raw = path.join(folder, 'raw.csv');
  await download(full, `SELECT ${columns.join()} FROM ${object}`, raw);
  // A carriage return in a cell ruins the whole job of whoever sends it (field guide, restore 14).
  await pipeline(createReadStream(raw), withoutReturns, createWriteStream(csv));
  const names = await namesOf(full, path.join(folder, 'parents.csv'));
  full.end();

  if (only.includes('org')) await emptied(async (org) => alone(org, await rowFlow(createReadStream(csv))));
  if (only.includes('salvor')) {
    await emptied(async (org) => {
      const seen = await measured(
        [
          ...[process.execPath, program, 'restore', 'latest', '--objects', object],
          ...['--confirm', org.username, '--result-folder', folder, '--quiet', '--json'],
        ],
        salvorEnvironment(org, vault, keys),
        { fails: true },
      );
      return counted('salvor restore', org, seen, 'every field and lookup, rows that were locked tried again, journal');
    });
  }
  if (only.includes('sf')) {
    await emptied(async (org) => {
      const cli = await SfCli.loggedIn(org);
      const seen = await cli?.run(
        [
          ...['data', 'import', 'bulk', '-o', 'bench', '--sobject', object, '--file', csv],
          ...['--line-ending', 'LF', '--wait', '30', '--json'],
        ],
        { fails: true },
      );
      return seen && counted('sf data import bulk', org, seen, `${lookup} as it is, no other lookup`);
    });
  }
  if (only.includes('sfdmu')) {
    await emptied(async (org) => {
      const cli = await SfCli.loggedIn(org);
      if (!cli || !(await cli.linkSfdmu())) return undefined;
      const place = await sfdmuFolder(names, csv, columns);
      const orgs = [{ name: 'bench', instanceUrl: org.url, accessToken: org.token }];
      const objects = [
        { query: `SELECT Id, ${parentName} FROM ${parent}`, externalId: 'Id', operation: 'Readonly' },
        { query: `SELECT Id, ${columns.join(', ')} FROM ${object}`, externalId: 'Id', operation: 'Insert' },
      ];
      writeFileSync(path.join(place, 'export.json'), JSON.stringify({ orgs, objects }));
      const seen = await cli.run(
        [
          ...['sfdmu', 'run', '--sourceusername', 'csvfile', '--targetusername', 'bench'],
          ...['--path', place, '--noprompt'],
        ],
        { fails: true },
      );
      return counted('sf sfdmu run', org, seen, `${lookup} resolved, no other lookup`);
    });
  }
} finally {
  cleanUp();
}

async function* withoutReturns(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk.includes(0x0d) ? Buffer.from(chunk.toString('latin1').replaceAll('\r', ''), 'latin1') : chunk;
  }
}

const titles = ['what', 'rows', 's', 'rows/s', 'CPU s', 'org CPU s', 'peak MiB', 'note'];
const lines = figures.map(({ what, done, seconds, cpu, peakMiB, orgCpu, note }) => [
  what,
  String(done),
  seconds.toFixed(1),
  (done / seconds).toFixed(0),
  cpu?.toFixed(1) ?? '',
  orgCpu.toFixed(1),
  peakMiB?.toFixed(0) ?? '',
  note ?? '',
]);
publish('restore', `${rows.toLocaleString('en')} rows of ${object} that are gone`, titles, lines);
process.exit();
