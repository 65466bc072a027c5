import type { Org } from '../../salesforce/org.ts';
import type { Root } from '../../vault/manifest.ts';
import { counted, type Finding, findingsOf } from './finding.ts';

const { ok, warn, bad } = findingsOf('API head-room');

/** How many calls the org has left today, and how many points like the newest fit into a day. */
export async function headRoom(org: Org, maxApiPercent: number, newest: Root | undefined): Promise<Finding[]> {
  const { dailyApiRequests: requests, dailyBulkQueryJobs: jobs } = await org.writer.limits();
  const found: Finding[] = [];
  if (requests === undefined) found.push(ok('daily-requests', 'the org does not tell its daily API requests'));
  else found.push(requestsLeft(requests, maxApiPercent, newest));
  if (jobs !== undefined && jobs.max > 0) {
    const said = `${(jobs.max - jobs.remaining).toLocaleString('en-US')} of ${counted(jobs.max, 'Bulk query job')} used today`;
    const few = jobs.remaining < jobs.max / 10;
    found.push(
      few
        ? warn(
            'daily-bulk-jobs',
            said,
            'see which integration makes so many jobs: a full backup takes one for each large object',
          )
        : ok('daily-bulk-jobs', said),
    );
  }
  return found;
}

function requestsLeft(
  { max, remaining }: { readonly max: number; readonly remaining: number },
  maxApiPercent: number,
  newest: Root | undefined,
): Finding {
  const used = max - remaining;
  const budget = Math.floor((max * maxApiPercent) / 100) - used;
  const cost = newest?.apiCalls ?? 0;
  const fits = cost > 0 ? Math.floor((max * maxApiPercent) / 100 / cost) : undefined;
  const said = [
    `${used.toLocaleString('en-US')} of ${counted(max, 'request')} used today`,
    ...(fits === undefined
      ? []
      : [`the newest point took ${cost.toLocaleString('en-US')}: ${counted(fits, 'such point')} fit into a day`]),
  ].join('; ');
  if (budget <= Math.max(0, cost)) {
    return bad(
      'daily-requests',
      `${said}; a backup would stop at its budget of ${maxApiPercent} %`,
      'find what else uses up the requests (Setup, API Usage), raise --max-api-percent, or run backups rarer',
    );
  }
  if (fits !== undefined && fits < 2) {
    return warn(
      'daily-requests',
      said,
      'run backups no more than once a day, or narrow them with --exclude or --no-files',
    );
  }
  if (remaining < max / 5) {
    return warn('daily-requests', said, 'find what else uses up the requests: Setup, API Usage');
  }
  return ok('daily-requests', said);
}
