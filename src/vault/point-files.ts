import { createHash } from 'node:crypto';
import { openStream } from '../age/file.ts';
import { Fault, isFault } from '../errors.ts';
import { IdTable } from '../rows/id-table.ts';
import { longId } from '../schema/ids.ts';
import { type FileEntry, filesOf } from './files-page.ts';
import type { Root } from './manifest.ts';
import type { Ref } from './record.ts';
import { readRefs } from './refs.ts';
import { openAge } from './sealed.ts';
import { tarEntries } from './tar.ts';
import type { Vault } from './vault.ts';

/** Packs and pages that stay open; a pack takes some 16 MiB. Rows that come by Id find their files in few packs. */
const openPacks = 2;
const openPages = 4;

/** Pages by which the files of one field of one object are found: number of the Id -> number of the page. */
interface Places {
  readonly ids: IdTable;
  readonly pages: number[];
}

interface Page {
  readonly entries: ReadonlyMap<string, FileEntry>;
  readonly refs: ReadonlyMap<string, Ref>;
}

/** The files of one point, found by the record and the field that they belong to. About 30 bytes a file stay in memory. */
export class PointFiles {
  readonly #vault: Vault;
  readonly #files: Root['files'];
  readonly #signal: AbortSignal | undefined;
  readonly #pages = new Recent<number, Page>(openPages);
  readonly #packs = new Recent<string, Map<string, Buffer>>(openPacks);
  #places: Promise<ReadonlyMap<string, Places>> | undefined;

  constructor(vault: Vault, files: Root['files'], signal?: AbortSignal) {
    this.#vault = vault;
    this.#files = files;
    this.#signal = signal;
  }

  /** What the point says of a file; undefined when it holds none. */
  async entry(object: string, id: string, field: string): Promise<FileEntry | undefined> {
    return (await this.#find(object, id, field))?.entry;
  }

  /**
   * The original bytes of one file, undefined when the point holds none. They are proven, by size and SHA-256, only when the iteration has
   * ended. Throws `object-missing`, `size-mismatch`, `digest-mismatch`, `not-authentic`, `segment-invalid`.
   */
  async open(object: string, id: string, field: string): Promise<AsyncIterable<Buffer> | undefined> {
    const found = await this.#find(object, id, field);
    if (!found) return undefined;
    const { entry, refs } = found;
    const stored = entry.stored.map((key) => {
      const ref = refs.get(key);
      if (ref) return ref;
      throw new Fault('object-missing', `no list of the point has ${key}, where ${nameOf(entry)} should be`, {
        data: { key },
      });
    });
    return proven(entry, entry.entry === '' ? this.#large(stored) : this.#packed(entry, stored[0]!));
  }

  async #find(
    object: string,
    id: string,
    field: string,
  ): Promise<{ entry: FileEntry; refs: ReadonlyMap<string, Ref> } | undefined> {
    this.#places ??= this.#index();
    const places = (await this.#places).get(placeOf(object, field));
    const number = places?.ids.number(id) ?? -1;
    if (number < 0) return undefined;
    const page = places!.pages[number]!;
    const { entries, refs } = await this.#pages.get(page, () => this.#readPage(page));
    const entry = entries.get(fileOf(object, places!.ids.id(number), field));
    return entry && { entry, refs };
  }

  /** Reads all pages once. */
  async #index(): Promise<ReadonlyMap<string, Places>> {
    const all = new Map<string, Places>();
    for (const [number, ref] of this.#files.pages.entries()) {
      this.#signal?.throwIfAborted();
      for (const { object, id, field } of await filesOf(this.#vault, ref)) {
        const place = placeOf(object, field);
        const places = all.get(place) ?? { ids: new IdTable(), pages: [] };
        all.set(place, places);
        // Of two pages that name a file, the later one holds.
        places.pages[places.ids.add(id)] = number;
      }
    }
    return all;
  }

  async #readPage(number: number): Promise<Page> {
    const list = this.#files.refs[number];
    if (!list) throw new Fault('segment-invalid', `files page ${number + 1} of the point has no list`);
    const refs = await readRefs(list.key, await this.#vault.read(list, this.#signal));
    const entries = await filesOf(this.#vault, this.#files.pages[number]!);
    return {
      refs: new Map(refs.map((ref) => [ref.key, ref])),
      entries: new Map(entries.map((entry) => [fileOf(entry.object, entry.id, entry.field), entry])),
    };
  }

  async *#packed(entry: FileEntry, ref: Ref): AsyncGenerator<Buffer> {
    const pack = await this.#packs.get(ref.key, () => this.#readPack(ref));
    const content = pack.get(entry.entry);
    if (!content)
      throw new Fault('segment-invalid', `the pack has no entry for ${nameOf(entry)}`, { data: { key: ref.key } });
    yield content;
  }

  async #readPack(ref: Ref): Promise<Map<string, Buffer>> {
    const body = await this.#vault.read(ref, this.#signal);
    return tarEntries(await openAge(ref.key, body, await this.#vault.rowIdentities()));
  }

  /** The parts one behind the other, through one age stream. */
  async *#large(parts: readonly Ref[]): AsyncGenerator<Buffer> {
    let at = parts[0]!.key;
    const read = async function* (vault: Vault, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
      for (const part of parts) {
        at = part.key;
        yield await vault.read(part, signal);
      }
    };
    try {
      yield* openStream(await this.#vault.rowIdentities(), read(this.#vault, this.#signal));
    } catch (error) {
      if (!isFault(error, 'not-authentic', 'wrong-identity')) throw error;
      throw new Fault(error.name, `${at}: ${error.message}`, { cause: error, data: { key: at } });
    }
  }
}

/** Holds what was stored against what the files page says. */
async function* proven(entry: FileEntry, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  const key = entry.stored[0]!;
  for await (const piece of content) {
    hash.update(piece);
    size += piece.length;
    yield piece;
  }
  if (size !== entry.size)
    throw new Fault('size-mismatch', `${nameOf(entry)} has ${size} bytes, its page says ${entry.size}`, {
      data: { key },
    });
  if (hash.digest('hex') !== entry.sha256)
    throw new Fault('digest-mismatch', `${nameOf(entry)} has another SHA-256 than its page says`, { data: { key } });
}

/** The few values that were asked for last. */
class Recent<Key, Value> {
  readonly #limit: number;
  readonly #values = new Map<Key, Promise<Value>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key, read: () => Promise<Value>): Promise<Value> {
    const value = this.#values.get(key) ?? read();
    this.#values.delete(key);
    this.#values.set(key, value);
    // What could not be read is tried again the next time.
    value.catch(() => this.#values.delete(key));
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#limit) break;
      this.#values.delete(oldest);
    }
    return value;
  }
}

function placeOf(object: string, field: string): string {
  return `${object} ${field}`.toLowerCase();
}

function fileOf(object: string, id: string, field: string): string {
  return `${placeOf(object, field)} ${longId(id)}`;
}

function nameOf({ object, id, field }: FileEntry): string {
  return `${object} ${id} ${field}`;
}
