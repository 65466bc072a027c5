import { createRequire } from 'node:module';
import type { Condition, LiteralType, Query, WhereClause } from '@jetstreamapp/soql-parser-js';
import { Fault } from '../../errors.ts';

/** Loaded with the first condition: making its grammar takes as long as all else that a command loads, and few have one. */
const parser = (): typeof import('@jetstreamapp/soql-parser-js') =>
  createRequire(import.meta.url)('@jetstreamapp/soql-parser-js');

/** One comparison of a condition, as it was written. */
export interface Comparison {
  readonly field: string;
  readonly operator: string;
  readonly literals: readonly Literal[];
}

export interface Literal {
  readonly type: LiteralType;
  /** As written; of a text what stands between its quotes, escapes still in it. */
  readonly text: string;
}

/** A condition as a tree. */
export type Where =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Where[] }
  | { readonly kind: 'not'; readonly part: Where }
  | { readonly kind: 'comparison'; readonly comparison: Comparison };

/**
 * Parses a SOQL condition, without the word WHERE. Throws `usage` for what is no such condition, AND beside OR without parentheses, and by name
 * for what is not evaluated here: functions, subqueries, bind variables.
 */
export function parseWhere(text: string): Where {
  return new Chain(whereOf(text)).whole();
}

export function unsupported(what: string): Fault {
  return new Fault('usage', `--where does not know ${what}`, {
    actions: ['compare fields of the object itself with values; select rows by --ids-file where that is not enough'],
  });
}

/** Fields that a condition looks at, as written. */
export function fieldsOf(where: Where): string[] {
  if (where.kind === 'comparison') return [where.comparison.field];
  return where.kind === 'not' ? fieldsOf(where.part) : where.parts.flatMap(fieldsOf);
}

function whereOf(text: string): WhereClause {
  let query: Query;
  try {
    query = parser().parseQuery(`SELECT Id FROM Row WHERE ${text}`);
  } catch (cause) {
    throw malformed(text, cause);
  }
  const { fields, sObject, where, ...more } = query;
  // Nothing may stand behind the condition: ORDER BY, LIMIT, FOR UPDATE …
  const left = Object.entries(more).filter(([, value]) => value !== undefined);
  if (left.length > 0) throw unsupported(left.map(([name]) => name).join(', '));
  if (!where || sObject !== 'Row' || fields?.length !== 1) throw malformed(text);
  return where;
}

function malformed(text: string, cause?: unknown): Fault {
  return new Fault('usage', `--where is no SOQL condition: ${text}`, {
    actions: ['write it as behind WHERE: --where "Industry = \'Bank\' AND CreatedDate = LAST_N_DAYS:30"'],
    cause,
  });
}

type Token = '(' | ')' | 'AND' | 'OR' | 'NOT' | Comparison;

interface Link {
  readonly left: (Partial<Condition> & { readonly openParen?: number; readonly closeParen?: number }) | null;
  readonly operator?: string;
  readonly right?: WhereClause;
}

/** The parser's chain of comparisons with counted parentheses. */
class Chain {
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(clause: WhereClause) {
    for (let link = clause as unknown as Link | undefined; link; link = link.right as unknown as Link | undefined) {
      for (let n = link.left?.openParen ?? 0; n > 0; n--) this.#tokens.push('(');
      const operator = link.operator?.toUpperCase();
      if (operator === 'NOT') {
        this.#tokens.push('NOT');
        continue;
      }
      this.#tokens.push(comparisonOf(link.left));
      for (let n = link.left?.closeParen ?? 0; n > 0; n--) this.#tokens.push(')');
      if (operator) this.#tokens.push(operator as 'AND' | 'OR');
    }
  }

  whole(): Where {
    const where = this.#expression();
    if (this.#at < this.#tokens.length) throw this.#misplaced(this.#tokens[this.#at]);
    return where;
  }

  #expression(): Where {
    const parts = [this.#term()];
    let joined: 'AND' | 'OR' | undefined;
    for (let token = this.#tokens[this.#at]; token === 'AND' || token === 'OR'; token = this.#tokens[this.#at]) {
      if (joined !== undefined && joined !== token) throw this.#misplaced(token);
      joined = token;
      this.#at++;
      parts.push(this.#term());
    }
    return joined === undefined ? parts[0]! : { kind: joined === 'AND' ? 'and' : 'or', parts };
  }

  #term(): Where {
    const token = this.#tokens[this.#at++];
    if (token === 'NOT') return { kind: 'not', part: this.#term() };
    if (token === '(') {
      const inner = this.#expression();
      const close = this.#tokens[this.#at++];
      if (close !== ')') throw this.#misplaced(close);
      return inner;
    }
    if (token === undefined || typeof token === 'string') throw this.#misplaced(token);
    return { kind: 'comparison', comparison: token };
  }

  #misplaced(token: Token | undefined): Fault {
    const what = typeof token === 'string' ? token : token === undefined ? 'its end' : token.field;
    return new Fault('usage', `--where is not to be read at ${what}`, {
      actions: ['put AND and OR into parentheses where both stand side by side'],
    });
  }
}

function comparisonOf(left: Link['left']): Comparison {
  const condition = (left ?? {}) as {
    field?: string;
    fn?: { rawValue?: string };
    operator?: string;
    value?: string | string[];
    literalType?: LiteralType | LiteralType[];
    valueQuery?: unknown;
  };
  if (condition.valueQuery) throw unsupported('subqueries');
  if (condition.fn) throw unsupported(`functions: ${condition.fn.rawValue ?? ''}`);
  const { field, literalType } = condition;
  const operator = String(condition.operator).toUpperCase().replaceAll(/\s+/g, ' ');
  if (field === undefined) throw unsupported('a comparison without a field');
  const values = Array.isArray(condition.value) ? condition.value : [condition.value ?? ''];
  const literals = values.map((text, i): Literal => {
    const type = Array.isArray(literalType) ? literalType[i] : literalType;
    if (type === undefined || type === 'APEX_BIND_VARIABLE' || type === 'SUBQUERY')
      throw unsupported(`the value ${text}`);
    return { type, text: type === 'STRING' ? text.slice(1, -1) : text };
  });
  return { field, operator, literals };
}
