import { Fault, isFault } from '../errors.ts';
import { groups } from './composite.ts';
import { readRefusal } from './faults.ts';
import { soapRequest } from './soap.ts';
import type { Wire } from './wire.ts';
import { elements, elementText, encodeText } from './xml.ts';
import { ZipInXml } from './zip-in-xml.ts';

/** A zip of the Metadata API: a part of the org's metadata, as `sf project retrieve` would lay it out. */
export interface MetadataZip {
  /** Of the retrieval, 18 characters. */
  readonly id: string;
  readonly components: number;
  /** Can be walked once. */
  readonly bytes: AsyncIterable<Buffer>;
  /** Components that the org did not put into it, and its reasons; known when `bytes` has ended. */
  problems(): readonly { readonly name: string; readonly reason: string }[];
}

interface Component {
  readonly type: string;
  readonly name: string;
}

/** What the Metadata API allows: queries of a listMetadata call; files of a retrieval, of which a component may have two. */
const listsPerCall = 3;
const componentsPerZip = 5_000;
/** It is begun, asked for until it is done some 20 seconds later, and fetched. */
const callsPerZip = 8;
const firstPoll = 1_000;
const longestPoll = 15_000;
const mostPolling = 3 * 3_600_000;
/** Folders are listed by types of their own. */
const folderTypes: Readonly<Record<string, string>> = { EmailTemplate: 'EmailFolder' };

/** All metadata that the org lists, in as few zips as it allows, one behind the other. Throws what the org refuses with. */
export async function* metadataZips(wire: Wire): AsyncGenerator<MetadataZip> {
  const open = groups(await listed(wire), componentsPerZip);
  for (let group = open.shift(); group !== undefined; group = open.shift()) {
    let zip: MetadataZip;
    try {
      zip = await retrieved(wire, group);
    } catch (error) {
      if (!isTooMuch(error) || group.length < 2) throw error;
      const half = group.length >> 1;
      open.unshift(group.slice(0, half), group.slice(half));
      continue;
    }
    yield zip;
  }
}

/** A component may be many files, which the org counts: how many nobody knows beforehand. */
function isTooMuch(error: unknown): boolean {
  return isFault(error, 'object-refused') && error.data.errorCode === 'LIMIT_EXCEEDED';
}

interface Listed {
  readonly type: string;
  readonly folder: string | undefined;
}

interface ToList {
  readonly plain: readonly Listed[];
  readonly contents: readonly Listed[];
  /** A folder is retrieved as a member of what it holds. */
  readonly holders: readonly Component[];
  /** Calls that it took to learn this. */
  readonly calls: number;
}

async function whatToList(wire: Wire): Promise<ToList> {
  const described = await call(wire, 'the types of metadata', 'describeMetadata', version(wire));
  const types = elements(described, 'metadataObjects').map((inside) => ({
    name: elementText(inside, 'xmlName') ?? '',
    inFolder: elementText(inside, 'inFolder') === 'true',
  }));
  const plain = types.filter(({ inFolder }) => !inFolder).map(({ name }) => ({ type: name, folder: undefined }));
  const inFolders = types.filter(({ inFolder }) => inFolder).map(({ name }) => name);
  const folderOf = (type: string) => folderTypes[type] ?? `${type}Folder`;
  const folders = await list(
    wire,
    inFolders.map((type) => ({ type: folderOf(type), folder: undefined })),
  );
  const holders = inFolders.flatMap((type) =>
    folders.filter((one) => one.type === folderOf(type)).map(({ name }) => ({ type, name })),
  );
  const contents = holders.map(({ type, name }) => ({ type, folder: name }));
  return { plain, contents, holders, calls: 1 + groups(inFolders, listsPerCall).length };
}

async function listed(wire: Wire): Promise<Component[]> {
  const { plain, contents, holders } = await whatToList(wire);
  return [...(await list(wire, plain)), ...holders, ...(await list(wire, contents))];
}

/** API calls that `metadataZips` takes for one zip, estimated: how long the org makes it, nobody knows beforehand. Throws as it does. */
export async function metadataCalls(wire: Wire): Promise<number> {
  const { plain, contents, calls } = await whatToList(wire);
  return calls + groups(plain, listsPerCall).length + groups(contents, listsPerCall).length + callsPerZip;
}

