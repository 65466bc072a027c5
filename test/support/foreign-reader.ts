import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseQuotedCsv } from './foreign-csv.ts';

export const foreignPrograms = ['bash', 'age', 'zstd', 'tar', 'sha256sum', 'ssh-keygen'];

/** A segment as a page lists it. */
export interface Listed {
  readonly key: string;
  readonly rows: number;
  /** The twin with Id and SystemModstamp. */
  readonly index?: { readonly key: string };
}

export interface ForeignObject {
  readonly object: string;
  readonly hasId: boolean;
  /** The page, as it stands in the vault. */
  readonly page: ReturnType<typeof JSON.parse>;
  readonly base: readonly Listed[];
  readonly gone: readonly Listed[];
}

export interface ForeignFile {
  readonly object: string;
  readonly id: string;
  readonly field: string;
  readonly size: number;
  readonly sha256: string;
  /** Keys of what holds the bytes, in order. */
  readonly stored: readonly string[];
  /** Name in the archive; empty for a file that has objects of its own. */
  readonly entry: string;
}

/**
 * Reads a full point of a vault the way README.txt says, with the programs of an ordinary system and no code of src/. An
 * identity file is everything it knows. Throws when a program fails or the bytes of the point are not those that it lists.
 */
export class ForeignReader implements Disposable {
  readonly vault: string;
  readonly point: string;
  readonly root: ReturnType<typeof JSON.parse>;
  readonly #work: string;
  readonly #identity: string;
  readonly #packs = new Map<string, string>();

  /** `identity`: a file of one that opens the epoch's key. `point`: the newest without. */
  constructor(vault: string, identity: string, point?: string) {
    this.vault = vault;
    this.#work = mkdtempSync(path.join(tmpdir(), 'salvor-foreign-'));
    this.#identity = path.join(this.#work, 'epoch.key');
    writeFileSync(this.#identity, this.#epochKey(identity), { mode: 0o600 });
    this.point = point ?? this.#points().at(-1)!;
    this.#checkDigests();
    const root = this.keys(`points/${this.point}`).filter((name) => /\/root\.json(\.zst)?\.age$/.test(name));
    if (root.length !== 1) throw new Error(`point ${this.point} has ${root.length} roots`);
    this.root = JSON.parse(this.open(root[0]!).toString('utf8'));
  }

  /** Names of all objects of the vault that begin with this folder. */
  keys(folder = ''): string[] {
    return readdirSync(path.join(this.vault, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.vault, path.join(entry.parentPath, entry.name)))
      .sort();
  }

  /** Decrypted by `age`, and decompressed by `zstd` where the name says so. */
  open(key: string, identity = this.#identity): Buffer {
    const unpack = key.includes('.zst') ? '| zstd -dc' : '';
    return bash(`age -d -i "$1" "$2" ${unpack}`, [identity, path.join(this.vault, key)]);
  }

  /** Whether `age` opens the object with this identity file. */
  opens(key: string, identity: string): boolean {
    const { status } = spawnSync('age', ['-d', '-i', identity, '-o', '/dev/null', path.join(this.vault, key)]);
    return status === 0;
  }

  objects(): string[] {
    return this.root.objects.map(({ object }: { object: string }) => object);
  }

  object(name: string): ForeignObject {
    const listed = this.root.objects.find(({ object }: { object: string }) => object === name);
    if (!listed?.page) throw new Error(`the point has no page of ${name}`);
    const page = JSON.parse(this.open(listed.page.key).toString('utf8'));
    if (page.deltas.length > 0) throw new Error('this reader knows full points only');
    return { object: name, hasId: page.hasId, page, base: page.base, gone: page.gone };
  }

  /** A segment, a twin, tombstones or a files page: the header line apart from the rows. */
  table(key: string, identity = this.#identity): { columns: string[]; rows: string[][] } {
    const [columns = [], ...rows] = parseQuotedCsv(utf8(this.open(key, identity)));
    return { columns, rows };
  }

  files(): ForeignFile[] {
    return this.root.files.pages.flatMap(({ key }: { key: string }) => {
      const { columns, rows } = this.table(key);
      if (columns.join() !== 'Object,Id,Field,Size,Sha256,Stored,Entry')
        throw new Error(`columns of ${key}: ${columns}`);
      return rows.map(([object, id, field, size, sha256, stored, entry]) => ({
        object,
        id,
        field,
        size: Number(size),
        sha256,
        stored: stored!.split(' '),
        entry,
      }));
    });
  }

  /** The bytes of one file: an entry of an archive by `tar`, or parts put together by `cat`. */
  bytes({ stored, entry }: ForeignFile): Buffer {
    if (entry === '') {
      const parts = stored.map((key) => path.join(this.vault, key));
      return bash('identity="$1"; shift; cat "$@" | age -d -i "$identity"', [this.#identity, ...parts]);
    }
    return bash('tar -xOf "$1" -- "$2"', [this.#pack(stored[0]!), entry]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#work, { recursive: true, force: true });
  }

  #pack(key: string): string {
    const known = this.#packs.get(key);
    if (known) return known;
    const file = path.join(this.#work, `${this.#packs.size}.tar`);
    writeFileSync(file, this.open(key));
    this.#packs.set(key, file);
    return file;
  }

  #epochKey(identity: string): Buffer {
    for (const wrap of this.keys('keys/e0001')) if (this.opens(wrap, identity)) return this.open(wrap, identity);
    throw new Error('the identity opens no wrap of the epoch');
  }

  #points(): string[] {
    return this.keys('log')
      .map((key) => JSON.parse(readFileSync(path.join(this.vault, key), 'utf8').split('\n')[0]!))
      .filter(({ kind }) => kind === 'point')
      .map(({ point }) => point);
  }

  /** Every object that the point reaches has the bytes that it lists. */
  #checkDigests(): void {
    bash(
      `cd "$1"
      zstd -dc "points/$2/refs.zst" | sha256sum -c --quiet -
      for refs in $(zstd -dc "points/$2/refs.zst" | grep -o 'pages/.*\\.refs\\.zst$' | sort -u); do zstd -dc "$refs"; done | sort -u | sha256sum -c --quiet -`,
      [this.vault, this.point],
    );
  }
}

/** A folder with what a bucket holds, for `ForeignReader`. */
export function asFolder(folder: string, objects: ReadonlyMap<string, Buffer>, prefix = ''): string {
  for (const [key, body] of objects) {
    if (!key.startsWith(prefix)) continue;
    const file = path.join(folder, key.slice(prefix.length));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, body);
  }
  return folder;
}

/** Text of the bytes; throws where they are not UTF-8. A byte order mark stays. */
function utf8(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** What a script prints; throws with its complaints when any of its commands fails. */
export function bash(script: string, args: readonly string[] = [], cwd?: string): Buffer {
  const ran = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script, 'bash', ...args], { cwd, maxBuffer: 1 << 30 });
  if (ran.status !== 0) throw new Error(`exit ${ran.status ?? ran.error}: ${script}\n${ran.stderr}`);
  return ran.stdout;
}
