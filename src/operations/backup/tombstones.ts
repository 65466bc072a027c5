import { encodeHeader, encodeRows } from '../../rows/csv.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import { sealBytes } from '../../vault/sealed.ts';
import { sha256 } from '../../vault/signed.ts';
import { goneColumns } from './rows.ts';

export type FillRoots = (rows: string[][]) => Promise<void>;

const rowsPerSegment = 100_000;

/** Collects tombstones of one object and stores them in segments sorted by Id, in constant memory. */
export class Tombstones {
  readonly #writer: PointWriter;
  readonly #fillRoots: FillRoots;
  readonly #columns: readonly string[];
  #rows: string[][] = [];
  readonly segments: SegmentRef[] = [];

  /** `fillRoots`: completes the cells of rows before they are stored; what stands behind `columns` is not. */
  constructor(writer: PointWriter, options: { fillRoots?: FillRoots; columns?: readonly string[] } = {}) {
    const { fillRoots = async () => undefined, columns = goneColumns } = options;
    this.#writer = writer;
    this.#fillRoots = fillRoots;
    this.#columns = columns;
  }

  async add(cells: readonly string[]): Promise<void> {
    this.#rows.push([...cells]);
    if (this.#rows.length >= rowsPerSegment) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const rows = this.#rows.sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0));
    this.#rows = [];
    await this.#fillRoots(rows);
    const cells = rows.map((row) => row.slice(0, this.#columns.length));
    const csv = Buffer.concat([encodeHeader(this.#columns), encodeRows(cells).bytes]);
    const body = await sealBytes(csv, this.#writer.recipients.manifest);
    const ref = await this.#writer.putNumbered('gone', body, sha256(body));
    const [minId, maxId] = [rows[0]![0]!, rows.at(-1)![0]!];
    this.segments.push({ ...ref, rows: rows.length, bytes: csv.length, minId, maxId });
  }
}
