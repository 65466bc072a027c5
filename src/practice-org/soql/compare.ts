import type { LiteralType, Operator } from '@jetstreamapp/soql-parser-js';
import type { Value } from '../database.ts';
import { id18, isId } from '../identifiers.ts';
import { Refusal, unsupported } from '../refusal.ts';
import { dateLiteral, dateTimeLiteral } from './date-literals.ts';
import type { Operand } from './operands.ts';
import { literalText, positioned } from './parse.ts';

export type Test = (value: Value) => boolean;

interface Literal {
  readonly text: string;
  readonly type: LiteralType;
}

const numeric = new Set(['int', 'double', 'currency', 'percent', 'long']);
const ids = new Set(['id', 'reference']);

/** The test that a condition puts to a field's value. Null compares as Salesforce does: unequal to everything but null, never less or more. */
export function comparison(operand: Operand, operator: Operator, literals: Literal[], soql: string, now: number): Test {
  if (operator === 'INCLUDES' || operator === 'EXCLUDES') return multiPicklist(operator, literals);
  if (operator === 'LIKE') return like(operand, literals[0]!, soql);
  if (operator === 'IN' || operator === 'NOT IN') return oneOf(operand, operator, literals, soql, now);
  const literal = literals[0]!;
  const isEmptyText = literal.type === 'STRING' && literal.text === "''" && (operator === '=' || operator === '!=');
  if (literal.type === 'NULL' || isEmptyText) return isNull(operand, operator, soql);
  if (literal.type === 'DATE_LITERAL' || literal.type === 'DATE_N_LITERAL')
    return inSpan(operand, operator, literal, soql, now);
  const wanted = literalValue(operand, literal, soql);
  const key = keyOf(operand);
  const wantedKey = key(wanted)!;
  switch (operator) {
    case '=':
      return (value) => value !== null && key(value) === wantedKey;
    case '!=':
      return (value) => value === null || key(value) !== wantedKey;
    case '<':
      return (value) => value !== null && key(value)! < wantedKey;
    case '<=':
      return (value) => value !== null && key(value)! <= wantedKey;
    case '>':
      return (value) => value !== null && key(value)! > wantedKey;
    case '>=':
      return (value) => value !== null && key(value)! >= wantedKey;
    default:
      throw unsupported(`the operator ${operator} in SOQL`);
  }
}

/** What values are compared and sorted by: text without regard to case unless the field says otherwise. */
export function keyOf(operand: Pick<Operand, 'type' | 'field'>): (value: Value) => string | number | boolean | null {
  const { type, field } = operand;
  const text = !(
    numeric.has(type) ||
    ids.has(type) ||
    type === 'boolean' ||
    type.startsWith('date') ||
    type === 'time'
  );
  if (!text || field?.caseSensitive === true) return (value) => value;
  return (value) => (typeof value === 'string' ? value.toLowerCase() : value);
}

function isNull(operand: Operand, operator: Operator, soql: string): Test {
  if (operator === '=') return operand.type === 'boolean' ? () => false : (value) => value === null || value === '';
  if (operator === '!=') return operand.type === 'boolean' ? () => true : (value) => value !== null && value !== '';
  throw new Refusal(400, 'INVALID_QUERY_FILTER_OPERATOR', positioned(soql, operand.name, 'invalid operator on null'));
}

function inSpan(operand: Operand, operator: Operator, literal: Literal, soql: string, now: number): Test {
  if (operand.type !== 'date' && operand.type !== 'datetime') throw wrongType(operand, soql);
  const span = dateLiteral(literal.text, now);
  const isDate = (time: number) => !Number.isNaN(new Date(time).getTime());
  if (!span || !isDate(span.start) || !isDate(span.end)) throw unsupported(`the date literal ${literal.text} in SOQL`);
  const width = operand.type === 'date' ? 10 : 24;
  const start = new Date(span.start).toISOString().slice(0, width);
  const end = new Date(span.end).toISOString().slice(0, width);
  const tests: Partial<Record<Operator, (value: string) => boolean>> = {
    '=': (value) => value >= start && value < end,
    '!=': (value) => value < start || value >= end,
    '<': (value) => value < start,
    '<=': (value) => value < end,
    '>': (value) => value >= end,
    '>=': (value) => value >= start,
  };
  const test = tests[operator];
  if (!test) throw unsupported(`the operator ${operator} with ${literal.text} in SOQL`);
  return (value) => (typeof value === 'string' ? test(value) : operator === '!=');
}

