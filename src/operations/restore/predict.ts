import { type Action, actions, type ObjectPlan } from './plan.ts';

/** Rows of one request, and of one job; requests around a job (create, upload, close, two looks, three results). */
const requestRows = 200;
const jobRows = 100_000;
const jobRequests = 8;
/** Slices that go ahead: 1, 10 and 200 rows. */
const canaries = 3;
/** From so many rows on, updates and deletes go by Bulk. */
const bulkRows = 2000;
/** What an org without heavy automation does (field guide, restore 10: 10,000 rows take 10 to 40 s), and what a job takes at least. */
const rowsASecond = 400;
const secondsAJob = 6;
const secondsARequest = 0.6;

/** The API calls and the time that a plan will take, roughly: what the org's own automation takes is not in it. */
export function predict(objects: readonly ObjectPlan[]): { apiCalls: number; predictedSeconds: number } {
  let apiCalls = 10;
  let seconds = 5;
  for (const { rows } of objects) {
    for (const action of actions) {
      const count = rows.count(action);
      if (count === 0 || action === 'skip' || action === 'conflict') continue;
      const { jobs, requests } = shape(action, count, action === 'insert' ? rows.deepest + 1 : 1);
      apiCalls += jobs * jobRequests + requests;
      seconds += count / rowsASecond + jobs * secondsAJob + requests * secondsARequest;
    }
  }
  return { apiCalls, predictedSeconds: Math.ceil(seconds) };
}

function shape(action: Action, rows: number, levels: number): { jobs: number; requests: number } {
  if (action === 'insert') return { jobs: levels + canaries + Math.floor(rows / jobRows), requests: 0 };
  // Before-images are read first.
  const reads = Math.ceil(rows / bulkRows);
  if (action === 'undelete' || rows < bulkRows) return { jobs: 0, requests: reads + Math.ceil(rows / requestRows) };
  return { jobs: canaries + Math.ceil(rows / jobRows), requests: reads };
}

/** What no plan can foresee, as far as this one touches it; one sentence each. */
export function cannotForesee(
  objects: readonly ObjectPlan[],
  request: { readonly incident: { readonly actor: string | undefined; readonly after: unknown } | undefined },
): string[] {
  const some = (...of: Action[]) => objects.some(({ rows }) => of.some((action) => rows.count(action) > 0));
  const said: string[] = [];
  if (some('insert', 'update', 'relink')) {
    said.push('triggers, flows, validation rules and duplicate rules of the org run on every record that is written');
    said.push('which picklist values a record type allows is not told by the org');
    said.push('the platform cuts spaces at the ends of texts');
  }
  if (some('insert'))
    said.push('sharing, history, feeds and approvals of records that are made again do not come back');
  if (some('undelete')) said.push('unique values that others took meanwhile keep records in the recycle bin');
  if (request.incident && request.incident.actor !== undefined && request.incident.after === undefined) {
    said.push('records that the actor changed and somebody changed again since are not found without --after <point>');
  }
  return said;
}
