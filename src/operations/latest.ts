import type { Context } from '../context.ts';
import { Fault, isDamage } from '../errors.ts';
import { longId } from '../schema/ids.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Root } from '../vault/manifest.ts';
import { stillSuspect } from '../vault/retention.ts';
import type { Vault } from '../vault/vault.ts';

/** What was told of points: a command names several of them, and each is told once. */
const told = new WeakMap<Vault, Set<string>>();

/**
 * The root of a point; the Fault, told as a warning that names the point, when its list or root is damaged or missing. Throws what is no damage: a key that is missing, a newer
 * format, a store that does not answer.
 */
export async function rootOrDamage(ctx: Pick<Context, 'report'>, vault: Vault, entry: LogEntry): Promise<Root | Fault> {
  try {
    return await vault.root(entry);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const point = entry.record.point!;
    tellOnce(ctx, vault, point, error.name, `point ${point} is passed over: ${error.message}`);
    return error;
  }
}

function tellOnce(ctx: Pick<Context, 'report'>, vault: Vault, about: string, name: string, message: string): void {
  const before = told.get(vault) ?? new Set();
  told.set(vault, before);
  if (!before.has(about)) ctx.report({ type: 'warning', name, message });
  before.add(about);
}

/** What is added where a point was not found. */
export function unreadToo(damaged: number): string {
  return damaged === 0 ? '' : `; ${damaged} ${damaged === 1 ? 'point does' : 'points do'} not read`;
}

/** The point that `latest` or `latest~<back>` is, as `findPoint` says. Warns when it was taken behind a suspect one that nobody has acknowledged. */
export async function latestGood(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  newestFirst: readonly LogEntry[],
  back: number,
  name: string,
): Promise<LogEntry> {
  let left = back;
  let orgId: string | undefined;
  let ofOthers = 0;
  const damaged: Fault[] = [];
  for (const entry of newestFirst) {
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault) {
      damaged.push(root);
      continue;
    }
    orgId ??= longId(root.org.id);
    if (longId(root.org.id) !== orgId) {
      ofOthers += 1;
      continue;
    }
    if (root.status !== 'complete' || root.suspect) continue;
    if (left-- > 0) continue;
    await warnOfSuspects(ctx, vault, newestFirst, root);
    return entry;
  }
  // Nothing is known of any point then: the damage says more than that there are too few.
  if (orgId === undefined && damaged[0]) throw damaged[0];
  const others =
    ofOthers === 0 ? '' : `; ${ofOthers} more are of the org that stood in its place before it was refreshed`;
  throw new Fault(
    'no-such-point',
    `there is no ${name}: too few points are complete${others}${unreadToo(damaged.length)}`,
    {
      actions: [
        'name the point by its id, or take `latest!`, which also takes partial points',
        'see `salvor list-points`',
      ],
      data: { point: name },
    },
  );
}

/** A damaged org is copied as faithfully as a whole one: what went wrong in a suspect point is in those behind it too. */
async function warnOfSuspects(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  newestFirst: readonly LogEntry[],
  { point, org, suspects = [] }: Root,
): Promise<void> {
  const first = stillSuspect(await vault.state(), suspects).at(-1);
  if (first === undefined) return;
  const good = await goodBefore(ctx, vault, newestFirst, first, org.id);
  const before = good ? `the newest good point before that is ${good.point}` : 'no good point lies before that';
  const message = `point ${point} was taken behind ${first}, which is suspect: what went wrong there is in it too; ${before}. \`salvor list-points\` says why, \`salvor hold --release\` acknowledges it`;
  tellOnce(ctx, vault, `${point} ${first}`, 'suspect-point', message);
}

/** The newest point before one that is complete and not suspect; of this org, where one is named. */
async function goodBefore(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  newestFirst: readonly LogEntry[],
  point: string,
  orgId?: string,
): Promise<Root | undefined> {
  for (const entry of newestFirst) {
    if (entry.record.point! >= point) continue;
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault || (orgId !== undefined && longId(root.org.id) !== longId(orgId))) continue;
    if (root.status === 'complete' && !root.suspect) return root;
  }
  return undefined;
}

/**
 * Throws the damage of a point that goes by a time and is to be read, with the newest good point before it as what to do: a time stands for one
 * state, and an older one is taken by nobody who was not told.
 */
export async function assertReads(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  newestFirst: readonly LogEntry[],
  entry: LogEntry,
): Promise<void> {
  try {
    await vault.root(entry);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const point = entry.record.point!;
    const good = await goodBefore(ctx, vault, newestFirst, point);
    const instead = good
      ? `name ${good.point}, the newest good point before it, which ended at ${good.ended}`
      : 'no good point lies before it';
    throw new Fault(error.name, `point ${point}: ${error.message}`, {
      actions: [instead, ...error.actions],
      data: { ...error.data, point, ...(good ? { goodBefore: good.point } : {}) },
      cause: error,
    });
  }
}
