import type { FieldDescribe, ObjectDescribe } from '../schema/describe.ts';
import type { ExtractionPlan } from './org.ts';
import { bulkLikelyRefused, filterReason, noQueryReason } from './refusals.ts';
import { slicedOnly, slicingOf } from './sliced.ts';

const first = ['id', 'systemmodstamp', 'isdeleted'];

/** How the object will be read, from its describe alone (field guide, extract 4). */
export function planFor(object: ObjectDescribe): ExtractionPlan {
  const reason = noQueryReason(object);
  if (reason !== undefined) return { way: 'none', reason };
  const big = object.name.endsWith('__b');
  const blobFields: string[] = [];
  const leftOut: { field: string; reason: string }[] = [];
  const selected: string[] = [];
  for (const field of object.fields) {
    const why = big && field.name === 'Id' ? 'big objects have no Id to select' : leftOutReason(field);
    if (field.type === 'base64') blobFields.push(field.name);
    else if (why) leftOut.push({ field: field.name, reason: why });
    else selected.push(field.name);
  }
  if (selected.length === 0) return { way: 'none', reason: 'no field of it can be read' };
  const leading = first.flatMap((name) => selected.find((field) => field.toLowerCase() === name) ?? []);
  const fields = [...leading, ...selected.filter((field) => !leading.includes(field))];
  const slicing = slicingOf(object);
  if (slicedOnly(object.name) && !slicing) return { way: 'none', reason: filterReason };
  const way = slicing ? 'sliced' : bulkLikelyRefused(object) ? 'rest' : 'bulk';
  const whole = (slicing && !slicing.unfilteredFirst) || object.name.endsWith('__kav');
  return {
    way,
    fields,
    blobFields,
    leftOut,
    ...(big && { mayBeIndex: mayBeIndex(object, fields) }),
    ...(slicing && { slicing }),
    ...(whole && { whole }),
  };
}

/** Fields of an index are required ones of the object's own, and describes tell neither which nor their order (field guide, extract 4.1). */
function mayBeIndex({ fields }: ObjectDescribe, selected: readonly string[]): string[] {
  const own = fields.filter(
    ({ name, filterable }) => name.endsWith('__c') && filterable !== false && selected.includes(name),
  );
  return [...own.filter(({ nillable }) => !nillable), ...own.filter(({ nillable }) => nillable)].map(
    ({ name }) => name,
  );
}

function leftOutReason(field: FieldDescribe): string | undefined {
  if (field.type === 'address' || field.type === 'location') return 'compound: its parts are selected';
  if (/^JunctionIdList$/i.test(field.type)) return 'a list of related records, which are an object of their own';
  if (field.deprecatedAndHidden) return 'withdrawn by the package that it belongs to';
  return undefined;
}
