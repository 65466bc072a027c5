import { audit, boolean, date, id, int, number as numberField, picklist, required, system } from '../declaration.ts';
import { dayFrom, type SampleObject, type SampleOrg, setupTraits } from '../sample.ts';

const currencies = ['CHF', 'EUR', 'JPY', 'USD'];

const currencyType: SampleObject = {
  declaration: {
    name: 'CurrencyType',
    prefix: '01L',
    label: 'Currency Type',
    more: { ...setupTraits, deletable: false },
    fields: [
      id('Id'),
      picklist('IsoCode', currencies, { ...required, length: 40 }),
      numberField('ConversionRate', 'double', 18, 6, required),
      int('DecimalPlaces', required),
      boolean('IsActive'),
      boolean('IsCorporate', system),
      ...audit,
    ],
  },
  count: currencies.length,
  row: (number) => ({
    IsoCode: currencies[number]!,
    ConversionRate: [1, 0.95, 165.123456, 1.1][number]!,
    DecimalPlaces: currencies[number] === 'JPY' ? 0 : 2,
    IsActive: true,
    IsCorporate: number === 0,
  }),
};

const datedConversionRate: SampleObject = {
  declaration: {
    name: 'DatedConversionRate',
    prefix: '04w',
    label: 'Dated Conversion Rate',
    more: setupTraits,
    fields: [
      id('Id'),
      picklist('IsoCode', currencies, { ...required, length: 40 }),
      date('StartDate', required),
      date('NextStartDate', system),
      numberField('ConversionRate', 'double', 18, 6, required),
      ...audit,
    ],
  },
  count: 24,
  row: (number, org, random) => ({
    IsoCode: currencies[number % 4]!,
    StartDate: dayFrom(org.now, -30 * (6 - Math.floor(number / 4))),
    NextStartDate: dayFrom(org.now, -30 * (5 - Math.floor(number / 4))),
    ConversionRate: random.int(1, 2_000_000) / 1_000_000,
  }),
};

export const currencyObjects: readonly SampleObject[] = [currencyType, datedConversionRate];

/** Objects whose amounts are in a currency of their own, in an org of several. */
export function withCurrency(object: SampleObject): SampleObject {
  const { fields, name } = object.declaration;
  const own = name.endsWith('__b') || name.endsWith('__mdt') || object.declaration.more?.customSetting;
  if (own || !fields.some(({ type }) => type === 'currency')) return object;
  return {
    ...object,
    declaration: { ...object.declaration, fields: [...fields, picklist('CurrencyIsoCode', currencies, { length: 3 })] },
    row: (number: number, org: SampleOrg, random) => ({
      ...object.row.call(object, number, org, random),
      CurrencyIsoCode: currencies[number % currencies.length]!,
    }),
  };
}
