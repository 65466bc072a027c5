import { DOMParser, type Document, type Element, type Node, ParseError } from '@xmldom/xmldom';

export type { Element } from '@xmldom/xmldom';

/** What to write: a text, or elements by name. An array repeats its element; undefined leaves it out; null is `xsi:nil`. */
export type XmlContent = string | number | boolean | XmlElements;
export interface XmlElements {
  readonly [name: string]: XmlContent | readonly XmlContent[] | null | undefined;
}

/** The elements as text, in their order. A name that starts with `@` is an attribute of the element around it. */
export function xml(elements: XmlElements): string {
  let text = '';
  for (const [name, content] of Object.entries(elements)) {
    if (content === undefined || name.startsWith('@')) continue;
    for (const one of Array.isArray(content) ? (content as readonly XmlContent[]) : [content as XmlContent | null])
      text += element(name, one);
  }
  return text;
}

function element(name: string, content: XmlContent | null): string {
  if (content === null) return `<${name} xsi:nil="true"/>`;
  if (typeof content !== 'object') return `<${name}>${escaped(String(content))}</${name}>`;
  const attributes = Object.entries(content).filter(([key]) => key.startsWith('@'));
  const start = attributes.map(([key, value]) => ` ${key.slice(1)}="${escaped(String(value))}"`).join('');
  return `<${name}${start}>${xml(content)}</${name}>`;
}

/** A return is written as a reference: XML would read it as a newline. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');
}

/** The root of a well-formed document; undefined for everything else. */
export function parseXml(text: string): Element | undefined {
  let document: Document;
  try {
    document = new DOMParser({
      onError(level, message) {
        if (level !== 'warning') throw new Error(message);
      },
    }).parseFromString(text, 'text/xml');
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
  return document.documentElement ?? undefined;
}

/** The child elements, all or those with this local name. */
export function children(parent: Element | undefined, name?: string): Element[] {
  const found: Element[] = [];
  for (let node: Node | null = parent?.firstChild ?? null; node; node = node.nextSibling)
    if (node.nodeType === node.ELEMENT_NODE && (name === undefined || localName(node as Element) === name))
      found.push(node as Element);
  return found;
}

export function child(parent: Element | undefined, name: string): Element | undefined {
  return children(parent, name)[0];
}

export function localName(element: Element): string {
  return element.localName ?? element.nodeName;
}

export function textOf(element: Element): string {
  return element.textContent ?? '';
}

/** The text of a child; undefined when there is none. */
export function childText(parent: Element | undefined, name: string): string | undefined {
  const found = child(parent, name);
  return found && textOf(found);
}

const instances = 'http://www.w3.org/2001/XMLSchema-instance';

export function isNil(element: Element): boolean {
  return element.getAttributeNS(instances, 'nil') === 'true';
}

/** `xsi:type` without its prefix. */
export function instanceType(element: Element): string | undefined {
  return element.getAttributeNS(instances, 'type')?.replace(/^.*:/, '') || undefined;
}
