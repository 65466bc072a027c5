import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import { visibleRows } from '../soql/rows.ts';
import type { OrgState } from '../state.ts';

/** API requests used today by everybody. */
export function requestsUsed(state: OrgState): number {
  return state.settings.requestsUsedByOthers + state.log.calls;
}

/** GET limits (extract 2.5): an entry per connected app stands beside Max and Remaining, as in real orgs. */
export function limits(state: OrgState): Answer {
  const max = state.settings.dailyRequests;
  const jobs = state.log.counts['bulk.create'] ?? 0;
  const of = (Max: number, used = 0) => ({ Max, Remaining: Math.max(0, Max - used) });
  return json({
    ConcurrentAsyncGetReportInstances: of(200),
    DailyApiRequests: { ...of(max, requestsUsed(state)), 'Practice App': of(0) },
    DailyBulkApiBatches: of(state.settings.dailyBulkBatches, state.ingestJobs.used.batches),
    DailyBulkV2QueryFileStorageMB: of(976_562),
    DailyBulkV2QueryJobs: of(10_000, jobs),
    DailyDeliveredPlatformEvents: of(10_000),
    // 2 kB a record, as Salesforce counts
    DataStorageMB: of(10_240, 10_240 - Math.min(10_240, Math.floor((state.settings.storageRows * 2) / 1024))),
    FileStorageMB: of(10_240),
  });
}

/** No cached counts for these (extract 2.4). */
const uncounted = /(?:ChangeEvent|Feed|History|OwnerSharingRule|Share)$/;

/** GET limits/recordCount[?sObjects=A,B]: rows without recycle bin and archive; unknown names are left out. */
export async function recordCount(state: OrgState, request: ApiRequest): Promise<Answer> {
  if (!state.settings.permissions.viewSetup)
    throw new Refusal(403, 'INSUFFICIENT_ACCESS', 'You need the View Setup and Configuration permission');
  const asked = request.query.get('sObjects');
  const objects =
    asked === null ? state.schema.all() : asked.split(',').flatMap((name) => state.schema.object(name.trim()) ?? []);
  const by = request.fault?.name === 'count-off' ? request.fault.by : 0;
  const everything = { ...state.settings.permissions, viewAllData: true, queryAllFiles: true };
  const sObjects: { count: number; name: string }[] = [];
  for (const object of objects) {
    if (!object.describe.queryable || object.isSetup || uncounted.test(object.name)) continue;
    const { size } = await visibleRows(object, false, everything, state.database.facts);
    const count = Math.max(0, size + by);
    if (count > 0 || asked !== null) sObjects.push({ count, name: object.name });
  }
  return json({ sObjects });
}
