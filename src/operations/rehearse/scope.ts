import type { ObjectDescribe } from '../../schema/describe.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { isReferenceOnly, platformRules } from '../restore/platform.ts';
import { type SelectionRequest, takesIn } from '../select/selection.ts';

/** Rows that a rehearsal cannot judge, or a field of theirs, and why. */
export interface NotJudged {
  readonly object: string;
  /** Absent: whole rows. */
  readonly field?: string;
  readonly rows: number;
  /** Stable: scripts match on it. */
  readonly code: string;
  readonly reason: string;
}

/** What of a point a rehearsal restores, and what stands in its org from the beginning. */
export interface RehearsalScope {
  /** Objects whose rows are restored, in the order of the point. */
  readonly restored: readonly string[];
  /** Objects whose rows stand in the org with their Ids: others refer to them and no restore makes them. */
  readonly standing: ReadonlySet<string>;
  readonly notJudged: readonly NotJudged[];
  readonly describes: ReadonlyMap<string, ObjectDescribe>;
}

type Names = Pick<SelectionRequest, 'objects' | 'exclude'>;

/** Throws `no-identity`, and what reading describes throws. */
export async function rehearsalScope(reader: PointReader, names: Names): Promise<RehearsalScope> {
  const describes = await reader.describes();
  const restored: string[] = [];
  const notJudged: NotJudged[] = [];
  for (const [object, describe] of describes) {
    if (!takesIn(names, object)) continue;
    const { hasId, rows } = await reader.map(object);
    const why = hasId ? notRestored(object, describe) : noId;
    if (!why) restored.push(object);
    else if (rows > 0) notJudged.push({ object, rows, ...why });
  }
  for (const { object, reason } of reader.failed())
    if (takesIn(names, object)) notJudged.push({ object, rows: 0, code: 'not-in-point', reason });
  const chosen = new Set(restored);
  const referred = new Set(
    restored.flatMap((object) => describes.get(object)!.fields.flatMap(({ referenceTo }) => referenceTo)),
  );
  const standing = [...describes.keys()].filter(
    (object) => !chosen.has(object) && (isReferenceOnly(object) || (referred.has(object) && !isHistory(object))),
  );
  return { restored, standing: new Set(standing), notJudged, describes };
}

type Why = Pick<NotJudged, 'code' | 'reason'>;

const noId: Why = { code: 'no-id', reason: 'its rows have no Ids by which they could be found again' };

/** Why no restore makes rows of this object; undefined when it does. */
function notRestored(object: string, { createable }: ObjectDescribe): Why | undefined {
  if (isReferenceOnly(object)) return { code: 'reference-only', reason: 'setup is referred to and never restored' };
  const { never, made } = platformRules(object);
  if (never) return never;
  if (createable || made) return undefined;
  return { code: 'not-createable', reason: 'the org does not let this user create any' };
}

function isHistory(object: string): boolean {
  return platformRules(object).never !== undefined;
}

/** Rows that every org has and no restore makes, though others of their object are made; undefined: there are none. */
export function alwaysThere(object: string): ((cells: (field: string) => string) => boolean) | undefined {
  return object === 'Pricebook2' ? (cells) => cells('IsStandard') === 'true' : undefined;
}
