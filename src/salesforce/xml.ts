/*
 * As much XML as SOAP answers need: elements without namespaces, whose names do not occur inside themselves. No DTD, no CDATA: Salesforce
 * sends none.
 */

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const openTag = (name: string) => new RegExp(`<(?:[\\w.-]+:)?${name}(?:\\s[^<>]*)?>`, 'g');
const closeTag = (name: string) => new RegExp(`</(?:[\\w.-]+:)?${name}\\s*>`, 'g');

/** The insides of all elements called `name`, whatever their prefix, in their order; '' for an empty one. Walks once over `xml`, whatever it holds. */
export function elements(xml: string, name: string): string[] {
  const open = openTag(name);
  const close = closeTag(name);
  const insides: string[] = [];
  let closes = true;
  for (let tag = open.exec(xml); tag; tag = open.exec(xml)) {
    if (tag[0].endsWith('/>')) {
      insides.push('');
      continue;
    }
    close.lastIndex = open.lastIndex;
    const end: RegExpExecArray | null = closes ? close.exec(xml) : null;
    // What is not closed from here on is not closed further on either.
    closes = end !== null;
    if (!end) continue;
    insides.push(xml.slice(open.lastIndex, end.index));
    open.lastIndex = close.lastIndex;
  }
  return insides;
}

/** `xml` without everything from the first element called `name` to the end of the last. */
export function without(xml: string, name: string): string {
  const from = xml.search(openTag(name));
  const last = [...xml.matchAll(closeTag(name))].at(-1);
  return from < 0 || !last || last.index < from ? xml : xml.slice(0, from) + xml.slice(last.index + last[0].length);
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
    if (hex ?? decimal) {
      const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    }
    return Object.hasOwn(entities, name) ? entities[name]! : whole;
  });
}
