import { Fault, isFault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { cells } from '../rows/cells.ts';
import { encodeRows } from '../rows/csv.ts';
import { RowSplitter } from '../rows/split.ts';
import { Download } from './download.ts';
import type { Answer } from './http.ts';
import type { Wire } from './wire.ts';

export interface BulkPage {
  readonly object: string;
  readonly job: string;
  /** From 1, for messages. */
  readonly number: number;
  /** Undefined for the first page. */
  readonly locator: string | undefined;
  /** As they were selected; rows are handed over in this order whatever the header line says. */
  readonly columns: readonly string[];
}

/** An upper bound: it keeps a page that must be fetched again small (field guide, extract 3.4). */
const maxRecords = 100_000;
/** Times that a page which ends too early is fetched before it is given up. */
const mostTries = 3;
const deadlineMs = 25 * 60_000;
const slice = 1024 * 1024;

/** What a page was, once it has run through. */
export interface BulkPageEnd {
  readonly rows: number;
  /** Locator of the next page; undefined behind the last. */
  readonly next: string | undefined;
  /** Of the bytes of its body. */
  readonly fingerprint: string;
}

/**
 * The rows of one page of Bulk results (field guide, extract 3.4). A page that breaks off, or holds fewer rows than its header says,
 * is fetched again; rows that were handed over are not handed over twice. Throws `count-mismatch` when it stays wrong or a
 * header is missing.
 */
export async function* bulkPage(wire: Wire, page: BulkPage): AsyncGenerator<RowBatch, BulkPageEnd> {
  const what = `page ${page.number} of ${page.object}`;
  const fail = (message: string, data: Record<string, unknown> = {}) =>
    new Fault('count-mismatch', message, { data: { object: page.object, job: page.job, page: page.number, ...data } });
  const query = new URLSearchParams({ ...(page.locator && { locator: page.locator }), maxRecords: String(maxRecords) });
  const url = `${wire.root}/jobs/query/${page.job}/results?${query}`;
  const headers = { accept: 'text/csv', 'accept-encoding': 'gzip' };
  let declared: Declared | undefined;
  const download = new Download(wire.http, { what, url, headers, deadlineMs }, (answer) => {
    const now = declaredBy(answer);
    if (!now) throw fail(`The answer with ${what} does not say how many rows it has and which page is next.`);
    if (declared && (declared.rows !== now.rows || declared.locator !== now.locator)) {
      throw fail(`Fetched again, ${what} has another size or successor.`);
    }
    if (now.locator === page.locator) throw fail(`The page behind ${what} is that page itself.`);
    declared = now;
  });

  let order: readonly number[] | undefined;
  const splitter = new RowSplitter({
    onColumns: (header) => {
      order = orderOf(header, page.columns);
      if (!order) throw fail(`The header line of ${what} names other columns than were selected.`);
      if (order.every((column, i) => column === i)) order = undefined;
    },
  });
  let rows = 0;
  const handOver = (batch: RowBatch): RowBatch => {
    rows += batch.ends.length;
    return order ? reordered(batch, order) : batch;
  };
  for (;;) {
    for await (const chunk of download.passing()) {
      for (let from = 0; from < chunk.length; from += slice) {
        const batch = asMismatch(() => splitter.push(chunk.subarray(from, from + slice)), fail);
        if (batch) yield handOver(batch);
      }
    }
    const rest: RowBatch[] = [];
    let why = '';
    try {
      for (const batch of splitter.end()) rest.push(batch);
    } catch (error) {
      if (!isFault(error)) throw error;
      why = ' and ends inside a row';
    }
    for (const batch of rest) yield handOver(batch);
    const wanted = declared!.rows;
    if (rows === wanted && why === '') {
      const next = declared!.locator === 'null' ? undefined : declared!.locator;
      return { rows, next, fingerprint: download.fingerprint };
    }
    const message = `${what} holds ${rows} rows instead of ${wanted}${why}`;
    if (rows > wanted || download.tries + 1 >= mostTries) {
      throw fail(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`, { rows, declared: wanted });
    }
    await download.short(message);
  }
}

interface Declared {
  readonly rows: number;
  readonly locator: string;
}

function declaredBy(answer: Answer): Declared | undefined {
  const locator = answer.header('sforce-locator');
  const rows = answer.header('sforce-numberofrecords');
  return locator && rows !== undefined && /^\d+$/.test(rows) ? { rows: Number(rows), locator } : undefined;
}

/** For each wanted column its place in the header line, case aside; undefined when they are not the same columns. */
function orderOf(header: readonly string[], wanted: readonly string[]): readonly number[] | undefined {
  if (header.length !== wanted.length) return undefined;
  const places = new Map(header.map((name, i) => [name.toLowerCase(), i]));
  const order = wanted.map((name) => places.get(name.toLowerCase()));
  return order.every((place) => place !== undefined) ? (order as number[]) : undefined;
}

function reordered(batch: RowBatch, order: readonly number[]): RowBatch {
  const rows: string[][] = [];
  for (let i = 0; i < batch.ends.length; i++) {
    const row = cells(batch, i);
    rows.push(order.map((column) => row[column]!));
  }
  return encodeRows(rows);
}

/** A body that is no CSV at all is a broken page, whatever the reader calls it. */
function asMismatch<T>(work: () => T, fail: (message: string) => Fault): T {
  try {
    return work();
  } catch (error) {
    if (isFault(error, 'segment-invalid')) throw fail(error.message);
    throw error;
  }
}
