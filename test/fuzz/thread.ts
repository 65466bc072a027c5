/* The thread in which a parser is fuzzed: it can be ended when it hangs. */
import { rmSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { hasFailed, type Input, keep, readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { type Done, head, type Task, wayBytes } from './fuzz.ts';
import { mutated } from './mutate.ts';
import type { Parser } from './parser.ts';
import { Random } from './random.ts';

/** An input may take so long, in milliseconds of this thread's own time. */
const longest = 1000;
/** So much more memory than ever before, in KB, is too much for one input. */
const mostMemory = 256 * 1024;
/** So many findings are enough to look at. */
const enough = 10;
/** Inputs above this are not kept as files. */
const longestFile = 4096;

const task = workerData as Task;
const coverage = new Coverage();
const { parser } = (await import(task.module)) as { parser: Parser };
coverage.watch(parser.sources);

type Found = Done['findings'][number];

const counters = new Int32Array(task.shared, 0, 3);
const findings = new Map<string, Found>();
const ways = new Map<string, number>();
const spent = new Map<string, number>();
const mutations = new Map<string, number>();
const outcomes = new Set<string>();
/** What was rejected with nobody to hear of it. */
let unheard: { error: unknown } | undefined;
process.on('unhandledRejection', (error) => {
  unheard = { error };
});

/** Runs an input; returns what is wrong with it, and in `fresh` whether it came out as none before. */
async function run({ way, bytes }: Input): Promise<{ wrong?: Omit<Found, 'bytes'>; fresh: boolean }> {
  announce(way, bytes);
  const { run: parse, foreseen } = parser.ways[way]!;
  const before = memory();
  const began = performance.now();
  let outcome: unknown;
  let thrown: { error: unknown } | undefined;
  try {
    outcome = await parse(Buffer.from(bytes));
  } catch (error) {
    thrown = { error };
    outcome = error instanceof Error ? error.name : 'thrown';
  }
  const took = performance.now() - began;
  spent.set(way, (spent.get(way) ?? 0) + took);
  if (unheard) {
    thrown = unheard;
    unheard = undefined;
  }
  const key = `${way} ${outcome}`;
  const fresh = !outcomes.has(key);
  if (fresh && outcomes.size < 5000) outcomes.add(key);
  if (thrown && !foreseen(thrown.error)) {
    const { error } = thrown;
    return {
      wrong: { way, kind: 'crash', what: error instanceof Error ? (error.stack ?? `${error}`) : `${error}` },
      fresh,
    };
  }
  const after = memory();
  // What others took before hides how high this one went, but not what it keeps.
  const more = Math.max(after.peak - before.peak, after.now - before.now, after.held - before.held);
  if (more > mostMemory)
    return { wrong: { way, kind: 'memory', what: `${bytes.length} bytes take ${Math.round(more / 1024)} MB` }, fresh };
  if (took > longest && (await timeOf({ way, bytes })) > longest)
    return { wrong: { way, kind: 'hang', what: `${bytes.length} bytes take more than a second` }, fresh };
  return { fresh };
}

/** Of the process, in KB; `held`: by this thread, wherever the system has put it meanwhile. */
function memory(): { readonly peak: number; readonly now: number; readonly held: number } {
  const { used_heap_size, external_memory } = getHeapStatistics();
  const held = (used_heap_size + external_memory) / 1024;
  return { peak: process.resourceUsage().maxRSS, now: process.memoryUsage.rss() / 1024, held };
}

/** Milliseconds of this thread's own time that an input takes: the machine may have been busy with others. */
async function timeOf({ way, bytes }: Input): Promise<number> {
  // Whoever waits for this thread waits for this run alone, and not for the one before it too.
  announce(way, bytes);
  const before = process.threadCpuUsage();
  try {
    await parser.ways[way]!.run(Buffer.from(bytes));
  } catch {
    // How it ends was seen before.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Tells the main thread what is run. */
function announce(way: string, bytes: Buffer): void {
  counters[2] = Buffer.from(task.shared, head, wayBytes).write(way);
  counters[1] = bytes.copy(Buffer.from(task.shared, head + wayBytes));
  Atomics.add(counters, 0, 1);
}

/** A crash has one cause when it comes from one place. */
function causeOf({ way, kind, what }: Omit<Found, 'bytes'>): string {
  const place = what.split('\n').find((line) => /\(?file:.*:\d+:\d+\)?$/.test(line) && !line.includes('/fuzz/thread'));
  return kind === 'crash' ? `${way} ${what.split(/[:\n]/)[0]} ${place}` : `${way} ${kind}`;
}

async function note(wrong: Omit<Found, 'bytes'>, input: Input): Promise<void> {
  const cause = causeOf(wrong);
  if (findings.has(cause)) return;
  findings.set(cause, { ...wrong, bytes: input.bytes });
  // It may be the last that is heard of this thread.
  parentPort!.postMessage([...findings.values()]);
  if (wrong.kind !== 'crash') return;
  const bytes = await shortened(input, async (less) => {
    const again = (await run({ way: input.way, bytes: less })).wrong;
    return again !== undefined && causeOf(again) === cause;
  });
  findings.set(cause, { ...wrong, bytes });
}

/** The input without pieces that are not needed for it to fail. */
async function shortened({ bytes }: Input, fails: (bytes: Buffer) => Promise<boolean>): Promise<Buffer> {
  let left = bytes;
  let tries = 500;
  for (let size = left.length >> 1; size > 0 && tries > 0; size >>= 1) {
    for (let at = 0; at < left.length && tries > 0; tries--) {
      const less = Buffer.concat([left.subarray(0, at), left.subarray(at + size)]);
      if (await fails(less)) left = less;
      else at += size;
    }
  }
  return left;
}

/** Inputs that each reached something new, by way. */
const interesting = new Map<string, Buffer[]>(Object.keys(parser.ways).map((way) => [way, []]));

/** Runs each, and keeps those in mind that reach what none before did. */
async function learn(inputs: readonly Input[]): Promise<void> {
  for (const input of inputs) {
    const { wrong, fresh } = await run(input);
    if (wrong) await note(wrong, input);
    if (coverage.take() > 0 || fresh) interesting.get(input.way)!.push(input.bytes);
  }
}

/** Which of the inputs reach something new: all of them are run again, half by half. */
async function sifted(inputs: readonly Input[]): Promise<Input[]> {
  if (inputs.length <= 1) return [...inputs];
  const half = inputs.length >> 1;
  const found: Input[] = [];
  for (const part of [inputs.slice(0, half), inputs.slice(half)]) {
    for (const input of part) await run(input);
    if (coverage.peek() > 0) found.push(...(await sifted(part)));
  }
  return found;
}

const random = new Random(task.seed);
const words = parser.words.map((word) => Buffer.from(word));

function newInput(): Input {
  const names = Object.keys(parser.ways);
  // Ways share the time; where inputs are counted, the inputs, so that the same are run again.
  const least = () => names.reduce((a, b) => ((spent.get(b) ?? 0) < (spent.get(a) ?? 0) ? b : a));
  const way = task.inputs === undefined && random.below(8) > 0 ? least() : random.of(names);
  const all = interesting.get(way)!;
  // What was found last is not worn out yet.
  const one = () =>
    all[random.below(2) === 0 ? random.below(all.length) : all.length - 1 - random.below(1 + (all.length >> 3))]!;
  const bytes = mutated(one(), { random, words, other: one }, (name) => count(mutations, name));
  count(ways, way);
  return { way, bytes };
}

function count(of: Map<string, number>, name: string): void {
  of.set(name, (of.get(name) ?? 0) + 1);
}

const seeds = Object.entries(parser.ways).flatMap(([way, { seeds: all }]) =>
  all.map((seed) => ({ way, bytes: Buffer.from(seed as string) })),
);

async function session(): Promise<Done> {
  const began = performance.now();
  const known = readCorpus(task.corpus).filter(({ way }) => way in parser.ways);
  await learn(task.only ? [{ ...task.only, bytes: Buffer.from(task.only.bytes) }] : [...seeds, ...known]);
  const coveredAtFirst = coverage.covered;
  let inputs = 0;
  let size = 16;
  const left = () => (task.inputs ?? Number.POSITIVE_INFINITY) - inputs;
  const inTime = () => task.milliseconds === undefined || performance.now() - began < task.milliseconds;
  while (!task.only && findings.size < enough && left() > 0 && inTime()) {
    const batch: Input[] = [];
    const fresh: Input[] = [];
    while (batch.length < Math.min(size, left()) && inTime()) {
      const input = newInput();
      batch.push(input);
      const ran = await run(input);
      if (ran.wrong) await note(ran.wrong, input);
      if (ran.fresh) fresh.push(input);
    }
    inputs += batch.length;
    const news = coverage.peek() > 0;
    if (news) await learn(await sifted(batch));
    for (const input of fresh) interesting.get(input.way)!.push(input.bytes);
    // Coverage is asked for the more seldom the less there is to find.
    size = news ? Math.max(16, size >> 1) : Math.min(512, size * 2);
  }
  const covered = coverage.covered;
  if (task.keep) await keepFewest();
  return {
    inputs,
    ways: Object.fromEntries(ways),
    mutations: Object.fromEntries(mutations),
    covered,
    coveredAtFirst,
    findings: [...findings.values()],
  };
}

/** Writes the corpus anew: of all inputs the fewest that reach what all of them do, the short ones first; those that once failed stay. */
async function keepFewest(): Promise<void> {
  coverage.watch(parser.sources);
  for (const seed of seeds) await run(seed);
  coverage.take();
  for (const { file } of readCorpus(task.corpus)) if (!hasFailed(file)) rmSync(file);
  const all = [...interesting].flatMap(([way, inputs]) => inputs.map((bytes) => ({ way, bytes })));
  for (const input of all.sort((a, b) => a.bytes.length - b.bytes.length)) {
    if (input.bytes.length > longestFile) return;
    await run(input);
    if (coverage.take() > 0) keep(task.corpus, input);
  }
}

parentPort!.postMessage(await session());
