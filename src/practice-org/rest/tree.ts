import { type Answer, type ApiRequest, json } from '../answer.ts';
import type { RecordInput, SaveError, SaveResult } from '../dml/save.ts';
import { Refusal } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import { visibleObject } from './describe.ts';
import { isJsonObject, type JsonObject, jsonBody, parserError, recordInput, typeOf } from './record-input.ts';
import { mostRecords, saveRuns, tooManyRecords } from './runs.ts';
import { saveErrorJson, saveOptions } from './save-answer.ts';

/** What one tree may hold (restore 2). */
const mostLevels = 5;
const mostTypes = 5;

interface TreeRecord {
  readonly object: SObject;
  readonly referenceId: string;
  readonly input: RecordInput;
  /** The field that gets the Id of the parent. */
  readonly parent?: { readonly field: string; readonly record: TreeRecord };
}

/** Records of a tree by level; each level by type, as triggers see them. */
type Levels = TreeRecord[][];

class TreeFailed extends Error {
  readonly results: readonly { readonly referenceId: string; readonly errors: readonly SaveError[] }[];

  constructor(results: TreeFailed['results']) {
    super('a record of the tree failed');
    this.results = results;
  }
}

/**
 * POST composite/tree/X: up to 200 records with their children, all or none. 201 with the Ids level by level; 400 with the errors of
 * those that failed, and nothing is created.
 */
export function createTree(state: OrgState, request: ApiRequest): Answer {
  const root = visibleObject(state, request.parts[0]!);
  const levels: Levels = [];
  collect(state, levels, 0, recordsOf(jsonBody(request)), root);
  check(levels);
  try {
    const ids = state.dml.transaction(() => save(state, request, levels));
    const results = levels.flat().map((record) => ({ referenceId: record.referenceId, id: ids.get(record)! }));
    return json({ hasErrors: false, results }, 201);
  } catch (error) {
    if (!(error instanceof TreeFailed)) throw error;
    const results = error.results.map(({ referenceId, errors }) => ({
      referenceId,
      errors: errors.map(saveErrorJson),
    }));
    return json({ hasErrors: true, results }, 400);
  }
}

function recordsOf({ records }: JsonObject): readonly JsonObject[] {
  if (!Array.isArray(records) || records.length === 0 || !records.every(isJsonObject))
    throw parserError('records is not a list of records');
  return records;
}

function collect(
  state: OrgState,
  levels: Levels,
  level: number,
  records: readonly JsonObject[],
  root: SObject,
  parent?: TreeRecord['parent'],
): void {
  levels[level] ??= [];
  for (const json of records) {
    const { referenceId } = isJsonObject(json.attributes) ? json.attributes : {};
    const object = state.schema.object(typeOf(json) ?? '');
    if (!object || typeof referenceId !== 'string' || referenceId === '')
      throw new Refusal(400, 'INVALID_INPUT', 'Include attributes with type and referenceId in each record');
    if (!parent && object.name !== root.name)
      throw new Refusal(400, 'INVALID_INPUT', `a record of ${object.name} does not belong into a tree of ${root.name}`);
    const nested = Object.keys(json).filter((name) => isJsonObject(json[name]) && 'records' in json[name]);
    const record = { object, referenceId, input: recordInput(object, json, nested), ...(parent && { parent }) };
    levels[level].push(record);
    for (const name of nested) {
      const children = object.childRelationship(name);
      if (!children) throw new Refusal(400, 'INVALID_FIELD', `${object.name} has no child relationship ${name}`);
      const below = { field: children.field, record };
      collect(state, levels, level + 1, recordsOf(json[name] as JsonObject), root, below);
    }
  }
}

function check(levels: Levels): void {
  const all = levels.flat();
  if (all.length > mostRecords) throw tooManyRecords();
  if (levels.length > mostLevels)
    throw new Refusal(400, 'LIMIT_EXCEEDED', `Cannot have more than ${mostLevels} levels in a tree`);
  if (new Set(all.map(({ object }) => object.name)).size > mostTypes)
    throw new Refusal(400, 'LIMIT_EXCEEDED', `Cannot have more than ${mostTypes} types in a tree`);
  const seen = new Set<string>();
  for (const { referenceId } of all) {
    if (seen.has(referenceId))
      throw new Refusal(400, 'INVALID_INPUT', `Duplicate ReferenceId provided in the request: ${referenceId}`);
    seen.add(referenceId);
  }
}

/** The new Ids. Throws TreeFailed. */
function save(state: OrgState, request: ApiRequest, levels: Levels): Map<TreeRecord, string> {
  const ids = new Map<TreeRecord, string>();
  const options = saveOptions(request, true);
  for (const level of levels) {
    for (const group of Map.groupBy(level, ({ object }) => object).values()) {
      const records = group.map(({ object, input, parent }) => ({
        object,
        record: parent ? { ...input, fields: { ...input.fields, [parent.field]: ids.get(parent.record)! } } : input,
      }));
      const results = saveRuns(state, records, { allOrNone: true, fault: request.fault }, (object, run) =>
        state.dml.insert(object, run, options),
      );
      for (const [at, { id, errors }] of results.entries()) if (errors.length === 0) ids.set(group[at]!, id!);
      const wrong = culprits(group, results);
      if (wrong.length > 0) throw new TreeFailed(wrong);
    }
  }
  return ids;
}

function culprits(group: readonly TreeRecord[], results: readonly SaveResult[]): TreeFailed['results'] {
  return results.flatMap(({ errors }, at) => {
    const own = errors.filter(({ code }) => code !== 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
    return own.length > 0 ? [{ referenceId: group[at]!.referenceId, errors: own }] : [];
  });
}
