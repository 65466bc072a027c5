import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Step } from '../../../src/operations/restore/apply/entries.ts';
import { knownCodes, mostTries, remedyOf, twinIn } from '../../../src/operations/restore/apply/errors.ts';
import type { WriteError } from '../../../src/salesforce/writing.ts';

const error = (code: string, message = '', fields: readonly string[] = []): WriteError => ({ code, message, fields });

/** Rows of the table of field guide, restore 7: code, message, fields -> what is done. */
const table: readonly [code: string, message: string, kind: string, step?: Step, fields?: readonly string[]][] = [
  ['UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record or 200 records', 'wait'],
  ['TooManyLockFailure', '', 'wait'],
  ['REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', 'stop'],
  ['REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded', 'wait'],
  ['ExceededQuota', '', 'stop'],
  ['SERVER_UNAVAILABLE', '', 'wait'],
  ['UNKNOWN_EXCEPTION', 'An unexpected error occurred: 1133111327-118855 (-1)', 'wait'],
  ['INVALID_SESSION_ID', 'Session expired or invalid', 'stop'],
  ['REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', 'report'],
  ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'Contacts of closed accounts are not wanted', 'late'],
  ['FIELD_INTEGRITY_EXCEPTION', 'Every asset needs an account, a contact, or both.', 'report'],
  ['FIELD_FILTER_VALIDATION_EXCEPTION', 'Value does not match filter criteria.', 'without', 'insert', ['Contact__c']],
  ['FIELD_FILTER_VALIDATION_EXCEPTION', 'Value does not match filter criteria.', 'report'],
  ['INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'report'],
  ['INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', 'gone', 'delete'],
  ['MALFORMED_ID', 'Region: id value of incorrect type: North', 'report'],
  ['ENTITY_IS_DELETED', 'entity is deleted', 'report'],
  ['ENTITY_IS_DELETED', 'entity is deleted', 'gone', 'delete'],
  ['INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY', 'insufficient access rights on cross-reference id', 'report'],
  ['INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id', 'report'],
  ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'entity type cannot be inserted: Campaign', 'report'],
  [
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    'T: execution of BeforeInsert caused by: System.NullPointerException',
    'smaller',
  ],
  [
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    'Too many retries of batch save in the presence of Apex triggers with failures',
    'smaller',
  ],
  ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'SBQQ:Too many SOQL queries: 101', 'smaller'],
  ['CANNOT_EXECUTE_FLOW_TRIGGER', 'We can’t save this record because the “X” process failed', 'smaller'],
  ['DUPLICATE_VALUE', 'duplicate value found: X duplicates value on record with id: 0015e0000000001', 'twin'],
  [
    'DUPLICATE_VALUE',
    'duplicate value found: X duplicates value on record with id: 0015e0000000001',
    'report',
    'update',
  ],
  ['DUPLICATES_DETECTED', 'Use one of these records?', 'allow-duplicates'],
  ['INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', 'Race: bad value for restricted picklist field: X', 'report'],
  ['INVALID_FIELD_FOR_INSERT_UPDATE', 'Unable to create/update fields: A, B.', 'without', 'insert', ['A', 'B']],
  ['INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call', 'report'],
  ['STRING_TOO_LONG', 'Name: data value too large', 'report'],
  ['INACTIVE_OWNER_OR_USER', 'operation performed with inactive user [005] as owner of case', 'report'],
  ['OP_WITH_INVALID_USER_TYPE_EXCEPTION', 'Operation not valid for this user type', 'report'],
  ['TRANSFER_REQUIRES_READ', '', 'report'],
  ['STORAGE_LIMIT_EXCEEDED', 'storage limit exceeded', 'stop'],
  ['FAILED_ACTIVATION', 'An order must have at least one product.', 'late', 'activate'],
  ['STANDARD_PRICE_NOT_DEFINED', 'Before creating a custom price, create a standard price.', 'late'],
  ['ENTITY_IS_LOCKED', '', 'report'],
  ['DELETE_FAILED', 'it is associated with the following cases', 'late', 'delete'],
  ['UNDELETE_FAILED', 'Entity is not in the recycle bin', 'report', 'undelete'],
  ['ALL_OR_NONE_OPERATION_ROLLED_BACK', '', 'resend'],
  ['PROCESSING_HALTED', '', 'resend'],
  ['A_CODE_OF_NEXT_YEAR', 'whatever it says', 'report'],
];

describe('what is done about an error', () => {
  for (const [code, message, kind, step = 'insert', fields = []] of table) {
    test(`${step}: ${code} ${message}: ${kind}`, () => {
      const named = message.includes('A, B') ? [] : fields;
      const remedy = remedyOf(step, [error(code, message, named)]);
      assert.equal(remedy.kind, kind);
      if (remedy.kind === 'without') assert.deepEqual(remedy.fields, fields);
    });
  }

  test('of several errors of a row the worst counts', () => {
    const both = [error('UNABLE_TO_LOCK_ROW'), error('REQUIRED_FIELD_MISSING')];
    assert.equal(remedyOf('insert', both).kind, 'report');
    assert.equal(remedyOf('insert', [...both, error('STORAGE_LIMIT_EXCEEDED')]).kind, 'stop');
  });

  test('each code has an advice', () => {
    for (const code of knownCodes) assert.match(remedyOf('insert', [error(code)]).advice, /\w+ \w+/, code);
  });

  test('no remedy is tried for ever', () => {
    for (const tries of Object.values(mostTries)) assert.ok(tries <= 7);
  });

  test('stops name a fault that a restore can go on after', () => {
    const faultOf = (code: string) => {
      const remedy = remedyOf('insert', [error(code)]);
      return remedy.kind === 'stop' ? remedy.fault : undefined;
    };
    assert.deepEqual(['STORAGE_LIMIT_EXCEEDED', 'REQUEST_LIMIT_EXCEEDED', 'INVALID_SESSION_ID'].map(faultOf), [
      'org-full',
      'api-budget',
      'session-expired',
    ]);
  });

  test('the Id of the other record is read from the message of a duplicate, with 15 or 18 characters', () => {
    const text = 'duplicate value found: Code__c duplicates value on record with id:';
    assert.equal(twinIn(`${text} 0015e0000000001`), '0015e0000000001');
    assert.equal(twinIn(`${text} 0015e0000000001AAA`), '0015e0000000001AAA');
    assert.equal(twinIn('Already a campaign member.'), undefined);
  });
});
