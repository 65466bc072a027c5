import { Session } from 'node:inspector';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface FunctionCoverage {
  readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
}

interface ScriptCoverage {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

const project = path.join(import.meta.dirname, '../..');

/**
 * Which characters of some sources were run, as V8 counts its blocks. To be made before they are imported; of this thread alone.
 */
export class Coverage {
  readonly #session = new Session();
  #prefixes: readonly string[] = [];
  readonly #ours = new Map<string, boolean>();
  /** Function -> which of its characters were run. V8 joins blocks that were run as often as each other, so blocks cannot be counted. */
  readonly #seen = new Map<string, Uint8Array>();
  /** Characters that were run so far. */
  covered = 0;

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Looks at these folders and files of the project, and has seen nothing of them. */
  watch(sources: readonly string[]): void {
    this.#prefixes = sources.map((source) => pathToFileURL(path.join(project, source)).href);
    this.#ours.clear();
    this.#seen.clear();
    this.covered = 0;
    this.peek();
  }

  /** How many characters that never were run before were run since the last call; they count as never run still. */
  peek(): number {
    return this.#taken(false);
  }

  /** As `peek`, and from now on they were run before. */
  take(): number {
    const fresh = this.#taken(true);
    this.covered += fresh;
    return fresh;
  }

  #taken(mark: boolean): number {
    const { result } = this.#post('Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] };
    let fresh = 0;
    for (const { scriptId, url, functions } of result) {
      let ours = this.#ours.get(scriptId);
      if (ours === undefined) {
        ours = this.#prefixes.some((prefix) => url.startsWith(prefix));
        this.#ours.set(scriptId, ours);
      }
      if (ours) for (const one of functions) fresh += this.#compared(scriptId, one, mark);
    }
    return fresh;
  }

  #compared(script: string, { ranges }: FunctionCoverage, mark: boolean): number {
    const [whole, ...blocks] = ranges;
    if (!whole || whole.count === 0) return 0;
    const { startOffset: from, endOffset } = whole;
    const now = new Uint8Array(endOffset - from).fill(1);
    // Outer blocks come first.
    for (const block of blocks) now.fill(block.count > 0 ? 1 : 0, block.startOffset - from, block.endOffset - from);
    const key = `${script}:${from}:${endOffset}`;
    const seen = this.#seen.get(key) ?? new Uint8Array(now.length);
    if (mark) this.#seen.set(key, seen);
    let fresh = 0;
    for (let at = 0; at < now.length; at++) {
      if (now[at] === 1 && seen[at] === 0) {
        fresh += 1;
        if (mark) seen[at] = 1;
      }
    }
    return fresh;
  }

  #post(method: string, params?: object): unknown {
    let answer: unknown;
    let failed: Error | null = null;
    // The answer comes before `post` returns.
    this.#session.post(method, params, (error, result) => {
      failed = error;
      answer = result;
    });
    if (failed) throw failed;
    return answer;
  }
}
