import {
  addressOf,
  audit,
  autoNumber,
  boolean,
  date,
  id,
  int,
  isDeleted,
  number as numberField,
  owner,
  picklist,
  reference,
  required,
  string,
  system,
  textarea,
  url,
  userOwner,
  views,
} from '../declaration.ts';
import { dayFrom, type SampleObject, serial } from '../sample.ts';
import { torture } from '../torture.ts';
import { sentence } from '../words.ts';
import { description } from './accounts.ts';
import { addressCells } from './places.ts';

const things = ['Pump', 'Valve', 'Sensor', 'Controller', 'Filter', 'Motor', 'Panel', 'Support Plan', 'Training'];
export const productCount = 60;

const product: SampleObject = {
  declaration: {
    name: 'Product2',
    prefix: '01t',
    label: 'Product',
    fields: [
      id('Id'),
      string('Name', 255, { ...required, nameField: true }),
      string('ProductCode', 255),
      textarea('Description', 4000),
      boolean('IsActive'),
      ...audit,
      picklist('Family', ['Hardware', 'Software', 'Service', 'Spare Parts']),
      url('DisplayUrl', { length: 1000 }),
      picklist('QuantityUnitOfMeasure', ['Each', 'Hour', 'm²']),
      isDeleted,
      boolean('IsArchived', system),
      ...views,
      string('StockKeepingUnit', 180, { externalId: false }),
    ],
  },
  count: productCount,
  row: (number, org, random) => ({
    Name: `${random.pick(things)} ${number % 7 === 3 ? '½" ' : ''}${random.pick(['X', 'Pro', 'Mini', 'GT'])}-${100 + number}${org.tag('Product2', number)}`,
    ProductCode: `P-${1000 + number}`,
    Description: number < 40 ? torture[number]! : sentence(random, 12),
    IsActive: random.chance(90),
    Family: random.pick(['Hardware', 'Software', 'Service', 'Spare Parts', null]),
    DisplayUrl: random.chance(30) ? `https://example.com/p/${number}?a=1&b=%22` : null,
    QuantityUnitOfMeasure: random.pick(['Each', 'Hour', 'm²', null]),
    StockKeepingUnit: `SKU-${serial(number)}`,
  }),
};

const pricebook: SampleObject = {
  declaration: {
    name: 'Pricebook2',
    prefix: '01s',
    label: 'Price Book',
    fields: [
      id('Id'),
      isDeleted,
      string('Name', 255, { ...required, nameField: true }),
      ...audit,
      ...views,
      boolean('IsActive'),
      boolean('IsArchived', system),
      string('Description', 255),
      boolean('IsStandard', system),
    ],
  },
  count: 3,
  row: (number) => ({
    Name: ['Standard Price Book', 'Partners', 'Europe (€)'][number % 3]!,
    IsActive: true,
    Description: number === 0 ? null : 'Negotiated prices',
    IsStandard: number === 0,
  }),
};

const pricebookEntry: SampleObject = {
  declaration: {
    name: 'PricebookEntry',
    prefix: '01u',
    label: 'Price Book Entry',
    more: { undeletable: false },
    fields: [
      id('Id'),
      string('Name', 255, { ...system, nameField: true }),
      reference('Pricebook2Id', 'Pricebook2', {
        ...required,
        updateable: false,
        children: 'PricebookEntries',
        parentCascades: true,
      }),
      reference('Product2Id', 'Product2', { ...required, updateable: false, children: 'PricebookEntries' }),
      numberField('UnitPrice', 'currency', 18, 2, required),
      boolean('IsActive'),
      boolean('UseStandardPrice'),
      ...audit,
      string('ProductCode', 255, system),
      isDeleted,
      boolean('IsArchived', system),
    ],
  },
  // Each product stands in the standard price book first: the platform asks for that before any other.
  count: productCount * 2,
  loadedTogether: productCount,
  row: (number, org, random) => ({
    Name: `Entry ${number + 1}`,
    Pricebook2Id: org.id('Pricebook2', number < productCount ? 0 : 1 + (number % 2)),
    Product2Id: org.id('Product2', number % productCount),
    UnitPrice: random.int(100, 900_000) / 100,
    IsActive: true,
    ProductCode: `P-${1000 + (number % productCount)}`,
  }),
};

