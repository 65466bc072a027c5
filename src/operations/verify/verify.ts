import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { attest } from '../../vault/attest.ts';
import { DeadRows } from '../../vault/dead-rows.ts';
import type { LogEntry } from '../../vault/log.ts';
import { standing } from '../../vault/retention.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Certificate } from '../rehearse/certificate.ts';
import { contentsOf, type ObjectContents, Opener } from './contents.ts';
import { verifyCounts } from './counts.ts';
import { CurrentRows } from './current-rows.ts';
import { verifyDigests, verifyLeftovers } from './digests.ts';
import { verifyExistence } from './existence.ts';
import { verifyFiles } from './files.ts';
import { readIndexes } from './indexes.ts';
import { counted, Ladder, objectsFigure } from './ladder.ts';
import { type Listing, listAll } from './listing.ts';
import { verifyLog } from './log.ts';
import type { OrgCompared } from './org-request.ts';
import { addOtherPoints, type Reach, reachOf } from './reach.ts';
import { References } from './references.ts';
import { type RungName, type RungResult, rungs, type VerifyRequest, type VerifyResult } from './request.ts';
import { readRows } from './rows.ts';
import { StoredObjects } from './stored.ts';

/**
 * Climbs the ladder for each point and reports every rung. What does not hold is in the result and is not thrown; the ladder goes on
 * where it can. Throws `no-identity` and `wrong-identity` unless `noIdentity`, and what stops all reading: an unreachable store, the
 * signal. At the end the result is signed and kept in the vault, when a key to sign it is at hand.
 */
export async function verify(ctx: Context, vault: Vault, request: VerifyRequest): Promise<VerifyResult> {
  if (!request.noIdentity && !vault.keyring.hasIdentity)
    throw new Fault('no-identity', 'rows are encrypted and there is no identity to open them', {
      actions: [
        'give one with --identity or SALVOR_IDENTITY_FILE, or check what can be checked without: --no-identity',
      ],
    });
  const stored = new StoredObjects(vault, ctx.signal, request);
  const { state, listed } = await listAll(vault, ctx.signal);
  const log = await verifyLog(stored, state, listed, request);
  let logResult = log.rung.result();
  const chosen = request.points === 'all' ? state.points : (request.points ?? state.points.slice(-1));
  const identities = await identitiesOf(vault, request, logResult);

  const verified: { entry: LogEntry; ladder: Ladder; reach: Reach }[] = [];
  const reached = new Set<string>();
  for (const entry of chosen) {
    const ladder = new Ladder(rungsFor(request, vault));
    const reach = await reachOf(stored, entry, ladder);
    for (const key of reach.refs.keys()) reached.add(key);
    verified.push({ entry, ladder, reach });
  }
  // What concerns no point that was asked for stands with the first one.
  const first = verified[0]?.ladder ?? new Ladder(['digests']);
  const others = standing(state).filter(({ seq }) => !chosen.some((entry) => entry.seq === seq));
  await addOtherPoints(stored, others, reached, first);

  const points: { id: string; ok: boolean; rungs: RungResult[] }[] = [];
  let rehearsal: Certificate | undefined;
  let againstOrg: OrgCompared | undefined;
  let notCovered: string[] | undefined;
  const covered = (key: string) => reached.has(key) || log.signed.has(key);
  for (const { entry, ladder, reach } of verified) {
    ctx.signal.throwIfAborted();
    await verifyPoint(stored, entry.record.point!, reach, listed, ladder, identities, !request.noIdentity);
    notCovered ??= await verifyLeftovers(stored, listed, covered, ladder);
    const results = [logResult, ...ladder.results()];
    report(ctx, entry.record.point!, results);
    if (request.rehearse && results.every(({ ok }) => ok)) {
      const { rung, certificate } = await request.rehearse(entry);
      results.push(rung);
      report(ctx, entry.record.point!, [rung]);
      rehearsal = certificate;
    }
    if (request.againstOrg && results.every(({ ok }) => ok)) {
      const { rung, compared } = await request.againstOrg(entry);
      results.push(rung);
      report(ctx, entry.record.point!, [rung]);
      againstOrg = compared;
    }
    points.push({ id: entry.record.point!, ok: results.every(({ ok }) => ok), rungs: results });
  }
  if (!notCovered) {
    notCovered = await verifyLeftovers(stored, listed, covered, first);
    for (const { problems } of first.results()) for (const { key, problem } of problems) log.rung.problem(key, problem);
    logResult = log.rung.result();
    report(ctx, '', [logResult]);
  }
  const result: VerifyResult = {
    ok: logResult.ok && points.every(({ ok }) => ok),
    points,
    head: { seq: state.head.seq, digest: state.head.digest },
    log: logResult,
    ...(rehearsal ? { rehearsal } : {}),
    ...(againstOrg ? { againstOrg } : {}),
    notCovered,
  };
  const attested = request.attest === false ? undefined : await keep(ctx, vault, request, result);
  return attested ? { ...result, attested } : result;
}

