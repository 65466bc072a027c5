import type { WriteRecord } from './writing.ts';

/**
 * Type of each field of an object, by its name, as the describe has them. Cells of the vault become what JSON has for them: booleans and
 * numbers themselves, everything else text.
 */
export type FieldTypes = ReadonlyMap<string, string>;

const numeric = new Set(['double', 'currency', 'percent', 'int', 'long']);
const whole = new Set(['int', 'long']);
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A record as JSON. `object` becomes its attributes, in front (restore 14); without it there are none. */
export function recordJson(record: WriteRecord, types: FieldTypes, object?: string): string {
  const parts = object === undefined ? [] : [`"attributes":${JSON.stringify({ type: object })}`];
  for (const [field, cell] of Object.entries(record)) {
    parts.push(`${JSON.stringify(field)}:${valueJson(cell, types.get(field))}`);
  }
  return `{${parts.join(',')}}`;
}

/** Digits are kept as they are written; what is no number stays text, for the org to refuse. */
function valueJson(cell: string | null, type: string | undefined): string {
  if (cell === null || cell === '') return 'null';
  if (type === 'boolean' && (cell === 'true' || cell === 'false')) return cell;
  if (type !== undefined && numeric.has(type) && jsonNumber.test(cell)) {
    return whole.has(type) ? cell.replace(/\.0+$/, '') : cell;
  }
  return JSON.stringify(cell);
}
