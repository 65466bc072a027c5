import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { MapPage, Root, SchemaPage } from '../../vault/manifest.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';

const rootsAhead = 8;

/** What a point says of one object. */
export interface ObjectInPoint {
  readonly root: Root;
  readonly map: MapPage;
}

/** All points of a vault, oldest first, whose pages are read once however many points list them. */
export class AllPoints {
  readonly vault: Vault;
  readonly roots: readonly Root[];
  /** Points that cannot be read, and why. */
  readonly unreadable: readonly { readonly point: string; readonly fault: Fault }[];
  readonly #maps = new Map<string, Promise<MapPage>>();
  readonly #schemas = new Map<string, Promise<SchemaPage>>();

  private constructor(vault: Vault, roots: readonly Root[], unreadable: AllPoints['unreadable']) {
    this.vault = vault;
    this.roots = roots;
    this.unreadable = unreadable;
  }

  /** A damaged point hides nothing but itself. Throws when no key at hand opens the vault. */
  static async open(ctx: Context, vault: Vault): Promise<AllPoints> {
    const roots: Root[] = [];
    const unreadable: { point: string; fault: Fault }[] = [];
    const { points } = await vault.state();
    const read = inOrder(points, rootsAhead, async (entry) => {
      ctx.signal.throwIfAborted();
      try {
        return await vault.root(entry);
      } catch (error) {
        if (!isFault(error) || error.exit !== 4) throw error;
        return { point: entry.record.point!, fault: error };
      }
    });
    for await (const one of read) {
      if ('fault' in one) unreadable.push(one);
      else roots.push(one);
    }
    return new AllPoints(vault, roots, unreadable);
  }

  /** The page of an object in a point; undefined when the point holds no rows of it. */
  async map(root: Root, object: string): Promise<MapPage | undefined> {
    const page = root.objects.find((one) => one.object === object)?.page;
    return page && once(this.#maps, page.key, () => this.vault.map(page));
  }

  /** The object as the org described it when this page was written. */
  async describe({ object, schema }: MapPage): Promise<ObjectDescribe> {
    const { objects } = await this.#schema(schema.page);
    const found = objects.find(({ print, describe }) => print === schema.print && describe.name === object);
    const { key } = schema.page;
    if (!found) throw new Fault('segment-invalid', `${key} does not describe ${object}`, { data: { key } });
    return found.describe as unknown as ObjectDescribe;
  }

  /** Objects whose Ids begin with this prefix: of the newest point that knows one. */
  async objectsOf(prefix: string): Promise<string[]> {
    for (const root of [...this.roots].reverse()) {
      const names = new Set<string>();
      for (const page of root.schema)
        for (const { describe } of (await this.#schema(page)).objects)
          if (describe.keyPrefix === prefix) names.add(describe.name);
      const held = root.objects.filter(({ object, page }) => page && names.has(object));
      if (held.length > 0) return held.map(({ object }) => object);
    }
    return [];
  }

  #schema(page: Ref): Promise<SchemaPage> {
    return once(this.#schemas, page.key, () => this.vault.schema(page));
  }
}

function once<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}