function oneOf(operand: Operand, operator: 'IN' | 'NOT IN', literals: Literal[], soql: string, now: number): Test {
  if (literals.some(({ type }) => type === 'DATE_LITERAL' || type === 'DATE_N_LITERAL')) {
    const tests = literals.map((literal) => comparison(operand, '=', [literal], soql, now));
    return (value) => tests.some((test) => test(value)) === (operator === 'IN');
  }
  const key = keyOf(operand);
  const wanted = new Set(
    literals.map((literal) => (literal.type === 'NULL' ? null : key(literalValue(operand, literal, soql)))),
  );
  const wantsIn = operator === 'IN';
  return (value) => wanted.has(key(value)) === wantsIn;
}

function multiPicklist(operator: 'INCLUDES' | 'EXCLUDES', literals: Literal[]): Test {
  const wanted = literals.map((literal) => literalText(literal.text).toLowerCase().split(';'));
  return (value) => {
    const chosen = new Set(typeof value === 'string' ? value.toLowerCase().split(';') : []);
    const includes = wanted.some((all) => all.every((one) => chosen.has(one)));
    return includes === (operator === 'INCLUDES');
  };
}

function like(operand: Operand, literal: Literal, soql: string): Test {
  if (literal.type !== 'STRING') throw wrongType(operand, soql);
  if (
    numeric.has(operand.type) ||
    operand.type === 'boolean' ||
    operand.type.startsWith('date') ||
    ids.has(operand.type)
  )
    throw new Refusal(
      400,
      'INVALID_QUERY_FILTER_OPERATOR',
      positioned(soql, operand.name, 'invalid operator on id field'),
    );
  const raw = literal.text.slice(1, -1);
  const pattern = raw.replaceAll(
    /\\([%_])|\\(.)|[%_]|[.*+?^${}()|[\]/-]/gs,
    (part, wild?: string, escaped?: string) => {
      if (wild) return wild;
      if (escaped) return literalText(`'${part}'`).replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
      return part === '%' ? '.*' : part === '_' ? '.' : `\\${part}`;
    },
  );
  const expression = new RegExp(`^${pattern}$`, 'is');
  return (value) => typeof value === 'string' && expression.test(value);
}

function wrongType(operand: Operand, soql: string): Refusal {
  const kind = operand.type === 'datetime' ? 'dateTime' : operand.type;
  const quoted = isText(operand) ? 'should be enclosed in quotes' : 'should not be enclosed in quotes';
  const message = `value of filter criterion for field '${operand.name}' must be of type ${isText(operand) ? 'string' : kind} and ${quoted}`;
  return new Refusal(400, 'INVALID_FIELD', positioned(soql, operand.name, message));
}

function isText(operand: Operand): boolean {
  return !(numeric.has(operand.type) || ['boolean', 'date', 'datetime', 'time'].includes(operand.type));
}

/** The literal as the field's own value type. Throws where Salesforce does. */
function literalValue(operand: Operand, literal: Literal, soql: string): string | number | boolean {
  const { text, type } = literal;
  if (ids.has(operand.type)) {
    if (type !== 'STRING') throw wrongType(operand, soql);
    const id = literalText(text);
    if (id === '') return '';
    if (!isId(id))
      throw new Refusal(
        400,
        'INVALID_QUERY_FILTER_OPERATOR',
        positioned(soql, operand.name, `invalid ID field: ${id}`),
      );
    return id.length === 15 ? id18(id) : id;
  }
  if (isText(operand)) {
    if (type !== 'STRING') throw wrongType(operand, soql);
    return literalText(text);
  }
  if (operand.type === 'boolean' && type === 'BOOLEAN') return text.toUpperCase() === 'TRUE';
  if (numeric.has(operand.type) && (type === 'INTEGER' || type === 'DECIMAL')) return Number(text);
  if (numeric.has(operand.type) && type.endsWith('_WITH_CURRENCY_PREFIX')) return Number(text.slice(3));
  if (operand.type === 'date' && type === 'DATE') return text;
  if (operand.type === 'datetime' && type === 'DATETIME') {
    const time = dateTimeLiteral(text);
    if (time) return time;
  }
  if (operand.type === 'time' && type === 'STRING') return literalText(text);
  throw wrongType(operand, soql);
}
