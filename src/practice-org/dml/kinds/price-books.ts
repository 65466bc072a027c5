import { type Kind, target } from '../kind.ts';

const entries = 'PricebookEntry';

/** A product has its standard price before any other, and one price in each book (restore 5.4). */
export const pricebookEntry: Kind = {
  prepare(saving, draft) {
    if (draft.isInsert) {
      const product = target(saving, draft.get('Product2Id'));
      draft.setKnown('Name', product?.rows.cell(product.number, 'Name') ?? null);
      draft.setKnown('ProductCode', product?.rows.cell(product.number, 'ProductCode') ?? null);
    }
    const book = draft.get('Pricebook2Id');
    const others = saving
      .live(entries, 'Product2Id', draft.get('Product2Id'))
      .filter((number) => number !== draft.number);
    const standard = others.find((number) => isStandard(draft.rows.cell(number, 'Pricebook2Id')));
    if (draft.isInsert && others.some((number) => draft.rows.cell(number, 'Pricebook2Id') === book))
      draft.fail('FIELD_INTEGRITY_EXCEPTION', 'This price definition already exists in this price book');
    else if (draft.isInsert && !isStandard(book) && standard === undefined)
      draft.fail('STANDARD_PRICE_NOT_DEFINED', 'Before creating a custom price, create a standard price.');
    else if (draft.get('UseStandardPrice') === true && !isStandard(book) && standard !== undefined) {
      if (draft.get('UnitPrice') !== draft.rows.cell(standard, 'UnitPrice'))
        draft.fail('FIELD_INTEGRITY_EXCEPTION', 'the unit price is not the standard price', ['UnitPrice']);
    }

    function isStandard(id: unknown): boolean {
      const found = target(saving, id);
      return found?.rows.cell(found.number, 'IsStandard') === true;
    }
  },
};
