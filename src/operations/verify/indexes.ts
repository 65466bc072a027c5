import { createHash } from 'node:crypto';
import { Fault } from '../../errors.ts';
import { rowStart } from '../../rows/cells.ts';
import { closingQuote } from '../../rows/csv.ts';
import { IdSet } from '../../rows/id-set.ts';
import { inOrder } from '../../rows/in-order.ts';
import { KnownRows } from '../../vault/known-rows.ts';
import { layersOf } from '../../vault/layers.ts';
import type { MapPage, SegmentRef } from '../../vault/manifest.ts';
import { readSegment } from '../../vault/segment.ts';
import type { ObjectContents, Opener } from './contents.ts';
import { parallelReads } from './stored.ts';

/** What an index twin says of its segment. */
export interface Twin {
  /** SHA-256 of its rows: Id and SystemModstamp of each row of the segment, in the CSV dialect. */
  readonly digest: string;
}

export interface Indexes {
  /** Key of a segment -> its twin, for those that could be read. */
  readonly twins: ReadonlyMap<string, Twin>;
  /** Object -> the Ids of its rows, for objects all of whose twins could be read. */
  readonly ids: ReadonlyMap<string, IdSet>;
}

interface TwinRead extends Twin {
  /** 15 bytes each. */
  readonly ids: Buffer;
  readonly first: string;
  readonly last: string;
}

const columns = ['Id', 'SystemModstamp'];
const idBytes = 15;

/**
 * Reads the index twins of all objects: counts against the pages, and Id ranges of base segments that must not overlap. `keep`: gather
 * the Ids, for the look-ups.
 */
export async function readIndexes(opener: Opener, objects: readonly ObjectContents[], keep: boolean): Promise<Indexes> {
  const twins = new Map<string, Twin>();
  const ids = new Map<string, IdSet>();
  for (const { map } of objects) {
    if (!map.hasId) continue;
    const set = new IdSet();
    const ranges: { first: string; last: string; key: string }[] = [];
    let whole = true;
    const base = new Set(map.base);
    const read = inOrder([...map.base, ...map.deltas], parallelReads, async (segment) => ({
      segment,
      twin: segment.index && (await readTwin(opener, segment)),
    }));
    for await (const { segment, twin } of read) {
      opener.stored.signal.throwIfAborted();
      if (!twin) {
        whole = false;
        continue;
      }
      twins.set(segment.key, { digest: twin.digest });
      if (base.has(segment)) ranges.push({ first: twin.first, last: twin.last, key: segment.key });
      if (keep) for (let at = 0; at < twin.ids.length; at += idBytes) set.add(twin.ids, at);
    }
    if (whole) ids.set(map.object, await stateOf(opener, map, set, keep));
    ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
    for (const [i, { first, key }] of ranges.entries()) {
      if (i > 0 && first <= ranges[i - 1]!.last)
        opener.ladder.problem('parse', key, `${key} holds Ids of the range of ${ranges[i - 1]!.key}`);
    }
  }
  return { twins, ids };
}

/** The Ids of the rows that are live when deltas and tombstones are laid on the base; their number is what the page says. */
async function stateOf(opener: Opener, map: MapPage, all: IdSet, keep: boolean): Promise<IdSet> {
  if (layersOf(map).length === 0) return all;
  const { vault, signal } = opener.stored;
  const live = new IdSet();
  let rows = 0;
  for await (const batch of new KnownRows(vault, map, signal).live()) {
    rows += batch.ends.length;
    if (!keep) continue;
    for (let i = 0; i < batch.ends.length; i++) {
      const [start, end] = [rowStart(batch, i) + 1, batch.ends[i]!];
      const length = closingQuote(batch.bytes, start - 1, end) - start;
      if (length === 15 || length === 18) live.add(batch.bytes, start);
    }
  }
  if (rows !== map.rows) {
    const [first] = map.deltas;
    const key = (first ?? map.gone[0]!).key;
    opener.ladder.problem(
      'counts',
      key,
      `${map.object} has ${rows} rows in ${key} and what it lies on, its page says ${map.rows}`,
    );
  }
  return live;
}

async function readTwin(opener: Opener, segment: SegmentRef): Promise<TwinRead | undefined> {
  const index = segment.index!;
  return opener.with(index, async (body) => {
    const hash = createHash('sha256');
    const parts: Buffer[] = [];
    let first = '';
    let last = '';
    const rows = readSegment(opener.identities, body, {
      expected: { rows: segment.rows },
      signal: opener.stored.signal,
    });
    for await (const { columns: found, batch } of rows) {
      if (found.join() !== columns.join())
        throw new Fault('segment-invalid', `${index.key} has other columns than an index has`);
      hash.update(batch.bytes);
      const part = Buffer.allocUnsafeSlow(batch.ends.length * idBytes);
      let filled = 0;
      for (const [i, end] of batch.ends.entries()) {
        const start = rowStart(batch, i) + 1;
        const close = closingQuote(batch.bytes, start - 1, end);
        last = batch.bytes.toString('latin1', start, close);
        if (first === '') first = last;
        // Some setup objects have keys that are no Ids: nothing refers to them by Id.
        if (close - start !== 15 && close - start !== 18) continue;
        batch.bytes.copy(part, filled, start, start + idBytes);
        filled += idBytes;
      }
      parts.push(part.subarray(0, filled));
    }
    return { digest: hash.digest('hex'), ids: Buffer.concat(parts), first, last };
  });
}
