import type { RowBatch } from './batch.ts';
import { type Keys, rowStart } from './cells.ts';

const QUOTE = 0x22;
/** Bytes of an Id in one number. */
const PART_BYTES = 6;

/** Numbers that an Id becomes; every Salesforce Id fits. */
export const idParts = 3;

/**
 * Writes the Id of row `i` as numbers into `to` from `at` on, so that Ids sort as their numbers do. False: it is an Id that
 * others may share the numbers with (more than 18 bytes, or a NUL inside), so that equal numbers do not make equal Ids.
 */
export function putIdKey(keys: Keys, batch: RowBatch, i: number, to: Float64Array, at: number): boolean {
  if (keys.idColumn === 0) {
    const { bytes } = batch;
    let from = rowStart(batch, i) + 1;
    let part = 0;
    for (; part < idParts; part++) {
      let number = 0;
      let n = 0;
      for (; n < PART_BYTES && bytes[from] !== QUOTE && bytes[from] !== 0; n++) number = number * 256 + bytes[from++]!;
      if (n < PART_BYTES) break;
      to[at + part] = number;
    }
    if (part === idParts && bytes[from] === QUOTE && bytes[from + 1] !== QUOTE) return true;
  }
  return putTextKey(keys.id(batch, i), to, at);
}

/** Of an Id that has not 18 characters, or a quote or NUL inside, or does not come first. */
function putTextKey(id: string, to: Float64Array, at: number): boolean {
  for (let part = 0; part < idParts; part++) {
    let number = 0;
    const start = PART_BYTES * part;
    for (let i = start; i < start + PART_BYTES; i++) number = number * 256 + (i < id.length ? id.charCodeAt(i) : 0);
    to[at + part] = number;
  }
  // A NUL would be taken for the filling behind a shorter Id.
  return id.length <= idParts * PART_BYTES && !id.includes('\0');
}