async function list(wire: Wire, queries: readonly Listed[]): Promise<Component[]> {
  const found: Component[] = [];
  for (const group of groups(queries, listsPerCall)) {
    const asked = group.map(
      ({ type, folder }) =>
        `<queries>${folder === undefined ? '' : `<folder>${encodeText(folder)}</folder>`}<type>${encodeText(type)}</type></queries>`,
    );
    const what = `the metadata of type ${group.map(({ type }) => type).join(', ')}`;
    const answer = await call(wire, what, 'listMetadata', `${asked.join('')}${version(wire)}`);
    for (const inside of elements(answer, 'result')) {
      const [type, name] = [elementText(inside, 'type'), elementText(inside, 'fullName')];
      if (type && name) found.push({ type, name });
    }
  }
  return found;
}

async function retrieved(wire: Wire, components: readonly Component[]): Promise<MetadataZip> {
  const byType = new Map<string, string[]>();
  for (const { type, name } of components) byType.set(type, [...(byType.get(type) ?? []), name]);
  const types = [...byType].map(
    ([type, names]) =>
      `<types>${names.map((name) => `<members>${encodeText(name)}</members>`).join('')}<name>${type}</name></types>`,
  );
  const apiVersion = wire.root.slice(wire.root.lastIndexOf('v') + 1);
  const begun = await call(
    wire,
    'the retrieval of the metadata',
    'retrieve',
    `<retrieveRequest><apiVersion>${apiVersion}</apiVersion><singlePackage>true</singlePackage>` +
      `<unpackaged>${types.join('')}<version>${apiVersion}</version></unpackaged></retrieveRequest>`,
  );
  const id = elementText(begun, 'id')?.trim() ?? '';
  if (!/^[A-Za-z0-9]{18}$/.test(id)) throw failed('the retrieval has no Id');
  await done(wire, id);
  const problems: { name: string; reason: string }[] = [];
  return { id, components: components.length, bytes: zipOf(wire, id, problems), problems: () => problems };
}

async function done(wire: Wire, id: string): Promise<void> {
  let waited = 0;
  for (let interval = firstPoll; ; interval = Math.min(longestPoll, interval * 1.5)) {
    const state = await call(wire, 'the state of the retrieval', 'checkRetrieveStatus', statusOf(id, false));
    if (elementText(state, 'done') === 'true') {
      if (elementText(state, 'success') === 'true') return;
      const reason = elementText(state, 'errorMessage') ?? elementText(state, 'status') ?? 'no reason';
      throw failed(reason, elementText(state, 'errorStatusCode'));
    }
    if (waited > mostPolling) throw failed('it still runs after three hours');
    await wire.http.wait(interval);
    waited += interval;
  }
}

async function* zipOf(wire: Wire, id: string, problems: { name: string; reason: string }[]): AsyncGenerator<Buffer> {
  const what = 'the zip of the metadata';
  const request = soapRequest(wire, soap(what, 'checkRetrieveStatus', statusOf(id, true)));
  // The org hands the zip out once, so that it cannot be fetched again from its beginning.
  const answer = await wire.http.send({ ...request, headers: { ...request.headers, 'accept-encoding': 'identity' } });
  const inside = new ZipInXml();
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      const bytes = inside.take(chunk);
      if (bytes.length > 0) yield bytes;
    }
  } catch (error) {
    if (wire.ctx.signal.aborted) throw error;
    throw failed(`the zip broke off: ${(error as Error).message}`);
  } finally {
    answer.body.destroy();
  }
  if (!inside.ended) throw failed('the answer holds no whole zip');
  for (const message of elements(inside.around, 'messages')) {
    const [name, reason] = [elementText(message, 'fileName') ?? '', elementText(message, 'problem') ?? ''];
    problems.push({ name, reason });
  }
}

function soap(what: string, operation: string, inside: string) {
  return { what, api: 'm' as const, body: `<${operation}>${inside}</${operation}>`, done: 'Metadata is read' };
}

async function call(wire: Wire, what: string, operation: string, inside: string): Promise<string> {
  return wire.http.read(soapRequest(wire, soap(what, operation, inside)), (xml, status) => {
    if (elements(xml, `${operation}Response`).length !== 1) throw readRefusal(status, xml);
    return xml;
  });
}

function version({ root }: Wire): string {
  return `<asOfVersion>${root.slice(root.lastIndexOf('v') + 1)}</asOfVersion>`;
}

function statusOf(id: string, includeZip: boolean): string {
  return `<asyncProcessId>${id}</asyncProcessId><includeZip>${includeZip}</includeZip>`;
}

function failed(reason: string, errorCode?: string): Fault {
  return new Fault('object-refused', `The metadata could not be retrieved: ${reason}.`, { data: { errorCode } });
}
