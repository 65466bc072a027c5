import { significant } from '../schema/ids.ts';

/** One part of all Ids that there can be: part `part`, 1 to `of`. Each Id is in one of the parts, and always in the same. */
export class IdPart {
  readonly #part: number;
  readonly #of: number;

  constructor({ part, of }: { readonly part: number; readonly of: number }) {
    this.#part = part;
    this.#of = of;
  }

  /** By the first 15 characters, which name the same row as all 18. Ids that follow each other fall into different parts. */
  has(id: string): boolean {
    let hash = 0x811c9dc5;
    for (let i = 0; i < significant && i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return ((hash ^ (hash >>> 13)) >>> 0) % this.#of === this.#part - 1;
  }
}
