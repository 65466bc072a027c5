import type { RawAnswer, RawRequest } from './org.ts';
import type { Wire } from './wire.ts';

/** One request and its answer as they are; see `Org.exchange`. */
export async function exchange(wire: Wire, { method, path, headers, body }: RawRequest): Promise<RawAnswer> {
  const { answer, text } = await wire.http.whole({
    what: `${method} ${path.split('?')[0]}`,
    method,
    url: path.startsWith('/services/') ? path : `${wire.root}${path}`,
    headers,
    body,
    once: method !== 'GET',
    anyStatus: true,
  });
  const spelled = answer.spelled ?? [];
  const pairs = Array.from({ length: spelled.length / 2 }, (_, i) => [spelled[2 * i]!, spelled[2 * i + 1]!] as const);
  return { status: answer.status, headers: pairs, text };
}
