import type { ObjectPlan, Plan, PlanHeader, PlannedRow } from '../../../src/operations/restore/plan.ts';
import { PlannedRows } from '../../../src/operations/restore/planned-rows.ts';
import { IdMap } from '../../../src/rows/id-table.ts';

export interface APlanOptions {
  readonly together?: readonly string[];
  readonly header?: Partial<PlanHeader>;
  /** Id in the point -> Id in the org. */
  readonly references?: Readonly<Record<string, string>>;
  /** By object: fields that tell rows that the platform makes along with others. */
  readonly keys?: Readonly<Record<string, readonly (readonly string[])[]>>;
}

/** A plan that was made by hand. Objects stand in the order given; each is alone unless `together` says which go level by level. */
export function aPlan(objects: Readonly<Record<string, readonly PlannedRow[]>>, options: APlanOptions = {}): Plan {
  const made = Object.entries(objects).map(([object, rows]): ObjectPlan => {
    const planned = new PlannedRows();
    for (const row of rows) planned.add(row);
    const keys = options.keys?.[object];
    const together = options.together?.includes(object) ? options.together : [object];
    return { object, rows: planned, together, ...(keys ? { keys } : {}) };
  });
  const references = new IdMap();
  for (const [from, to] of Object.entries(options.references ?? {})) references.set(from, to);
  return { header: { ...header, ...options.header }, references, objects: made };
}

const header: PlanHeader = {
  v: 1,
  kind: 'plan',
  tool: 'test',
  vault: '3f0c1c1e-0000-4000-8000-000000000001',
  point: { id: '20261122T224100Z-0a1b2c', digest: 'd'.repeat(64), ended: '2026-11-22T22:52:30.000Z' },
  sourceOrg: '00D000000000001EAA',
  org: { id: '00D000000000001EAA', name: 'Practice', isSandbox: true, username: 'admin@example.com' },
  made: '2026-11-23T10:00:00.000Z',
  request: {},
  schema: {},
  restores: '',
  salt: 'salt',
  leftOut: [],
  withheld: [],
  cannotForesee: [],
  apiCalls: 0,
  predictedSeconds: 0,
};
