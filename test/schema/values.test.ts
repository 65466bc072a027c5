import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareDecimals, decimal } from '../../src/schema/decimal.ts';
import type { FieldDescribe } from '../../src/schema/describe.ts';
import { longId } from '../../src/schema/ids.ts';
import { canonicalValue, comparedFields, derivedField, sameValue, systemField } from '../../src/schema/values.ts';

const same = (type: string, a: string, b: string) => sameValue({ type }, a, b);

/** Type, one writing, another writing, whether both are one value. */
const cases: readonly (readonly [string, string, string, boolean])[] = [
  ['double', '100.0', '100', true],
  ['double', '1.0E2', '100', true],
  ['currency', '12345678901234.56', '1.234567890123456E13', true],
  ['percent', '.5', '0.50', true],
  ['double', '-0', '0', true],
  ['double', '9007199254740993', '9007199254740992', false],
  ['double', '100', '-100', false],
  ['double', '', '0', false],
  ['double', 'n/a', '1', false],
  ['int', '007', '7', true],
  ['string', '100.0', '100', false],
  ['datetime', '2026-11-20T08:00:00.000Z', '2026-11-20T08:00:00.000+0000', true],
  ['datetime', '2026-11-20T08:00:00Z', '2026-11-20T09:00:00.000+01:00', true],
  ['datetime', '2026-11-20T08:00:00.000Z', '2026-11-20T08:00:00.001Z', false],
  ['datetime', '1700-01-01T00:00:00.000Z', '1700-01-01T00:00:00.000+0000', true],
  ['date', '2026-11-20', '2026-11-20', true],
  ['date', '2026-11-20', '2026-11-21', false],
  ['time', '10:20:30.000Z', '10:20:30Z', true],
  ['time', '10:20:30.000Z', '10:20:30.5Z', false],
  ['boolean', 'true', 'TRUE', true],
  ['boolean', 'true', 'false', false],
  ['reference', '001D000000IqhSL', '001D000000IqhSLIAZ', true],
  ['reference', '001D000000IqhSL', '001D000000IqhSl', false],
  ['id', '001D000000IqhSLIAZ', '001D000000IqhSL', true],
  ['string', '001D000000IqhSL', '001D000000IqhSLIAZ', false],
  ['multipicklist', 'A;B', 'B;A', true],
  ['multipicklist', 'A;B', 'A', false],
  ['picklist', 'A;B', 'B;A', false],
  ['textarea', 'a\r\nb', 'a\nb', true],
  ['textarea', 'a\n\nb', 'a\nb', false],
  ['string', 'Acme', 'acme', false],
  ['string', 'null', '', false],
];

for (const [type, a, b, expected] of cases) {
  test(`${type}: ${JSON.stringify(a)} and ${JSON.stringify(b)} are ${expected ? 'one value' : 'two values'}`, () => {
    assert.equal(same(type, a, b), expected);
    assert.equal(same(type, b, a), expected);
  });
}

test('the canonical value of a number, a time, an Id and a set is the same however they are written', () => {
  assert.equal(canonicalValue({ type: 'double' }, '100.0'), canonicalValue({ type: 'double' }, '1E2'));
  assert.equal(canonicalValue({ type: 'datetime' }, '2026-11-20T08:00:00.000+0000'), '2026-11-20T08:00:00.000Z');
  assert.equal(canonicalValue({ type: 'time' }, '10:20:30Z'), '10:20:30.000Z');
  assert.equal(canonicalValue({ type: 'reference' }, '001D000000IqhSL'), '001D000000IqhSLIAZ');
  assert.equal(canonicalValue({ type: 'multipicklist' }, 'B;A;B'), 'A;B');
  assert.equal(canonicalValue({ type: 'string' }, ''), '');
});

test('every cell is the same as itself, of whatever type', () => {
  const types = fc.constantFrom(
    'string',
    'double',
    'datetime',
    'date',
    'time',
    'reference',
    'multipicklist',
    'boolean',
  );
  fc.assert(fc.property(types, fc.string(), (type, text) => same(type, text, text)));
});

test('a number is the same however it is written', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.nat(12), fc.nat(5), (whole, scale, shift) => {
      const text = `${whole}e-${scale}`;
      const digits = `${whole < 0n ? -whole : whole}`.padStart(scale + 1, '0');
      const point = digits.length - scale;
      const plain = `${whole < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}${'0'.repeat(shift)}`;
      assert.equal(same('double', text, plain), true);
      assert.equal(same('double', text, `${whole + 1n}e-${scale}`), false);
    }),
  );
});

test('numbers order as their values do', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), fc.integer({ min: -20, max: 20 }), (a, b, exponent) => {
      const order = compareDecimals(decimal(`${a}e${exponent}`)!, decimal(`${b}e${exponent}`)!);
      assert.equal(Math.sign(order), a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test('an instant is the same in every zone', () => {
  const zone = fc.tuple(fc.integer({ min: -11, max: 11 }), fc.constantFrom(0, 30));
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1700-01-01'), max: new Date('4000-01-01'), noInvalidDate: true }),
      zone,
      (date, zone) => {
        const [hours, minutes] = zone;
        const sign = hours < 0 ? -1 : 1;
        const local = new Date(date.getTime() + sign * (Math.abs(hours) * 60 + minutes) * 60_000);
        const offset = `${sign < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}${String(minutes).padStart(2, '0')}`;
        return same('datetime', date.toISOString(), `${local.toISOString().slice(0, -1)}${offset}`);
      },
    ),
  );
});

test('an Id is the same with its suffix and without', () => {
  fc.assert(fc.property(fc.stringMatching(/^[0-9A-Za-z]{15}$/), (id) => same('reference', id, longId(id))));
});

const field = (name: string, more: Partial<FieldDescribe> = {}) =>
  ({ name, type: 'string', calculated: false, compoundFieldName: null, ...more }) as FieldDescribe;

test('formulas, roll-ups, auto numbers, stamps, bytes and compounds are not compared', () => {
  const fields = [
    field('Id', { type: 'id' }),
    field('Name', { compoundFieldName: 'Name' }),
    field('LastModifiedDate', { type: 'datetime' }),
    field('Total__c', { calculated: true }),
    field('CaseNumber', { autoNumber: true }),
    field('VersionData', { type: 'base64' }),
    field('BillingAddress', { type: 'address' }),
    field('BillingCity', { compoundFieldName: 'BillingAddress' }),
    field('OwnerId', { type: 'reference' }),
  ];
  assert.deepEqual(
    comparedFields(fields).map(({ name }) => name),
    ['Name', 'BillingCity', 'OwnerId'],
  );
  assert.deepEqual(
    fields.filter(derivedField).map(({ name }) => name),
    ['Total__c', 'CaseNumber'],
  );
  assert.deepEqual(
    fields.filter(systemField).map(({ name }) => name),
    ['Id', 'LastModifiedDate'],
  );
});

test('the name of a person is not compared beside its parts', () => {
  const fields = [
    field('Name'),
    field('FirstName', { compoundFieldName: 'Name' }),
    field('LastName', { compoundFieldName: 'Name' }),
  ];
  assert.deepEqual(
    comparedFields(fields).map(({ name }) => name),
    ['FirstName', 'LastName'],
  );
});
