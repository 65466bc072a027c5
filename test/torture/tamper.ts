import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { Random } from '../../src/practice-org/random.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext, smallVault } from '../support/small-vault.ts';
import { spread, type Torment } from './torment.ts';
import { contentsOf } from './whole.ts';

interface Tampering {
  readonly kind: string;
  readonly what: string;
  readonly changes: () => (readonly [string, Buffer | undefined])[];
}

const kinds = ['flip', 'truncation', 'addition', 'deletion', 'swap', 'replay', 'roll-back'];

/**
 * Somebody with a key to the bucket changes a vault of two points: every byte of it, every length, any two objects. It is reported without an
 * identity, and a reader is never shown other rows than were backed up.
 */
export const tamper: Torment = {
  name: 'tamper',
  figure: 'flips, truncations, swaps, deletions and replays in a small vault',
  faults: kinds,
  short: 70,
  share: 6,
  async prepare() {
    const made = new MemoryStore();
    const small = await smallVault(made);
    const open = (store: MemoryStore, identities: string[]) =>
      Vault.open(store, { operation: 'verify', rootFingerprint: small.rootFingerprint, identities });
    const whole = new Map(made.objects);
    /** Neither is signed: a text for people, and the journal of a run that never ended. */
    const covered = [...whole.keys()].filter((key) => key !== 'README.txt' && !key.startsWith('runs/'));
    const truth = new Map<string, string>();
    const first = await open(made, [small.identity]);
    for (const entry of (await first.state()).points) truth.set(entry.record.point!, await contentsOf(first, entry));
    const all = spread(kinds.map((kind) => tamperings(kind, whole, covered)));

    /** What verify says without any identity; false: the vault is whole. */
    async function reported(store: MemoryStore): Promise<boolean> {
      try {
        const request = {
          points: 'all',
          noIdentity: true,
          expectHead: small.head,
          attest: false,
          tool: 'test',
        } as const;
        return !(await verify(recordingContext(), await open(store, []), request)).ok;
      } catch (error) {
        if (!isFault(error)) throw error;
        return true;
      }
    }

    /** What a reader sees of each point is what was backed up, or an error. */
    async function readsRight(store: MemoryStore): Promise<void> {
      try {
        const vault = await open(store, [small.identity]);
        for (const entry of (await vault.state()).points) {
          try {
            const contents = await contentsOf(vault, entry);
            assert.equal(contents, truth.get(entry.record.point!), `rows of ${entry.record.point}`);
          } catch (error) {
            if (!isFault(error)) throw error;
          }
        }
      } catch (error) {
        if (!isFault(error)) throw error;
      }
    }

    assert.equal(await reported(new MemoryStore(whole)), false);
    return {
      cases: all.length,
      async run(number, struck) {
        const { kind, what, changes } = all[number]!;
        const store = new MemoryStore(whole);
        for (const [key, body] of changes()) {
          if (body) store.objects.set(key, body);
          else store.objects.delete(key);
        }
        struck(kind);
        assert.ok(await reported(store), `${what} is not reported`);
        await readsRight(store);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

function tamperings(kind: string, whole: ReadonlyMap<string, Buffer>, covered: readonly string[]): Tampering[] {
  const one = (what: string, changes: Tampering['changes']): Tampering => ({
    kind,
    what: `${kind} of ${what}`,
    changes,
  });
  const bytesOf = (key: string) => whole.get(key)!;
  const each = (of: (key: string, length: number) => Tampering[]) =>
    covered.flatMap((key) => of(key, bytesOf(key).length));
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
  const pairs = covered.flatMap((a, n) => covered.slice(n + 1).map((b) => [a, b] as const));
  const log = covered.filter((key) => key.startsWith('log/'));
  switch (kind) {
    case 'flip':
      return each((key, length) =>
        numbers(length).map((at) => one(`${key} byte ${at}`, () => [[key, flipped(bytesOf(key), at)]])),
      );
    case 'truncation':
      return each((key, length) =>
        numbers(length).map((to) => one(`${key} to ${to}`, () => [[key, bytesOf(key).subarray(0, to)]])),
      );
    case 'addition':
      return each((key) =>
        numbers(3).map((n) =>
          one(`${key} ${n}`, () => [[key, Buffer.concat([bytesOf(key), Buffer.alloc(n + 1, 10)])]]),
        ),
      );
    case 'deletion':
      return each((key) => [one(key, () => [[key, undefined]])]);
    case 'swap':
      return pairs.map(([a, b]) =>
        one(`${a} and ${b}`, () => [
          [a, bytesOf(b)],
          [b, bytesOf(a)],
        ]),
      );
    case 'replay':
      return pairs.flatMap(([a, b]) => [
        one(`${a} as ${b}`, () => [[b, bytesOf(a)]]),
        one(`${b} as ${a}`, () => [[a, bytesOf(b)]]),
      ]);
    default:
      return numbers(log.length).map((left) =>
        one(`the log to ${left} records`, () => log.slice(left).map((key) => [key, undefined] as const)),
      );
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << new Random(at).int(0, 7);
  return copy;
}
