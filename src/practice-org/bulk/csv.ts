import type { Row, Value } from '../database.ts';
import type { Operand } from '../soql/operands.ts';

/** How Bulk API 2.0 writes results (extract 3.5). */
export interface CsvDialect {
  readonly delimiter: string;
  readonly lineEnding: '\n' | '\r\n';
  /** Doubles of 10,000,000 and more, and below 0.001, as `1.0E7`. */
  readonly scientific: boolean;
}

export const delimiters: Readonly<Record<string, string>> = {
  BACKQUOTE: '`',
  CARET: '^',
  COMMA: ',',
  PIPE: '|',
  SEMICOLON: ';',
  TAB: '\t',
};

const doubles = new Set(['double', 'currency', 'percent']);

export function headerLine(names: readonly string[], dialect: CsvDialect): string {
  return names.map(quoted).join(dialect.delimiter) + dialect.lineEnding;
}

/** A line as a function of the row. */
export function lineMaker(operands: readonly Operand[], dialect: CsvDialect): (row: Row) => string {
  const cells = operands.map((operand) => {
    const { get } = operand;
    const write = doubles.has(operand.type) ? (value: Value) => doubleCell(value, dialect.scientific) : cell;
    return (row: Row) => write(get(row));
  });
  const { delimiter, lineEnding } = dialect;
  return (row) => {
    let line = cells[0]!(row);
    for (let at = 1; at < cells.length; at += 1) line += delimiter + cells[at]!(row);
    return line + lineEnding;
  };
}

/** A cell as Bulk writes it: quoted whatever is in it. */
export function quoted(text: string): string {
  return text.includes('"') ? `"${text.replaceAll('"', '""')}"` : `"${text}"`;
}

function cell(value: Value): string {
  if (value === null) return '""';
  return typeof value === 'string' ? quoted(value) : `"${value}"`;
}

function doubleCell(value: Value, scientific: boolean): string {
  return typeof value === 'number' ? `"${javaDouble(value, scientific)}"` : cell(value);
}

/** A double as Java prints it: `100.0`, `0.5`, `1.0E7`, `1.25E-5`. */
export function javaDouble(value: number, scientific: boolean): string {
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
    const text = value.toString();
    return text.includes('.') ? text : `${text}.0`;
  }
  if (scientific) {
    const [digits, exponent] = value.toExponential().split('e') as [string, string];
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  const plain = plainDecimal(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

function plainDecimal(value: number): string {
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const sign = digits.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = digits.replace('-', '').split('.') as [string, string | undefined];
  const shift = Number(exponent);
  const all = whole + fraction;
  if (shift >= fraction.length) return sign + all.padEnd(1 + shift, '0');
  if (shift >= 0) return `${sign}${all.slice(0, 1 + shift)}.${all.slice(1 + shift)}`;
  return `${sign}0.${'0'.repeat(-shift - 1)}${all}`;
}
