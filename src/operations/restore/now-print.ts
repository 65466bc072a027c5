import { createHash } from 'node:crypto';
import type { FieldDescribe } from '../../schema/describe.ts';
import { canonicalValue } from '../../schema/values.ts';

/** Of a print. */
export const printCharacters = 16;

/**
 * A print of values that stand in the org, which a plan carries in place of the values: it is the same whichever way they were read (`100` and
 * `100.0`). The order of the fields counts. 16 hex digits.
 */
export function nowPrint(salt: string, values: readonly (readonly [field: FieldDescribe, value: string])[]): string {
  const canonical = values.map(([field, value]) => [field.name, canonicalValue(field, value)]);
  return createHash('sha256')
    .update(JSON.stringify([salt, canonical]))
    .digest('hex')
    .slice(0, printCharacters);
}
