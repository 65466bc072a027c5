import { Worker } from 'node:worker_threads';
import { corpusOf, type Input, keep } from './corpus.ts';
import { longest } from './mutate.ts';

/** What a parser did that it must not. */
export interface Finding {
  readonly way: string;
  readonly kind: 'crash' | 'hang' | 'memory';
  readonly what: string;
  /** Where the input is kept: it is run again by every later run. */
  readonly file: string;
}

/** What came of fuzzing a parser. */
export interface Fuzzed {
  readonly parser: string;
  readonly inputs: number;
  /** Inputs that were run of each way. */
  readonly ways: Readonly<Record<string, number>>;
  /** How often each mutation was used. */
  readonly mutations: Readonly<Record<string, number>>;
  /** Characters of the parser's sources that were run: at the end, and by the corpus and the seeds alone. */
  readonly covered: number;
  readonly coveredAtFirst: number;
  readonly findings: readonly Finding[];
}

export interface Bounds {
  readonly seed: number;
  /** Mutated inputs. */
  readonly inputs?: number;
  readonly milliseconds?: number;
  /** Writes the inputs that reach everything that was reached back to the corpus. */
  readonly keep?: boolean;
  /** Where the corpus is, if not at its place. */
  readonly corpus?: string;
  /** Milliseconds after which an input is taken for one that never ends. Default a minute; what takes more than a second is told sooner. */
  readonly patience?: number;
}

/** What the thread that parses is given. */
export interface Task extends Omit<Bounds, 'corpus'> {
  readonly module: string;
  readonly corpus: string;
  readonly shared: SharedArrayBuffer;
  /** Only this input is run. */
  readonly only?: Input;
}

/** What it answers with. */
export interface Done extends Omit<Fuzzed, 'parser' | 'findings'> {
  readonly findings: readonly (Omit<Finding, 'file'> & { readonly bytes: Uint8Array })[];
}

/** Head of the shared memory: inputs begun, length of the current one, length of the name of its way. */
export const head = 12;
export const wayBytes = 64;
/** The most memory that a parser may take, in MB. */
const heap = 768;

/**
 * Fuzzes the parser that `module` exports, in a thread of its own: everything of the corpus, then mutations, led by what of the sources they
 * reach. Inputs that it must not fail at are kept in the corpus.
 */
export async function fuzz(parser: string, bounds: Bounds, module = urlOf(parser)): Promise<Fuzzed> {
  const corpus = bounds.corpus ?? corpusOf(parser);
  const { findings, ...rest } = await inThread({ ...bounds, module, corpus, shared: sharedMemory() });
  return {
    parser,
    ...rest,
    findings: findings.map(({ bytes, ...finding }) => ({
      ...finding,
      file: keep(corpus, { way: finding.way, bytes: Buffer.from(bytes) }, `${finding.kind}-`),
    })),
  };
}

/** Runs one input again; what is wrong with it, or undefined. */
export async function replay(parser: string, input: Input): Promise<string | undefined> {
  const task = { module: urlOf(parser), corpus: corpusOf(parser), shared: sharedMemory(), only: input, seed: 0 };
  const { findings } = await inThread(task);
  return findings[0] && `${findings[0].kind}: ${findings[0].what}`;
}

function urlOf(parser: string): string {
  return new URL(`./parsers/${parser}.ts`, import.meta.url).href;
}

function sharedMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(head + wayBytes + longest + 1);
}

async function inThread({ patience = 60_000, ...task }: Task): Promise<Done> {
  const counters = new Int32Array(task.shared, 0, 3);
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: heap },
  });
  let told: Done['findings'] = [];
  let last = -1;
  let since = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Done>();
  const watch = setInterval(() => {
    const now = Atomics.load(counters, 0);
    if (now !== last) {
      last = now;
      since = performance.now();
    } else if (performance.now() - since > patience) resolve(ended('hang', 'it does not end'));
  }, 500);
  const ended = (kind: Finding['kind'], what: string): Done => {
    const [, length = 0, wayLength = 0] = counters;
    const way = Buffer.from(task.shared, head, wayLength).toString();
    const bytes = Buffer.from(Buffer.from(task.shared, head + wayBytes, length));
    const findings = [...told, { way, kind, what, bytes }];
    return { inputs: counters[0]!, ways: {}, mutations: {}, covered: 0, coveredAtFirst: 0, findings };
  };
  worker.on('message', (message: Done | Done['findings']) => {
    if ('inputs' in message) resolve(message);
    else told = message;
  });
  worker.once('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(ended('memory', `it takes more than ${heap} MB`));
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
