import type { Answer } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import type { Subrequest } from './composite.ts';
import { parserError } from './record-input.ts';

/** The answer to one subrequest of a composite. */
export interface Subresponse {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

type Send<T> = (url: string, body: unknown) => T;

/** What the subrequests of one composite have answered so far; `@{reference.path}` in later ones stands for it. */
export class References {
  readonly #known = new Map<string, unknown>();

  async answer(subrequest: Subrequest, send: Send<Answer | Promise<Answer>>): Promise<Subresponse> {
    const referenceId = nameOf(subrequest);
    try {
      return this.#noted(referenceId, await this.#sent(subrequest, send));
    } catch (error) {
      return refused(referenceId, error);
    }
  }

  answerNow(subrequest: Subrequest, send: Send<Answer>): Subresponse {
    const referenceId = nameOf(subrequest);
    try {
      return this.#noted(referenceId, this.#sent(subrequest, send));
    } catch (error) {
      return refused(referenceId, error);
    }
  }

  #sent<T>({ url, body }: Subrequest, send: Send<T>): T {
    if (typeof url !== 'string') throw parserError('url is missing');
    return send(this.#filled(url), this.#filledDeep(body ?? null));
  }

  #noted(referenceId: string, answer: Answer): Subresponse {
    const body = answer.json ?? null;
    if (answer.status < 400) this.#known.set(referenceId, body);
    return { body, httpHeaders: shown(answer.headers), httpStatusCode: answer.status, referenceId };
  }

  #filledDeep(value: unknown): unknown {
    if (typeof value === 'string') return this.#filled(value);
    if (Array.isArray(value)) return value.map((one) => this.#filledDeep(one));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#filledDeep(one)]));
  }

  /** `@{reference.records[0].Id}` replaced by the value at that path. Names are those of the answer: `id` of a new record. */
  #filled(template: string): string {
    return template.replaceAll(/@\{([^}.[\]]+)([^}]*)\}/g, (_, reference: string, path: string) => {
      let value: unknown = this.#known.get(reference);
      for (const [, key, index] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g))
        value = (value as Record<string, unknown> | undefined)?.[key ?? index!];
      if (value === undefined || value === null || typeof value === 'object')
        throw new Refusal(
          400,
          'PROCESSING_HALTED',
          `Invalid reference specified. No value for ${reference}${path} found in ${reference}`,
        );
      return String(value);
    });
  }
}

function nameOf({ referenceId }: Subrequest): string {
  if (typeof referenceId !== 'string') throw parserError('referenceId is missing');
  return referenceId;
}

function refused(referenceId: string, error: unknown): Subresponse {
  if (!(error instanceof Refusal)) throw error;
  return { body: error.body, httpHeaders: {}, httpStatusCode: error.status, referenceId };
}

/** The headers of a subrequest's answer that composite hands on. */
function shown(headers: Answer['headers'] = {}): Record<string, string> {
  const known = ['ETag', 'Last-Modified', 'Location'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => known.includes(name)));
}
