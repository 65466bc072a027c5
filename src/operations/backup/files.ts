import { createHash } from 'node:crypto';
import { seal, sealStream } from '../../age/file.ts';
import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import { filePart } from '../../vault/layout.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { sha256 } from '../../vault/signed.ts';
import { tarEnd, tarEntry } from '../../vault/tar.ts';
import type { WantedFile } from './file-list.ts';

/** Where the bytes of one blob field are. */
export interface StoredFile {
  readonly file: WantedFile;
  readonly size: number;
  /** SHA-256 of the original bytes, hex. */
  readonly sha256: string;
  /** One pack, or the parts of a large file in order. */
  readonly stored: readonly Ref[];
  /** Name of the entry in the pack; '' for a large file. */
  readonly entry: string;
}

/** Files up to this size are packed; larger ones get an age file of their own, in parts. */
const smallBytes = 4 * 1024 * 1024;
const packBytes = 16 * 1024 * 1024;
const partBytes = 16 * 1024 * 1024;
/** Contents remembered for storing each once; behind this many, repeats are stored again. */
const rememberedContents = 500_000;

interface Waiting {
  readonly file: WantedFile;
  readonly size: number;
  readonly sha256: string;
  readonly entry: string;
}

/** Fetches blobs and stores them in their original format, each content once in a run. */
export class FileWriter {
  readonly #ctx: Context;
  readonly #org: Pick<Org, 'blob'>;
  readonly #writer: PointWriter;
  readonly #contents = new Map<string, { stored: readonly Ref[]; entry: string } | { pack: number; entry: string }>();
  #pack: Buffer[] = [];
  #packed = 0;
  #packNumber = 0;
  #waiting: Waiting[] = [];
  #largeRunning: Promise<unknown> = Promise.resolve();

  constructor(ctx: Context, org: Pick<Org, 'blob'>, writer: PointWriter) {
    this.#ctx = ctx;
    this.#org = org;
    this.#writer = writer;
  }

