import { createHash } from 'node:crypto';
import { openStream } from '../../age/file.ts';
import { inOrder } from '../../rows/in-order.ts';
import { type FileEntry, filesOf } from '../../vault/files-page.ts';
import type { Ref } from '../../vault/record.ts';
import { openAge } from '../../vault/sealed.ts';
import { sha256 } from '../../vault/signed.ts';
import { tarEntries } from '../../vault/tar.ts';
import type { Opener, PointContents } from './contents.ts';
import { agree } from './counts.ts';
import { counted, humanBytes } from './ladder.ts';
import type { Reach } from './reach.ts';

const parallelPacks = 2;

interface Totals {
  files: number;
  bytes: number;
}

/**
 * The rung `files`, and that the root counts what its files pages name. `contents`: bring each file out and hold it against its page;
 * without it only the pages are read.
 */
export async function verifyFiles(
  opener: Opener,
  { root, rootKey }: Pick<PointContents, 'root' | 'rootKey'>,
  reach: Reach,
  contents: boolean,
): Promise<void> {
  const read: Totals = { files: 0, bytes: 0 };
  const named: Totals = { files: 0, bytes: 0 };
  let whole = true;
  for (const [i, page] of root.files.pages.entries()) {
    const entries = await opener.with(page, () => filesOf(opener.stored.vault, page));
    if (!entries) {
      whole = false;
      continue;
    }
    named.files += entries.length;
    named.bytes += entries.reduce((sum, { size }) => sum + size, 0);
    const refs = [...new Set(entries.flatMap(({ stored }) => stored))].map((key) => reach.refs.get(key));
    const list = root.files.refs[i]?.key ?? '';
    if (refs.includes(undefined))
      opener.ladder.problem('counts', page.key, `${page.key} names an object that no list of the point has`);
    else agree(list, [page, ...(refs as Ref[])], reach.lists.get(list), opener.ladder);
    if (contents) await verifyEntries(opener, page.key, entries, reach, read);
  }
  if (whole && (named.files !== root.files.count || named.bytes !== root.files.bytes)) {
    opener.ladder.problem(
      'counts',
      rootKey,
      `${rootKey} says ${root.files.count} files of ${root.files.bytes} bytes, their pages name ${named.files} of ${named.bytes}`,
    );
  }
  const rung = opener.ladder.rung('files');
  if (!rung) return;
  const figure = `${counted(read.files, 'file')}, ${humanBytes(read.bytes)}`;
  rung.figure = read.files === named.files ? figure : `${figure}, of ${counted(named.files, 'file')}`;
}

async function verifyEntries(
  opener: Opener,
  page: string,
  entries: readonly FileEntry[],
  reach: Reach,
  read: Totals,
): Promise<void> {
  const packs = new Map<string, FileEntry[]>();
  const large = new Map<string, FileEntry[]>();
  for (const entry of entries) {
    const place = entry.stored.join(' ');
    if (!opener.stored.sampled(entry.stored[0]!)) continue;
    const kind = entry.entry === '' ? large : packs;
    kind.set(place, [...(kind.get(place) ?? []), entry]);
  }
  const check = (place: string, entry: FileEntry, size: number | undefined, digest: string | undefined) => {
    read.files += 1;
    read.bytes += entry.size;
    const name = `${entry.object} ${entry.id} ${entry.field}`;
    if (size === undefined) problem(place, `the pack has no entry for ${name}, which ${page} says is in it`);
    else if (size !== entry.size) problem(place, `${name} has ${size} bytes, ${page} says ${entry.size}`);
    else if (digest !== entry.sha256) problem(place, `${name} has another SHA-256 than ${page} says`);
  };
  const problem = (key: string, sentence: string) => opener.ladder.problem('files', key, sentence);

  const packed = inOrder(packs, parallelPacks, async ([key, inPack]) => {
    const ref = reach.refs.get(key);
    if (!ref) return;
    await opener.with(ref, async (body) => {
      const archive = tarEntries(await openAge(key, body, opener.identities));
      for (const entry of inPack) {
        const content = archive.get(entry.entry);
        check(key, entry, content?.length, content && sha256(content));
      }
    });
  });
  for await (const _ of packed) opener.stored.signal.throwIfAborted();

  for (const [place, same] of large) {
    const parts = place.split(' ').flatMap((key) => reach.refs.get(key) ?? []);
    if (parts.length !== same[0]!.stored.length) continue;
    const found = await readLarge(opener, parts);
    if (found) for (const entry of same) check(parts[0]!.key, entry, found.size, found.digest);
  }
}

/** A large file's parts, one behind the other, through one age stream: a part at a time is in memory. */
async function readLarge(opener: Opener, parts: readonly Ref[]): Promise<{ size: number; digest: string } | undefined> {
  let at = parts[0]!;
  async function* joined(): AsyncGenerator<Buffer> {
    for (const part of parts) {
      at = part;
      yield await opener.stored.read(part);
    }
  }
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const piece of openStream(opener.identities, joined())) {
      hash.update(piece);
      size += piece.length;
    }
  } catch (error) {
    opener.ladder.blame(error, at.key);
    return undefined;
  }
  opener.count(parts);
  return { size, digest: hash.digest('hex') };
}
