import type { Context } from '../context.ts';
import { Fault } from '../errors.ts';
import { longId } from '../schema/ids.ts';
import { readAttestation } from '../vault/attest.ts';
import type { Root } from '../vault/manifest.ts';
import type { Vault } from '../vault/vault.ts';
import { neverGood, restOfGood } from './backup/rest.ts';
import { mostDrift } from './clock.ts';
import { orFault } from './points.ts';

/** `ok`; `late`: the last good point is older than the RPO, or there is none of some objects; `empty`: there is no good point. */
export type OrgState = 'ok' | 'late' | 'empty';

/** One org of `salvor status --json`. */
export interface OrgStatus {
  /** The alias that was named, or the username by which the newest point was taken; null: neither is known. */
  readonly org: string | null;
  readonly orgId: string | null;
  readonly vault: string;
  /** The newest point that is complete, not suspect, not quarantined and not dated in the future, of the org that the newest point is of: none from before a sandbox was refreshed. */
  readonly lastGood: { readonly id: string; readonly started: string; readonly ended: string } | null;
  /** Where the last state of objects is that this point was not asked for (`--objects`), newest first; none: it holds what there is. */
  readonly rest: readonly { readonly point: string; readonly started: string; readonly objects: readonly string[] }[];
  /** Objects of which no good point is left although points within the RPO hold them, and the newest of those; null: there are none. */
  readonly neverGood: { readonly point: string; readonly started: string; readonly objects: readonly string[] } | null;
  /** Seconds beyond the RPO, counted from the beginning of that point, or of the oldest of `rest`; 0: in time; null: there is none to count from. */
  readonly lateBy: number | null;
  /** The newest point of all; `status` is `unreadable` when its table of contents cannot be read. */
  readonly newest: {
    readonly id: string;
    readonly ended: string;
    readonly status: string;
    readonly suspect: boolean;
    readonly quarantined: boolean;
  } | null;
  /** The newest attested verification of any point. */
  readonly verified: {
    readonly point: string;
    readonly rung: string;
    readonly ok: boolean;
    readonly at: string;
    /** `1/7`: only this part was read. */
    readonly sample?: string;
  } | null;
  /** When an identity was last seen to open what it has to (`salvor keys test`); null: the vault keeps no such record. */
  readonly keyTested: string | null;
  /** Share of the org's daily API requests, by anybody, at the end of the newest point; null: not known, or of another day. */
  readonly apiPercent: number | null;
  readonly state: OrgState;
}

const dayMs = 86_400_000;

/**
 * How an org's points stand against the RPO. The writer key alone is enough. A record, attestation or table of contents that does not
 * hold is a warning, and its point is no good one. Throws when no key is at hand that fits. `alias`: what the org is called here.
 */
export async function orgStatus(
  ctx: Context,
  vault: Vault,
  rpoMs: number,
  alias: string | undefined,
): Promise<OrgStatus> {
  const { points, problems, quarantined } = await vault.state();
  const warn = ({ name, message }: Fault) => ctx.report({ type: 'warning', name, message });
  for (const { fault } of problems) warn(fault);
  let [newestRoot, good]: (Root | undefined)[] = [];
  let newest: OrgStatus['newest'] = null;
  for (const entry of points.toReversed()) {
    ctx.signal.throwIfAborted();
    const { point, ended } = entry.record;
    const root = await orFault(vault, vault.root(entry));
    if (root instanceof Fault) warn(root);
    const mark = { id: point!, ended, quarantined: quarantined.has(point!) };
    if (root instanceof Fault) {
      newest ??= { ...mark, status: 'unreadable', suspect: false };
      continue;
    }
    newest ??= { ...mark, status: root.status, suspect: root.suspect };
    newestRoot ??= root;
    if (longId(root.org.id) !== longId(newestRoot.org.id)) break;
    if (root.status !== 'complete' || root.suspect || mark.quarantined) continue;
    // A point from further ahead would look in time for as long as it is.
    if (Date.parse(root.started) > ctx.now().getTime() + mostDrift) {
      const message = `point ${point} is dated in the future and counts for nothing: check the clock of the host that took it, and this one's`;
      ctx.report({ type: 'warning', name: 'clock-skew', message });
      continue;
    }
    good = root;
    break;
  }
  const rest = good ? await restOfGood(vault, good) : [];
  const never = good && (await neverGood(vault, good, rest, ctx.now().getTime() - rpoMs));
  // What is written to the org after a point began need not be in it.
  const since = good && Math.min(...[good, ...rest].map(({ started }) => Date.parse(started)));
  const lateBy = since === undefined ? null : Math.max(0, (ctx.now().getTime() - since - rpoMs) / 1000);
  const { apiUsage } = newestRoot ?? {};
  const isOfToday = newestRoot && ctx.now().getTime() - Date.parse(newestRoot.ended) < dayMs;
  return {
    org: alias ?? newestRoot?.org.username ?? null,
    orgId: newestRoot?.org.id ?? null,
    vault: vault.store.url,
    lastGood: good ? { id: good.point, started: good.started, ended: good.ended } : null,
    rest,
    neverGood: never ?? null,
    lateBy,
    newest,
    verified: await lastVerified(vault, warn),
    keyTested: await lastKeyTest(vault, warn),
    apiPercent: apiUsage && isOfToday ? Math.round((10_000 * apiUsage.used) / apiUsage.max) / 100 : null,
    state: lateBy === null ? 'empty' : lateBy > 0 || never ? 'late' : 'ok',
  };
}

async function lastVerified(vault: Vault, warn: (fault: Fault) => void): Promise<OrgStatus['verified']> {
  const { attested } = await vault.state();
  for (const entry of attested.toReversed()) {
    const attestation = await orFault(vault, readAttestation(vault, entry));
    if (attestation instanceof Fault) warn(attestation);
    else {
      const last = attestation.points.at(-1);
      const { at, sample } = attestation;
      if (last) return { point: last.point, rung: last.rung, ok: last.ok, at, ...(sample ? { sample } : {}) };
    }
  }
  return null;
}

async function lastKeyTest(vault: Vault, warn: (fault: Fault) => void): Promise<string | null> {
  const { attested } = await vault.state();
  for (const entry of attested.toReversed()) {
    // Verifications name points.
    if (entry.record.points && entry.record.points.length > 0) continue;
    const attestation = await orFault(vault, readAttestation(vault, entry));
    if (attestation instanceof Fault) warn(attestation);
    else if (attestation.keys?.includes('identity')) return attestation.at;
  }
  return null;
}
