import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import { compareDecimals, decimal } from '../../schema/decimal.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { longId, looksLikeId } from '../../schema/ids.ts';
import { type Piece, wildcards } from '../../schema/pattern.ts';
import { canonicalValue, chosenValues, instant } from '../../schema/values.ts';
import { dateSpan } from './date-spans.ts';
import { type Comparison, fieldsOf, type Literal, parseWhere, unsupported, type Where } from './where.ts';

/** A condition on rows of one object. */
export interface RowCondition {
  /** Names of the fields that it looks at, as the describe spells them. */
  readonly fields: readonly string[];
  /** The test for rows with these columns. Throws TypeError when one of `fields` is not among them. */
  test(columns: readonly string[]): (batch: RowBatch, row: number) => boolean;
}

/** A test of the cell of one field. */
type CellTest = (cell: string) => boolean;
/** A test of the cells of `fields`, in their order. */
type CellsTest = (cells: readonly string[]) => boolean;

/**
 * A SOQL condition, evaluated on rows as the org would: text without regard to case unless the field says otherwise, null equal to null only,
 * never less or more; numbers, dates and times by value, Ids of 15 and 18 characters alike, date literals seen from `now` (`dateSpan`).
 * Throws `usage` for an unknown field, a value that does not fit its field, and by name for what is not evaluated here.
 */
export function rowCondition(text: string, describe: ObjectDescribe, now: Date): RowCondition {
  const where = parseWhere(text);
  const found = new Map(describe.fields.map((field) => [field.name.toLowerCase(), field]));
  const fields: FieldDescribe[] = [];
  for (const name of fieldsOf(where)) {
    if (name.includes('.')) throw unsupported(`fields of related records: ${name}`);
    const field = found.get(name.toLowerCase());
    if (!field) throw new Fault('usage', `${describe.name} has no field ${name}, which --where asks for`);
    if (!fields.includes(field)) fields.push(field);
  }
  const names = fields.map((field) => field.name);
  const test = compiled(where, fields, now.getTime());
  return {
    fields: names,
    test(columns) {
      const lower = columns.map((column) => column.toLowerCase());
      const at = names.map((name) => lower.indexOf(name.toLowerCase()));
      if (at.includes(-1)) throw new TypeError(`a column of a condition is missing: ${names[at.indexOf(-1)]}`);
      const positions = [...at].sort((a, b) => a - b);
      const slots = at.map((position) => positions.indexOf(position));
      return (batch, row) => {
        const cells = cellsAt(batch, row, positions);
        return test(slots.map((slot) => cells[slot]!));
      };
    },
  };
}

function compiled(where: Where, fields: readonly FieldDescribe[], now: number): CellsTest {
  if (where.kind === 'not') {
    const inner = compiled(where.part, fields, now);
    return (cells) => !inner(cells);
  }
  if (where.kind !== 'comparison') {
    const parts = where.parts.map((part) => compiled(part, fields, now));
    return where.kind === 'and'
      ? (cells) => parts.every((part) => part(cells))
      : (cells) => parts.some((part) => part(cells));
  }
  const { comparison } = where;
  const at = fields.findIndex(({ name }) => name.toLowerCase() === comparison.field.toLowerCase());
  const test = cellTest(fields[at]!, comparison, now);
  return (cells) => test(cells[at]!);
}

