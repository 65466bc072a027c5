import type { Row, Treatment, Value } from './database.ts';
import type { ObjectDeclaration } from './declaration.ts';
import type { Random } from './random.ts';

/** The org that a row is made for. All of it follows from the seed: asking twice gives the same answer. */
export interface SampleOrg {
  readonly seed: number;
  /** Milliseconds since 1970; nothing in the org is younger. */
  readonly now: number;
  readonly personAccounts: boolean;
  /** Bytes of the largest file. */
  readonly largestFile: number;
  /** Permission fields of PermissionSet that the user who logs in does not have. */
  readonly withoutPermissions: readonly string[];
  size(object: string): number;
  /** True when the object was asked for in a volume of its own; its names then carry a serial number. */
  scaled(object: string): boolean;
  deleted(object: string, number: number): boolean;
  id(object: string, number: number): string;
  /** The Id of a row that is not deleted: `number` modulo the size, or the next one before it. */
  live(object: string, number: number): string;
  /** Numbers that belong to this row alone; `use` tells several streams of one row apart. */
  random(object: string, number: number, use?: number): Random;
  /** ` 00000042` where the object is scaled, else nothing. */
  tag(object: string, number: number): string;
}

/** The file behind a row: its size at once, its bytes when asked. */
export interface SampleFile {
  readonly size: number;
  bytes(): Buffer;
  /** The same piece by piece, of a file that need not be in memory as a whole. */
  chunks?(): Iterable<Buffer>;
}

/** An object of the sample org and how its rows come about. */
export interface SampleObject {
  readonly declaration: ObjectDeclaration;
  /** How many rows there are when nobody asks for another volume. */
  readonly count: number | ((org: SampleOrg) => number);
  readonly treatment?: Treatment;
  /** Rows in the recycle bin; never the first. */
  deleted?(number: number, org: SampleOrg): boolean;
  /** How many rows share the second of their creation, as one bulk load does; 1 without it. */
  readonly loadedTogether?: number;
  /**
   * The fields of a row that differ from empty. Id, audit fields and IsDeleted are added unless given; OwnerId too.
   * Dates are text as `Value` says.
   */
  row(number: number, org: SampleOrg, random: Random): Record<string, Value>;
  /** The file in a blob field of this row; undefined when it has none. */
  file?(number: number, field: string, org: SampleOrg): SampleFile | undefined;
}

export type { Row };

/** `2026-11-20T12:00:00.000Z`. */
export function instant(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString();
}

const day = 86_400_000;

/** The day so many days from `from`, as `2026-11-20`. */
export function dayFrom(from: number, days: number): string {
  return new Date(from + days * day).toISOString().slice(0, 10);
}

/** Eight digits. */
export function serial(number: number): string {
  return String(number).padStart(8, '0');
}

/** An object of the platform's own: no layouts, no recycle bin, no triggers. */
export const setupTraits = {
  layoutable: false,
  compactLayoutable: false,
  searchLayoutable: false,
  undeletable: false,
  triggerable: false,
  mruEnabled: false,
} as const;
