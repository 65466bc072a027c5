import type { Endpoint } from './endpoints.ts';

export interface LoggedRequest {
  /** From 1. */
  readonly number: number;
  /** Milliseconds since 1970, this machine's clock. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly endpoint: Endpoint;
  readonly status: number;
  /** How many API calls this one cost. */
  readonly calls: number;
  /** Name of the fault that hit it. */
  readonly fault?: string;
}

const kept = 20_000;

/** Every request that the practice org answered, newest 20,000; counts go over all of them. */
export class RequestLog {
  readonly entries: LoggedRequest[] = [];
  readonly counts: Partial<Record<Endpoint, number>> = {};
  /** API calls that count against the org's daily limit (extract 14: a subrequest of composite/batch counts, of composite not). */
  calls = 0;
  #number = 0;

  add(request: Omit<LoggedRequest, 'number' | 'at'>): void {
    this.#number += 1;
    this.entries.push({ number: this.#number, at: Date.now(), ...request });
    if (this.entries.length > kept * 2) this.entries.splice(0, kept);
  }

  count(endpoint: Endpoint): void {
    this.counts[endpoint] = (this.counts[endpoint] ?? 0) + 1;
  }

  clear(): void {
    this.entries.length = 0;
    for (const endpoint of Object.keys(this.counts)) delete this.counts[endpoint as Endpoint];
    this.calls = 0;
  }
}