const contract: SampleObject = {
  declaration: {
    name: 'Contract',
    prefix: '800',
    label: 'Contract',
    fields: [
      id('Id'),
      reference('AccountId', 'Account', {
        ...required,
        updateable: false,
        children: 'Contracts',
        parentCascades: true,
      }),
      reference('Pricebook2Id', 'Pricebook2', { children: 'Contracts' }),
      date('StartDate'),
      date('EndDate', system),
      ...addressOf('Billing'),
      int('ContractTerm'),
      userOwner,
      picklist('Status', [{ value: 'Draft', defaultValue: true }, 'In Approval Process', 'Activated'], {
        ...required,
        defaultedOnCreate: true,
        length: 40,
      }),
      reference('CustomerSignedId', 'Contact', { children: 'ContractsSigned' }),
      date('CustomerSignedDate'),
      textarea('SpecialTerms', 4000),
      textarea('Description', 32000),
      isDeleted,
      autoNumber('ContractNumber', { nameField: true, idLookup: true }),
      ...audit,
      ...views,
    ],
  },
  count: 80,
  row: (number, org, random) => ({
    AccountId: org.live('Account', number * 5),
    Pricebook2Id: random.chance(50) ? org.id('Pricebook2', 1) : null,
    StartDate: dayFrom(org.now, -random.int(1, 900)),
    EndDate: dayFrom(org.now, random.int(1, 900)),
    ...addressCells(random, 'Billing'),
    ContractTerm: random.pick([12, 24, 36]),
    Status: random.pick(['Draft', 'In Approval Process', 'Activated']),
    CustomerSignedId: random.chance(50) ? org.live('Contact', number * 5) : null,
    SpecialTerms: random.chance(40) ? `1. ${sentence(random, 12)}\r\n2. ${sentence(random, 9)}` : null,
    Description: description(number, org, 'Contract', 200),
    ContractNumber: serial(number),
  }),
};

const order: SampleObject = {
  declaration: {
    name: 'Order',
    prefix: '801',
    label: 'Order',
    fields: [
      id('Id'),
      owner,
      reference('ContractId', 'Contract', { children: 'Orders' }),
      reference('AccountId', 'Account', { children: 'Orders', parentCascades: true }),
      reference('Pricebook2Id', 'Pricebook2', { children: 'Orders' }),
      reference('OriginalOrderId', 'Order', { updateable: false, children: 'Orders' }),
      date('EffectiveDate', required),
      boolean('IsReductionOrder'),
      picklist('Status', ['Draft', 'Activated'], required),
      textarea('Description', 32000),
      picklist('Type', ['Normal', 'Rush']),
      ...addressOf('Shipping'),
      string('PoNumber', 80),
      reference('ShipToContactId', 'Contact', {}),
      autoNumber('OrderNumber', { nameField: true, idLookup: true }),
      numberField('TotalAmount', 'currency', 18, 2, { ...system, nillable: false, calculated: true }),
      ...audit,
      isDeleted,
      ...views,
    ],
  },
  count: 150,
  row: (number, org, random) => ({
    ContractId: random.chance(50) ? org.live('Contract', number) : null,
    AccountId: org.live('Account', number * 5),
    Pricebook2Id: org.id('Pricebook2', 0),
    OriginalOrderId: number % 20 === 19 ? org.live('Order', number - 10) : null,
    EffectiveDate: dayFrom(org.now, -random.int(1, 900)),
    IsReductionOrder: number % 20 === 19,
    Status: random.pick(['Draft', 'Activated']),
    Description: description(number, org, 'Order', 120),
    Type: random.pick(['Normal', 'Rush', null]),
    ...addressCells(random, 'Shipping'),
    // Leading zeros go when a spreadsheet takes it for a number.
    PoNumber: `000${random.int(1, 99_999)}`,
    ShipToContactId: org.live('Contact', number * 3),
    OrderNumber: serial(number),
    TotalAmount: random.int(0, 5_000_000) / 100,
  }),
};

