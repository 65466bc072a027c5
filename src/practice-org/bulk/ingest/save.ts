import type { RecordInput, SaveError, SaveOptions, SaveResult } from '../../dml/save.ts';
import { isId } from '../../identifiers.ts';
import type { OrgState } from '../../state.ts';
import type { IngestJob } from './jobs.ts';

/** One transaction of the job's operation; results in the order of the records. */
export function save(state: OrgState, job: IngestJob, inputs: readonly RecordInput[]): SaveResult[] {
  const { dml } = state;
  const { object, operation, externalIdFieldName, createdById: userId } = job;
  const assign = job.assignmentRuleId !== undefined;
  const options = { api: 'bulk', userId, allOrNone: false, assign, allowDuplicates: false } as const;
  switch (operation) {
    case 'insert':
      return dml.insert(object, inputs, options);
    case 'update':
      return dml.update(object, inputs, options);
    case 'upsert':
      return dml.upsert(object, externalIdFieldName!, inputs, options);
    default:
      return remove(state, job, inputs, { ...options, hard: operation === 'hardDelete' });
  }
}

/** Ids of another object, and cells without one, do not reach the engine. */
function remove(
  { dml, schema }: OrgState,
  { object }: IngestJob,
  inputs: readonly RecordInput[],
  options: SaveOptions & { readonly hard: boolean },
): SaveResult[] {
  const ids = inputs.map(({ fields }) => (typeof fields.Id === 'string' ? fields.Id : ''));
  const isOwn = (id: string) => schema.objectOfId(id, [object.name]) === object;
  const removed = dml.remove(ids.filter(isOwn), options);
  let next = 0;
  return ids.map((id) =>
    isOwn(id) ? removed[next++]! : { id: undefined, created: false, errors: [notDeletable(id)] },
  );
}

function notDeletable(id: string): SaveError {
  if (id === '') return { code: 'MISSING_ARGUMENT', message: 'Id not specified in a delete call', fields: ['Id'] };
  if (!isId(id)) return { code: 'MALFORMED_ID', message: `bad id ${id}`, fields: ['Id'] };
  return { code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] };
}
