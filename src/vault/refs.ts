import { Fault } from '../errors.ts';
import type { Ref } from './record.ts';
import { compress, decompress } from './sealed.ts';

/**
 * A list of objects with their digests, readable by `sha256sum -c`: a line `<sha256>  <key>` each, with `# size <n> <key>` before it
 * (sha256sum skips comments). Ascending by key, so that equal contents give equal bytes.
 */
export async function writeRefs(refs: readonly Ref[]): Promise<Buffer> {
  const lines = [...refs]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, size, sha256 }) => `# size ${size} ${key}\n${sha256}  ${key}\n`);
  return compress(Buffer.from(lines.join('')));
}

/** Throws `segment-invalid` when it is no such list. */
export async function readRefs(key: string, stored: Buffer): Promise<Ref[]> {
  return refsIn(key, await decompress(key, stored));
}

/**
 * Those of `names` that the list has, without a look at its other lines: of an org with many objects these are hundreds. Throws `segment-invalid` when it cannot be
 * decompressed, or names one without its size.
 */
export async function findRefs(key: string, stored: Buffer, names: readonly string[]): Promise<Ref[]> {
  const bytes = await decompress(key, stored);
  return names.flatMap((name) => {
    // Two blanks stand in front of a name only behind its digest.
    const end = `  ${name}\n`;
    const at = bytes.indexOf(end);
    if (at < 0) return [];
    const line = bytes.lastIndexOf(0x0a, at);
    const sized = line <= 0 ? 0 : bytes.lastIndexOf(0x0a, line - 1) + 1;
    return refsIn(key, bytes.subarray(sized, at + Buffer.byteLength(end)));
  });
}

function refsIn(key: string, bytes: Buffer): Ref[] {
  const invalid = (line: string) =>
    new Fault('segment-invalid', `${key} holds a line that is no reference: ${line.slice(0, 80)}`, { data: { key } });
  /** Of the object whose digest comes next. */
  let sized: { readonly key: string; readonly size: number } | undefined;
  const refs: Ref[] = [];
  for (const line of linesOf(bytes)) {
    const [, size, of = ''] = /^# size (\d+) (\S+)$/.exec(line) ?? [];
    const [, digest, key = ''] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    if (size !== undefined && sized === undefined) sized = { key: of, size: Number(size) };
    else if (digest !== undefined && sized?.key === key) {
      refs.push({ ...sized, sha256: digest });
      sized = undefined;
    } else throw invalid(line);
  }
  return refs;
}

/** One at a time: of a list that is nothing but line ends, all of them would take eight times its bytes. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end;
    yield bytes.toString('utf8', from, to);
    from = to + 1;
  }
}
