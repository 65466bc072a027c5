import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { leaves, tree } from '../../src/practice-org/soql/condition.ts';
import { parseSoql } from '../../src/practice-org/soql/parse.ts';
import { type Reply, testOrg } from './client.ts';

const folder = path.resolve(import.meta.dirname, '../../../shared/data/suites/soql-cases');
const missing = existsSync(folder) ? false : 'the folder ../shared/data is not there';

interface SoqlCase {
  readonly testCase: number;
  readonly soql?: string;
  readonly soqlComposed?: string;
  readonly isValid?: boolean;
  readonly options?: Record<string, unknown>;
}

function cases(file: string): SoqlCase[] {
  return JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as SoqlCase[];
}

/** The ways in which a query may end that was read: answered, or refused for a reason that says what. */
const named = new Set([
  'INVALID_FIELD',
  'INVALID_TYPE',
  'INVALID_TYPE_FOR_OPERATION',
  'INVALID_QUERY_FILTER_OPERATOR',
  'NUMBER_OUTSIDE_VALID_RANGE',
  'PRACTICE_ORG_UNSUPPORTED',
]);

/** SOQL for the parser's authors and MALFORMED_QUERY here, and why. */
const refusedAnyway: [reason: string, soql: RegExp][] = [
  ['Salesforce wants a LIMIT with FIELDS(ALL) and FIELDS(CUSTOM)', /FIELDS\((?:ALL|CUSTOM)\)/],
  ['Salesforce refuses AND beside OR without parentheses', /\bOR\b[^()]*\bAND\b|\bAND\b[^()]*\bOR\b/],
  ['scopes that our version of the parser does not read', /USING SCOPE (?:mine_and_my_groups|scopingRule|myRule)/],
  ['the REST API reads no comments', /\/\*|\/\/ /],
];

function outcome({ status, json }: Reply): string {
  return status === 200 ? 'answered' : (json?.[0]?.errorCode ?? `status ${status}`);
}

test('every SOQL case is executed, refused by name, or MALFORMED_QUERY where it is not SOQL', {
  skip: missing,
}, async (t) => {
  await using org = await testOrg();
  const tally = new Map<string, number>();
  const wrong: string[] = [];
  const bindVariables = /(?<!\d)\s:\s*\w|\b(?:IN|=|>|<|LIKE)\s*:\s*\w/i;
  for (const file of [
    'test-cases.json',
    'test-cases-for-format.json',
    'test-cases-compose.json',
    'test-cases-for-is-valid.json',
  ]) {
    for (const one of cases(file)) {
      const soql = one.soql;
      if (soql === undefined) continue;
      const reply = await org.query(soql);
      const how = outcome(reply);
      tally.set(how, (tally.get(how) ?? 0) + 1);
      if (how === 'MALFORMED_QUERY' && refusedAnyway.some(([, pattern]) => pattern.test(soql))) continue;
      const isSoql = one.isValid !== false && !bindVariables.test(soql);
      if (how === 'answered' ? one.isValid === false : isSoql ? !named.has(how) : how !== 'MALFORMED_QUERY')
        wrong.push(
          `${file} ${one.testCase}: ${how}: ${soql.slice(0, 160)}: ${reply.json?.[0]?.message?.slice(0, 160)}`,
        );
    }
  }
  t.diagnostic([...tally].map(([how, count]) => `${how} ${count}`).join(', '));
  assert.deepEqual(wrong, []);
});

test('parts of queries are MALFORMED_QUERY', { skip: missing }, async () => {
  await using org = await testOrg();
  for (const { testCase, soql } of cases('test-cases-for-partial-parse.json')) {
    if (/^\s*SELECT\b.*\bFROM\b/is.test(soql!)) continue;
    assert.equal(outcome(await org.query(soql!)), 'MALFORMED_QUERY', `case ${testCase}`);
  }
});

test('conditions keep their grouping: every comparison of a WHERE is in its tree once', { skip: missing }, () => {
  for (const { testCase, soql } of cases('test-cases.json')) {
    let query: ReturnType<typeof parseSoql>;
    try {
      query = parseSoql(soql!);
    } catch {
      continue;
    }
    if (!query.where) continue;
    let count = 0;
    for (let at: typeof query.where | undefined = query.where; at; at = 'right' in at ? at.right : undefined)
      if (!('operator' in at) || at.operator !== 'NOT') count += 1;
    try {
      assert.equal(leaves(tree(query.where)).length, count, `case ${testCase}`);
    } catch (error) {
      assert.match(String(error), /unexpected token: '(?:AND|OR)'/, `case ${testCase}: ${soql}`);
    }
  }
});
