import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { digestIn } from '../../src/vault/layout.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext, type SmallVault, smallVault } from '../support/small-vault.ts';

/** What a verification named, and what it said that no signature covers. */
interface Found {
  readonly ok: boolean;
  readonly named: ReadonlySet<string>;
  readonly notCovered: readonly string[];
}

let store: MemoryStore;
let whole: ReadonlyMap<string, Buffer>;
let small: SmallVault;
let head: { seq: number; digest: string };
let uncovered: readonly string[];
const leftover = (bytes: Buffer) =>
  `data/20261119T080000Z-00000f/00001-${createHash('sha256').update(bytes).digest('hex')}.csv.zst.age`;

/** Opens the vault anew and climbs the ladder for all points; a vault that does not even open names an object, too. */
async function look(withIdentity = false): Promise<Found> {
  try {
    const vault = await Vault.open(store, {
      operation: 'verify',
      rootFingerprint: small.rootFingerprint,
      ...(withIdentity ? { identities: [small.identity] } : {}),
    });
    const result = await verify(recordingContext(), vault, {
      points: 'all',
      noIdentity: !withIdentity,
      expectHead: head,
      attest: false,
      tool: 'test',
    });
    const rungs = [result.log, ...result.points.flatMap((point) => point.rungs)];
    const named = new Set(rungs.flatMap(({ problems }) => problems.map(({ key }) => key)));
    assert.equal(result.ok, named.size === 0);
    return { ok: result.ok, named, notCovered: result.notCovered };
  } catch (error) {
    if (!isFault(error)) throw error;
    const { key } = error.data;
    const named = [...whole.keys()].filter((one) => one === key || error.message.includes(one));
    return { ok: false, named: new Set(named), notCovered: [] };
  }
}

