import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulkUnfit, encodeBulkRow, parseErrorCell, tooManyColumns } from '../../src/salesforce/bulk-csv.ts';

test('an error cell gives its code, its message with whatever stands in it, and its fields', () => {
  const cases: [string, ReturnType<typeof parseErrorCell>][] = [
    ['', []],
    [
      'REQUIRED_FIELD_MISSING:Required fields are missing: [Product__c, Broker__c]:Product__c,Broker__c --',
      [
        {
          code: 'REQUIRED_FIELD_MISSING',
          message: 'Required fields are missing: [Product__c, Broker__c]',
          fields: ['Product__c', 'Broker__c'],
        },
      ],
    ],
    [
      'DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: 006Ov000004iYzqIAE:--',
      [
        {
          code: 'DUPLICATE_VALUE',
          message: 'duplicate value found: Key__c duplicates value on record with id: 006Ov000004iYzqIAE',
          fields: [],
        },
      ],
    ],
    [
      'ENTITY_IS_DELETED:entity is deleted:--',
      [{ code: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }],
    ],
    [
      'FIELD_CUSTOM_VALIDATION_EXCEPTION:Line one;\nline two: "x" -- and more:Amount --',
      [
        {
          code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
          message: 'Line one;\nline two: "x" -- and more',
          fields: ['Amount'],
        },
      ],
    ],
    [
      'STRING_TOO_LONG:Name: data value too large:Name --;REQUIRED_FIELD_MISSING:Required fields are missing: [A]:A --',
      [
        { code: 'STRING_TOO_LONG', message: 'Name: data value too large', fields: ['Name'] },
        { code: 'REQUIRED_FIELD_MISSING', message: 'Required fields are missing: [A]', fields: ['A'] },
      ],
    ],
    [
      'INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--; MALFORMED_ID:bad id: 1:--',
      [
        { code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] },
        { code: 'MALFORMED_ID', message: 'bad id: 1', fields: [] },
      ],
    ],
    [
      'UNKNOWN_EXCEPTION:no end mark: at all',
      [{ code: 'UNKNOWN_EXCEPTION', message: 'no end mark: at all', fields: [] }],
    ],
    ['something else', [{ code: '', message: 'something else', fields: [] }]],
  ];
  for (const [text, errors] of cases) assert.deepEqual(parseErrorCell(text), errors, text);
});

test('a row says why Bulk cannot carry it', () => {
  assert.equal(bulkUnfit(['plain', '', null, undefined, 'two\nlines', 'N/A']), undefined);
  assert.equal(bulkUnfit(['x'.repeat(32_000)]), undefined);
  assert.equal(bulkUnfit(['x'.repeat(32_001)]), 'cell-too-long');
  assert.equal(bulkUnfit(Array.from({ length: 20 }, () => 'x'.repeat(20_000))), undefined);
  assert.equal(bulkUnfit(Array.from({ length: 21 }, () => 'x'.repeat(20_000))), 'row-too-long');
  assert.equal(bulkUnfit(['#N/A']), 'literal-null');
  assert.equal(bulkUnfit(['a\r\nb']), 'carriage-return');
  assert.equal(tooManyColumns(['Id', 'Name']), false);
  assert.equal(tooManyColumns(Array.from({ length: 1000 }, (_, i) => `A_long_name_of_a_custom_field_${i}__c`)), true);
});

test('rows are written with all cells quoted, a null as #N/A, and a field that is not touched as nothing', () => {
  assert.equal(encodeBulkRow(['a"b', null, '', undefined, 'ü\n,']), '"a""b","#N/A","#N/A","","ü\n,"\n');
});
