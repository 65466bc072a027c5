import { digestIn, pointRefs } from '../../vault/layout.ts';
import type { Ref } from '../../vault/record.ts';
import { findRefs } from '../../vault/refs.ts';
import type { LogState, Vault } from '../../vault/vault.ts';

/** The digests that objects have to have: by their names, or by what signed records lead to. */
export class Stated {
  readonly #vault: Vault;
  readonly #named = new Map<string, Ref>();

  constructor(vault: Vault, { entries }: Pick<LogState, 'entries'>) {
    this.#vault = vault;
    // Who signs a record later does not take an earlier object from the copy.
    for (const { record } of entries)
      for (const ref of [...(record.keys ?? []), ...(record.refs ? [record.refs] : [])])
        if (!this.#named.has(ref.key)) this.#named.set(ref.key, ref);
  }

  /** Undefined: nothing says it. Of a point's root its list says it: throws what reading that throws. */
  async digestOf(key: string, signal: AbortSignal): Promise<string | undefined> {
    const known = digestIn(key) ?? this.#named.get(key)?.sha256;
    const [, point] = /^points\/([^/]+)\/root\./.exec(key) ?? [];
    const list = point === undefined ? undefined : this.#named.get(pointRefs(point));
    if (known !== undefined || !list) return known;
    return (await findRefs(list.key, await this.#vault.read(list, signal), [key]))[0]?.sha256;
  }
}
