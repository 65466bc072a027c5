/** An error in S3's own words; the server answers with it. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export function answer(status: number, headers: Record<string, string> = {}, body: Buffer | string = ''): Answer {
  return { status, headers, body: Buffer.from(body as string) };
}

export function xml(status: number, root: string, inside: string, headers: Record<string, string> = {}): Answer {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${inside}</${root}>`;
  return answer(status, { 'content-type': 'application/xml', ...headers }, text);
}

/** One element, escaped; nothing for undefined. */
export function element(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return '';
  const escaped = String(value).replace(/[&<>"\r]/g, (c) => `&#${c.charCodeAt(0)};`);
  return `<${name}>${escaped}</${name}>`;
}

export function errorAnswer(error: S3Error, key = ''): Answer {
  const inside = element('Code', error.code) + element('Message', error.message) + element('Key', key);
  return xml(error.status, 'Error', inside + element('RequestId', 'strict'));
}

/** The texts of all elements of a name in a small document without nesting of that name. */
export function texts(document: string, name: string): string[] {
  const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return [...document.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map((match) =>
    match[1]!.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (_, decimal, hex, named) =>
      named ? (entities[named] ?? '') : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
    ),
  );
}
