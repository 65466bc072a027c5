import { ZipFile } from 'yazl';
import type { Describe, Treatment } from '../database.ts';
import { id18 } from '../identifiers.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import type { SoapCall } from './envelope.ts';
import { children, childText, type Element, textOf, type XmlElements, xml } from './xml.ts';

/** A zip that was asked for; the org hands it out once. */
interface Retrieval {
  readonly zip: Buffer;
  readonly messages: readonly { readonly fileName: string; readonly problem: string }[];
  readonly files: number;
  polls: number;
}

/** By Id. One that was handed out is undefined: its Id is not given again. */
const retrievals = new WeakMap<OrgState, Map<string, Retrieval | undefined>>();
const namespace = 'http://soap.sforce.com/2006/04/metadata';
/** A component of a package that the org lists and does not hand out. */
const hidden = 'pkg__Hidden';
const classes = ['InvoiceTrigger', 'RoutingService', hidden];
const reports: Readonly<Record<string, readonly string[]>> = { Sales: ['Sales/Pipeline', 'Sales/Won_Deals'] };

/** Files of the metadata of one type: full name -> path and content. */
function filesOf(state: OrgState, type: string): Map<string, { path: string; content: string }> {
  const tables = [...state.database.tables.values()];
  const made: Record<string, () => [string, string, string][]> = {
    CustomObject: () =>
      tables.map(({ describe, treatment }) => [
        describe.name,
        `objects/${describe.name}.object`,
        objectXml(describe, treatment),
      ]),
    ApexClass: () =>
      classes.map((name) => [name, `classes/${name}.cls`, `public with sharing class ${name} {\n    // naïve 🚀\n}\n`]),
    ReportFolder: () =>
      Object.keys(reports).map((name) => [
        name,
        `reports/${name}-meta.xml`,
        document('ReportFolder', { name, accessType: 'Public' }),
      ]),
    Report: () =>
      Object.values(reports)
        .flat()
        .map((name) => [name, `reports/${name}.report`, document('Report', { name, format: 'Tabular' })]),
  };
  return new Map((made[type]?.() ?? []).map(([name, path, content]) => [name, { path, content }]));
}

/** POST /services/Soap/m/67.0: describeMetadata, listMetadata, retrieve, checkRetrieveStatus, as far as a backup needs them. */
export async function metadataCall(state: OrgState, call: SoapCall): Promise<XmlElements | XmlElements[]> {
  if (!state.settings.permissions.modifyAllData)
    throw new Refusal(
      500,
      'INSUFFICIENT_ACCESS',
      'use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions',
    );
  switch (call.operation) {
    case 'describeMetadata':
      return {
        metadataObjects: [
          { directoryName: 'objects', inFolder: false, metaFile: false, suffix: 'object', xmlName: 'CustomObject' },
          { directoryName: 'classes', inFolder: false, metaFile: true, suffix: 'cls', xmlName: 'ApexClass' },
          { directoryName: 'reports', inFolder: true, metaFile: false, suffix: 'report', xmlName: 'Report' },
        ],
        organizationNamespace: '',
        partialSaveAllowed: true,
        testRequired: false,
      };
    case 'listMetadata':
      return listMetadata(state, call);
    case 'retrieve':
      return retrieve(state, call);
    case 'checkRetrieveStatus':
      return status(state, call);
    default:
      throw unsupported(`${call.operation}() of the Metadata API`);
  }
}

function listMetadata(state: OrgState, { body }: SoapCall): XmlElements[] {
  const queries = children(body, 'queries');
  if (queries.length > 3)
    throw new Refusal(500, 'EXCEEDED_MAX_TYPES_LIMIT', 'listMetadata takes three queries at most');
  return queries.flatMap((query) => {
    const [type, folder] = [childText(query, 'type') ?? '', childText(query, 'folder')];
    if (type === 'Report' && folder === undefined) return [];
    return [...filesOf(state, type)]
      .filter(([name]) => type !== 'Report' || name.startsWith(`${folder}/`))
      .map(([fullName, { path }]) => ({ fileName: path, fullName, id: '', type }));
  });
}

