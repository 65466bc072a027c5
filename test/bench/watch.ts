/*
 * What the points of a watch cost. An org of so many objects (copies of Lead, 20 rows each) is backed up in full, then when nothing changed, then when
 * rows of 10 objects did; API calls and requests to the store are counted. Nothing here is asserted.
 *
 *   node test/bench/watch.ts [--objects 100,300,1000] [--readme]
 */
import { parseArgs } from 'node:util';
import type { Database, Table } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { longId } from '../../src/schema/ids.ts';
import { remembered } from '../../src/store/remembered.ts';
import { InProcess } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { publish } from './figures.ts';

const { values: given } = parseArgs({
  options: { objects: { type: 'string', default: '100,300,1000' }, readme: { type: 'boolean', default: false } },
});
const rows = 20;
const idlePoints = 4;
const changedObjects = 10;

/** Counts requests as S3 would see them. */
class CountingStore extends MemoryStore {
  counts = { PUT: 0, GET: 0, HEAD: 0, LIST: 0, bytes: 0 };
  override putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal) {
    this.counts.PUT += 1;
    this.counts.bytes += body.length;
    return super.putIfAbsent(key, body, signal);
  }
  override get(key: string, signal?: AbortSignal) {
    this.counts.GET += 1;
    return super.get(key, signal);
  }
  override head(key: string, signal?: AbortSignal) {
    this.counts.HEAD += 1;
    return super.head(key, signal);
  }
  override async *list(prefix: string, options: { after?: string; signal?: AbortSignal } = {}) {
    let found = 0;
    for await (const object of super.list(prefix, options)) {
      // a page has 1,000 keys
      if (found++ % 1000 === 0) this.counts.LIST += 1;
      yield object;
    }
    if (found === 0) this.counts.LIST += 1;
  }
}

/** When the first row of the first objects was changed last. */
let stamp: string | undefined;

function orgOf(objects: number): Database {
  const sample = sampleDatabase({ scale: { Lead: rows } });
  const lead = sample.tables.get('Lead')!;
  const tables = new Map(sample.tables);
  for (let i = 0; i < objects; i++) {
    const prefix = `x${i.toString(36).padStart(2, '0')}`;
    const own = (id: string) => longId(`${prefix}${id.slice(3, 15)}`);
    const name = `Copy_${String(i).padStart(4, '0')}__c`;
    const row = (number: number) => {
      const { Id, ...rest } = lead.source.row(number);
      const changed = stamp !== undefined && number === 0 && i < changedObjects;
      return { ...rest, Id: own(String(Id)), ...(changed ? { SystemModstamp: stamp! } : {}) };
    };
    const find = (id: string) => (id.startsWith(prefix) ? lead.source.find(longId(`00Q${id.slice(3, 15)}`)) : -1);
    const describe = { ...lead.describe, name, keyPrefix: prefix, custom: true };
    const source = { size: lead.source.size, row, find };
    tables.set(name, { describe, treatment: lead.treatment, source } satisfies Table);
  }
  return { facts: sample.facts, tables };
}

async function measure(objects: number): Promise<string[]> {
  stamp = undefined;
  await using run = await InProcess.start(orgOf(objects), { dailyRequests: 10_000_000 });
  const counting = new CountingStore();
  await run.renewVault(counting);
  run.store = remembered(counting);
  const request = { policy: { objects: ['Copy_*'], exclude: [] } };
  const point = async (what: string) => {
    counting.counts = { PUT: 0, GET: 0, HEAD: 0, LIST: 0, bytes: 0 };
    const began = performance.now();
    const { point } = await run.backup({
      request,
      connect: { timeouts: { connect: 60_000, headers: 60_000, body: 60_000 } },
    });
    const { PUT, GET, HEAD, LIST, bytes } = counting.counts;
    const requests = `${PUT}, ${GET}, ${HEAD}, ${LIST}`;
    const stored = `${Math.round(bytes / 1000)} kB`;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stderr.write(
      `${objects} objects, ${what}: ${point.kind}, ${point.apiCalls} API calls, ` +
        `PUT, GET, HEAD, LIST ${requests}, ${stored} written, ${seconds} s\n`,
    );
    return { calls: point.apiCalls, requests, stored };
  };
  await point('first');
  let idle = await point('nothing changed (1)');
  for (let i = 2; i <= idlePoints; i++) idle = await point(`nothing changed (${i})`);
  stamp = new Date().toISOString();
  const changed = await point(`rows of ${changedObjects} objects changed`);
  await point('a point later');
  const inDay = (idle.calls * 86_400) / every;
  return [
    ...[objects.toLocaleString('en'), String(idle.calls), inDay.toLocaleString('en')],
    ...[everyWithin(idle.calls, 20_000), idle.requests, idle.stored, String(changed.calls)],
  ];
}

/** Seconds between two points, unless told. */
const every = 300;

/** How often points of so many calls are taken within a day's budget. */
function everyWithin(calls: number, budget: number): string {
  const seconds = Math.max(every, Math.ceil((calls * 86_400) / budget));
  const rest = seconds % 60;
  return `every ${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`;
}

const lines: string[][] = [];
for (const objects of given.objects.split(',')) lines.push(await measure(Number(objects)));
const titles = [
  ...['objects', 'API calls of a point when nothing changed', 'in a day, every 5 minutes'],
  ...['within 20 % of 100,000 calls a day', 'PUT, GET, HEAD, LIST of a point', 'stored'],
  `API calls when rows of ${changedObjects} objects changed`,
];
publish(
  'watch',
  'Points of a watch, against the practice org and a store that counts; objects of 20 rows',
  titles,
  lines,
);
