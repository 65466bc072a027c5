import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Row } from '../../src/practice-org/database.ts';
import { type Defect, fewRows, RehearseRig } from './rehearse-rig.ts';

/** What goes wrong on the way is found by the rehearsal, at the very record, and nothing else is blamed. */
export interface Seeded {
  readonly title: string;
  /** Objects that are rehearsed. */
  readonly objects: readonly string[];
  readonly defect: Defect;
  /** Key of each problem, and how it begins. */
  readonly finds: readonly (readonly [key: string, problem: string])[];
}

const database = fewRows();
export const userId = database.facts.userId;

/** Rows of the point, as the org had them. */
export function rowsOf(object: string): Row[] {
  const { source } = database.tables.get(object)!;
  return Array.from({ length: source.size }, (_, number) => source.row(number));
}

export function rowWhere(object: string, is: (row: Row) => boolean): Row {
  const found = rowsOf(object).find(is);
  assert.ok(found, `no such row of ${object}`);
  return found;
}

export const idOf = (row: Row) => String(row.Id);

/** A test for each, all of one point that is taken first. */
export async function testSeeded(about: string, all: readonly Seeded[]): Promise<void> {
  const rig = await RehearseRig.start(database);
  after(() => rig[Symbol.asyncDispose]());
  for (const { title, objects, defect, finds } of all) {
    test(`${about}: ${title}`, async () => {
      const { rung, certificate } = await rig.rehearse(objects, defect);
      const found = rung.problems.map(({ key, problem }) => [key, problem] as const).sort();
      const expected = [...finds].sort();
      const named = found.map(([key, problem], n) => {
        const wanted = expected[n]?.[1];
        return [key, wanted !== undefined && problem.startsWith(wanted) ? wanted : problem];
      });
      assert.deepEqual(named, expected);
      assert.equal(certificate.ok, finds.length === 0);
    });
  }
}