async function retrieve(state: OrgState, { body }: SoapCall): Promise<XmlElements> {
  const request = children(body, 'retrieveRequest')[0];
  const types = children(children(request, 'unpackaged')[0], 'types');
  const messages: { fileName: string; problem: string }[] = [];
  const zip = new ZipFile();
  const options = { mtime: new Date(state.settings.schemaModified) };
  let files = 0;
  for (const element of types) {
    const type = childText(element, 'name') ?? '';
    for (const name of membersOf(element)) {
      const file = (filesOf(state, type).get(name) ?? filesOf(state, `${type}Folder`).get(name))!;
      if (!file || name === hidden) {
        const problem = `Entity of type '${type}' named '${name}' cannot be found`;
        messages.push({ fileName: 'package.xml', problem });
        continue;
      }
      zip.addBuffer(Buffer.from(file.content), file.path, options);
      files += 1;
    }
  }
  zip.addBuffer(Buffer.from(packageXml(types)), 'package.xml', options);
  zip.end();
  const parts: Buffer[] = [];
  for await (const part of zip.outputStream as AsyncIterable<Buffer>) parts.push(part);
  const known = retrievals.get(state) ?? new Map<string, Retrieval | undefined>();
  retrievals.set(state, known);
  const id = id18(`09S000000${String(known.size + 1).padStart(6, '0')}`);
  known.set(id, { zip: Buffer.concat(parts), messages, files, polls: 0 });
  return { done: false, id, state: 'Queued' };
}

/** The first poll finds it at work. */
function status(state: OrgState, { body }: SoapCall): XmlElements {
  const id = childText(body, 'asyncProcessId') ?? '';
  const known = retrievals.get(state);
  const retrieval = known?.get(id);
  if (!retrieval) throw new Refusal(500, 'INVALID_ID_FIELD', `invalid parameter value: ${id}`);
  const done = retrieval.polls++ > 0;
  if (!done) return { done, id, status: 'InProgress', success: false };
  const most = state.settings.metadataFiles;
  if (retrieval.files > most) {
    const errorMessage = `LIMIT_EXCEEDED: Too many files in retrieve call, limit is: ${most}`;
    return { done, errorMessage, errorStatusCode: 'LIMIT_EXCEEDED', id, status: 'Failed', success: false };
  }
  const includeZip = childText(body, 'includeZip') !== 'false';
  if (includeZip) known!.set(id, undefined);
  return {
    done,
    fileProperties: { fileName: 'unpackaged/package.xml', fullName: 'unpackaged/package.xml', type: 'Package' },
    id,
    messages: retrieval.messages,
    status: 'Succeeded',
    success: true,
    zipFile: includeZip ? retrieval.zip.toString('base64') : undefined,
  };
}

function membersOf(types: Element): string[] {
  return children(types, 'members').map(textOf);
}

function packageXml(types: readonly Element[]): string {
  const listed = types.map((element) => ({ members: membersOf(element), name: childText(element, 'name') ?? '' }));
  return document('Package', { types: listed, version: '67.0' });
}

function objectXml(describe: Describe, { bigObjectIndex }: Treatment): string {
  const fields = describe.fields
    .filter(({ custom }) => custom === true)
    .map(({ name, label, type }) => ({ fullName: name, label: String(label ?? name), type }));
  const index = bigObjectIndex && {
    fullName: 'PrimaryIndex',
    fields: bigObjectIndex.map((name) => ({ name })),
    label: 'Primary Index',
  };
  return document('CustomObject', { fields, indexes: index || undefined, label: String(describe.label ?? '') });
}

function document(root: string, content: XmlElements): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xml({ [root]: { '@xmlns': namespace, ...content } })}\n`;
}
