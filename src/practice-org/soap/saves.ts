import type { SaveOptions, SaveResult } from '../dml/save.ts';
import type { OrgFault } from '../faults.ts';
import { id18, isId } from '../identifiers.ts';
import { Refusal, unsupported } from '../refusal.ts';
import { toBeDeleted } from '../rest/collections.ts';
import { type CallRecord, mostRecords, saveRuns, tooManyRecords } from '../rest/runs.ts';
import { failed } from '../rest/save-answer.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import type { SoapCall } from './envelope.ts';
import { soapRecord } from './records.ts';
import { children, childText, textOf, type XmlElements } from './xml.ts';

/** Who calls, and what gets in the way of the call. */
interface SoapSaver {
  readonly userId: string;
  readonly fault: OrgFault | undefined;
}

/** Answers a call with one result for each of its records, in their order. */
type Save = (state: OrgState, call: SoapCall, by: SoapSaver) => XmlElements[];

/** The calls that change rows. */
export const saves: Readonly<Record<string, Save>> = {
  create: (state, call, by) =>
    records(state, call, by, (object, run, options) => state.dml.insert(object, run, options)).map(saveResult),
  update: (state, call, by) =>
    records(state, call, by, (object, run, options) => state.dml.update(object, run, options)).map(saveResult),
  upsert(state, call, by) {
    const name = childText(call.body, 'externalIDFieldName') ?? '';
    const keyOf = (object: SObject): string => {
      const key = object.field(name);
      if (key) return key.name;
      throw new Refusal(500, 'INVALID_FIELD', `No such column '${name}' on entity '${object.name}'.`);
    };
    return records(state, call, by, (object, run, options) =>
      state.dml.upsert(object, keyOf(object), run, options),
    ).map((result) => ({ created: result.created, ...saveResult(result) }));
  },
  delete: (state, call, by) =>
    ids(state, call, by, (run, options) => state.dml.remove(run, options), toBeDeleted).map(saveResult),
  undelete: (state, call, by) =>
    ids(state, call, by, (run, options) => state.dml.undelete(run, options), toBeUndeleted).map(saveResult),
  emptyRecycleBin: (state, call, by) =>
    ids(state, call, by, (run) => purged(state, run), toBeUndeleted).map(saveResult),
};

function records(
  state: OrgState,
  call: SoapCall,
  by: SoapSaver,
  save: (
    object: SObject,
    run: readonly ReturnType<typeof soapRecord>['record'][],
    options: SaveOptions,
  ) => SaveResult[],
): SaveResult[] {
  const elements = children(call.body, 'sObjects');
  if (elements.length > mostRecords) throw tooManyRecords();
  const options = saveOptions(call, by);
  const inputs = elements.map((element) => soapRecord(state, element));
  return saveRuns(state, inputs, { allOrNone: options.allOrNone, fault: by.fault }, (object, run) =>
    save(object, run, options),
  );
}

function ids(
  state: OrgState,
  call: SoapCall,
  by: SoapSaver,
  save: (run: readonly string[], options: SaveOptions) => SaveResult[],
  prepared: (state: OrgState, id: string) => CallRecord<string>,
): SaveResult[] {
  const options = saveOptions(call, by);
  const given = children(call.body, 'ids').map((element) => prepared(state, textOf(element).trim()));
  return saveRuns(state, given, { allOrNone: options.allOrNone, fault: by.fault }, (_, run) => save(run, options));
}

const notInBin = 'Entity is not in the recycle bin';

function toBeUndeleted(state: OrgState, id: string): CallRecord<string> {
  const known = toBeDeleted(state, id);
  const isUnknown = !('object' in known) && isId(id);
  return isUnknown ? failed('UNDELETE_FAILED', notInBin) : known;
}

function purged(state: OrgState, run: readonly string[]): SaveResult[] {
  const results = run.map((id): SaveResult => {
    const source = state.schema.objectOfId(id18(id), [...state.database.tables.keys()])?.table.source;
    const number = source?.find(id18(id)) ?? -1;
    if (!source || number < 0 || source.row(number).IsDeleted !== true) return failed('DELETE_FAILED', notInBin);
    return { id: id18(id), created: false, errors: [] };
  });
  state.dml.emptyRecycleBin(results.flatMap(({ id }) => id ?? []));
  return results;
}

/** Headers that have nothing to say to the practice org: it writes no feed, sends no mail, remembers no recently used rows. */
const harmless = ['SessionHeader', 'CallOptions', 'DisableFeedTrackingHeader', 'EmailHeader', 'MruHeader'];
const understood = ['AllOrNoneHeader', 'AssignmentRuleHeader', 'DuplicateRuleHeader', ...harmless];

/** How the headers of a call want its records saved (restore 6.2). Without them: no assignment rules, no duplicates, partial saves. */
function saveOptions({ headers }: SoapCall, { userId }: SoapSaver): SaveOptions {
  for (const name of headers.keys()) if (!understood.includes(name)) throw unsupported(`the SOAP header ${name}`);
  const says = (header: string, name: string) => childText(headers.get(header), name)?.trim() === 'true';
  if (childText(headers.get('AssignmentRuleHeader'), 'assignmentRuleId'))
    throw unsupported('an assignment rule by Id in AssignmentRuleHeader');
  return {
    api: 'soap',
    userId,
    allOrNone: says('AllOrNoneHeader', 'allOrNone'),
    assign: says('AssignmentRuleHeader', 'useDefaultRule'),
    allowDuplicates: says('DuplicateRuleHeader', 'allowSave'),
  };
}

function saveResult({ id, errors }: SaveResult): XmlElements {
  return {
    errors: errors.map(({ code, message, fields }) => ({ fields: [...fields], message, statusCode: code })),
    id: errors.length > 0 ? null : id!,
    success: errors.length === 0,
  };
}
