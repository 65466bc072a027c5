import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { cells } from '../../rows/cells.ts';
import { decimal } from '../../schema/decimal.ts';
import type { FieldDescribe } from '../../schema/describe.ts';

const declared: Readonly<Record<string, string>> = {
  int: 'INTEGER',
  long: 'INTEGER',
  double: 'NUMERIC',
  currency: 'NUMERIC',
  percent: 'NUMERIC',
  boolean: 'BOOLEAN',
};

/** An SQLite database: a table for each object, typed columns, Id as primary key; empty cells are NULL, dates and times text as in the point. */
export class Database {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** `file`: an empty one; undefined: in memory, for `bytes`. Throws `usage` where Node cannot give the bytes of a database in memory. */
  static async open(file: string | undefined): Promise<Database> {
    const { DatabaseSync } = await sqlite();
    const db = new DatabaseSync(file ?? ':memory:');
    if (file === undefined && typeof db.serialize !== 'function') {
      db.close();
      throw new Fault('usage', `Node ${process.version} makes no SQLite database without a file in plaintext`, {
        actions: ['use Node 24, or --format csv, or export it unencrypted and encrypt the file'],
      });
    }
    // Nobody reads it before it is whole, and one that did not get whole is thrown away.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000');
    return new Database(db);
  }

  /** Adds a table. Resolves with how many numbers have more digits than a double keeps. */
  async add(
    table: string,
    fields: readonly Pick<FieldDescribe, 'name' | 'type'>[],
    batches: AsyncIterable<RowBatch>,
  ): Promise<number> {
    const columns = fields.map(
      ({ name, type }) => `${quoted(name)} ${declared[type] ?? 'TEXT'}${name === 'Id' ? ' NOT NULL PRIMARY KEY' : ''}`,
    );
    try {
      this.#db.exec(`CREATE TABLE ${quoted(table)} (${columns.join(', ')})`);
    } catch (cause) {
      // Names that begin with `sqlite_` are its own, and it takes 2,000 columns.
      throw new Fault('usage', `a database cannot have a table like ${table}: ${(cause as Error).message}`, {
        cause,
        actions: ['leave the object out with --exclude, or choose --format csv'],
      });
    }
    const insert = this.#db.prepare(`INSERT INTO ${quoted(table)} VALUES (${fields.map(() => '?').join(', ')})`);
    const found = { rounded: 0 };
    for await (const batch of batches) {
      this.#db.exec('BEGIN');
      for (let row = 0; row < batch.ends.length; row++) {
        insert.run(...cells(batch, row).map((cell, i) => boundValue(cell, fields[i]!.type, found)));
      }
      this.#db.exec('COMMIT');
    }
    return found.rounded;
  }

  /** Adds a table with one text, for what is told of the export. */
  note(table: string, text: string): void {
    this.#db.exec(`CREATE TABLE ${quoted(table)} (json TEXT NOT NULL)`);
    this.#db.prepare(`INSERT INTO ${quoted(table)} VALUES (?)`).run(text);
  }

  /** The whole database; of one in memory. */
  bytes(): Buffer {
    const bytes = this.#db.serialize();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  close(): void {
    this.#db.close();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const largest = 2n ** 63n - 1n;

function boundValue(cell: string, type: string, found: { rounded: number }): SQLInputValue {
  if (cell === '') return null;
  if (type === 'boolean') return cell === 'true' ? 1 : cell === 'false' ? 0 : cell;
  if (declared[type] === undefined) return cell;
  const number = decimal(cell);
  if (!number) return cell;
  if (number.exponent >= number.digits.length && number.exponent < 20) {
    const whole = BigInt(number.digits + '0'.repeat(number.exponent - number.digits.length)) * BigInt(number.sign);
    if (whole <= largest && whole >= -largest) return whole;
  }
  if (number.digits.length > 15) found.rounded++;
  return Number(cell);
}

/** Node 22 warns that SQLite is new there; what is used of it has not changed since. */
async function sqlite(): Promise<typeof import('node:sqlite')> {
  const warn = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return await import('node:sqlite');
  } finally {
    process.emitWarning = warn;
  }
}
