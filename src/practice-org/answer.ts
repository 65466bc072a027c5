import type { Endpoint } from './endpoints.ts';
import type { OrgFault } from './faults.ts';
import type { Session } from './sessions.ts';
import type { OrgState } from './state.ts';

/** A request as the endpoints see it; subrequests of a composite look the same. */
export interface ApiRequest {
  readonly method: string;
  readonly endpoint: Endpoint;
  /** Path without query, one leading slash. */
  readonly path: string;
  /** What the route's pattern caught, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** `67.0`; empty outside /services/data/vXX.0/. */
  readonly version: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Undefined where none is needed. */
  readonly session: Session | undefined;
  readonly fault: OrgFault | undefined;
  readonly isSubrequest: boolean;
  /** A subrequest in a request that is all or none, which overrides what it says itself. */
  readonly allOrNone: boolean;
}

/** One of `json`, `text`, `bytes`, `stream`, or none for an empty body. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly bytes?: Buffer;
  readonly stream?: AsyncIterable<Buffer>;
  /** API calls that this request cost; default 1. */
  readonly calls?: number;
}

export type Handler = (state: OrgState, request: ApiRequest) => Answer | Promise<Answer>;

export function json(body: unknown, status = 200): Answer {
  return { status, json: body };
}
