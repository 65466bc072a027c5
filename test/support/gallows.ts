import type { Org } from '../../src/salesforce/org.ts';
import type { OrgWriter } from '../../src/salesforce/writing.ts';
import type { Store } from '../../src/store/store.ts';
import { eachCall } from './each-call.ts';

/** What a process that is killed leaves behind: nothing more is done, and nothing is caught. */
export class Killed extends Error {}

export type Moment = 'before' | 'after';

/** Counts calls down to the one at which the process dies: before it has any effect, or right after it had all of it. */
export class Gallows {
  readonly #at: number;
  readonly #when: Moment;
  /** Calls so far. */
  calls = 0;
  dead = false;

  constructor(call: number, when: Moment) {
    this.#at = call;
    this.#when = when;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    this.calls += 1;
    if (this.calls < this.#at) return call();
    this.dead = true;
    if (this.#when === 'after') await call();
    throw new Killed();
  }
}

/** The store of a process that dies at one of its puts. Leases are put, and do not count. */
export function killingPuts(store: Store, gallows: Gallows): Store {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'putIfAbsent') return value.bind(target);
      return (key: string, body: Uint8Array) => {
        // Leases are let go by processes that end, which a killed one does not.
        if (gallows.dead) throw new Killed();
        return key.includes('/lease-')
          ? target.putIfAbsent(key, body)
          : gallows.pass(() => target.putIfAbsent(key, body));
      };
    },
  });
}

/** The store of a process that dies at one of its calls, whatever it asks for. */
export function killingStore(store: Store, gallows: Gallows): Store {
  return eachCall(store, (call) => gallows.pass(call));
}

const writes = new Set(['insert', 'update', 'delete', 'undelete', 'create', 'upload', 'close', 'abort']);

/** The org of a process that dies at one of its requests that write. */
export function killingOrg(org: Org, gallows: Gallows): Org {
  const killing = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name === 'ingest') return killing(value as object);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(value, target, args) as Promise<unknown>;
          return writes.has(String(name)) ? gallows.pass(call) : call();
        };
      },
    });
  return new Proxy(org, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name === 'writer') return killing(value as OrgWriter);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
