import type { Wire } from './wire.ts';
import type { Limit, OrgLimits } from './writing.ts';

/** What the org still has room for, from its `limits` resource. */
export async function readLimits(wire: Wire): Promise<OrgLimits> {
  const json = (await wire.http.json({ what: 'the limits of the org', url: `${wire.root}/limits` })) ?? {};
  const figures = json as Record<string, { Max?: unknown; Remaining?: unknown } | undefined>;
  return {
    ...limit('dataStorageMB', figures.DataStorageMB),
    ...limit('fileStorageMB', figures.FileStorageMB),
    ...limit('dailyApiRequests', figures.DailyApiRequests),
    ...limit('dailyBulkBatches', figures.DailyBulkApiBatches),
    ...limit('dailyBulkQueryJobs', figures.DailyBulkV2QueryJobs),
  };
}

function limit<Name extends keyof OrgLimits>(
  name: Name,
  figure: { Max?: unknown; Remaining?: unknown } | undefined,
): { readonly [name in Name]?: Limit } {
  if (typeof figure?.Max !== 'number' || typeof figure.Remaining !== 'number') return {};
  return { [name]: { max: figure.Max, remaining: figure.Remaining } } as { [name in Name]: Limit };
}
