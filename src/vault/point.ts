import { Fault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Signer } from './keyring.ts';
import * as layout from './layout.ts';
import type { Detail, MapPage, Root, RootObject, SchemaPage } from './manifest.ts';
import { putOwn } from './put-own.ts';
import type { Ref } from './record.ts';
import { writeRefs } from './refs.ts';
import { assertNotQuarantined, assertNotRetired } from './retention.ts';
import { sealBytes } from './sealed.ts';
import { sha256 } from './signed.ts';
import type { Vault } from './vault.ts';

/** Who can open what this point writes. */
export interface Recipients {
  /** Rows, details, schemas, files. */
  readonly rows: readonly string[];
  /** Indexes, tombstones and manifests: the epoch and the writers. */
  readonly manifest: readonly string[];
}

const numbered = { segment: layout.segment, indexTwin: layout.indexTwin, gone: layout.gone, pack: layout.pack };
export type Numbered = keyof typeof numbered;

/**
 * Writes the objects of one point and seals it. Nothing that it writes belongs to any point until `seal` has appended the signed
 * record, which comes last; a run that dies before leaves objects that nothing refers to.
 */
export class PointWriter {
  readonly vault: Vault;
  readonly point: string;
  readonly recipients: Recipients;
  readonly epoch: number;
  readonly #numbers: Record<string, number> = {};
  readonly #parents = new Set<string>();

  constructor(vault: Vault, point: string, epoch: { epoch: number; recipient: string }) {
    this.vault = vault;
    this.point = point;
    this.epoch = epoch.epoch;
    this.recipients = { rows: [epoch.recipient], manifest: [epoch.recipient, ...vault.manifestRecipients] };
  }

  /** Says that this point lists objects of an earlier one. Throws `point-retired`; `seal` does, when that one was retired meanwhile or put in quarantine. */
  async buildsOn(point: string): Promise<void> {
    assertNotRetired(await this.vault.state(), [point]);
    this.#parents.add(point);
  }

