import type { ApiRequest } from '../answer.ts';
import { Refusal } from '../refusal.ts';

/** One part of a multipart body. */
export interface Part {
  readonly name: string;
  /** Undefined: a part without a file name, whose bytes are text. */
  readonly filename: string | undefined;
  readonly bytes: Buffer;
}

export function isMultipart({ headers }: Pick<ApiRequest, 'headers'>): boolean {
  return /^multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

/** The parts of a multipart/form-data body, in their order. Throws INVALID_MULTIPART_REQUEST. */
export async function multipartParts({ headers, body }: Pick<ApiRequest, 'headers' | 'body'>): Promise<Part[]> {
  let form: FormData;
  try {
    const contentType = headers['content-type'] ?? '';
    form = await new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': contentType } }).formData();
  } catch (error) {
    throw invalidMultipart(`the body is no multipart/form-data: ${(error as Error).message}`);
  }
  return Promise.all(
    [...form].map(async ([name, value]) =>
      typeof value === 'string'
        ? { name, filename: undefined, bytes: Buffer.from(value) }
        : { name, filename: value.name, bytes: Buffer.from(await value.arrayBuffer()) },
    ),
  );
}

export function invalidMultipart(message: string): Refusal {
  return new Refusal(400, 'INVALID_MULTIPART_REQUEST', message);
}
