import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { differences, type RecordSeen, type Snapshot } from '../support/org-snapshot.ts';
import { Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';
import { startS3Server } from '../support/s3-server.ts';
import type { Prepared, Torment } from './torment.ts';
import { assertWhole, modelOf, openVault } from './whole.ts';

const figure = 'kill -9 of the program: backup, compact, prune, copy and restore, folder and S3';
const objects = ['Account', 'Attachment', 'Contact'];

/** Kills what was started so many milliseconds later. */
async function killed({ child, ended }: ReturnType<Rig['start']>, later: number): Promise<Ran> {
  const timer = setTimeout(() => child.kill('SIGKILL'), later);
  const ran = await ended;
  clearTimeout(timer);
  return ran;
}

const commands: Readonly<Record<string, readonly string[]>> = {
  'full backup': ['backup', '--full', '--objects', objects.join()],
  backup: ['backup', '--objects', objects.join()],
  compact: ['compact'],
  prune: ['prune', '--keep-last', '3', '--min-points', '3', '--grace', '0d', '--allow-large', '--confirm-prune'],
  copy: ['copy'],
};
const places = ['folder', 'S3'] as const;

/** Kills of commands that write to a vault, on one vault that grows: what was acknowledged is never lost. */
async function ofVaults(place: (typeof places)[number]): Promise<Prepared> {
  const server = await startS3Server();
  const { accessKeyId, secretAccessKey } = server;
  const url = `s3://${server.bucket}/org?endpoint=${encodeURIComponent(server.url)}`;
  const env = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: '1',
  };
  const database = sampleDatabase({ scale: { Account: 4, Contact: 6, Attachment: 3 } });
  const rig = await Rig.start({ database, ...(place === 'S3' ? { vault: url, env } : {}) });
  rig.env.NODE_COMPILE_CACHE = path.join(rig.folder, 'compiled');
  await rig.init();
  const store: Store = await openStore(rig.vault, { credentials: { accessKeyId, secretAccessKey } });
  const secret = (name: string) => readFileSync(rig.env[name]!, 'utf8').trim();
  const identity = /AGE-SECRET-KEY-\S+/.exec(secret('SALVOR_IDENTITY_FILE'))![0];
  const writerKey = secret('SALVOR_WRITER_KEY_FILE');
  const { trust } = await Vault.open(store, { operation: 'read', writerKey });
  const keys = { identity, writerKey, rootFingerprint: trust.root.fingerprint };
  const away = path.join(rig.folder, 'copy');
  let longest = 1500;
  for (let n = 0; n < 2; n++) {
    const began = performance.now();
    const ran = await rig.salvor(...commands.backup!, '--json', '--no-prompt');
    assert.equal(ran.status, 0, ran.stdout);
    longest = performance.now() - began;
  }
  const known = await modelOf(await openVault(store, keys));
  return {
    async run(number, struck) {
      const random = new Random(number);
      const name = Object.keys(commands)[number % Object.keys(commands).length]!;
      const args = [...commands[name]!, ...(name === 'copy' ? ['--to', away] : []), '--json', '--no-prompt', '--quiet'];
      // In the first round each dies before it can have come to its end.
      const later = number < Object.keys(commands).length ? 200 : random.int(250, Math.ceil(1.1 * longest));
      const ran = await killed(rig.start(...args), later);
      // 7: the point is suspect, or there was nothing to do; 5: a guard held.
      assert.ok([0, 5, 7, 137].includes(ran.status), `${name}: ${ran.status} ${ran.stdout}`);
      if (ran.status === 137) struck(`${name}, ${place}`);
      const acknowledged = ran.status === 0 ? ran.json?.result?.point?.id : undefined;
      const { points, vault } = await assertWhole(await MemoryStore.copyOf(store), keys, known, [...known.keys()]);
      const { retention, entries } = await vault.state();
      for (const point of known.keys())
        assert.ok(points.includes(point) || retention.retired.has(point), `${point} is there, or was let go`);
      if (acknowledged !== undefined)
        assert.ok(
          entries.some(({ record }) => record.point === acknowledged),
          acknowledged,
        );
      known.clear();
      for (const [point, contents] of await modelOf(vault)) known.set(point, contents);
      if (name === 'copy' && ran.status === 0)
        await assertWhole(await MemoryStore.copyOf(await openStore(away)), keys, new Map());
      // What went wrong by a kill goes on by itself: now and then a run that nobody kills shows it.
      if (random.chance(10)) {
        const next = await rig.salvor(...args);
        assert.ok([0, 5, 7].includes(next.status), `${name} again: ${next.status} ${next.stdout}`);
        // What is pruned in the vault stays in the copy.
        if (random.chance(50)) await rm(away, { recursive: true, force: true });
      }
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await store.close();
      await server.close();
    },
  };
}