function rungsFor({ noIdentity }: VerifyRequest, vault: Vault): readonly RungName[] {
  const own = rungs.filter((name) => name !== 'log' && name !== 'rehearse' && name !== 'org');
  if (!noIdentity) return own;
  return own.filter(
    (name) => name === 'existence' || name === 'digests' || (name === 'counts' && vault.keyring.writer),
  );
}

/** Undefined: there are keys at hand, and the vault's own copies of what they unwrap are damaged, which the log has told. */
async function identitiesOf(
  vault: Vault,
  { noIdentity }: VerifyRequest,
  log: RungResult,
): Promise<string[] | undefined> {
  if (noIdentity) return vault.keyring.writer ? [vault.keyring.writer.identity] : undefined;
  try {
    return await vault.rowIdentities();
  } catch (error) {
    if (!log.ok && isFault(error) && (error.exit === 4 || error.name === 'wrong-identity')) return undefined;
    throw error;
  }
}

async function verifyPoint(
  stored: StoredObjects,
  point: string,
  reach: Reach,
  listed: Listing,
  ladder: Ladder,
  identities: readonly string[] | undefined,
  withRows: boolean,
): Promise<void> {
  verifyExistence(reach, listed, ladder);
  if (identities) await openPoint(new Opener(stored, identities, ladder, !withRows), point, reach, withRows);
  else if (withRows) ladder.problem('decrypt', 'keys/', 'the keys of the vault cannot be unwrapped: see the log');
  await verifyDigests(stored, reach, ladder);
}

/** Everything that takes a key: each object is read once. */
async function openPoint(opener: Opener, point: string, reach: Reach, withRows: boolean): Promise<void> {
  const { ladder } = opener;
  const contents = await contentsOf(opener, point, reach, withRows);
  if (contents) {
    verifyCounts(opener.stored.vault, point, contents, reach, ladder, withRows);
    const { twins, ids } = await readIndexes(opener, contents.objects, withRows);
    if (withRows) {
      const references = new References(contents, ids, ...(await laidOver(opener, contents.objects, ids)));
      const read = await readRows(opener, contents.objects, twins, (object, columns, segment) =>
        references.watch(object, columns, segment),
      );
      references.report(ladder.rung('references')!);
      ladder.rung('parse')!.figure = [
        counted(read.segments, 'segment'),
        counted(read.rows, 'row'),
        counted(read.tombstones, 'tombstone'),
      ].join(', ');
    }
    await verifyFiles(opener, contents, reach, withRows);
  }
  if (withRows) ladder.rung('decrypt')!.figure = objectsFigure(opener.opened, opener.bytes);
  else if (opener.foreign > 0)
    ladder.rung('counts')!.figure += `; ${counted(opener.foreign, 'page')} that the writer key does not open`;
}

/** What lies over the base of objects, of those whose indexes were read. */
async function laidOver(
  { stored: { vault, signal } }: Opener,
  objects: readonly ObjectContents[],
  ids: ReadonlyMap<string, unknown>,
): Promise<[current: ReadonlyMap<string, CurrentRows>, dead: DeadRows]> {
  const current = new Map<string, CurrentRows>();
  const dead = new DeadRows();
  for (const { map } of objects) {
    if (!ids.has(map.object)) continue;
    try {
      const rows = await CurrentRows.of(vault, map, signal);
      if (rows) current.set(map.object, rows);
      await dead.add(vault, map, signal);
    } catch (error) {
      // Damaged tombstones are told of where they are read.
      if (!isFault(error) || error.exit !== 4) throw error;
    }
  }
  return [current, dead];
}

function report(ctx: Context, point: string, results: readonly RungResult[]): void {
  for (const { rung, ok, figure, problems } of results)
    ctx.report({ type: 'rung', point, rung, ok, figure, problems: problems.length });
}

/** Signs the result and appends it to the log. A store that takes no writes from this host leaves the result as it is. */
async function keep(
  ctx: Context,
  vault: Vault,
  request: VerifyRequest,
  result: VerifyResult,
): Promise<{ seq: number; digest: string } | undefined> {
  if (result.points.length === 0) return undefined;
  try {
    const signer = await vault.keyring.anySigner((await vault.state()).epochs);
    if (!signer) return undefined;
    const points = result.points.map(({ id, ok, rungs: climbed }) => ({
      point: id,
      rung: climbed[climbed.findIndex((one) => !one.ok) - 1]?.rung ?? (ok ? climbed.at(-1)!.rung : 'none'),
      ok,
      problems: climbed.reduce((sum, { problems }) => sum + problems.length, 0),
    }));
    const { sample, tool } = request;
    const part = sample && sample.of > 1 ? { sample: `${sample.part}/${sample.of}` } : {};
    const { seq, digest } = await attest(vault, signer, { points, ...part, tool }, ctx.now());
    return { seq, digest };
  } catch (error) {
    // A vault that was found damaged may be too damaged to write to; that it is damaged is in the result.
    if (!isFault(error, 'store-denied') && (result.ok || !isFault(error) || error.exit !== 4)) throw error;
    ctx.report({ type: 'warning', name: error.name, message: `the result is not kept in the vault: ${error.message}` });
    return undefined;
  }
}