  /**
   * Fetches one file. What is stored by then is returned: nothing while a pack fills up, all entries of a pack when it is full.
   * A download that is cut, too short or of another checksum than the row says is tried once more, then throws `count-mismatch`.
   */
  async fetch(file: WantedFile): Promise<readonly StoredFile[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#fetch(file);
      } catch (error) {
        if (hasNoBytes(file, error)) return [];
        if (attempt > 1 || !isFault(error, 'count-mismatch')) throw error;
        this.#ctx.report({
          type: 'retry',
          what: `${file.object} ${file.id} ${file.field}`,
          attempt,
          waitMs: 0,
          reason: 'the file did not arrive whole',
        });
      }
    }
  }

  /** Closes the last pack. */
  async end(): Promise<readonly StoredFile[]> {
    return this.#closePack();
  }

  async #fetch(file: WantedFile): Promise<readonly StoredFile[]> {
    const blob = this.#org.blob(file.object, file.id, file.field)[Symbol.asyncIterator]();
    const head: Buffer[] = [];
    let size = 0;
    for (;;) {
      const { value, done } = await blob.next();
      if (done) return this.#small(file, Buffer.concat(head));
      head.push(value);
      size += value.length;
      if (size > smallBytes) break;
    }
    // One large file at a time: each holds a part of 16 MiB.
    const before = this.#largeRunning;
    const large = before.then(() => this.#large(file, head, blob));
    this.#largeRunning = large.catch(() => undefined);
    return [await large];
  }

  async #small(file: WantedFile, content: Buffer): Promise<readonly StoredFile[]> {
    assertWhole(file, content.length, file.md5 && createHash('md5').update(content).digest('hex'));
    const digest = sha256(content);
    const known = this.#contents.get(digest);
    if (known && 'stored' in known) return [{ file, size: content.length, sha256: digest, ...known }];
    // A pack that is just being stored takes no more entries: its content is then packed once more.
    if (known && known.pack === this.#packNumber) {
      this.#waiting.push({ file, size: content.length, sha256: digest, entry: known.entry });
      return [];
    }
    const entry = `${file.object}/${file.id}/${file.field}`;
    this.#remember(digest, { pack: this.#packNumber, entry });
    this.#pack.push(...tarEntry(entry, content));
    this.#packed += content.length + 1024;
    this.#waiting.push({ file, size: content.length, sha256: digest, entry });
    return this.#packed >= packBytes ? this.#closePack() : [];
  }

  async #closePack(): Promise<readonly StoredFile[]> {
    if (this.#waiting.length === 0) return [];
    const [pack, waiting] = [this.#pack, this.#waiting];
    this.#pack = [];
    this.#waiting = [];
    this.#packed = 0;
    this.#packNumber += 1;
    const body = await seal(this.#writer.recipients.rows, [...pack, tarEnd]);
    const stored = [await this.#writer.putNumbered('pack', body, sha256(body), this.#ctx.signal)];
    for (const one of waiting) this.#remember(one.sha256, { stored, entry: one.entry });
    return waiting.map((one) => ({ ...one, stored }));
  }

  async #large(file: WantedFile, head: Buffer[], rest: AsyncIterator<Buffer>): Promise<StoredFile> {
    const whole = createHash('sha256');
    const md5 = createHash('md5');
    let size = 0;
    async function* content(): AsyncGenerator<Buffer> {
      const pass = (chunk: Buffer) => {
        whole.update(chunk);
        if (file.md5) md5.update(chunk);
        size += chunk.length;
        return chunk;
      };
      for (const chunk of head) yield pass(chunk);
      for (;;) {
        const { value, done } = await rest.next();
        if (done) return;
        yield pass(value);
      }
    }
    const stored: Ref[] = [];
    const number = this.#writer.number('pack');
    let part: Buffer[] = [];
    let filled = 0;
    const flush = async () => {
      const body = Buffer.concat(part);
      part = [];
      filled = 0;
      const digest = sha256(body);
      const key = filePart(this.#writer.point, number, stored.length + 1, digest);
      stored.push(await this.#writer.put(key, body, digest, this.#ctx.signal));
    };
    for await (const chunk of sealStream(this.#writer.recipients.rows, content())) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + partBytes - filled);
        part.push(Buffer.from(piece));
        filled += piece.length;
        at += piece.length;
        if (filled === partBytes) await flush();
      }
    }
    if (filled > 0) await flush();
    assertWhole(file, size, file.md5 && md5.digest('hex'));
    const digest = whole.digest('hex');
    const known = this.#contents.get(digest);
    // The same content came before: what was just stored is left behind, and nothing refers to it.
    if (known && 'stored' in known) return { file, size, sha256: digest, ...known };
    this.#remember(digest, { stored, entry: '' });
    return { file, size, sha256: digest, stored, entry: '' };
  }

  #remember(digest: string, where: { stored: readonly Ref[]; entry: string } | { pack: number; entry: string }): void {
    if (this.#contents.has(digest) || this.#contents.size < rememberedContents) this.#contents.set(digest, where);
  }
}

/** A document that is a link has a row and no bytes: the row says no length, and the org finds nothing. */
function hasNoBytes(file: WantedFile, error: unknown): boolean {
  return !file.size && isFault(error, 'object-refused') && error.data.status === 404;
}

function assertWhole(file: WantedFile, size: number, md5: string | undefined): void {
  const name = `${file.object} ${file.id} ${file.field}`;
  if (file.size !== undefined && file.size !== size) {
    throw new Fault('count-mismatch', `${name}: ${size} bytes arrived, the row says ${file.size}`);
  }
  if (file.md5 !== undefined && md5 !== undefined && file.md5.toLowerCase() !== md5) {
    throw new Fault('count-mismatch', `${name}: the bytes do not have the checksum that the row says`);
  }
}