export const killCli: readonly Torment[] = places.map((place) => ({
  name: `kill-cli-${place.toLowerCase()}`,
  figure,
  faults: Object.keys(commands).map((name) => `${name}, ${place}`),
  short: 5,
  share: 4,
  prepare: () => ofVaults(place),
}));

/** Kills of restores: a restore is killed until it comes to its end; then the org is as it was, and no row is there twice. */
export const killRestores: Torment = {
  name: 'kill-cli-restores',
  figure,
  faults: ['restore, folder'],
  short: 2,
  share: 4,
  async prepare() {
    const rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 5, Contact: 5 } }) });
    rig.env.NODE_COMPILE_CACHE = path.join(rig.folder, 'compiled');
    const restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      const gone = await org.create('Account', [{ Name: 'gone' }, { Name: 'gone too' }]);
      await org.create(
        'Contact',
        gone.map((AccountId, n) => ({ LastName: `of ${n}`, AccountId })),
      );
    });
    const asBackedUp = path.join(rig.folder, 'as-backed-up');
    await cp(rig.vault, asBackedUp, { recursive: true });
    const whole = await restores.before();
    const named = (found: Snapshot): [string, RecordSeen][] =>
      [...found.rows].flatMap(([object, rows]) => [...rows.values()].map((row) => [`${object} ${row.Name}`, row]));
    let longest = 3000;
    return {
      async run(number, struck) {
        const random = new Random(number);
        await rm(rig.vault, { recursive: true });
        await cp(asBackedUp, rig.vault, { recursive: true });
        const now = new Map(named(await restores.before()).map(([name, { Id }]) => [name, String(Id)]));
        const lost = ['Contact of 0', 'Contact of 1', 'Account gone', 'Account gone too'].map((name) => now.get(name)!);
        await restores.org.delete(lost);
        await restores.org.emptyRecycleBin(lost);
        const args = ['restore', 'before', '--objects', 'Account,Contact', '--json', '--no-prompt', '--quiet'];
        for (let kills = 0; ; kills++) {
          const began = performance.now();
          const { child, ended } = rig.start(...args);
          const mercy = kills === 4;
          const later = number === 0 && kills === 0 ? 200 : random.int(400, Math.ceil(1.2 * longest));
          const ran = mercy ? await ended : await killed({ child, ended }, later);
          if (ran.status === 137) struck('restore, folder');
          else {
            assert.equal(ran.status, 0, ran.stdout + ran.stderr);
            longest = performance.now() - began;
            break;
          }
        }
        const after = await restores.before();
        const ids = new Map<string, string>();
        const there = new Map(named(after).map(([name, { Id }]) => [name, String(Id)]));
        for (const [name, { Id }] of named(whole)) ids.set(String(Id), there.get(name) ?? String(Id));
        assert.deepEqual(differences(whole, after, ids), []);
      },
      [Symbol.asyncDispose]: async () => rig[Symbol.asyncDispose](),
    };
  },
};
