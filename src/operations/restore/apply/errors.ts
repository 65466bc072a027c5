import type { FaultName } from '../../../errors.ts';
import type { WriteError } from '../../../salesforce/writing.ts';
import type { Step } from './entries.ts';

/**
 * What is done about a row that the org did not do (field guide, restore 7). `wait`: again, later, in smaller groups. `smaller`: again in
 * smaller groups. `resend`: it was not at fault. `allow-duplicates`: again past rules that only warn. `without`: again without these
 * fields. `late`: once more when everything else stands. `twin`: another row has its key; look whether it is the same. `gone`: it need not
 * be done any more. `report`: nothing. `stop`: nothing more can be done to any row now.
 */
export type Remedy = { readonly advice: string } & (
  | { readonly kind: 'wait' | 'smaller' | 'resend' | 'allow-duplicates' | 'late' | 'twin' | 'gone' | 'report' }
  | { readonly kind: 'without'; readonly fields: readonly string[] }
  | { readonly kind: 'stop'; readonly fault: FaultName }
);
type Kind = Remedy['kind'];

/** How often a remedy is tried for one row: never for ever. */
export const mostTries: Readonly<Record<Kind, number>> = {
  wait: 7,
  smaller: 3,
  resend: 7,
  'allow-duplicates': 1,
  without: 1,
  late: 1,
  twin: 1,
  gone: 0,
  report: 0,
  stop: 0,
};
/** Tries of one row in all, whatever its errors. */
export const mostTriesOfRow = 10;

interface Rule {
  readonly kind: Kind;
  readonly advice: string;
  readonly fault?: FaultName;
}

/** Codes that are ours: what no org said. */
export const ownCodes = {
  unprocessed: 'NOT_PROCESSED',
  reference: 'REFERENCE_UNRESOLVED',
  required: 'REQUIRED_LEFT_OUT',
  uncertain: 'OUTCOME_UNKNOWN',
  notMade: 'NOT_MADE_BY_PLATFORM',
  differentTwin: 'DUPLICATE_DIFFERS',
  tooManyTries: 'TRIED_TOO_OFTEN',
  lostFile: 'FILE_NOT_IN_POINT',
  notInSource: 'NOT_IN_POINT',
} as const;

const parent = 'restore the record that it refers to first, or select it too with --with-parents';
const owner = 'map the owner to an active user who may own such records';
const automation =
  'switch off the trigger, flow or rule that is named for the restore, then restore the failed rows again';
const locked = 'restore the failed rows again when fewer others write to the same parents';
const manual = 'look at the record in the org; it has to be decided by hand';

