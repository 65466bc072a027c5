import assert from 'node:assert/strict';
import { type FaultName, isFault } from '../../src/errors.ts';
import { copyVault } from '../../src/operations/copy/copy.ts';
import { prune } from '../../src/operations/prune/prune.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { Random } from '../../src/practice-org/random.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { AgedVault, contextAt } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { type S3Fault, startS3Server } from '../support/s3-server.ts';
import type { Torment } from './torment.ts';
import { assertWhole, dayBefore, modelOf } from './whole.ts';

const html = '<!DOCTYPE html><html><body>Please log in to the guest network</body></html>';
const answer = (status: number, code: string, more = {}): S3Fault => ({ kind: 'answer', status, code, ...more });

interface Item {
  readonly fault: S3Fault;
  /** Operations that it may hit; all without. */
  readonly on?: readonly string[];
}

/** What a bucket does to who asks it (R7). */
const menu: Readonly<Record<string, Item>> = {
  '500': { fault: answer(500, 'InternalError') },
  '500, done': { fault: answer(500, 'InternalError', { applied: true }) },
  '502 with a page': { fault: { kind: 'page', status: 502, text: html } },
  '503 SlowDown': { fault: answer(503, 'SlowDown', { headers: { 'retry-after': '0' } }) },
  '429': { fault: answer(429, 'TooManyRequests') },
  '400 RequestTimeout': { fault: answer(400, 'RequestTimeout') },
  '403 in mid-run': { fault: answer(403, 'AccessDenied') },
  '403 RequestTimeTooSkewed': { fault: answer(403, 'RequestTimeTooSkewed') },
  '409 of a put': { fault: answer(409, 'ConditionalRequestConflict'), on: ['PutObject'] },
  '412 on an own put': { fault: { kind: 'reset', applied: true }, on: ['PutObject'] },
  '200 with an error inside': { fault: answer(200, 'InternalError'), on: ['PutObject', 'GetObject', 'ListObjectsV2'] },
  '200 with an error inside, done': { fault: answer(200, 'InternalError', { applied: true }), on: ['PutObject'] },
  '200 with the page of a proxy': {
    fault: { kind: 'page', status: 200, text: html },
    on: ['PutObject', 'GetObject', 'ListObjectsV2'],
  },
  'cut before': { fault: { kind: 'reset' } },
  'cut in the body': { fault: { kind: 'reset', afterBytes: 60 }, on: ['GetObject', 'ListObjectsV2'] },
  silence: { fault: { kind: 'hang' } },
  'silence, done': { fault: { kind: 'hang', applied: true }, on: ['PutObject', 'DeleteObject'] },
  'short body': { fault: { kind: 'short-body', bytes: 60 }, on: ['GetObject', 'ListObjectsV2'] },
  'wrong bytes': { fault: { kind: 'wrong-bytes' }, on: ['GetObject'] },
  'list without the newest': { fault: { kind: 'stale-list' }, on: ['ListObjectsV2'] },
};
const names = Object.keys(menu);
const quarter = Math.ceil(names.length / 4);
/** Those that cost their whole time limit, and those that end the work at once. */
const rare = ['silence', 'silence, done', '403 in mid-run', 'list without the newest'];

/** How work may end when the store does not come round in time. */
const cleanEnds: readonly FaultName[] = [
  ...(['store-unreachable', 'store-denied', 'unproven-store', 'digest-mismatch', 'object-missing'] as const),
  // A list that misses the newest objects makes what points reach look lost.
  ...(['lease-held', 'clock-drift', 'no-vault', 'vault-incomplete'] as const),
];
export const figure = 'faults of S3 and of Salesforce, seeded, several in a run';
const days = [6, 5, 4].map(dayBefore);

