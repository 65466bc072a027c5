import type {
  Condition,
  FunctionExp,
  HavingClause,
  LiteralType,
  Operator,
  Query,
  WhereClause,
} from '@jetstreamapp/soql-parser-js';
import type { Value } from '../database.ts';
import { Refusal, unsupported } from '../refusal.ts';
import { comparison, keyOf, type Test } from './compare.ts';
import type { Operand } from './operands.ts';

/** One comparison of a WHERE or HAVING. */
export interface Leaf {
  readonly operator: Operator;
  readonly field: string | undefined;
  readonly fn: FunctionExp | undefined;
  readonly value: string | string[] | undefined;
  readonly literalType: LiteralType | LiteralType[] | undefined;
  readonly valueQuery: Query | undefined;
}

export type Node =
  | { readonly kind: 'AND' | 'OR'; readonly nodes: readonly Node[] }
  | { readonly kind: 'NOT'; readonly node: Node }
  | { readonly kind: 'leaf'; readonly leaf: Leaf };

type Token = '(' | ')' | 'AND' | 'OR' | 'NOT' | Leaf;

/** The parser's chain of conditions with parenthesis counts, as a tree. AND beside OR without parentheses is refused, as Salesforce does. */
export function tree(clause: WhereClause | HavingClause): Node {
  const tokens = tokensOf(clause);
  let at = 0;
  const malformed = (token: unknown) =>
    new Refusal(400, 'MALFORMED_QUERY', `unexpected token: '${typeof token === 'string' ? token : 'condition'}'`);

  function expression(): Node {
    const nodes = [term()];
    let kind: 'AND' | 'OR' | undefined;
    while (tokens[at] === 'AND' || tokens[at] === 'OR') {
      const token = tokens[at++] as 'AND' | 'OR';
      if (kind && token !== kind) throw malformed(token);
      kind = token;
      nodes.push(term());
    }
    return kind ? { kind, nodes } : nodes[0]!;
  }
  function term(): Node {
    const token = tokens[at++];
    if (token === 'NOT') return { kind: 'NOT', node: term() };
    if (token === '(') {
      const inner = expression();
      if (tokens[at++] !== ')') throw malformed(tokens[at - 1]);
      return inner;
    }
    if (token === undefined || typeof token === 'string') throw malformed(token);
    return { kind: 'leaf', leaf: token };
  }

  const node = expression();
  if (at !== tokens.length) throw malformed(tokens[at]);
  return node;
}

function tokensOf(clause: WhereClause | HavingClause): Token[] {
  const tokens: Token[] = [];
  let at: (WhereClause | HavingClause) | undefined = clause;
  while (at) {
    const link = at as {
      left: (Condition & Partial<Leaf> & { openParen?: number; closeParen?: number }) | null;
      operator?: string;
      right?: WhereClause;
    };
    for (let i = 0; i < (link.left?.openParen ?? 0); i += 1) tokens.push('(');
    const operator = link.operator?.toUpperCase();
    if (operator === 'NOT') {
      tokens.push('NOT');
    } else {
      const left = link.left!;
      tokens.push({
        operator: String(left.operator).toUpperCase().replaceAll(/\s+/g, ' ') as Operator,
        field: left.field,
        fn: left.fn,
        value: left.value,
        literalType: left.literalType,
        valueQuery: left.valueQuery,
      });
      for (let i = 0; i < (left.closeParen ?? 0); i += 1) tokens.push(')');
      if (operator) tokens.push(operator as 'AND' | 'OR');
    }
    at = link.right;
  }
  return tokens;
}

/** All comparisons that every matching row has to meet: those joined by AND at the top. */
export function required(node: Node): Leaf[] {
  if (node.kind === 'leaf') return [node.leaf];
  return node.kind === 'AND' ? node.nodes.flatMap(required) : [];
}

export function leaves(node: Node): Leaf[] {
  if (node.kind === 'leaf') return [node.leaf];
  return node.kind === 'NOT' ? leaves(node.node) : node.nodes.flatMap(leaves);
}

export interface ConditionContext<Item> {
  readonly soql: string;
  readonly now: number;
  operand(leaf: Leaf): Omit<Operand, 'get'> & { get(item: Item): Value };
  /** Values of a semi-join, ready before the compilation. */
  semiJoin(query: Query): ReadonlySet<Value>;
}

/** The tree as one function. */
export function compile<Item>(node: Node, context: ConditionContext<Item>): (item: Item) => boolean {
  if (node.kind === 'NOT') {
    const inner = compile(node.node, context);
    return (item) => !inner(item);
  }
  if (node.kind !== 'leaf') {
    const parts = node.nodes.map((part) => compile(part, context));
    return node.kind === 'AND'
      ? (item) => parts.every((part) => part(item))
      : (item) => parts.some((part) => part(item));
  }
  const { leaf } = node;
  const operand = context.operand(leaf);
  const test = leaf.valueQuery
    ? semiJoinTest(leaf, operand, context)
    : comparison(operand as Operand, leaf.operator, literals(leaf), context.soql, context.now);
  return (item) => test(operand.get(item));
}

function semiJoinTest<Item>(
  leaf: Leaf,
  operand: Pick<Operand, 'type' | 'field'>,
  context: ConditionContext<Item>,
): Test {
  const found = context.semiJoin(leaf.valueQuery!);
  const key = keyOf(operand);
  if (leaf.operator === 'IN') return (value) => value !== null && found.has(key(value));
  if (leaf.operator === 'NOT IN') return (value) => value !== null && !found.has(key(value));
  throw unsupported(`a subquery behind ${leaf.operator} in SOQL`);
}

function literals(leaf: Leaf): { text: string; type: LiteralType }[] {
  const values = Array.isArray(leaf.value) ? leaf.value : [leaf.value ?? ''];
  return values.map((text, index) => {
    const type = Array.isArray(leaf.literalType) ? leaf.literalType[index] : leaf.literalType;
    if (type === undefined || type === 'APEX_BIND_VARIABLE' || type === 'SUBQUERY')
      throw new Refusal(400, 'MALFORMED_QUERY', `unexpected token: '${text}'`);
    return { text, type };
  });
}