  /** The next number for an object of this kind. */
  number(kind: string): number {
    const next = (this.#numbers[kind] ?? 0) + 1;
    this.#numbers[kind] = next;
    return next;
  }

  /** Continues numbering behind what an interrupted run wrote. */
  numbersFrom(numbers: Readonly<Record<string, number>>): void {
    Object.assign(this.#numbers, numbers);
  }
  get numbers(): Readonly<Record<string, number>> {
    return { ...this.#numbers };
  }

  async put(key: string, body: Buffer, digest = sha256(body), signal?: AbortSignal): Promise<Ref> {
    await this.vault.store.putIfAbsent(key, body, signal);
    return { key, size: body.length, sha256: digest };
  }

  /** Stores a sealed body under the next number of its kind. */
  async putNumbered(kind: Numbered, body: Buffer, digest: string, signal?: AbortSignal): Promise<Ref> {
    return this.put(numbered[kind](this.point, this.number(kind), digest), body, digest, signal);
  }

  async putDetail(detail: Detail, signal?: AbortSignal): Promise<Ref> {
    const body = await sealBytes(Buffer.from(JSON.stringify(detail)), this.recipients.rows);
    const digest = sha256(body);
    return this.put(layout.detail(this.point, digest), body, digest, signal);
  }

  async putSchema(page: SchemaPage, signal?: AbortSignal): Promise<Ref> {
    return this.#page('schema', Buffer.from(JSON.stringify(page)), this.recipients.rows, signal);
  }

  /** A page and the list of all that it needs. */
  async putMap(page: MapPage, signal?: AbortSignal): Promise<{ page: Ref; refs: Ref }> {
    const map = await this.#page('map', Buffer.from(JSON.stringify(page)), this.recipients.manifest, signal);
    const segments = [...page.base, ...page.deltas, ...page.gone, ...(page.spent ?? [])];
    const needs = segments.flatMap(({ key, size, sha256, index }) => [
      { key, size, sha256 },
      ...(index ? [index] : []),
    ]);
    const refs = await this.#refs([map, ...needs, ...page.detail, page.schema.page], signal);
    return { page: map, refs };
  }

  /** A files page (CSV in our dialect) and the list of the objects that hold the bytes. */
  async putFiles(csv: Buffer, needs: readonly Ref[], signal?: AbortSignal): Promise<{ page: Ref; refs: Ref }> {
    const page = await this.#page('files', csv, this.recipients.manifest, signal);
    return { page, refs: await this.#refs([page, ...needs], signal) };
  }

  async #page(kind: layout.PageKind, bytes: Buffer, recipients: readonly string[], signal?: AbortSignal): Promise<Ref> {
    const body = await sealBytes(bytes, recipients);
    const digest = sha256(body);
    return this.put(layout.page(kind, digest), body, digest, signal);
  }

  async #refs(needs: readonly Ref[], signal?: AbortSignal): Promise<Ref> {
    const unique = [...new Map(needs.map((ref) => [ref.key, ref])).values()];
    const body = await writeRefs(unique);
    const digest = sha256(body);
    return this.put(layout.pageRefs(digest), body, digest, signal);
  }

  /**
   * Checks by LIST that everything this run wrote stands in the vault with its size (a writer may not read segments back), writes the
   * root and the list, appends the record and reads it back. After this the point exists.
   */
  async seal(
    root: Root,
    written: readonly Ref[],
    signer: Signer,
    tool: string,
    signal?: AbortSignal,
  ): Promise<{ seq: number; digest: string }> {
    await this.#assertStored(written, signal);
    const rootBody = await sealBytes(Buffer.from(JSON.stringify(root)), this.recipients.manifest);
    const rootRef = await this.#putOnce(layout.pointRoot(this.point), rootBody, signal);
    const pages = root.objects.flatMap((object: RootObject) =>
      [object.page, object.refs].filter((ref) => ref !== undefined),
    );
    const all = [rootRef, ...pages, ...root.schema, ...root.files.pages, ...root.files.refs];
    const refsBody = await writeRefs([...new Map(all.map((ref) => [ref.key, ref])).values()]);
    const refs = await this.#putOnce(layout.pointRefs(this.point), refsBody, signal);
    signal?.throwIfAborted();
    const { started, ended } = root;
    const record = { kind: 'point', point: this.point, refs, epoch: this.epoch, started, ended, tool } as const;
    // A sweep that came first in the log may have let go what this point lists; one that comes later reckons with it.
    return this.vault.log.append(signer, record, async () => {
      if (this.#parents.size === 0) return;
      const state = await this.vault.state(true);
      assertNotRetired(state, this.#parents);
      assertNotQuarantined(state, this.#parents);
    });
  }

  /**
   * Stores an object whose name says nothing of its bytes. Somebody else's object under that name is never taken for ours: the record would
   * then sign a list that does not hold. Throws `lease-held`: two runs are sealing the same point.
   */
  async #putOnce(key: string, body: Buffer, signal?: AbortSignal): Promise<Ref> {
    if (!(await putOwn(this.vault.store, key, body, signal))) {
      throw new Fault('lease-held', `another run is sealing point ${this.point}: ${key} is there already`, {
        data: { point: this.point },
      });
    }
    return { key, size: body.length, sha256: sha256(body) };
  }

  async #assertStored(written: readonly Ref[], signal?: AbortSignal): Promise<void> {
    const lost = [...(await notStored(this.vault.store, written, signal))];
    if (lost.length > 0) {
      throw new Fault(
        'object-missing',
        `${lost.length} objects that were just written do not stand in the vault: ${lost[0]}`,
        { data: { keys: lost.slice(0, 20) } },
      );
    }
  }
}

/** Keys of segments, indexes, tombstones and files among `written` that the store does not list with their size. */
export async function notStored(store: Store, written: readonly Ref[], signal?: AbortSignal): Promise<Set<string>> {
  const listed = written.filter(({ key }) => /^(data|index|gone|files)\//.test(key));
  const expected = new Map(listed.map((ref) => [ref.key, ref.size]));
  // Those of a run that went on under a new name lie under the old one too.
  const folders = new Set(listed.map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1)));
  for (const folder of folders) {
    for await (const object of store.list(folder, { signal })) {
      if (expected.get(object.key) === object.size) expected.delete(object.key);
    }
  }
  return new Set(expected.keys());
}