/** A bucket whose answers fail, by one request in so many; once it is well again the same work succeeds. */
export const storeFaults: Torment = {
  name: 'store-faults',
  figure,
  faults: names,
  short: 4,
  share: 4,
  async prepare() {
    const made = new MemoryStore();
    const vault = await AgedVault.of(made, days);
    const model = await modelOf(await vault.open());
    const server = await startS3Server();
    const url = `s3://${server.bucket}/v?endpoint=${server.url}`;
    const well = await openStore(url, { credentials: server });
    for (const [key, body] of made.objects) await well.putIfAbsent(key, body);
    const base = new Map(server.state.keys);
    /** What the bucket holds, whatever it says. */
    const stands = () => new MemoryStore([...server.objects()].map(([key, body]) => [key.slice('v/'.length), body]));
    return {
      async run(number, struck) {
        const random = new Random(number);
        server.state.keys.clear();
        for (const [key, versions] of base) server.state.keys.set(key, versions);
        server.requests.length = 0;
        const ill = await openStore(url, { credentials: server, backoffMs: 1, attempts: 6, timeoutMs: 500 });
        const now = new Date();
        const ctx = contextAt(now.toISOString());
        try {
          const percent = random.pick([15, 25, 35]);
          /** These come for certain, so that four cases in a row play the whole menu. */
          const due = Array.from({ length: quarter }, (_, n) => names[(quarter * number + n) % names.length]!);
          /** What ends the work at once waits until the others were there. */
          const endsIt = (name: string) => name.startsWith('403');
          const fits = (name: string, operation: string) => menu[name]!.on?.includes(operation) ?? true;
          server.chooseFault = (operation) => {
            const next = due.find((one) => fits(one, operation) && (!endsIt(one) || due.every(endsIt)));
            if (!random.chance(next === undefined ? percent : 50)) return undefined;
            if (next !== undefined) due.splice(due.indexOf(next), 1);
            const name = next ?? random.pick(names);
            const isRare = next === undefined && rare.includes(name);
            if (!fits(name, operation) || (isRare && !random.chance(10))) return undefined;
            struck(name);
            return menu[name]!.fault;
          };
          const acknowledged = new Map(model);
          let tries = 0;
          const taken = (store: Store, day: string) => async () => {
            const aged = await AgedVault.continued(vault, store);
            tries += 1;
            aged.points.push(...Array.from({ length: tries }, () => ''));
            acknowledged.set(await aged.add(day), '');
          };
          const works = (store: Store) => [
            taken(store, dayBefore(2)),
            async () => {
              const request = { noIdentity: false, tool: 'test' } as const;
              await verify(
                ctx,
                await vault.open({ writerKey: vault.keys.writerKey, identities: [vault.keys.identity] }, store),
                request,
              );
            },
            async () => {
              await copyVault(ctx, await vault.open({}, store), new MemoryStore(), { deleteSwept: true });
            },
            async () => {
              const policy = { last: 2 };
              const more = {
                minPoints: 2,
                grace: 0,
                allowLarge: true,
                extendLocks: false,
                confirmed: true,
                tool: 'test',
              };
              await prune(ctx, await vault.open(undefined, store), { policy, ...more });
            },
          ];
          for (const work of works(ill)) await ends(work());
          server.chooseFault = undefined;
          const lets = [...acknowledged.keys()];
          const known = new Map([...acknowledged].filter(([, contents]) => contents !== ''));
          await assertWhole(stands(), vault.keys, known, lets);
          for (const work of works(well)) await work();
          const { points, vault: left } = await assertWhole(stands(), vault.keys, known, lets);
          const { retention, entries } = await left.state();
          for (const point of acknowledged.keys()) {
            assert.ok(
              entries.some(({ record }) => record.kind === 'point' && record.point === point),
              `${point} has a record`,
            );
            assert.ok(points.includes(point) || retention.retired.has(point), `${point}, which was acknowledged`);
          }
          assert.equal(points.length, 2);
        } finally {
          server.chooseFault = undefined;
          await ill.close();
        }
      },
      async [Symbol.asyncDispose]() {
        await well.close();
        await server.close();
      },
    };
  },
};

/** Well or in a clean failure. */
async function ends(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isFault(error, ...cleanEnds)) throw new Error('it ended as a bug', { cause: error });
  }
}
