import { parseQuery, type Query } from '@jetstreamapp/soql-parser-js';
import { Refusal } from '../refusal.ts';

/** Longest SOQL accepted, in characters (extract 2.6). */
const longest = 100_000;

/** Parsed SOQL. Throws MALFORMED_QUERY. */
export function parseSoql(soql: string): Query {
  if (soql.trim() === '') throw new Refusal(400, 'MALFORMED_QUERY', 'A query string has to be specified');
  if (soql.length > longest)
    throw new Refusal(400, 'MALFORMED_QUERY', 'SOQL statement is too long (100000 characters)');
  let query: Query;
  try {
    query = parseQuery(soql);
  } catch (error) {
    const found = /but found: '?([^'\n]*)'?\s*$/.exec(error instanceof Error ? error.message : '')?.[1];
    throw new Refusal(
      400,
      'MALFORMED_QUERY',
      found ? `unexpected token: '${found}'` : 'unexpected token: the query could not be read',
    );
  }
  if (!query.sObject || !query.fields?.length)
    throw new Refusal(400, 'MALFORMED_QUERY', 'unexpected token: SELECT and FROM are required');
  return query;
}

/** An error text as SOQL errors have it: an extract of the query, a caret under the word, its place, the message (extract 2.9). */
export function positioned(soql: string, word: string, message: string, after = ''): string {
  const from = after === '' ? 0 : Math.max(0, soql.search(new RegExp(`\\b${after}\\b`, 'i')));
  const at = Math.max(0, placeOf(word, soql, from));
  const before = soql.slice(0, at);
  const row = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  let start = before.lastIndexOf('\n') + 1;
  if (at - start > 60) start = at - 50 + (/\W\w/.exec(soql.slice(at - 50, at))?.index ?? -1) + 1;
  const end = soql.indexOf('\n', at);
  const line = soql.slice(start, Math.min(end < 0 ? soql.length : end, at + 60)).trimEnd();
  return `\n${line}\n${' '.repeat(at - start)}^\nERROR at Row:${row}:Column:${column}\n${message}`;
}

/** Where `word` stands on its own, case aside, from `from` on; -1 when nowhere. */
function placeOf(word: string, soql: string, from: number): number {
  const [sought, text] = [word.toLowerCase(), soql.toLowerCase()];
  for (let at = text.indexOf(sought, from); at >= 0 && sought !== ''; at = text.indexOf(sought, at + sought.length)) {
    if (!/[\w.]/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at + sought.length))) return at;
  }
  return -1;
}

const reference = 'Please reference your WSDL or the describe call for the appropriate names.';

export function noSuchColumn(soql: string, written: string, entity: string): Refusal {
  const name = written.slice(written.lastIndexOf('.') + 1);
  const message = `No such column '${name}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. ${reference}`;
  return new Refusal(400, 'INVALID_FIELD', positioned(soql, written, message));
}

export function noSuchRelationship(soql: string, written: string, name: string): Refusal {
  const message = `Didn't understand relationship '${name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. ${reference}`;
  return new Refusal(400, 'INVALID_FIELD', positioned(soql, written, message));
}

export function noSuchChildRelationship(soql: string, name: string): Refusal {
  const message = `Didn't understand relationship '${name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. ${reference}`;
  return new Refusal(400, 'INVALID_TYPE', positioned(soql, name, message));
}

export function noSuchType(soql: string, name: string): Refusal {
  const message = `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. ${reference}`;
  return new Refusal(400, 'INVALID_TYPE', positioned(soql, name, message, 'from'));
}

/** The text of a SOQL string literal, quotes and escapes removed. */
export function literalText(literal: string): string {
  return literal.slice(1, -1).replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) => {
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }[code.toLowerCase()] ?? code;
  });
}
