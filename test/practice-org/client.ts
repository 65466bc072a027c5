import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import { smallDatabase } from './small-database.ts';

type Json = ReturnType<typeof JSON.parse>;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

/** A practice org over the hand-made database, and plain fetch with its session. */
export interface TestOrg extends AsyncDisposable {
  readonly org: PracticeOrg;
  call(
    path: string,
    options?: { method?: string; body?: unknown; headers?: Record<string, string>; token?: string },
  ): Promise<Reply>;
  query(soql: string, kind?: 'query' | 'queryAll'): Promise<Reply>;
  /** Creates a Bulk query job and polls until it ends. */
  job(soql: string, more?: Record<string, unknown>): Promise<Json>;
}

export const api = '/services/data/v67.0';

export async function testOrg(settings: Partial<Settings> = {}, database = smallDatabase()): Promise<TestOrg> {
  const org = await startPracticeOrg(database, settings);
  const call: TestOrg['call'] = async (path, options = {}) => {
    const {
      method = options.body === undefined ? 'GET' : 'POST',
      body,
      headers = {},
      token = org.accessToken,
    } = options;
    const response = await fetch(org.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      redirect: 'manual',
      ...(body !== undefined && {
        body: typeof body === 'string' || body instanceof URLSearchParams ? body : JSON.stringify(body),
      }),
    });
    const text = await response.text();
    let json: Json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };
  return {
    org,
    call,
    query: (soql, kind = 'query') => call(`${api}/${kind}?q=${encodeURIComponent(soql)}`),
    job: async (soql, more = {}) => {
      let { json: job } = await call(`${api}/jobs/query`, { body: { operation: 'query', query: soql, ...more } });
      for (let polls = 0; polls < 100 && (job.state === 'UploadComplete' || job.state === 'InProgress'); polls += 1)
        ({ json: job } = await call(`${api}/jobs/query/${job.id}`));
      return job;
    },
    [Symbol.asyncDispose]: () => org.close(),
  };
}
