/**
 * What the points of a watch cost: `node test/bench/watch.ts [objects …]`, 100, 300 and 1,000 unless told. An org of so many objects (copies of Lead, 20 rows each) is
 * backed up in full, then when nothing changed, then when rows of 10 objects did; API calls and requests to the store are counted.
 */
import type { Database, Table } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { remembered } from '../../src/store/remembered.ts';
import { InProcess } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';

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
    const own = (id: string) => `${prefix}${id.slice(3)}`;
    const name = `Copy_${String(i).padStart(4, '0')}__c`;
    const row = (number: number) => {
      const { Id, ...rest } = lead.source.row(number);
      const changed = stamp !== undefined && number === 0 && i < changedObjects;
      return { ...rest, Id: own(String(Id)), ...(changed ? { SystemModstamp: stamp! } : {}) };
    };
    const find = (id: string) => (id.startsWith(prefix) ? lead.source.find(`00Q${id.slice(3)}`) : -1);
    const describe = { ...lead.describe, name, keyPrefix: prefix, custom: true };
    const source = { size: lead.source.size, row, find };
    tables.set(name, { describe, treatment: lead.treatment, source } satisfies Table);
  }
  return { facts: sample.facts, tables };
}

async function measure(objects: number): Promise<void> {
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
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(
      `${objects} objects, ${what}: ${point.kind}, ${point.apiCalls} API calls, ` +
        `PUT ${PUT}, GET ${GET}, HEAD ${HEAD}, LIST ${LIST}, ${Math.round(bytes / 1000)} kB written, ${seconds} s\n`,
    );
  };
  await point('first');
  for (let i = 1; i <= idlePoints; i++) await point(`nothing changed (${i})`);
  stamp = new Date().toISOString();
  await point(`rows of ${changedObjects} objects changed`);
  await point('a point later');
}

const sizes = process.argv.slice(2).map(Number);
for (const objects of sizes.length > 0 ? sizes : [100, 300, 1000]) await measure(objects);
