import { withSuffix } from './record-ids.ts';

/** The 18-character form of an Id of 15 or 18 characters; a wrong suffix is made right. */
export function id18(id: string): string {
  return withSuffix(id.slice(0, 15));
}

export function isId(text: string): boolean {
  return /^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/.test(text);
}

/** Ids of one kind, 18 characters, in the order of creation: `750…`. */
export function idSequence(keyPrefix: string): () => string {
  let next = 1;
  return () => withSuffix(`${keyPrefix}5e0000${(next++).toString(36).toUpperCase().padStart(6, '0')}`);
}
