import { Fault } from '../errors.ts';
import { readAttestation } from '../vault/attest.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Root } from '../vault/manifest.ts';
import type { Vault } from '../vault/vault.ts';

/** One line of `salvor list-points`. */
export interface PointListed {
  readonly id: string;
  readonly started: string;
  readonly ended: string;
  readonly kind: string;
  readonly status: string;
  readonly suspect: boolean;
  readonly quarantined: boolean;
  readonly objects: number;
  readonly rows: number;
  readonly changed: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly coverage: number;
  readonly tags: readonly string[];
  readonly holds: readonly string[];
  /** The newest attested verification. */
  readonly verified: { readonly rung: string; readonly at: string; readonly ok: boolean } | null;
  /** Objects that are not complete, with the reason. */
  readonly incomplete: readonly { readonly object: string; readonly reason: string }[];
}

/** All points, newest first. The writer key alone is enough. What does not verify in the log is in `problems`. */
export async function listPoints(
  vault: Vault,
): Promise<{ points: PointListed[]; problems: { key: string; problem: string }[] }> {
  const { points, entries, problems } = await vault.state();
  const verified = new Map<string, NonNullable<PointListed['verified']>>();
  for (const entry of entries.filter(({ record }) => record.kind === 'attest')) {
    const attestation = await readAttestation(vault, entry);
    for (const { point, rung, ok } of attestation.points) verified.set(point, { rung, ok, at: attestation.at });
  }
  const quarantined = new Set(
    entries.filter(({ record }) => record.kind === 'quarantine').flatMap(({ record }) => record.points ?? []),
  );
  const listed: PointListed[] = [];
  const newestFirst = [...points].reverse();
  const ahead = 8;
  for (let from = 0; from < newestFirst.length; from += ahead) {
    const roots = await Promise.all(newestFirst.slice(from, from + ahead).map((entry) => vault.root(entry)));
    for (const root of roots) listed.push(line(root, verified.get(root.point) ?? null, quarantined.has(root.point)));
  }
  return { points: listed, problems: problems.map(({ key, fault }) => ({ key, problem: fault.message })) };
}

function line(root: Root, verified: PointListed['verified'], quarantined: boolean): PointListed {
  return {
    id: root.point,
    started: root.started,
    ended: root.ended,
    kind: root.kind,
    status: root.status,
    suspect: root.suspect,
    quarantined,
    objects: root.objects.length,
    rows: root.rows,
    changed: root.objects.reduce((sum, { changed }) => sum + changed, 0),
    deleted: root.objects.reduce((sum, { deleted }) => sum + deleted, 0),
    bytes: root.bytes,
    coverage: root.coverage,
    tags: root.tags,
    holds: [],
    verified,
    incomplete: root.objects
      .filter(({ complete }) => !complete)
      .map(({ object, reason }) => ({ object, reason: reason ?? '' })),
  };
}

/**
 * The point that a person names: its id or a unique prefix, a tag, a time (the newest point whose `ended` is not after it), `latest`,
 * `latest~2` (complete, not suspect, not quarantined) or `latest!` (any). Throws `no-such-point`; says which are near when a prefix is not unique.
 */
export async function findPoint(vault: Vault, name: string): Promise<LogEntry> {
  const { points } = await vault.state();
  const newestFirst = [...points].reverse();
  const none = (why: string) => new Fault('no-such-point', why, { data: { point: name } });
  if (points.length === 0) throw none('the vault holds no recovery point yet');
  if (name === 'latest!') return newestFirst[0]!;
  const latest = /^latest(?:~(\d+))?$/.exec(name);
  if (latest) return latestGood(vault, newestFirst, Number(latest[1] ?? 0), name);
  const byId = newestFirst.filter(({ record }) => record.point!.startsWith(name));
  if (byId.length === 1) return byId[0]!;
  if (byId.length > 1)
    throw none(
      `${name} fits ${byId.length} points: ${byId
        .slice(0, 3)
        .map(({ record }) => record.point)
        .join(', ')} …`,
    );
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(name)
    ? Date.parse(name)
    : Number.NaN;
  if (!Number.isNaN(time)) {
    const found = newestFirst.find(({ record }) => Date.parse(record.ended) <= time);
    if (found) return found;
    throw none(`no point ended at ${name} or before`);
  }
  for (const entry of newestFirst) if ((await vault.root(entry)).tags.includes(name)) return entry;
  throw none(`there is no point with the id or the tag ${name}`);
}

async function latestGood(
  vault: Vault,
  newestFirst: readonly LogEntry[],
  back: number,
  name: string,
): Promise<LogEntry> {
  const { entries } = await vault.state();
  const quarantined = new Set(
    entries.filter(({ record }) => record.kind === 'quarantine').flatMap(({ record }) => record.points ?? []),
  );
  let left = back;
  for (const entry of newestFirst) {
    const root = await vault.root(entry);
    if (root.status !== 'complete' || root.suspect || quarantined.has(root.point)) continue;
    if (left-- === 0) return entry;
  }
  throw new Fault('no-such-point', `there is no ${name}: too few points are complete`, {
    actions: [
      'name the point by its id, or take `latest!`, which also takes partial points',
      'see `salvor list-points`',
    ],
    data: { point: name },
  });
}
