import { Fault, isFault } from '../../errors.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { type Comparison, type Literal, parseWhere, type Where } from '../select/where.ts';

/** Two SOQL conditions that part the rows of an object: each row meets one of them, and never both. */
export interface LeftOutRows {
  /** Rows that are in the point. */
  readonly kept: string;
  /** Rows that the policy leaves out. */
  readonly out: string;
}

/** What the org keeps about a record without moving its stamp, or for each user apart. */
const restless = new Set([
  'LastViewedDate',
  'LastReferencedDate',
  'LastActivityDate',
  'IsDeleted',
  'UserRecordAccessId',
]);

/**
 * Parts the rows of an object by conditions that say what is left out. A row is left out only when one of them certainly holds: a comparison with a
 * field that has no value holds for no row, negated or not, unless it is with null. Both parts say so in so many words and lean nowhere on what NOT and
 * != make of null. Throws `config-invalid` for what a row could begin to meet without being changed: formulas, fields of other records, relative dates.
 */
export function leftOutRows(describe: ObjectDescribe, conditions: readonly string[]): LeftOutRows {
  const parts = conditions.map((text) => {
    try {
      return pushed(parseWhere(text), false);
    } catch (error) {
      if (!isFault(error, 'usage')) throw error;
      const message = error.message.replaceAll('--where', 'where');
      throw new Fault('config-invalid', `exclusions of ${describe.name}: ${message}`, { actions: error.actions });
    }
  });
  const tree: Tree = parts.length === 1 ? parts[0]! : { join: ' OR ', parts };
  const fields = new Map(describe.fields.map((field) => [field.name.toLowerCase(), field]));
  return { out: written(tree, describe, fields, true), kept: written(tree, describe, fields, false) };
}

/** A condition whose negations stand at its comparisons. */
type Tree = { readonly join: ' AND ' | ' OR '; readonly parts: readonly Tree[] } | Comparison;

const opposite: Readonly<Record<string, string>> = {
  '=': '!=',
  '!=': '=',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  IN: 'NOT IN',
  'NOT IN': 'IN',
  INCLUDES: 'EXCLUDES',
  EXCLUDES: 'INCLUDES',
  LIKE: 'NOT LIKE',
  'NOT LIKE': 'LIKE',
};

function pushed(where: Where, negated: boolean): Tree {
  if (where.kind === 'not') return pushed(where.part, !negated);
  if (where.kind !== 'comparison') {
    const join = (where.kind === 'and') === negated ? ' OR ' : ' AND ';
    return { join, parts: where.parts.map((part) => pushed(part, negated)) };
  }
  const { comparison } = where;
  return negated ? { ...comparison, operator: oppositeOf(comparison) } : comparison;
}

function oppositeOf({ operator }: Comparison): string {
  const other = opposite[operator];
  if (other === undefined) throw new Fault('usage', `--where does not know the operator ${operator}`);
  return other;
}

type Fields = ReadonlyMap<string, FieldDescribe>;

function written(tree: Tree, describe: ObjectDescribe, fields: Fields, holds: boolean): string {
  if ('join' in tree) {
    const join = holds ? tree.join : tree.join === ' AND ' ? ' OR ' : ' AND ';
    return tree.parts.map((part) => `(${written(part, describe, fields, holds)})`).join(join);
  }
  return comparison(tree, fieldOf(tree, describe, fields), holds);
}

function fieldOf({ field: name, literals }: Comparison, describe: ObjectDescribe, fields: Fields): FieldDescribe {
  const refused = (why: string) =>
    new Fault('config-invalid', `exclusions of ${describe.name}: where cannot ask for ${name}: ${why}`, {
      actions: ['compare fields of the object itself, which move its stamp when they change, with fixed values'],
    });
  const field = fields.get(name.toLowerCase());
  if (name.includes('.')) throw refused('another record may change without this one');
  if (!field) throw refused('there is no such field, or the user does not see it');
  if (field.calculated) throw refused('formulas and roll-ups change without a stamp');
  if (restless.has(field.name)) throw refused('it changes without a stamp');
  if (field.filterable === false) throw refused('the org does not filter by it');
  if (literals.some(({ type }) => type === 'DATE_LITERAL' || type === 'DATE_N_LITERAL'))
    throw refused('with a relative date a row would be left out one day without having changed');
  return field;
}

/** Rows for which the comparison certainly holds, or all others. */
function comparison({ operator, literals }: Comparison, field: FieldDescribe, holds: boolean): string {
  const { name, type } = field;
  const other = oppositeOf({ field: name, operator, literals });
  const values = literals.filter((literal) => !isNull(literal)).map(literalText);
  const withNull = values.length < literals.length;
  const list = operator.endsWith('IN') || operator.endsWith('CLUDES');
  if (!list && withNull) return `${name} ${holds ? sign(operator) : sign(other)} null`;
  const right = list ? `(${values.join(', ')})` : values[0]!;
  const test = (by: string) => (by === 'NOT LIKE' ? `(NOT ${name} LIKE ${right})` : `${name} ${sign(by)} ${right}`);
  if (type === 'boolean') return test(holds ? operator : other);
  const positive = operator === 'IN' && withNull;
  if (list && values.length === 0) {
    const equal = operator === 'IN';
    return `${name} ${equal === holds ? '=' : '!='} null`;
  }
  if (positive) return holds ? `(${test('IN')}) OR ${name} = null` : `(${test('NOT IN')}) AND ${name} != null`;
  return holds ? `(${test(operator)}) AND ${name} != null` : `(${test(other)}) OR ${name} = null`;
}

function sign(operator: string): string {
  return operator === '<>' ? '!=' : operator;
}

function isNull({ type, text }: Literal): boolean {
  return type === 'NULL' || (type === 'STRING' && text === '');
}

function literalText({ type, text }: Literal): string {
  return type === 'STRING' ? `'${text}'` : text;
}
