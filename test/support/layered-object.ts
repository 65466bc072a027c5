import { goneColumns } from '../../src/operations/backup/rows.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { encodeTable } from '../../src/rows/split.ts';
import type { Detail, MapPage, SegmentRef } from '../../src/vault/manifest.ts';
import { PointWriter } from '../../src/vault/point.ts';
import { sealBytes } from '../../src/vault/sealed.ts';
import { writeSegments } from '../../src/vault/segment.ts';
import { sha256 } from '../../src/vault/signed.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { MemoryStore } from './memory-store.ts';

/** A point's id whose runs sort as `n` does. */
export function runId(n: number): string {
  return `202611${String(20 + Math.floor(n / 24)).padStart(2, '0')}T${String(n % 24).padStart(2, '0')}0000Z-00000a`;
}

/** Writes what runs find of one object: segments with their twins and details, and tombstones. */
export class LayeredObject {
  readonly columns: readonly string[];
  readonly #vault: Vault;
  readonly #object: string;
  readonly #writers = new Map<string, PointWriter>();
  readonly #detail: MapPage['detail'] = [];

  constructor(vault: Vault, object: string, columns: readonly string[]) {
    this.#vault = vault;
    this.#object = object;
    this.columns = columns;
  }

  /** Rows ascending by Id, in segments of about `targetBytes` stored bytes. */
  async rows(run: string, rows: Iterable<readonly string[]>, targetBytes = 4_000_000): Promise<SegmentRef[]> {
    const writer = await this.#writer(run);
    const flow = (async function* () {
      let some: (readonly string[])[] = [];
      let cut = true;
      for (const row of rows) {
        some.push(row);
        if (some.length < 1000) continue;
        yield { batch: encodeRows(some), cut };
        [some, cut] = [[], false];
      }
      if (some.length > 0) yield { batch: encodeRows(some), cut };
    })();
    const refs: SegmentRef[] = [];
    const segments: Detail['segments'] = [];
    const { rows: recipients, manifest: indexRecipients } = writer.recipients;
    for await (const made of writeSegments(this.columns, flow, { recipients, indexRecipients, targetBytes })) {
      const index = await writer.putNumbered('indexTwin', made.index!.body, made.index!.sha256);
      const ref = await writer.putNumbered('segment', made.body, made.sha256);
      refs.push({ ...ref, rows: made.rows, bytes: made.bytes, index });
      segments.push({
        key: ref.key,
        columns: [...this.columns],
        rows: made.rows,
        minId: made.minId,
        maxId: made.maxId,
        plainSha256: made.plainSha256,
        blocks: made.blocks.map((b) => [b.offset, b.length, b.rows, b.bytes, b.firstId!]),
      });
      made.release();
    }
    if (segments.length > 0) this.#detail.push(await writer.putDetail({ v: 1, object: this.#object, segments }));
    return refs;
  }

  async gone(run: string, ids: readonly string[], date = ''): Promise<SegmentRef[]> {
    if (ids.length === 0) return [];
    const writer = await this.#writer(run);
    const rows = ids.map((id) => [id, date, '', '', 'recycle bin']);
    const csv = encodeTable(goneColumns, rows);
    const body = await sealBytes(csv, writer.recipients.manifest);
    return [{ ...(await writer.putNumbered('gone', body, sha256(body))), rows: ids.length, bytes: csv.length }];
  }

  /** A change of a page that makes it list these. */
  page(parts: Pick<MapPage, 'base' | 'deltas' | 'gone' | 'rows'>): (page: MapPage) => MapPage {
    const detail = [...this.#detail];
    return (page) => ({ ...page, ...parts, columns: [...this.columns], detail });
  }

  async #writer(run: string): Promise<PointWriter> {
    const writer = this.#writers.get(run) ?? new PointWriter(this.#vault, run, await this.#vault.epoch());
    this.#writers.set(run, writer);
    return writer;
  }
}

/** Counts what is read of a store from here on, by the first part of the key. */
export function countReads(vault: Vault, store: MemoryStore): Map<string, number> {
  const bytes = new Map<string, number>();
  const count = async (key: string, reading: Promise<Buffer>) => {
    const body = await reading;
    const kind = key.slice(0, key.indexOf('/'));
    bytes.set(kind, (bytes.get(kind) ?? 0) + body.length);
    return body;
  };
  const counted = new Proxy(store, {
    get(target, name) {
      if (name === 'get') return (key: string) => count(key, target.get(key));
      if (name === 'getRange')
        return (key: string, start: number, length: number) => count(key, target.getRange(key, start, length));
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  Object.defineProperty(vault, 'store', { value: counted, configurable: true });
  return bytes;
}
