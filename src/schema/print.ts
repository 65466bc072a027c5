import { createHash } from 'node:crypto';
import type { ObjectDescribe } from './describe.ts';

/**
 * A digest of what a describe says about reading: it changes when a field is added, removed or changes its type, and not when a label,
 * a layout or a picklist value does. SHA-256 in hex.
 */
export function schemaPrint(describe: ObjectDescribe): string {
  const fields = describe.fields
    .map(({ name, type, length, precision, scale, referenceTo, calculated }) => [
      name,
      type,
      length,
      precision,
      scale,
      referenceTo,
      calculated,
    ])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([describe.name, fields]))
    .digest('hex');
}
