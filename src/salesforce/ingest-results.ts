import { Fault, isFault } from '../errors.ts';
import type { RowBatch, RowFlow } from '../rows/batch.ts';
import { RowSplitter } from '../rows/split.ts';
import { Download } from './download.ts';
import type { Wire } from './wire.ts';
import type { IngestResultKind } from './writing.ts';

const resources = { successful: 'successfulResults', failed: 'failedResults', unprocessed: 'unprocessedrecords' };
/** Times that results which end too early are fetched before they are given up. */
const mostTries = 3;
const deadlineMs = 25 * 60_000;
const slice = 1024 * 1024;

/** One kind of results of an ended job; see `Ingest.results`. Begins with the request, so that the columns are known. */
export async function ingestResults(
  wire: Wire,
  job: string,
  kind: IngestResultKind,
  rows: number | undefined,
): Promise<RowFlow> {
  const reader = new ResultReader(wire, job, kind, rows);
  const batches = reader.batches();
  const first = await batches.next();
  return {
    columns: reader.columns,
    batches: (async function* () {
      try {
        if (!first.done) yield first.value;
        yield* batches;
      } finally {
        await batches.return(undefined);
      }
    })(),
  };
}

class ResultReader {
  columns: readonly string[] = [];
  readonly #download: Download;
  readonly #what: string;
  readonly #wanted: number | undefined;
  readonly #data: Record<string, unknown>;
  #rows = 0;

  constructor(wire: Wire, job: string, kind: IngestResultKind, wanted: number | undefined) {
    this.#what = `the ${kind} rows of job ${job}`;
    this.#wanted = wanted;
    this.#data = { job, kind };
    const url = `${wire.root}/jobs/ingest/${job}/${resources[kind]}`;
    const headers = { accept: 'text/csv', 'accept-encoding': 'gzip' };
    this.#download = new Download(wire.http, { what: this.#what, url, headers, deadlineMs }, () => {});
  }

  async *batches(): AsyncGenerator<RowBatch> {
    const splitter = new RowSplitter({
      onColumns: (columns) => {
        this.columns = columns;
      },
    });
    for (;;) {
      for await (const chunk of this.#download.chunks()) {
        for (let from = 0; from < chunk.length; from += slice) {
          const batch = splitter.push(chunk.subarray(from, from + slice));
          if (batch) yield this.#counted(batch);
        }
      }
      const { batches, cut } = ending(splitter);
      for (const batch of batches) yield this.#counted(batch);
      const wanted = this.#wanted ?? this.#rows;
      if (this.#rows === wanted && !cut) return;
      const short = `${this.#what} are ${this.#rows} instead of ${wanted}${cut ? ', and end inside a row' : ''}`;
      if (this.#rows > wanted || this.#download.tries + 1 >= mostTries) {
        const message = `${short.charAt(0).toUpperCase()}${short.slice(1)}.`;
        throw new Fault('count-mismatch', message, { data: { ...this.#data, rows: this.#rows, declared: wanted } });
      }
      await this.#download.short(short);
    }
  }

  #counted(batch: RowBatch): RowBatch {
    this.#rows += batch.ends.length;
    return batch;
  }
}

/** The last whole rows; `cut`: the bytes ended inside another, which stays in the splitter. */
function ending(splitter: RowSplitter): { batches: RowBatch[]; cut: boolean } {
  const batches: RowBatch[] = [];
  try {
    for (const batch of splitter.end()) batches.push(batch);
    return { batches, cut: false };
  } catch (error) {
    if (!isFault(error, 'count-mismatch')) throw error;
    return { batches, cut: true };
  }
}
