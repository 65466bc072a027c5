import { type Answer, type ApiRequest, json } from '../answer.ts';
import { hashOf } from '../random.ts';
import { notFound } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';

/** What describeGlobal tells of an object (extract 2.2), in this order. */
const summaryKeys = [
  'activateable',
  'associateEntityType',
  'associateParentEntity',
  'createable',
  'custom',
  'customSetting',
  'deepCloneable',
  'deletable',
  'deprecatedAndHidden',
  'feedEnabled',
  'hasSubtypes',
  'isInterface',
  'isSubtype',
  'keyPrefix',
  'label',
  'labelPlural',
  'layoutable',
  'mergeable',
  'mruEnabled',
  'name',
  'queryable',
  'replicateable',
  'retrieveable',
  'searchable',
  'triggerable',
  'undeletable',
  'updateable',
];

/** GET sobjects. */
export function describeGlobal(state: OrgState, request: ApiRequest): Answer {
  return unlessKnown(state, request, () => {
    const sobjects = state.schema.all().map((object) => summary(object, request.version));
    return { encoding: 'UTF-8', maxBatchSize: 200, sobjects };
  });
}

/** GET sobjects/X/describe. */
export function describeObject(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  return unlessKnown(state, request, () => ({ ...object.describe, urls: urls(object, request.version) }));
}

/** GET sobjects/X. */
export function objectInfo(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  return json({ objectDescribe: summary(object, request.version), recentItems: [] });
}

/** The object by name in any case. Throws NOT_FOUND. */
export function visibleObject(state: OrgState, name: string): SObject {
  const object = state.schema.object(name);
  if (!object) throw notFound();
  return object;
}

function summary(object: SObject, version: string): Record<string, unknown> {
  const describe = object.describe as Record<string, unknown>;
  const known = summaryKeys.map((key): [string, unknown] => {
    const isFlag = !/^(?:associate|keyPrefix|label)/.test(key);
    return [key, describe[key] ?? (isFlag ? false : key.startsWith('label') ? object.name : null)];
  });
  const shown = Object.entries(urls(object, version)).filter(
    ([key]) => key !== 'defaultValues' && !key.startsWith('ui'),
  );
  return { ...Object.fromEntries(known), urls: Object.fromEntries(shown) };
}

function urls(object: SObject, version: string): Record<string, string> {
  const base = `/services/data/v${version}/sobjects/${object.name}`;
  const known = (object.describe.urls ?? {}) as Record<string, unknown>;
  const renewed: Record<string, string> = {};
  for (const [key, url] of Object.entries(known))
    if (typeof url === 'string')
      renewed[key] = url.replace(/^.*?\/services\/data\/v[^/]+/, `/services/data/v${version}`);
  return object.describe.urls ? renewed : { rowTemplate: `${base}/{ID}`, describe: `${base}/describe`, sobject: base };
}

/** 304 without a body when nothing changed since the If-Modified-Since of the request (extract 2.3). */
function unlessKnown(state: OrgState, request: ApiRequest, body: () => unknown): Answer {
  const modified = Math.floor(state.settings.schemaModified / 1000) * 1000;
  const headers = {
    'Last-Modified': new Date(modified).toUTCString(),
    ETag: `"${hashOf(`${request.path} ${modified}`).toString(16).padStart(8, '0')}"`,
  };
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  if (since >= modified || request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
  return { status: 200, headers, json: body() };
}
