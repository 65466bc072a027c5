import type { Context } from '../../context.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import type { Root } from '../../vault/manifest.ts';
import { judgeVisibility } from '../backup/completeness.ts';
import { inForce } from '../backup/exclusions.ts';
import { type Policy, type Selection, select } from '../backup/select.ts';
import { blindSpots } from './blind-spots.ts';
import { type Finding, lookedAt } from './finding.ts';
import { headRoom } from './head-room.ts';
import { login } from './login.ts';
import { permissionFindings } from './permissions.ts';

/** What the org shows to its user, as a backup finds it. */
export interface Sight {
  readonly permissions: Permissions;
  readonly selection: Selection;
  /** Of chosen objects, what the permissions hide, as backup would say of them. */
  readonly hiddenBy: readonly string[];
}

/** Everything about the org: who is logged in, what that user may do and does not see, and how many calls are left. */
export async function orgFindings(
  ctx: Context,
  org: Org,
  asked: Policy,
  maxApiPercent: number,
  newest: Root | undefined,
): Promise<readonly Finding[]> {
  const { signal } = ctx;
  const policy = inForce(ctx, asked);
  const found = [login(org.identity)];
  ctx.report({ type: 'stage', stage: 'looking at the org' });
  const seen = await lookedAt(signal, 'permissions', 'permissions', async () => {
    const permissions = await org.permissions();
    const selection = await select(ctx, org, policy);
    const sight = { permissions, selection, hiddenBy: hiddenBy(selection, permissions) };
    const spots = () => blindSpots(org, sight, policy);
    return [...permissionFindings(sight), ...(await lookedAt(signal, 'blind spots', 'fields', spots))];
  });
  const room = await lookedAt(signal, 'API head-room', 'daily-requests', () => headRoom(org, maxApiPercent, newest));
  return [...found, ...seen, ...room];
}

function hiddenBy({ chosen }: Selection, permissions: Permissions): readonly string[] {
  return [...new Set(chosen.flatMap(({ describe }) => judgeVisibility(describe, permissions).reason ?? []))];
}
