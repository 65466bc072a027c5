import type { Value } from '../database.ts';
import {
  addressOf,
  autoNumber,
  boolean,
  combobox,
  customFields,
  date,
  datetime,
  email,
  geolocation,
  int,
  multipicklist,
  number as numberField,
  phone,
  picklist,
  reference,
  richText,
  string,
  textarea,
  time,
  url,
} from '../declaration.ts';
import type { Random } from '../random.ts';
import { type SampleObject, serial } from '../sample.ts';
import { longText, torture, tortureDates, tortureDatetimes, tortureNumbers, tortureTimes } from '../torture.ts';
import { prose } from '../words.ts';
import { addressCells } from './places.ts';

/** What a currency of 18 digits, two of them behind the point, can hold. */
const amounts = tortureNumbers.filter((n) => Math.abs(n) < 1e16 && Math.round(n * 100) / 100 === n);
const fractions = [0.1, 0.30000000000000004, 1e-17, 9.99999999999999, -0.5, 1 / 3, 0.001, 0.0001, 1e-7];
const colours = ['red', 'green', 'blue', 'ultra; violet', 'infra "red"'];
/** One of a list by row number; every fifth row has none. */
function nth<T extends Value>(list: readonly T[], number: number): T | null {
  return number % 5 === 4 && number >= list.length ? null : list[number % list.length]!;
}

