import { createHash, randomBytes } from 'node:crypto';
import { S3Error } from './answer.ts';

export interface Lock {
  mode: 'COMPLIANCE' | 'GOVERNANCE';
  until: Date;
}

export interface Version {
  id: string;
  marker: boolean;
  body: Buffer;
  /** Quoted. */
  etag: string;
  modified: Date;
  /** Given back with the object. */
  headers: Record<string, string>;
  checksums: Record<string, string>;
  lock?: Lock;
  hold: boolean;
}

export interface Upload {
  key: string;
  headers: Record<string, string>;
  lock?: Lock;
  hold: boolean;
  parts: Map<number, { body: Buffer; etag: string }>;
}

export interface PutConditions {
  ifNoneMatch?: string;
  ifMatch?: string;
}

/** Keys, versions, locks and unfinished uploads of one bucket. Every method is done at once: requests never mix. */
export class Bucket {
  readonly name: string;
  readonly versioned: boolean;
  readonly locked: boolean;
  readonly defaultRetention?: { mode: Lock['mode']; days: number };
  /** Newest last. */
  readonly keys = new Map<string, Version[]>();
  readonly uploads = new Map<string, Upload>();
  /** Key of the last object that was written. */
  newest?: string;
  private readonly now: () => number;

  constructor(
    name: string,
    options: { versioned: boolean; locked: boolean; defaultRetention?: { mode: Lock['mode']; days: number } },
    now: () => number,
  ) {
    this.name = name;
    this.versioned = options.versioned || options.locked;
    this.locked = options.locked;
    this.defaultRetention = options.defaultRetention;
    this.now = now;
  }

  current(key: string): Version | undefined {
    const version = this.keys.get(key)?.at(-1);
    return version?.marker ? undefined : version;
  }

  find(key: string, versionId?: string): Version {
    const version =
      versionId === undefined ? this.current(key) : this.keys.get(key)?.find(({ id }) => id === versionId);
    if (version === undefined && versionId !== undefined) {
      throw new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
    }
    if (version === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    if (version.marker) throw new S3Error(405, 'MethodNotAllowed', 'The version is a delete marker.');
    return version;
  }

  /** Throws PreconditionFailed, or NoSuchKey for an If-Match on nothing. */
  check(key: string, { ifNoneMatch, ifMatch }: PutConditions): void {
    const current = this.current(key);
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
      throw new S3Error(501, 'NotImplemented', 'If-None-Match takes only * here.');
    if (ifMatch !== undefined && current === undefined)
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    const wrong =
      (ifNoneMatch === '*' && current) || (ifMatch !== undefined && ifMatch !== current?.etag && ifMatch !== '*');
    if (wrong)
      throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }

  put(
    key: string,
    made: Pick<Version, 'body' | 'headers' | 'checksums' | 'hold'> & { etag?: string; lock?: Lock },
  ): Version {
    const retention = this.defaultRetention;
    const version: Version = {
      ...made,
      id: this.versioned ? randomBytes(12).toString('hex') : 'null',
      marker: false,
      etag: made.etag ?? `"${createHash('md5').update(made.body).digest('hex')}"`,
      modified: new Date(this.now()),
      lock:
        made.lock ?? (retention && { mode: retention.mode, until: new Date(this.now() + retention.days * 86_400_000) }),
    };
    const older = this.versioned ? (this.keys.get(key) ?? []) : [];
    this.keys.set(key, [...older, version]);
    this.newest = key;
    return version;
  }

  /** What was done: a marker was added, a version removed, or there was nothing. */
  delete(key: string, versionId?: string, bypass = false): { marker?: Version } {
    const versions = this.keys.get(key) ?? [];
    if (versionId === undefined && this.versioned) {
      const marker: Version = {
        id: randomBytes(12).toString('hex'),
        marker: true,
        body: Buffer.alloc(0),
        etag: '',
        modified: new Date(this.now()),
        headers: {},
        checksums: {},
        hold: false,
      };
      this.keys.set(key, [...versions, marker]);
      return { marker };
    }
    const version = versions.find(({ id }) => id === (versionId ?? 'null'));
    if (version === undefined) return {};
    this.assertUnlocked(version, bypass);
    const left = versions.filter((other) => other !== version);
    if (left.length > 0) this.keys.set(key, left);
    else this.keys.delete(key);
    return {};
  }

  /** A lock can grow; it shrinks only in governance mode with the permission to bypass. */
  retain(version: Version, lock: Lock, bypass: boolean): void {
    const old = version.lock;
    const active = old !== undefined && old.until.getTime() > this.now();
    const weaker = active && (lock.until < old.until || (old.mode === 'COMPLIANCE' && lock.mode !== 'COMPLIANCE'));
    if (weaker && !(old.mode === 'GOVERNANCE' && bypass)) throw lockRefusal();
    version.lock = lock;
  }

  private assertUnlocked(version: Version, bypass: boolean): void {
    const { lock } = version;
    const retained = lock !== undefined && lock.until.getTime() > this.now() && !(lock.mode === 'GOVERNANCE' && bypass);
    if (retained || version.hold) throw lockRefusal();
  }
}

function lockRefusal(): S3Error {
  return new S3Error(403, 'AccessDenied', 'Access Denied because object protected by object lock.');
}
