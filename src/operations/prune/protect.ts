import { Fault } from '../../errors.ts';
import { KeySet } from '../../vault/key-set.ts';
import type { LogEntry } from '../../vault/log.ts';
import { reachedBy } from '../../vault/reached.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';

/** What must not be deleted: everything that some point reaches. Grows only. Holds marks of keys and not keys. */
export class Protected {
  readonly #vault: Vault;
  readonly #signal: AbortSignal;
  readonly #keys = new KeySet();
  readonly #lists = new KeySet();
  readonly #points = new Set<string>();

  constructor(vault: Vault, signal: AbortSignal) {
    this.#vault = vault;
    this.#signal = signal;
  }

  /** Protects what the points reach, those that it knows left out. `each`: is given every object once. */
  async add(points: readonly LogEntry[], each: (ref: Ref) => void = () => {}): Promise<void> {
    for (const entry of points) {
      if (this.#points.has(entry.record.point!)) continue;
      for await (const ref of reachedBy(this.#vault, entry, this.#lists, this.#signal))
        if (this.#keys.add(ref.key)) each(ref);
      this.#points.add(entry.record.point!);
      this.#signal.throwIfAborted();
    }
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}

/**
 * Protects the points that stay, and proves by a list of the whole store that everything that they reach is there with its size. Throws
 * `object-missing` otherwise, and what reading their lists throws: then nothing may be deleted.
 */
export async function protectWhole(
  vault: Vault,
  points: readonly LogEntry[],
  kept: Protected,
  signal: AbortSignal,
): Promise<void> {
  const expected = new KeySet();
  await kept.add(points, ({ key, size }) => expected.add(`${size} ${key}`));
  const found = new KeySet();
  for await (const { key, size } of vault.store.list('', { signal })) {
    const object = `${size} ${key}`;
    if (expected.has(object)) found.add(object);
  }
  if (found.size === expected.size) return;
  const missing: string[] = [];
  await new Protected(vault, signal).add(points, ({ key, size }) => {
    if (!found.has(`${size} ${key}`)) missing.push(key);
  });
  throw new Fault(
    'object-missing',
    `${missing.length} object(s) of points that stay are not in the vault as they were written: ${missing.slice(0, 3).join(', ')}`,
    {
      actions: ['do not prune; `salvor repair --from` brings objects back from a second copy'],
      data: { keys: missing.slice(0, 20) },
    },
  );
}