/** Applies the changes, looks, and puts everything back as it was. */
async function after(changes: Iterable<readonly [string, Buffer | undefined]>, withIdentity = false): Promise<Found> {
  for (const [key, bytes] of changes) {
    if (bytes) store.objects.set(key, bytes);
    else store.objects.delete(key);
  }
  try {
    return await look(withIdentity);
  } finally {
    store.objects.clear();
    for (const [key, bytes] of whole) store.objects.set(key, bytes);
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << (at % 8);
  return copy;
}

const small4 = ([, bytes]: readonly [string, Buffer]) => bytes.length <= 4096;
/** A list of a point leads to its root, whose name carries no digest: the two are changed one after the other. */
const leads = (key: string) => /^(log|trust)\/|^vault\.json$|^points\/.*\.zst$/.test(key);
/** vault.json says which vault the trust files belong to, and is only proven with these. */
const alike = (key: string) => (key === 'vault.json' ? ['vault.json', 'trust/0001'] : [key]);

describe('a vault that somebody changed', () => {
  before(async () => {
    store = new MemoryStore();
    small = await smallVault(store);
    const bytes = Buffer.from('what a run that was cut short left behind');
    store.objects.set(leftover(bytes), bytes);
    const vault = await Vault.open(store, { operation: 'verify', writerKey: small.writerKey });
    const { attested } = await verify(recordingContext(), vault, { noIdentity: true, tool: 'test' });
    head = attested!;
    whole = new Map([...store.objects].sort(([a], [b]) => (a < b ? -1 : 1)));
    uncovered = [...whole.keys()].filter((key) => key === 'README.txt' || /^runs\/|00000f/.test(key));
  });

  test('is whole before anything is changed, with and without an identity', async () => {
    for (const withIdentity of [false, true]) {
      const { ok, notCovered } = await look(withIdentity);
      assert.equal(ok, true);
      assert.deepEqual(notCovered, uncovered);
    }
    assert.equal(uncovered.length, 3);
  });

  test('is reported for every byte of every object that is not part of the chain, and each object is named', async () => {
    // Objects do not hide each other's damage, so one look serves all of them.
    const objects = [...whole].filter(([key, bytes]) => !leads(key) && key !== 'README.txt' && small4([key, bytes]));
    const longest = Math.max(...objects.map(([, bytes]) => bytes.length));
    for (let at = 0; at < longest; at++) {
      const hit = objects.filter(([, bytes]) => at < bytes.length);
      const { ok, named } = await after(hit.map(([key, bytes]) => [key, flipped(bytes, at)]));
      assert.equal(ok, false);
      assert.deepEqual(
        [...named].sort(),
        hit.map(([key]) => key),
        `byte ${at}`,
      );
    }
  });

  test('is reported for every byte of the documents and lists that lead to others', async () => {
    for (const kind of [/^vault\.json$/, /^trust\//, /^log\//, /^points\/.*\.zst$/]) {
      // Those of one kind do not hide each other either.
      const objects = [...whole].filter(([key, bytes]) => leads(key) && kind.test(key) && small4([key, bytes]));
      const longest = Math.max(...objects.map(([, bytes]) => bytes.length));
      for (let at = 0; at < longest; at++) {
        const hit = objects.filter(([, bytes]) => at < bytes.length);
        const { ok, named } = await after(hit.map(([key, bytes]) => [key, flipped(bytes, at)]));
        assert.equal(ok, false, `byte ${at} of ${hit.map(([key]) => key)}`);
        for (const [key] of hit) {
          // A changed version number is told before anything is proven.
          if (key === 'vault.json' && named.size === 0) continue;
          const found = alike(key).some((one) => named.has(one));
          assert.ok(found, `${key} byte ${at} is not named: ${[...named]}`);
        }
      }
    }
  });

  test('is reported for some bytes of objects above 4 KiB', async () => {
    const large = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 251));
    const key = leftover(large);
    for (let at = 13; at < large.length; at += 997) {
      const { ok, named } = await after([[key, flipped(large, at)]]);
      assert.equal(ok, false);
      assert.deepEqual([...named], [key]);
    }
  });

  test('is reported when an object was cut or made longer', async () => {
    for (const [key, bytes] of whole) {
      if (key === 'README.txt') continue;
      const lengths = [0, 1, Math.floor(bytes.length / 2), bytes.length - 1];
      for (const body of [
        ...lengths.map((length) => bytes.subarray(0, length)),
        Buffer.concat([bytes, Buffer.of(10)]),
      ]) {
        const { ok, named } = await after([[key, body]]);
        assert.equal(ok, false, `${key} with ${body.length} of ${bytes.length} bytes`);
        assert.ok(named.has(key), `${key} with ${body.length} of ${bytes.length} bytes`);
      }
    }
  });

  test('is reported when an object is missing, except for what no signature covers, which the result lists', async () => {
    const silent: string[] = [];
    for (const key of whole.keys()) {
      const { ok, named } = await after([[key, undefined]]);
      if (ok) silent.push(key);
      else assert.ok(named.has(key), key);
    }
    assert.deepEqual(silent, uncovered);
  });

  test('is reported when two objects of a folder changed places', async () => {
    const keys = [...whole.keys()].filter((key) => key.includes('/'));
    const folder = (key: string) => key.slice(0, key.indexOf('/'));
    for (const [i, a] of keys.entries()) {
      for (const b of keys.slice(i + 1)) {
        if (folder(a) !== folder(b)) continue;
        const { ok, named } = await after([
          [a, whole.get(b)!],
          [b, whole.get(a)!],
        ]);
        assert.equal(ok, false, `${a} and ${b}`);
        const expected = [a, b].filter((key) => digestIn(key) !== undefined);
        for (const key of expected) assert.ok(named.has(key), `${a} and ${b}`);
        assert.ok(named.has(a) || named.has(b), `${a} and ${b}`);
      }
    }
  });

  test('is reported when an older object stands in the place of a newer one', async () => {
    const [first, second] = small.points;
    for (const name of ['root.json.zst.age', 'refs.zst']) {
      const key = `points/${second}/${name}`;
      const { ok, named } = await after([[key, whole.get(`points/${first}/${name}`)!]]);
      assert.equal(ok, false);
      assert.ok(named.has(key));
    }
    const logKeys = [...whole.keys()].filter((key) => key.startsWith('log/'));
    for (const [i, key] of logKeys.entries()) {
      if (i === 0) continue;
      const { named } = await after([[key, whole.get(logKeys[i - 1]!)!]]);
      assert.ok(named.has(key));
    }
  });

  test('is reported when the newest record is repeated under the next number, or something stands beyond the end', async () => {
    const newest = whole.get(`log/${String(head.seq).padStart(20, '0')}`)!;
    for (const number of [head.seq + 1, head.seq + 5000]) {
      const key = `log/${String(number).padStart(20, '0')}`;
      const { ok, named } = await after([[key, newest]]);
      assert.equal(ok, false);
      assert.ok(named.has(key));
    }
    for (const key of ['log/extra', 'trust/0003']) {
      const { ok, named } = await after([[key, newest]]);
      assert.equal(ok, false);
      assert.deepEqual([...named], [key]);
    }
  });

  test('is reported when the newest records are gone, because the head was noted', async () => {
    const logKeys = [...whole.keys()].filter((key) => key.startsWith('log/'));
    for (let left = logKeys.length - 1; left > 0; left--) {
      const { ok, named } = await after(logKeys.slice(left).map((key) => [key, undefined] as const));
      assert.equal(ok, false);
      assert.ok(named.has(logKeys.at(-1)!));
    }
  });

  test('is reported in the same way with an identity, which reads everything', async () => {
    for (const [i, [key, bytes]] of [...whole].entries()) {
      if (key === 'README.txt' || key === 'vault.json') continue;
      const at = (i * 7919 + 101) % bytes.length;
      const { ok, named } = await after([[key, flipped(bytes, at)]], true);
      assert.equal(ok, false, `${key} byte ${at}`);
      assert.ok(named.has(key), `${key} byte ${at} is not named: ${[...named]}`);
    }
  });

  test('is not reported for README.txt, which the result lists', async () => {
    const { ok, notCovered } = await after([['README.txt', Buffer.from('changed')]]);
    assert.equal(ok, true);
    assert.ok(notCovered.includes('README.txt'));
  });
});
