import { decimal } from '../../schema/decimal.ts';
import type { FieldDescribe } from '../../schema/describe.ts';
import { instant } from '../../schema/values.ts';

/** Characters that a cell of a workbook holds at most. */
export const longestCell = 32_767;

/** Numbers of the cell styles that the workbook declares. */
export const styles = { date: 1, datetime: 2, head: 3 } as const;

/** A row of a sheet as XML, and how many of its texts had to be cut. Empty cells are left out. */
export function rowXml(
  number: number,
  values: readonly string[],
  fields: readonly Pick<FieldDescribe, 'type'>[],
): { xml: string; cut: number } {
  let cut = 0;
  let xml = `<row r="${number}">`;
  for (const [i, value] of values.entries()) {
    if (value === '') continue;
    if (value.length > longestCell) cut++;
    xml += cellXml(`${columnName(i)}${number}`, value, fields[i]!.type);
  }
  return { xml: `${xml}</row>`, cut };
}

/** A header row. */
export function headXml(names: readonly string[]): string {
  const cells = names.map((name, i) => text(`${columnName(i)}1`, name, styles.head));
  return `<row r="1">${cells.join('')}</row>`;
}

/**
 * One cell. Numbers and booleans are such where the workbook keeps them exactly, dates and times are those of the workbook, in UTC; everything else
 * is a text and never a formula.
 */
function cellXml(at: string, value: string, type: string): string {
  switch (type) {
    case 'int':
    case 'long':
    case 'double':
    case 'currency':
    case 'percent': {
      const number = exactNumber(value);
      return number === undefined ? text(at, value) : `<c r="${at}"><v>${number}</v></c>`;
    }
    case 'boolean':
      if (value === 'true' || value === 'false') return `<c r="${at}" t="b"><v>${value === 'true' ? 1 : 0}</v></c>`;
      return text(at, value);
    case 'date':
    case 'datetime': {
      const serial = serialOf(value);
      return serial === undefined ? text(at, value) : `<c r="${at}" s="${styles[type]}"><v>${serial}</v></c>`;
    }
    default:
      return text(at, value);
  }
}

/** The number, when a double of 15 digits, as spreadsheets show them, is the same number. */
function exactNumber(value: string): number | undefined {
  const found = decimal(value);
  return found && found.digits.length <= 15 && Math.abs(found.exponent) < 300 ? Number(value) : undefined;
}

const dayMs = 86_400_000;
const epoch = Date.UTC(1899, 11, 30);
/** Before March 1900 spreadsheets count a day that there never was. */
const first = Date.UTC(1900, 2, 1);

function serialOf(value: string): number | undefined {
  const time = instant(value);
  if (time === undefined || time < first || time >= Date.UTC(10_000, 0, 1)) return undefined;
  return (time - epoch) / dayMs;
}

function text(at: string, value: string, style?: number): string {
  const shown = value.length > longestCell ? cutText(value) : value;
  const styled = style === undefined ? '' : ` s="${style}"`;
  return `<c r="${at}"${styled} t="inlineStr"><is><t xml:space="preserve">${escaped(shown)}</t></is></c>`;
}

/** Not between the halves of a character. */
function cutText(value: string): string {
  const code = value.charCodeAt(longestCell - 1);
  return value.slice(0, code >= 0xd800 && code <= 0xdbff ? longestCell - 1 : longestCell);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
const special = /[&<>]|[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|_(?=x[0-9a-fA-F]{4}_)/g;

/** XML has no control characters: workbooks write them as `_x0001_`, and what looks like that with its underscore as `_x005F_`. */
export function escaped(value: string): string {
  return value.replace(special, (found) => {
    if (found === '&') return '&amp;';
    if (found === '<') return '&lt;';
    if (found === '>') return '&gt;';
    return `_x${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`;
  });
}

const names: string[] = [];

/** `A`, `Z`, `AA`, from 0. */
function columnName(index: number): string {
  for (let i = names.length; i <= index; i++) {
    let name = '';
    for (let rest = i; rest >= 0; rest = Math.floor(rest / 26) - 1) name = String.fromCharCode(65 + (rest % 26)) + name;
    names.push(name);
  }
  return names[index]!;
}