const rules: Readonly<Record<string, Rule>> = {
  UNABLE_TO_LOCK_ROW: { kind: 'wait', advice: locked },
  TOOMANYLOCKFAILURE: { kind: 'wait', advice: locked },
  SERVER_UNAVAILABLE: { kind: 'wait', advice: 'restore the failed rows again later' },
  UNKNOWN_EXCEPTION: { kind: 'wait', advice: 'tell Salesforce support the number in the message' },
  QUERY_TIMEOUT: { kind: 'wait', advice: 'restore the failed rows again later' },
  REQUEST_LIMIT_EXCEEDED: { kind: 'stop', fault: 'api-budget', advice: 'go on when the limit resets' },
  EXCEEDEDQUOTA: { kind: 'stop', fault: 'api-budget', advice: 'go on when the limit of batches resets' },
  STORAGE_LIMIT_EXCEEDED: { kind: 'stop', fault: 'org-full', advice: 'free storage in the org, then go on' },
  INVALID_SESSION_ID: { kind: 'stop', fault: 'session-expired', advice: 'log in again, then go on' },
  REQUIRED_FIELD_MISSING: {
    kind: 'report',
    advice: 'give the field a default in the org, then restore the failed rows again',
  },
  FIELD_CUSTOM_VALIDATION_EXCEPTION: { kind: 'late', advice: automation },
  FIELD_INTEGRITY_EXCEPTION: { kind: 'report', advice: manual },
  FIELD_FILTER_VALIDATION_EXCEPTION: {
    kind: 'without',
    advice: 'the lookup filter of the field refuses the value; set it by hand',
  },
  INVALID_CROSS_REFERENCE_KEY: { kind: 'report', advice: parent },
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: {
    kind: 'report',
    advice: `${parent}; it may also be hidden from this user`,
  },
  MALFORMED_ID: { kind: 'report', advice: 'report this as a bug: a lookup was given an Id of another object' },
  ENTITY_IS_DELETED: { kind: 'report', advice: parent },
  INSUFFICIENT_ACCESS_OR_READONLY: { kind: 'report', advice: 'give the restoring user Modify All on the object' },
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: { kind: 'smaller', advice: automation },
  CANNOT_EXECUTE_FLOW_TRIGGER: { kind: 'smaller', advice: automation },
  APEX_DATA_ACCESS: { kind: 'smaller', advice: automation },
  DUPLICATE_VALUE: {
    kind: 'twin',
    advice: 'another record has the value of the unique field: change or delete one of the two',
  },
  DUPLICATE_EXTERNAL_ID: { kind: 'report', advice: manual },
  DUPLICATES_DETECTED: {
    kind: 'allow-duplicates',
    advice: 'a duplicate rule blocks the record: switch the rule off for the restore',
  },
  INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: {
    kind: 'report',
    advice: 'activate the picklist value in the org, for the record type of the row',
  },
  INVALID_FIELD_FOR_INSERT_UPDATE: { kind: 'without', advice: 'give the restoring user edit access to the field' },
  INVALID_FIELD: { kind: 'report', advice: 'the field is hidden or gone: make the plan again' },
  INVALID_TYPE: { kind: 'report', advice: 'the feature of the object is off in the org' },
  STRING_TOO_LONG: { kind: 'report', advice: 'the field became shorter: widen it in the org' },
  NUMBER_OUTSIDE_VALID_RANGE: { kind: 'report', advice: 'the field takes fewer digits now: widen it in the org' },
  INVALID_EMAIL_ADDRESS: { kind: 'report', advice: manual },
  INACTIVE_OWNER_OR_USER: { kind: 'report', advice: `${owner}, or permit "Update Records with Inactive Owners"` },
  OP_WITH_INVALID_USER_TYPE_EXCEPTION: { kind: 'report', advice: owner },
  TRANSFER_REQUIRES_READ: { kind: 'report', advice: owner },
  INVALID_OPERATION: { kind: 'report', advice: manual },
  CANNOT_UPDATE_CONVERTED_LEAD: { kind: 'report', advice: 'converted leads cannot be changed' },
  FAILED_ACTIVATION: { kind: 'late', advice: 'activate the record by hand when its lines are complete' },
  STANDARD_PRICE_NOT_DEFINED: { kind: 'late', advice: 'restore the entry of the standard price book first' },
  ENTITY_IS_LOCKED: {
    kind: 'report',
    advice: 'an approval locks the record: unlock it, then restore the failed rows again',
  },
  ENTITY_IS_ARCHIVED: { kind: 'report', advice: 'archived records cannot be changed' },
  RECORD_IN_USE_BY_WORKFLOW: { kind: 'late', advice: automation },
  DELETE_FAILED: { kind: 'late', advice: 'delete what is associated with the record first' },
  DEPENDENCY_EXISTS: { kind: 'late', advice: 'delete what depends on the record first' },
  CANNOT_REPARENT_RECORD: { kind: 'report', advice: manual },
  UNDELETE_FAILED: { kind: 'report', advice: 'the record is no longer in the recycle bin' },
  MIXED_DML_OPERATION: { kind: 'smaller', advice: automation },
  ALL_OR_NONE_OPERATION_ROLLED_BACK: { kind: 'resend', advice: 'restore the failed rows again' },
  PROCESSING_HALTED: { kind: 'resend', advice: 'restore the failed rows again' },
  CIRCULAR_DEPENDENCY: {
    kind: 'report',
    advice: 'records of the org refer to each other in a circle: break it by hand',
  },
  SELF_REFERENCE_FROM_TRIGGER: { kind: 'smaller', advice: automation },
  [ownCodes.unprocessed]: { kind: 'resend', advice: 'restore the failed rows again' },
  [ownCodes.reference]: { kind: 'report', advice: parent },
  [ownCodes.required]: {
    kind: 'report',
    advice: 'the org refuses a field that it requires: give the user access to it',
  },
  [ownCodes.uncertain]: {
    kind: 'report',
    advice: 'look in the org whether the record is there before it is restored again',
  },
  [ownCodes.notMade]: {
    kind: 'report',
    advice: 'the platform makes such records along with others and did not: look at the other one',
  },
  [ownCodes.differentTwin]: {
    kind: 'report',
    advice: 'another record has the value of the unique field: change or delete one of the two',
  },
  [ownCodes.tooManyTries]: { kind: 'report', advice: 'restore the failed rows again later' },
  [ownCodes.notInSource]: { kind: 'report', advice: 'make the plan again: the point does not hold the row' },
  [ownCodes.lostFile]: { kind: 'report', advice: 'the point does not hold the bytes; see `notCovered` of the point' },
};

