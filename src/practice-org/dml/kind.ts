import type { Draft } from './draft.ts';
import type { SaveError } from './save.ts';
import type { FoundRow, Saving } from './saving.ts';

/** What the platform does of its own with rows of one object. */
export interface Kind {
  /** Fills in what follows from other fields, and refuses what the object does not allow. */
  prepare?(saving: Saving, draft: Draft): void;
  /** After the row was written. */
  saved?(saving: Saving, draft: Draft, number: number): void;
  /** Why a row may not be deleted by itself. */
  removing?(saving: Saving, found: FoundRow): SaveError | undefined;
  /** After a row went, or came back. */
  moved?(saving: Saving, found: FoundRow): void;
}

/** The live row that a lookup leads to. */
export function target(saving: Saving, id: unknown): FoundRow | undefined {
  const found = typeof id === 'string' ? saving.find(id) : undefined;
  return found && found.rows.cell(found.number, 'IsDeleted') !== true ? found : undefined;
}

/** The sum of a field over live rows, to cents. */
export function sum(saving: Saving, object: string, field: string, numbers: readonly number[]): number {
  const rows = saving.table(object)!.source;
  const total = numbers.reduce((so, number) => so + Number(rows.cell(number, field) ?? 0), 0);
  return Math.round(total * 100) / 100;
}
