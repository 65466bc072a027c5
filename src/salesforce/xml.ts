/*
 * As much XML as SOAP answers need: elements without namespaces, whose names do not occur inside themselves. No DTD, no CDATA: Salesforce
 * sends none.
 */

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The insides of all elements called `name`, whatever their prefix, in their order; '' for an empty one. */
export function elements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<(?:[\\w.-]+:)?${name}(?:\\s[^>]*?)?(?:/>|>(.*?)</(?:[\\w.-]+:)?${name}\\s*>)`, 'gs');
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** The text of the first element called `name`, decoded; undefined when there is none. */
export function elementText(xml: string, name: string): string | undefined {
  const [inside] = elements(xml, name);
  return inside === undefined ? undefined : decodeText(inside);
}

/** `text` as it may stand between two tags. */
export function encodeText(text: string): string {
  return text.replace(/[<>&]/g, (character) => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : '&amp;'));
}

/** Character data as the text that it means. */
export function decodeText(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex ?? decimal) return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
    return entities[name] ?? whole;
  });
}