/** A custom object with a field of every type; its rows walk along the edges of each. */
export const everything: SampleObject = {
  declaration: {
    name: 'Everything__c',
    prefix: 'a05',
    label: 'Everything',
    more: { labelPlural: 'Everything' },
    fields: customFields(string('Name', 80, { nameField: true, idLookup: true, permissionable: false }), [
      string('Text__c', 255),
      string('Key__c', 80, { externalId: true, unique: true, idLookup: true }),
      textarea('Text_Area__c', 255),
      textarea('Long_Text__c', 131072),
      richText('Rich_Text__c', 131072),
      picklist('Continent__c', ['Africa', 'Asia', 'Europe', { value: 'Atlantis', active: false }], {
        restrictedPicklist: true,
      }),
      picklist(
        'City__c',
        [
          { value: 'Nairobi', validFor: ['Africa'] },
          { value: 'Tokyo', validFor: ['Asia'] },
          { value: 'Istanbul', validFor: ['Asia', 'Europe'] },
          { value: 'Zürich', validFor: ['Europe'], defaultValue: true },
        ],
        { controllerName: 'Continent__c' },
      ),
      multipicklist('Colours__c', colours),
      combobox('Combo__c', ['one', 'two']),
      reference('Any_Account__c', 'Account', { children: 'Everythings__r' }),
      reference('Self__c', 'Everything__c', { children: 'Selves__r' }),
      boolean('Flag__c', { defaultValue: true }),
      numberField('Money__c', 'currency', 18, 2),
      numberField('Number__c', 'double', 18, 0),
      numberField('Fraction__c', 'double', 18, 17),
      numberField('Share__c', 'percent', 18, 4),
      int('Whole__c'),
      date('Day__c'),
      datetime('Moment__c'),
      time('Clock__c'),
      email('Mail__c'),
      phone('Phone__c'),
      url('Link__c'),
      ...geolocation('Place__c'),
      ...addressOf('Home__').map((field) => renamed(field)),
      { name: 'Secret__c', type: 'encryptedstring', more: { length: 32, mask: 'X', maskType: 'lastFour' } },
      autoNumber('Auto__c', { custom: true, permissionable: true }),
      string('Formula_Text__c', 1300, { calculated: true, calculatedFormula: 'Name & " / " & Text__c' }),
      numberField('Formula_Number__c', 'double', 18, 2, { calculated: true, calculatedFormula: 'Money__c * 2' }),
      boolean('Formula_Flag__c', { calculated: true, calculatedFormula: 'Number__c > 0' }),
      date('Formula_Day__c', { calculated: true, calculatedFormula: 'TODAY()' }),
      numberField('Roll_Up__c', 'currency', 18, 2, { calculated: true }),
    ]),
  },
  count: 90,
  row: (number, org, random) => ({
    Name: torture[number % torture.length]!.slice(0, 80),
    Text__c: nth(torture, number),
    Key__c: `key-${serial(number)}`,
    Text_Area__c: nth(torture, number + 20),
    Long_Text__c: number === 0 ? longText(131_072) : number === 1 ? longText(32_000) : texts(random, number),
    Rich_Text__c:
      number === 2
        ? `<p>${longText(131_065)}</p>`.slice(0, 131_072)
        : `<p>${texts(random, number + 7) ?? '&nbsp;'}</p>`,
    Continent__c: nth(['Africa', 'Asia', 'Europe', 'Atlantis'], number),
    City__c: nth(['Nairobi', 'Istanbul', 'Zürich'], number),
    Colours__c:
      number % 6 === 5
        ? null
        : colours
            .slice(0, 1 + (number % colours.length))
            .map((c) => c.replace(';', ','))
            .join(';'),
    Combo__c: nth(['one', 'two', 'something else'], number),
    Any_Account__c: number % 3 === 2 ? null : org.live('Account', number),
    Self__c:
      number % 4 === 0 ? org.id('Everything__c', number) : number > 4 ? org.id('Everything__c', number - 3) : null,
    Flag__c: number % 2 === 0,
    Money__c: nth(amounts, number),
    Number__c: nth(
      tortureNumbers.map((n) => Math.trunc(n) || 0),
      number,
    ),
    Fraction__c: nth(fractions, number),
    Share__c: nth([0, 0.0001, 12.5, 100, 1e7, -3.25], number),
    Whole__c: nth([0, 1, -1, 99_999_999, -99_999_999, 42], number),
    Day__c: nth(tortureDates, number),
    Moment__c: nth(tortureDatetimes, number),
    Clock__c: nth(tortureTimes, number),
    Mail__c: nth(
      ["o'brien+tag@example.com", 'a@b.example', 'very.long.address.of.somebody.somewhere@sub.domain.example.com'],
      number,
    ),
    Phone__c: nth(['+41 44 555 12 34', '(415) 555-1234 x9', '0012', '=1+1'], number),
    Link__c: nth(['https://example.com/?q=%22a%22&b=,;', 'http://xn--mnchen-3ya.example/ü', 'www.example.com'], number),
    Place__Latitude__s: nth([0, 47.376887, -90, 90, -33.86882], number),
    Place__Longitude__s: nth([0, 8.541694, -180, 180, 151.20929], number),
    ...renamedCells(addressCells(random, 'Home__')),
    Secret__c: nth(['4111111111111111', 'short', 'pass "word", 1'], number),
    Auto__c: `E-${serial(number)}`,
    Formula_Text__c: nth(torture, number),
    Formula_Number__c: nth(tortureNumbers, number),
    Formula_Flag__c: number % 3 === 0,
    Formula_Day__c: '2026-11-20',
    Roll_Up__c: (number * 1234.5) % 10_000,
  }),
};

function texts(random: Random, number: number): string | null {
  if (number % 7 === 6) return null;
  return number < torture.length ? torture[number]! : prose(random, random.int(100, 2000));
}

/** The parts of a custom address end in `__s`: `Home__Street__s` of `Home__c`. */
function renamed(field: ReturnType<typeof addressOf>[number]): ReturnType<typeof addressOf>[number] {
  if (field.name === 'Home__Address') return { ...field, name: 'Home__c' };
  return { ...field, name: `${field.name}__s`, more: { ...field.more, compoundFieldName: 'Home__c', custom: true } };
}

function renamedCells(cells: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(cells).map(([name, value]) => [`${name}__s`, value]));
}
