import type { Query } from '@jetstreamapp/soql-parser-js';
import { Refusal, unsupported } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { Permissions } from '../settings.ts';
import { type Leaf, leaves, type Node, required } from './condition.ts';

/** Clauses that Salesforce knows and the practice org does not: refused by name. */
export function refuseUnsupported(query: Query): void {
  if (query.usingScope && query.usingScope.toLowerCase() !== 'everything')
    throw unsupported(`USING SCOPE ${query.usingScope}`);
  if (query.withDataCategory) throw unsupported('WITH DATA CATEGORY');
  if (query.withSecurityEnforced) throw unsupported('WITH SECURITY_ENFORCED');
  if (query.withAccessLevel) throw unsupported(`WITH ${query.withAccessLevel}`);
  if (query.for) throw unsupported(`FOR ${query.for}`);
  if (query.update) throw unsupported(`UPDATE ${query.update}`);
}

/** Throws what the object's treatment says about a query like this one (extract 4). */
export function checkTreatment(object: SObject, query: Query, where: Node | undefined, permissions: Permissions): void {
  const { queryError, requiredFilter, bigObjectIndex } = object.table.treatment;
  if (queryError) throw new Refusal(queryError.status, queryError.errorCode, queryError.message);
  if (object.describe.queryable === false)
    throw new Refusal(400, 'INVALID_TYPE_FOR_OPERATION', `entity type ${object.name} does not support query`);
  if (requiredFilter && !allowed(requiredFilter.unlessPermission, permissions)) {
    const wanted = requiredFilter.fields.map((field) => field.toLowerCase());
    const { single } = requiredFilter;
    const has =
      where && required(where).some((leaf) => isEquality(leaf, single) && wanted.includes(leaf.field!.toLowerCase()));
    if (!has) throw new Refusal(400, 'MALFORMED_QUERY', requiredFilter.message);
  }
  if (bigObjectIndex) checkBigObject(object, query, where, bigObjectIndex);
}

function isEquality(leaf: Leaf, single = false): boolean {
  return leaf.field !== undefined && (leaf.operator === '=' || (leaf.operator === 'IN' && !single));
}

/** True when old versions of Knowledge articles stay out of sight: the query does not name an article and asks for them (extract 4.1). */
export function hidesArchivedVersions({ table }: SObject, where: Node | undefined): boolean {
  if (!table.treatment.archivedVersions) return false;
  const leaves = where ? required(where) : [];
  const named = (field: string, single: boolean) =>
    leaves.some((leaf) => isEquality(leaf, single) && leaf.field!.toLowerCase() === field);
  return !named('id', false) && !(named('knowledgearticleid', true) && named('islatestversion', true));
}

/** `PermissionsQueryAllFiles` and `queryAllFiles` are the same permission. */
function allowed(permission: string | undefined, permissions: Permissions): boolean {
  if (permission === undefined) return false;
  const name = permission.replace(/^Permissions/, '');
  const key = name.charAt(0).toLowerCase() + name.slice(1);
  if (key === 'queryAllFiles') return permissions.viewAllData && permissions.queryAllFiles;
  return permissions[key as keyof Permissions] === true;
}

/** Filters on the index fields in order and without gaps, ranges only on the last; no aggregates, no other clause. */
function checkBigObject(object: SObject, query: Query, where: Node | undefined, index: readonly string[]): void {
  const refuse = (message: string) => new Refusal(400, 'BIG_OBJECT_UNSUPPORTED_OPERATION', message);
  if (query.groupBy || query.fields?.some((field) => field.type === 'FieldFunctionExpression'))
    throw refuse('Aggregate functions not supported');
  if (query.orderBy || query.offset !== undefined)
    throw refuse(`${object.name}: ORDER BY and OFFSET are not supported`);
  if (!where) return;
  const used = required(where);
  if (used.length !== leaves(where).length) throw refuse(`${object.name}: only AND joins filters`);
  let range = false;
  for (const [position, leaf] of used.entries()) {
    if (leaf.field?.toLowerCase() !== index[position]?.toLowerCase())
      throw refuse(`${object.name}: filters must be on the index fields in order: ${index.join(', ')}`);
    if (range) throw refuse(`${object.name}: only the last filter may be a range`);
    if (!['=', '<', '<=', '>', '>=', 'IN'].includes(leaf.operator))
      throw refuse(`${object.name}: the operator ${leaf.operator} is not supported`);
    range = leaf.operator !== '=';
  }
}
