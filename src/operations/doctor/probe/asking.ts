import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../../context.ts';
import type { Org, RawAnswer, RawRequest } from '../../../salesforce/org.ts';
import type { Made } from './made.ts';
import { masking } from './masked.ts';
import { NotAsked } from './question.ts';

/** One request and its answer, as they go into the report. */
export interface Exchange {
  readonly sent: { readonly method: string; readonly path: string; readonly body?: string };
  readonly got: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

export type Row = Readonly<Record<string, unknown>>;

/** Headers whose values go into the report; of the others nobody needs to know. */
const told = /^(sforce-(?!limit-info)|content-type$|content-encoding$|transfer-encoding$)/i;

/** The org as a question asks it: every exchange is noted, every record and job that is made is known to `made`. */
export class Asking {
  readonly org: Org;
  readonly made: Made;
  readonly exchanges: Exchange[] = [];
  readonly #ctx: Context;
  readonly #hidden = new Map<string, string>();
  readonly #mask: (text: string) => string;

  constructor(ctx: Context, org: Org, made: Made) {
    this.#ctx = ctx;
    this.org = org;
    this.made = made;
    this.#mask = masking(org.identity, this.#hidden);
  }

  /** The text by which records of this probe are known; distinct for each `what`. */
  mark(what = ''): string {
    return `${this.made.mark} ${what}`.trim();
  }

  /** Keeps a name of the org out of what is noted from now on; `word` stands for it. */
  hide(name: string, word: string): void {
    this.#hidden.set(name, word);
  }

  async send(request: RawRequest): Promise<RawAnswer> {
    const got = await this.org.exchange(request);
    const { method, path, body } = request;
    const text = typeof body === 'function' ? body('…') : body;
    this.exchanges.push({
      sent: {
        method,
        path: this.#mask(decodeURIComponent(path)),
        ...(text !== undefined && { body: this.#mask(text) }),
      },
      got: {
        status: got.status,
        headers: Object.fromEntries(got.headers.filter(([name]) => told.test(name))),
        body: this.#mask(got.text),
      },
    });
    return got;
  }

  json(method: RawRequest['method'], path: string, body?: object, headers: RawRequest['headers'] = {}) {
    const content: RawRequest['headers'] = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.send({
      method,
      path,
      headers: { accept: 'application/json', ...content, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async rows(soql: string, all = false): Promise<readonly Row[]> {
    const answer = await this.json('GET', `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`);
    if (answer.status !== 200) throw new NotAsked(`the org refused a query: ${codeOf(answer)}`);
    return (JSON.parse(answer.text) as { records: Row[] }).records;
  }

  /** Makes a record; what it was refused with is why the question cannot be asked. */
  async insert(object: string, fields: object, headers?: RawRequest['headers']): Promise<string> {
    const answer = await this.json('POST', `/sobjects/${object}`, fields, headers);
    const id = idIn(answer);
    if (id === undefined) throw new NotAsked(`the org refused a new ${object}: ${codeOf(answer)}`);
    this.made.record(object, id);
    return id;
  }

  async delete(object: string, id: string): Promise<void> {
    const answer = await this.json('DELETE', `/sobjects/${object}/${id}`);
    if (answer.status !== 204) throw new NotAsked(`the org refused to delete a ${object}: ${codeOf(answer)}`);
  }

  wait(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#ctx.signal });
  }
}

/** The Id of a record that was made. */
export function idIn({ status, text }: RawAnswer): string | undefined {
  return status === 201 ? String((JSON.parse(text) as { id: string }).id) : undefined;
}

/** The code of a refusal, or the status where it has none. */
export function codeOf({ status, text }: RawAnswer): string {
  return /"(?:errorCode|statusCode)"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? `HTTP ${status}`;
}
