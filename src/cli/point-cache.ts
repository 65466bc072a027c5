import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import type { KnownPoint, KnownPoints } from '../operations/points.ts';
import type { KeptObjects } from '../store/kept.ts';

const format = 'salvor-points-1';
const saltSize = 32;
const tagSize = 16;

/** Of which store, by which program, and the secrets at hand that open its points. */
export interface CacheOwner {
  readonly url: string;
  readonly tool: string;
  readonly secrets: readonly string[];
}

interface Stored {
  readonly objects: readonly (readonly [key: string, etag: string, body: string])[];
  readonly points: readonly (readonly [digest: string, point: KnownPoint])[];
}

/**
 * What `list-points` has read of a vault before: records and attestations as they are stored, and its own lines about points. A file in the user's cache folder, encrypted and
 * authenticated with a key that is derived from the secrets at hand: it tells nobody anything, and nobody without them can have written it. What it holds counts only as long as
 * the store lists the same objects. One that does not open is as good as none.
 */
export class PointCache {
  readonly objects: KeptObjects;
  readonly points: KnownPoints;
  readonly #file: string;
  readonly #owner: CacheOwner;
  readonly #before: string;

  private constructor(file: string, owner: CacheOwner, before: string) {
    const { objects, points } = JSON.parse(before) as Stored;
    this.#file = file;
    this.#owner = owner;
    this.#before = before;
    this.objects = new Map(objects.map(([key, etag, body]) => [key, { etag, body: Buffer.from(body, 'latin1') }]));
    this.points = new Map(points);
  }

  static async read(environment: NodeJS.ProcessEnv, owner: CacheOwner): Promise<PointCache> {
    const file = fileOf(environment, owner.url);
    try {
      return new PointCache(file, owner, opened(await readFile(file), owner));
    } catch {
      return new PointCache(file, owner, JSON.stringify({ objects: [], points: [] } satisfies Stored));
    }
  }

  /** Replaces the file at once, when there is anything new. That it cannot be written is no error. */
  async write(): Promise<void> {
    const objects = [...this.objects].map(([key, { etag, body }]) => [key, etag, body.toString('latin1')] as const);
    const text = JSON.stringify({ objects, points: [...this.points] } satisfies Stored);
    if (text === this.#before) return;
    const aside = `${this.#file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
    try {
      await makeFolders(path.dirname(this.#file), 0o700);
      await writeFile(aside, sealed(text, this.#owner), { mode: 0o600 });
      await rename(aside, this.#file);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }
}

function fileOf(environment: NodeJS.ProcessEnv, url: string): string {
  const base =
    environment.XDG_CACHE_HOME ||
    (process.platform === 'win32' && environment.LOCALAPPDATA
      ? environment.LOCALAPPDATA
      : path.join(environment.HOME ?? homedir(), '.cache'));
  return path.join(base, 'salvor', `points-${createHash('sha256').update(url).digest('hex').slice(0, 32)}`);
}

/** A salt, the encrypted text, its tag: each file has a key of its own. */
function sealed(text: string, owner: CacheOwner): Buffer {
  const salt = randomBytes(saltSize);
  const plain = Buffer.from(text);
  const cipher = createCipheriv('chacha20-poly1305', keyOf(salt, owner), Buffer.alloc(12), { authTagLength: tagSize });
  cipher.setAAD(boundTo(owner), { plaintextLength: plain.length });
  return Buffer.concat([salt, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the file is damaged, or of other secrets, another store or another program. */
function opened(file: Buffer, owner: CacheOwner): string {
  const key = keyOf(file.subarray(0, saltSize), owner);
  const body = file.subarray(saltSize, -tagSize);
  const cipher = createDecipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: tagSize });
  cipher.setAAD(boundTo(owner), { plaintextLength: body.length });
  cipher.setAuthTag(file.subarray(-tagSize));
  return Buffer.concat([cipher.update(body), cipher.final()]).toString('utf8');
}

function keyOf(salt: Buffer, { secrets }: CacheOwner): Buffer {
  return Buffer.from(hkdfSync('sha256', [...secrets].sort().join('\n'), salt, format, 32));
}

function boundTo({ url, tool }: CacheOwner): Buffer {
  return Buffer.from([format, tool, url].join('\n'));
}
