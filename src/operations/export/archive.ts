import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ReadStreamOptions, ZipFile } from 'yazl';
import { Fault } from '../../errors.ts';

/** An entry that was written. */
export interface Entry {
  readonly entry: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Level of deflate: what more costs time and saves little. */
const level = 3;

/**
 * A zip that is written as it is read, entries one behind the other, of any length and number (zip64). Only its table of contents is in
 * memory. `stream` has to be read while entries are added.
 */
export class Archive {
  readonly stream: Readable;
  readonly #zip = new ZipFile();
  readonly #mtime: Date;

  /** `mtime`: of all entries, so that the same content makes the same zip. */
  constructor(mtime: Date) {
    this.#mtime = mtime;
    this.stream = this.#zip.outputStream as Readable;
    // Whoever reads it is told by the iteration; without a listener it would end the process.
    this.stream.on('error', () => {});
  }

  /** Resolves when all of the content was taken; throws what the content throws, and when nobody reads the zip any more. */
  async add(entry: string, content: AsyncIterable<Buffer>, compressed = true): Promise<Entry> {
    // Whatever a name was made of: no program that unpacks the zip is led out of its folder.
    if (!isInside(entry))
      throw new Fault('segment-invalid', `the point has a name that cannot stand in a zip: ${JSON.stringify(entry)}`);
    const hash = createHash('sha256');
    let bytes = 0;
    async function* measured(): AsyncGenerator<Buffer> {
      for await (const piece of content) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    }
    // The zip keeps what it was given until its end: only this, which holds nothing any more when the entry is written.
    const given: { begin?: () => Readable } = {};
    await new Promise<void>((resolve, reject) => {
      given.begin = () => {
        const source = Readable.from(measured(), { objectMode: false });
        const broken = () => {
          source.destroy();
          reject(this.stream.errored ?? new Error('the zip was closed before its end'));
        };
        source.once('error', reject);
        source.once('end', () => {
          this.stream.off('close', broken);
          resolve();
        });
        this.stream.once('close', broken);
        return source;
      };
      const options = { mtime: this.#mtime, mode: 0o100600, compressionLevel: compressed ? level : 0 };
      addLazily(this.#zip, entry, options, given);
    });
    given.begin = undefined;
    return { entry, bytes, sha256: hash.digest('hex') };
  }

  /** No entry follows. */
  end(): void {
    this.#zip.end();
  }
}

function isInside(entry: string): boolean {
  if (/[\\\p{Cc}]/u.test(entry)) return false;
  return entry.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/^[A-Za-z]:/.test(part));
}

/** In a scope of its own, so that nothing is kept along with `given`. */
function addLazily(
  zip: ZipFile,
  entry: string,
  options: Partial<ReadStreamOptions>,
  given: { readonly begin?: () => Readable },
): void {
  zip.addReadStreamLazy(entry, options, (take) => take(null, given.begin!()));
}

/** Fills an archive while it is read; when one of both fails, so does the other. */
export async function fillWhileRead(
  archive: Archive,
  fill: () => Promise<void>,
  read: (stream: Readable) => Promise<unknown>,
): Promise<void> {
  const filling = fill().then(
    () => archive.end(),
    (error) => {
      archive.stream.destroy(error);
      throw error;
    },
  );
  const reading = read(archive.stream).catch((error) => {
    archive.stream.destroy(error);
    throw error;
  });
  const [filled, taken] = await Promise.allSettled([filling, reading]);
  // What went wrong first is the reason of the other.
  if (filled.status === 'rejected') throw filled.reason;
  if (taken.status === 'rejected') throw taken.reason;
}
