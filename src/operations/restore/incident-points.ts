import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { longId } from '../../schema/ids.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { Root } from '../../vault/manifest.ts';
import { PointReader } from '../../vault/point-reader.ts';
import type { Vault } from '../../vault/vault.ts';
import { notChosen } from '../backup/select.ts';
import { rootOrDamage } from '../latest.ts';
import { findPoint } from '../points.ts';
import { type SelectionRequest, takesIn } from '../select/selection.ts';

/** So many points behind an incident are looked at for one that was asked for all its objects; more than a watch takes in a day. */
const mostBehind = 1000;

/**
 * The point that shows the damage of an incident: the one that was named; else, when the end of its window is known, the first that was begun after the incident was over and that was
 * asked for all objects of the point `before` that `selection` takes in, or the one that was asked for most of them. Of the same org as the point `before`, since nothing of an incident shows in a sandbox that was refreshed. Undefined: there
 * is none. A point that is damaged is passed over, with a warning, unless it is named. Throws `usage` when the named one is of another org.
 */
export async function pointAfter(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  before: string,
  name: string | undefined,
  to: number,
  selection: Pick<SelectionRequest, 'objects' | 'exclude'>,
): Promise<PointReader | undefined> {
  if (name === undefined && !Number.isFinite(to)) return undefined;
  const { org, objects } = await vault.root(await findPoint(ctx, vault, before));
  const isSameOrg = (root: Root) => longId(root.org.id) === longId(org.id);
  if (name !== undefined) {
    const after = await PointReader.open(vault, await findPoint(ctx, vault, name));
    if (isSameOrg(after.root)) return after;
    throw new Fault('usage', `points ${before} and ${name} are of two orgs: ${org.id} and ${after.root.org.id}`);
  }
  const wanted = objects.map(({ object }) => object).filter((object) => takesIn(selection, object));
  const { points, quarantined } = await vault.state();
  let [looked, fewest] = [0, wanted.length];
  let found: LogEntry | undefined;
  for (const entry of points) {
    if (Date.parse(entry.record.started) <= to || quarantined.has(entry.record.point!)) continue;
    if (looked === mostBehind) break;
    looked += 1;
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault || root.status !== 'complete' || !isSameOrg(root)) continue;
    const left = new Set(notAskedFor(root));
    const lacking = wanted.filter((object) => left.has(object)).length;
    if (lacking < fewest || wanted.length === 0) [found, fewest] = [entry, lacking];
    if (found && fewest === 0) break;
  }
  return found && PointReader.open(vault, found);
}

/** Objects that other points may hold: this one was told to leave them out. */
function notAskedFor({ notCovered }: Root): string[] {
  return notCovered.flatMap(({ object, field, reason }) =>
    field === undefined && notChosen.has(reason) ? [object] : [],
  );
}

const mostLookedAt = 20;

/**
 * The newest point that is complete, not suspect, and ended before the incident began, of the org that was there then; undefined when there is none. A point of a few objects, taken
 * for some other purpose, is passed over when one before it holds at least twice as many, unless it holds all of `objects`. `passedOver`: such points; one that is
 * damaged is passed over with a warning.
 */
export async function lastGoodPoint(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  from: number,
  objects: readonly string[],
): Promise<{ entry: LogEntry; passedOver: readonly string[] } | undefined> {
  const { points, quarantined } = await vault.state();
  const good: { entry: LogEntry; held: ReadonlySet<string> }[] = [];
  const rest = new Set<string>();
  let orgId: string | undefined;
  for (const entry of points.toReversed()) {
    const point = entry.record.point!;
    if (Date.parse(entry.record.ended) > from || quarantined.has(point)) continue;
    if (good.length >= mostLookedAt && !rest.has(point)) continue;
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault) continue;
    const { org, status, suspect, objects: held } = root;
    orgId ??= longId(org.id);
    if (longId(org.id) !== orgId) break;
    for (const earlier of root.rest ?? []) rest.add(earlier.point);
    if (status === 'complete' && !suspect) good.push({ entry, held: new Set(held.map(({ object }) => object)) });
  }
  const most = Math.max(...good.map(({ held }) => held.size));
  const isNamed = (held: ReadonlySet<string>) => objects.length > 0 && objects.every((name) => held.has(name));
  const at = good.findIndex(({ held }) => 2 * held.size >= most || isNamed(held));
  if (at < 0) return undefined;
  return { entry: good[at]!.entry, passedOver: good.slice(0, at).map(({ entry }) => entry.record.point!) };
}