const severity: readonly Kind[] = [
  ...(['stop', 'report', 'twin', 'without', 'late', 'allow-duplicates', 'smaller', 'wait', 'resend', 'gone'] as const),
];

/** What is done about a row with these errors: what the worst of them asks for. `errors` is not empty. */
export function remedyOf(step: Step, errors: readonly WriteError[]): Remedy {
  const remedies = errors.map((error) => remedyOfOne(step, error));
  return remedies.sort((a, b) => severity.indexOf(a.kind) - severity.indexOf(b.kind))[0] ?? unknown;
}

const unknown: Remedy = { kind: 'report', advice: manual };

function remedyOfOne(step: Step, { code, message, fields }: WriteError): Remedy {
  const rule = Object.hasOwn(rules, code.toUpperCase()) ? rules[code.toUpperCase()]! : unknown;
  const { advice } = rule;
  if (step === 'delete' && /^(ENTITY_IS_DELETED|INVALID_CROSS_REFERENCE_KEY)$/.test(code))
    return { kind: 'gone', advice };
  // What the platform keeps for the sake of another record goes with that one.
  if (step === 'delete' && code === 'INVALID_OPERATION') return { kind: 'late', advice };
  switch (rule.kind) {
    case 'without': {
      const named = fields.length > 0 ? fields : namedIn(message);
      return named.length > 0 ? { kind: 'without', fields: named, advice } : { kind: 'report', advice };
    }
    case 'twin':
      return step === 'insert' ? { kind: 'twin', advice } : { kind: 'report', advice };
    case 'smaller':
      if (/cannot be inserted|cannot be updated/i.test(message)) {
        return { kind: 'report', advice: 'the user may not create such records, or nobody may' };
      }
      return { kind: 'smaller', advice };
    case 'stop':
      // Too many at the same time, rather than in a day.
      if (/concurrent/i.test(message)) return { kind: 'wait', advice };
      return { kind: 'stop', fault: (rule as Rule).fault ?? 'org-unavailable', advice };
    default:
      return { kind: rule.kind, advice };
  }
}

/** `Unable to create/update fields: A, B. Please check …`, where the error names no fields itself. */
function namedIn(message: string): string[] {
  const list = /fields: ([\w, ]+)/.exec(message)?.[1] ?? '';
  return list.split(',').flatMap((name) => name.trim() || []);
}

/** The Id that a DUPLICATE_VALUE names, 15 or 18 characters. */
export function twinIn(message: string): string | undefined {
  return /\bid: ?([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)\b/i.exec(message)?.[1];
}

/** Codes that the table knows, for its test. */
export const knownCodes: readonly string[] = Object.keys(rules);