const orderItem: SampleObject = {
  declaration: {
    name: 'OrderItem',
    prefix: '802',
    label: 'Order Product',
    more: { undeletable: false },
    fields: [
      id('Id'),
      reference('Product2Id', 'Product2', { updateable: false, children: 'OrderItems' }),
      isDeleted,
      reference('OrderId', 'Order', { ...required, updateable: false, children: 'OrderItems', parentCascades: true }),
      reference('PricebookEntryId', 'PricebookEntry', {
        updateable: false,
        children: 'OrderItems',
        restrictedDelete: true,
      }),
      numberField('Quantity', 'double', 18, 2, required),
      numberField('UnitPrice', 'currency', 18, 2),
      numberField('TotalPrice', 'currency', 18, 2, system),
      textarea('Description', 255),
      autoNumber('OrderItemNumber', { nameField: true, idLookup: true }),
      ...audit,
    ],
  },
  count: 300,
  row: (number, org, random) => {
    const item = random.int(0, productCount - 1);
    const quantity = random.int(1, 20);
    const price = random.int(100, 90_000) / 100;
    return {
      Product2Id: org.id('Product2', item),
      OrderId: org.live('Order', number >> 1),
      PricebookEntryId: org.id('PricebookEntry', item),
      Quantity: quantity,
      UnitPrice: price,
      TotalPrice: Math.round(price * quantity * 100) / 100,
      OrderItemNumber: serial(number),
    };
  },
};

const asset: SampleObject = {
  declaration: {
    name: 'Asset',
    prefix: '02i',
    label: 'Asset',
    fields: [
      id('Id'),
      reference('ContactId', 'Contact', { children: 'Assets', parentCascades: true }),
      reference('AccountId', 'Account', { children: 'Assets', parentCascades: true }),
      reference('ParentId', 'Asset', { children: 'ChildAssets' }),
      reference('RootAssetId', 'Asset', { ...system }),
      reference('Product2Id', 'Product2', { children: 'Assets' }),
      ...audit,
      isDeleted,
      string('Name', 255, { ...required, nameField: true }),
      string('SerialNumber', 80),
      date('InstallDate'),
      picklist('Status', ['Shipped', 'Installed', 'Registered', 'Obsolete']),
      numberField('Price', 'currency', 18, 0),
      numberField('Quantity', 'double', 18, 2),
      textarea('Description', 32000),
      userOwner,
      ...views,
    ],
  },
  count: 150,
  row: (number, org, random) => ({
    ContactId: org.live('Contact', number * 7),
    AccountId: org.live('Account', number * 3),
    ParentId: number > 5 && random.chance(30) ? org.live('Asset', number >> 3) : null,
    RootAssetId: org.id('Asset', number),
    Product2Id: org.id('Product2', number % productCount),
    Name: `${random.pick(things)} #${number + 1}${org.tag('Asset', number)}`,
    SerialNumber: `${serial(random.int(0, 9_999_999))}E${random.int(1, 9)}`,
    InstallDate: random.chance(60) ? dayFrom(org.now, -random.int(1, 2000)) : null,
    Status: random.pick(['Shipped', 'Installed', 'Registered', 'Obsolete', null]),
    Price: random.chance(60) ? random.int(10, 90_000) : null,
    Quantity: random.int(1, 5),
    Description: description(number, org, 'Asset', 100),
  }),
};

export const productObjects: readonly SampleObject[] = [
  product,
  pricebook,
  pricebookEntry,
  contract,
  order,
  orderItem,
  asset,
];
