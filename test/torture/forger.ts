import { seal } from '../../src/age/file.ts';
import type { Store } from '../../src/store/store.ts';
import * as layout from '../../src/vault/layout.ts';
import type { MapPage, Root, RootObject } from '../../src/vault/manifest.ts';
import { PointWriter, type Recipients } from '../../src/vault/point.ts';
import type { Ref } from '../../src/vault/record.ts';
import { writeRefs } from '../../src/vault/refs.ts';
import { compress } from '../../src/vault/sealed.ts';
import { sha256 } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import type { SmallVault } from '../support/small-vault.ts';

export const forgedPoint = '20261122T080000Z-0000ff';

/** Somebody with a stolen writer key: writes a point into a small vault that is made of whatever he likes, and all of it is signed. */
export class Forger {
  readonly vault: Vault;
  readonly writer: PointWriter;
  /** The root of the newest real point. */
  readonly root: Root;

  private constructor(vault: Vault, writer: PointWriter, root: Root) {
    this.vault = vault;
    this.writer = writer;
    this.root = root;
  }

  static async of(store: Store, { identity, writerKey, rootFingerprint }: SmallVault): Promise<Forger> {
    const keys = { identities: [identity], writerKey, rootFingerprint };
    const vault = await Vault.open(store, { operation: 'write', ...keys });
    const root = await vault.root((await vault.state()).points.at(-1)!);
    return new Forger(vault, new PointWriter(vault, forgedPoint, await vault.epoch()), { ...root, point: forgedPoint });
  }

  /** Stores bytes under the name that their digest makes. */
  put(key: (digest: string) => string, body: Buffer): Promise<Ref> {
    const digest = sha256(body);
    return this.writer.put(key(digest), body, digest);
  }

  /** The same, encrypted. `packed`: what stands where zstd frames are expected. */
  async putSealed(key: (digest: string) => string, to: keyof Recipients, packed: Buffer): Promise<Ref> {
    return this.put(key, await seal(this.writer.recipients[to], packed));
  }

  async mapOf(object: string): Promise<MapPage> {
    return this.vault.map(this.object(object).page!);
  }

  object(name: string): RootObject {
    return this.root.objects.find(({ object }) => object === name)!;
  }

  /** The root with another page of an object. */
  async withMap(map: MapPage): Promise<Root> {
    return this.withObject({ ...this.object(map.object), ...(await this.writer.putMap(map)) });
  }

  withObject(one: RootObject): Root {
    return { ...this.root, objects: this.root.objects.map((other) => (other.object === one.object ? one : other)) };
  }

  /** The root as bytes of JSON, which need not be one, and the list of what it needs. */
  async sealRoot(root: Root, packed?: Buffer, more: readonly Ref[] = []): Promise<void> {
    const bytes = packed ?? (await compress(Buffer.from(JSON.stringify(root))));
    await this.sealBody(root, await seal(this.writer.recipients.manifest, bytes), more);
  }

  /** The same with the whole age file. `more`: what the list of the point names besides. */
  async sealBody(root: Root, body: Buffer, more: readonly Ref[] = []): Promise<void> {
    const own = await this.put(() => layout.pointRoot(forgedPoint), body);
    const pages = root.objects.flatMap(({ page, refs }) => [page, refs].filter((one) => one !== undefined));
    const all = [own, ...pages, ...root.schema, ...root.files.pages, ...root.files.refs, ...more];
    await this.sealList(await writeRefs([...new Map(all.map((ref) => [ref.key, ref])).values()]));
  }

  /** The record, with the list of the point as it is given. */
  async sealList(list: Buffer): Promise<void> {
    const refs = await this.put(() => layout.pointRefs(forgedPoint), list);
    const times = { started: '2026-11-22T08:00:00.000Z', ended: '2026-11-22T08:05:00.000Z' };
    const record = {
      kind: 'point',
      point: forgedPoint,
      refs,
      epoch: this.writer.epoch,
      ...times,
      tool: 'test',
    } as const;
    await this.vault.log.append(this.vault.keyring.writerSigner(), record);
  }
}
