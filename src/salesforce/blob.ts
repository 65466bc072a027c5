import { Fault } from '../errors.ts';
import { Download } from './download.ts';
import type { Answer } from './http.ts';
import type { Wire } from './wire.ts';

/** Times that a file which ends too early is fetched before it is given up. */
const mostTries = 3;

/**
 * The bytes of one blob field, in order (field guide, extract 4.1). Throws `count-mismatch` when the org sends fewer or more
 * bytes than it declares, `object-refused` when it refuses.
 */
export async function* blobBytes(wire: Wire, object: string, id: string, field: string): AsyncGenerator<Buffer> {
  const what = `${field} of ${object} ${id}`;
  let declared: number | undefined;
  const url = `${wire.root}/sobjects/${object}/${id}/${field}`;
  const request = { what, url, headers: { 'accept-encoding': 'identity' }, deadlineMs: 60 * 60_000 };
  const download = new Download(wire.http, request, (answer) => {
    declared = declaredLength(answer);
  });
  for (;;) {
    yield* download.chunks();
    if (declared === undefined || download.bytes === declared) return;
    const message = `The org sent ${download.bytes} of the ${declared} bytes of ${what}.`;
    if (download.bytes > declared || download.tries + 1 >= mostTries) {
      throw new Fault('count-mismatch', message, { data: { object, id, field, bytes: download.bytes, declared } });
    }
    await download.short(message);
  }
}

function declaredLength(answer: Answer): number | undefined {
  const encoding = answer.header('content-encoding') ?? 'identity';
  const length = answer.header('content-length');
  return encoding === 'identity' && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}
