import type { Row } from '../database.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import type { RecordJson } from '../soql/record-json.ts';
import type { RowNumbers } from '../soql/rows.ts';

/** The open result of a query: rows by number, made into records page by page. */
export interface Cursor {
  readonly id: string;
  readonly object: string;
  readonly numbers: RowNumbers;
  readonly pageSize: number;
  readonly openedAt: number;
  row(number: number): Row;
  record(row: Row): RecordJson;
}

/** Query locators: `0r8…` of 18 characters, behind it `-` and the offset (extract 2.6). */
export class Cursors {
  readonly #settings: Settings;
  readonly #cursors = new Map<string, Cursor>();
  readonly #nextId: () => string;

  constructor(settings: Settings, nextId: () => string) {
    this.#settings = settings;
    this.#nextId = nextId;
  }

  open(cursor: Omit<Cursor, 'id' | 'openedAt'>): Cursor {
    const opened = { ...cursor, id: this.#nextId(), openedAt: Date.now() };
    this.#cursors.set(opened.id, opened);
    return opened;
  }

  /** The object behind a locator, if it is known. */
  objectOf(locator: string): string | undefined {
    return this.#cursors.get(locator.slice(0, 18))?.object;
  }

  close(id: string): void {
    this.#cursors.delete(id);
  }

  /** The cursor and offset of `0r8…-2000`. Throws INVALID_QUERY_LOCATOR. */
  at(locator: string): { cursor: Cursor; offset: number } {
    const [, id, digits] = /^([A-Za-z0-9]{18})-(\d+)$/.exec(locator) ?? [];
    const cursor = id === undefined ? undefined : this.#cursors.get(id);
    const offset = Number(digits);
    const expired = cursor && Date.now() - cursor.openedAt >= this.#settings.queryLocatorSeconds * 1000;
    if (!cursor || expired || offset >= cursor.numbers.size)
      throw new Refusal(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
    return { cursor, offset };
  }
}
