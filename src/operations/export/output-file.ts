import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { sealStream } from '../../age/file.ts';
import { Fault, systemCode } from '../../errors.ts';

/** A file that only its owner may read, which is made beside its place and put there when it is whole; one that is there is never replaced. */
export class OutputFile {
  readonly to: string;
  /** Where it is made. */
  readonly aside: string;
  #written: { bytes: number; sha256: string } | undefined;

  private constructor(to: string, aside: string) {
    this.to = to;
    this.aside = aside;
  }

  /** Throws `usage` when there is a file already or no folder for it, `disk-error`, `disk-full`. */
  static async begin(to: string): Promise<OutputFile> {
    const file = path.resolve(to);
    await checked(file, () => access(path.dirname(file), constants.W_OK));
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) throw existing(file);
    const aside = `${file}.${randomBytes(4).toString('hex')}.partial`;
    await checked(file, async () => (await open(aside, 'wx', 0o600)).close());
    return new OutputFile(file, aside);
  }

  /** Writes the content, encrypted when there are recipients. */
  async write(content: AsyncIterable<Buffer>, recipients: readonly string[]): Promise<void> {
    const stored = recipients.length > 0 ? sealStream(recipients, content) : content;
    await checked(this.to, async () => {
      const handle = await open(this.aside, 'w', 0o600);
      const meter = new Meter();
      try {
        for await (const piece of stored) {
          meter.take(piece);
          await handle.writeFile(piece);
        }
      } finally {
        await handle.close();
      }
      this.#written = meter.read();
    });
  }

  /** Puts the file in its place and says what it is. Throws `usage` when another one has come there meanwhile. */
  async commit(): Promise<{ bytes: number; sha256: string }> {
    return checked(this.to, async () => {
      await synced(this.aside);
      const found = this.#written ?? (await measured(this.aside));
      await place(this.aside, this.to);
      return found;
    });
  }

  /** Leaves nothing behind. */
  discard(): Promise<void> {
    return rm(this.aside, { force: true });
  }
}

class Meter {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  take(piece: Buffer): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
  }

  read(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** Of a file that somebody else has written. */
async function measured(file: string): Promise<{ bytes: number; sha256: string }> {
  const meter = new Meter();
  for await (const piece of createReadStream(file)) meter.take(piece as Buffer);
  return meter.read();
}

async function synced(file: string): Promise<void> {
  const handle: FileHandle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A link fails where a file stands; a rename would replace it. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    // Some file systems have no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '')) throw error;
    await access(to).then(
      () => {
        throw existing(to);
      },
      () => rename(from, to),
    );
  }
}

function existing(file: string): Fault {
  return new Fault('usage', `there is a file ${file} already`, { actions: ['choose another --to, or move it away'] });
}

async function checked<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || cause instanceof Fault) throw cause;
    if (code === 'EEXIST') throw existing(file);
    if (code === 'ENOENT') throw new Fault('usage', `there is no folder ${path.dirname(file)}`, { cause });
    const name = code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'disk-error';
    throw new Fault(name, `${file} could not be written: ${code}`, { cause });
  }
}
