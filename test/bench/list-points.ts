/*
 * What listing many points of a bucket takes, by the program as it is installed: without a cache, and with the one that the run before left. Points as a watch
 * takes them when nothing changes: all list the same pages. Nothing here is asserted.
 *
 *   node test/bench/list-points.ts [--points 1000] [--objects 20,300] [--latency 0,20] [--readme]
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { newAgeIdentity } from '../../src/age/keys.ts';
import { inOrder } from '../../src/rows/in-order.ts';
import { openStore } from '../../src/store/open.ts';
import { createVault } from '../../src/vault/create.ts';
import { mintPoint } from '../../src/vault/layout.ts';
import type { Root, RootObject } from '../../src/vault/manifest.ts';
import { PointWriter } from '../../src/vault/point.ts';
import type { Ref } from '../../src/vault/record.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { publish } from './figures.ts';
import { cleanUp, folder, measured, program, slowed } from './measure.ts';

const { values: given } = parseArgs({
  options: {
    points: { type: 'string', default: '1000' },
    objects: { type: 'string', default: '20,300' },
    latency: { type: 'string', default: '0,20' },
    readme: { type: 'boolean', default: false },
  },
});
const points = Number(given.points);

/** Gallops and lists behind the end by the thousand: the keys of a vault, sorted once and not at each LIST. */
class SortedStore extends MemoryStore {
  readonly #keys: string[] = [];
  override async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal) {
    const outcome = await super.putIfAbsent(key, body, signal);
    if (outcome === 'created' && key.startsWith('log/')) this.#keys.push(key);
    return outcome;
  }
  override async *list(prefix: string, options: { after?: string; signal?: AbortSignal } = {}) {
    if (prefix !== 'log/') return yield* super.list(prefix, options);
    for (let at = this.#keys.length - 1; at >= 0 && this.#keys[at]! > (options.after ?? ''); at--)
      yield { key: this.#keys[at]!, size: this.objects.get(this.#keys[at]!)!.length, modified: new Date(0) };
  }
}

function refOf(key: (digest: string) => string, size: number): Ref {
  const digest = createHash('sha256').update(randomBytes(32)).digest('hex');
  return { key: key(digest), size, sha256: digest };
}

function objectOf(n: number): RootObject {
  const page = refOf((digest) => `pages/${digest}.map.zst.age`, 2000 + n);
  const refs = refOf((digest) => `pages/${digest}.refs.zst`, 400 + n);
  const counts = { rows: 1000 + n, changed: 0, deleted: 0, segments: 0, bytes: 0 };
  return { object: `Object_${n}__c`, page, refs, ...counts, path: 'none', complete: true };
}

/** A vault with so many points, each sealed and signed; the pages themselves are not there, since no list reads them. */
async function vaultOf(objects: number): Promise<{ store: MemoryStore; keyFile: string; rootFingerprint: string }> {
  const store = new SortedStore();
  const { recipient } = await newAgeIdentity();
  const { writerKey, rootFingerprint } = await createVault(store, {
    recipients: [recipient],
    probe: { conditionalCreate: true },
    tool: 'bench',
    now: new Date('2026-01-01T00:00:00Z'),
  });
  const vault = await Vault.open(store, { operation: 'write', writerKey, rootFingerprint });
  const all = Array.from({ length: objects }, (_, n) => objectOf(n));
  const epoch = await vault.epoch();
  for (let n = 0; n < points; n++) {
    const started = new Date(Date.parse('2026-01-01T00:05:00Z') + n * 300_000);
    const ended = new Date(started.getTime() + 20_000);
    const writer = new PointWriter(vault, mintPoint(started, randomBytes(3)), epoch);
    const root: Root = {
      v: 1,
      vault: vault.info.vault,
      point: writer.point,
      org: {
        id: '00D000000000001AAA',
        instanceUrl: 'https://example.my.salesforce.com',
        name: 'Example',
        isSandbox: false,
        username: 'backup@example.com',
        apiVersion: '67.0',
      },
      kind: 'incremental',
      status: 'complete',
      suspect: false,
      started: started.toISOString(),
      ended: ended.toISOString(),
      tags: [],
      policy: { objects: ['*'], exclude: [] },
      objects: all,
      schema: [refOf((digest) => `pages/${digest}.schema.zst.age`, 5000)],
      files: { count: 0, bytes: 0, pages: [], refs: [] },
      notCovered: [],
      coverage: 100,
      apiCalls: 12,
      rows: all.reduce((sum, { rows }) => sum + rows, 0),
      bytes: 0,
    };
    await writer.seal(root, [], vault.keyring.writerSigner(), 'bench');
  }
  const keyFile = path.join(folder, `writer-${objects}.key`);
  writeFileSync(keyFile, `${writerKey}\n`, { mode: 0o600 });
  return { store, keyFile, rootFingerprint };
}

/** By the store that salvor writes with, so that the objects carry the checksums that it sends. */
async function fill(server: S3Server, { objects }: MemoryStore): Promise<void> {
  const { accessKeyId, secretAccessKey } = server;
  const store = await openStore(urlOf(server.url), { credentials: { accessKeyId, secretAccessKey } });
  for await (const _ of inOrder(objects, 16, ([key, body]) => store.putIfAbsent(key, body)));
  await store.close();
}

function urlOf(endpoint: string): string {
  return `s3://vault/bench?endpoint=${encodeURIComponent(endpoint)}`;
}

async function costs(objects: number): Promise<string[][]> {
  const { store, keyFile, rootFingerprint } = await vaultOf(objects);
  const server = await startS3Server();
  await fill(server, store);
  const lines: string[][] = [];
  for (const latency of given.latency.split(',').map(Number)) {
    const slow = latency > 0 ? await slowed(server.url, latency) : { url: server.url, close: () => undefined };
    const home = path.join(folder, `home-${objects}-${latency}`);
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      SALVOR_NO_KEYCHAIN: '1',
      SALVOR_VAULT: urlOf(slow.url),
      SALVOR_WRITER_KEY_FILE: keyFile,
      SALVOR_ROOT_FINGERPRINT: rootFingerprint,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: '1',
    };
    for (const what of ['cold', 'cached', 'cached']) {
      const before = server.requests.length;
      const run = await measured([process.execPath, program, 'list-points', '--json'], env);
      const listed: { objects: number }[] = JSON.parse(run.stdout).result.points;
      if (listed.length !== points || listed.some((one) => one.objects !== objects))
        throw new Error(`${listed.length} points are listed`);
      const figures = [run.seconds.toFixed(2), run.cpu.toFixed(2), run.peakMiB.toFixed(0)];
      lines.push([String(objects), String(latency), what, ...figures, String(server.requests.length - before)]);
    }
    rmSync(home, { recursive: true, force: true });
    slow.close();
  }
  await server.close();
  return lines;
}

const lines: string[][] = [];
for (const objects of given.objects.split(',')) lines.push(...(await costs(Number(objects))));
const titles = ['objects', 'ms late', 'run', 's', 'CPU s', 'peak MiB', 'requests'];
publish(
  'list-points',
  `List of ${points.toLocaleString('en')} points in a bucket, each request so late`,
  titles,
  lines,
);
cleanUp();
process.exit(0);