function cellTest(field: FieldDescribe, { operator, literals }: Comparison, now: number): CellTest {
  switch (operator) {
    case 'IN':
    case 'NOT IN': {
      const tests = literals.map((literal) => equalTo(field, literal, now));
      return (cell) => tests.some((test) => test(cell)) === (operator === 'IN');
    }
    case 'INCLUDES':
    case 'EXCLUDES':
      return chosen(field, operator, literals);
    case 'LIKE':
      return like(field, literals[0]!);
    case '=':
      return equalTo(field, literals[0]!, now);
    case '!=':
    case '<>': {
      const equal = equalTo(field, literals[0]!, now);
      return (cell) => !equal(cell);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(field, operator, literals[0]!, now);
    default:
      throw unsupported(`the operator ${operator}`);
  }
}

const numeric = new Set(['int', 'long', 'double', 'currency', 'percent']);

type Sort = 'number' | 'time' | 'boolean' | 'id' | 'text';

function sortOf({ type }: FieldDescribe): Sort {
  if (numeric.has(type)) return 'number';
  if (type === 'date' || type === 'datetime') return 'time';
  if (type === 'boolean') return 'boolean';
  return type === 'id' || type === 'reference' ? 'id' : 'text';
}

function equalTo(field: FieldDescribe, literal: Literal, now: number): CellTest {
  if (literal.type === 'NULL' || (literal.type === 'STRING' && literal.text === '')) return (cell) => cell === '';
  const span = spanOf(field, literal, now);
  if (span) {
    return (cell) => {
      const time = instant(cell);
      return time !== undefined && time >= span.start && time < span.end;
    };
  }
  const wanted = keyOf(field, literalCell(field, literal));
  return (cell) => cell !== '' && keyOf(field, cell) === wanted;
}

function ordered(field: FieldDescribe, operator: '<' | '<=' | '>' | '>=', literal: Literal, now: number): CellTest {
  const sort = sortOf(field);
  if (literal.type === 'NULL' || sort === 'boolean') throw unfit(field, literal, operator);
  const fits = {
    '<': (order: number) => order < 0,
    '<=': (order: number) => order <= 0,
    '>': (order: number) => order > 0,
    '>=': (order: number) => order >= 0,
  }[operator];
  const span = spanOf(field, literal, now);
  if (span) {
    return (cell) => {
      const time = instant(cell);
      return time !== undefined && fits(time < span.start ? -1 : time >= span.end ? 1 : 0);
    };
  }
  const value = literalCell(field, literal);
  if (sort === 'number') {
    const wanted = decimal(value)!;
    return (cell) => {
      const number = decimal(cell);
      return number !== undefined && fits(compareDecimals(number, wanted));
    };
  }
  if (sort === 'time') {
    const wanted = instant(value)!;
    return (cell) => {
      const time = instant(cell);
      return time !== undefined && fits(time - wanted);
    };
  }
  const wanted = keyOf(field, value);
  return (cell) => {
    const key = keyOf(field, cell);
    return cell !== '' && fits(key < wanted ? -1 : key > wanted ? 1 : 0);
  };
}

/** What cells of a field are compared by. */
function keyOf(field: FieldDescribe, cell: string): string {
  const canonical = field.type === 'multipicklist' ? cell : canonicalValue(field, cell);
  return sortOf(field) === 'text' && field.caseSensitive !== true ? canonical.toLowerCase() : canonical;
}

function spanOf(field: FieldDescribe, { type, text }: Literal, now: number) {
  if (type !== 'DATE_LITERAL' && type !== 'DATE_N_LITERAL') return undefined;
  const span = dateSpan(text, now);
  if (!span) throw unsupported(`the date literal ${text}`);
  if (sortOf(field) !== 'time')
    throw new Fault('usage', `${field.name} is no date, and --where compares it with ${text}`);
  return span;
}

/** The literal as a cell of the field would hold it. Throws `usage` where the kind of the literal does not fit. */
function literalCell(field: FieldDescribe, literal: Literal): string {
  const { type, text } = literal;
  switch (sortOf(field)) {
    case 'number':
      if ((type === 'INTEGER' || type === 'DECIMAL') && decimal(text)) return text;
      break;
    case 'time':
      if (type === (field.type === 'date' ? 'DATE' : 'DATETIME') && instant(text) !== undefined) return text;
      break;
    case 'boolean':
      if (type === 'BOOLEAN') return text.toLowerCase();
      break;
    case 'id': {
      const id = unescaped(text);
      if (type === 'STRING' && looksLikeId(id)) return longId(id);
      break;
    }
    case 'text':
      if (type === 'STRING') return unescaped(text);
  }
  throw unfit(field, literal, 'compared');
}

function unfit(field: FieldDescribe, { text }: Literal, how: string): Fault {
  return new Fault(
    'usage',
    `${field.name} is of type ${field.type} and cannot be ${how === 'compared' ? how : `compared by ${how}`} with ${text} in --where`,
  );
}

function chosen(field: FieldDescribe, operator: 'INCLUDES' | 'EXCLUDES', literals: readonly Literal[]): CellTest {
  if (field.type !== 'multipicklist')
    throw new Fault('usage', `${field.name} is no multi-select picklist, which ${operator} in --where wants`);
  // Each literal may name several values, all of which have to be chosen.
  const wanted = literals.map((literal) => chosenValues(literalCell(field, literal).toLowerCase()));
  return (cell) => {
    const values = new Set(chosenValues(cell.toLowerCase()));
    const includes = wanted.some((all) => all.every((one) => values.has(one)));
    return includes === (operator === 'INCLUDES');
  };
}

function like(field: FieldDescribe, literal: Literal): CellTest {
  if (literal.type !== 'STRING' || sortOf(field) !== 'text') throw unfit(field, literal, 'LIKE');
  const parts = literal.text.matchAll(/\\[%_]|\\u[0-9a-fA-F]{4}|\\.|[%_]|[^\\%_]+/gs);
  const folded = (text: string) => (field.caseSensitive === true ? text : text.toLowerCase());
  const pieces = Array.from(parts, ([part]): Piece => {
    if (part === '%') return 'many';
    if (part === '_') return 'one';
    return { text: folded(/^\\[%_]$/.test(part) ? part.slice(1) : unescaped(part)) };
  });
  const fits = wildcards(pieces);
  return (cell) => cell !== '' && fits(folded(cell));
}

/** A text literal with its escapes resolved. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) => {
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }[code.toLowerCase()] ?? code;
  });
}
