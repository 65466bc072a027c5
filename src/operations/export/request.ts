import type { LeftOut } from '../../vault/manifest.ts';
import type { SelectionRequest } from '../select/selection.ts';
import type { Window } from '../select/window.ts';

export type ExportFormat = 'csv' | 'xlsx' | 'sqlite';

/** What of a point is exported, and into which file. */
export interface ExportRequest {
  readonly selection: SelectionRequest;
  /** Only these fields, beside Id; empty: all. */
  readonly fields: readonly string[];
  /** Only rows that this user changed last, by username, name or Id; the point knows its users. */
  readonly changedBy: string | undefined;
  /** Only rows last changed in this time. */
  readonly between: Window | undefined;
  readonly format: ExportFormat;
  /** True: bytes of files too. The file is a zip then, whatever the format. */
  readonly files: boolean;
  /** CSV only: a text that a spreadsheet would take for a formula gets an apostrophe in front. */
  readonly safeForSpreadsheets: boolean;
  /** The file that is made. */
  readonly to: string;
  /** age recipients; empty: the file is not encrypted. */
  readonly recipients: readonly string[];
  readonly tool: string;
}

/** One object as it stands in the file. */
export interface ObjectExported {
  readonly object: string;
  readonly rows: number;
  readonly columns: readonly string[];
  /** Where its rows are: an entry of the zip, tables of the database, sheets of the workbook. */
  readonly entry?: string;
  readonly table?: string;
  readonly sheets?: readonly string[];
  /** Of the entry. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** False: the point itself does not hold all rows. */
  readonly complete: boolean;
  readonly reason?: string;
  /** Texts that were cut at 32,767 characters, which is all that a cell of a workbook holds. */
  readonly cutCells?: number;
  /** Numbers with more digits than a database of this kind keeps. */
  readonly roundedNumbers?: number;
}

export interface FilesExported {
  readonly count: number;
  readonly bytes: number;
  /** Rows that name a file of which the point has no bytes. */
  readonly missing: number;
  /** The entry that lists them, each with its size and SHA-256. */
  readonly list: string;
  readonly sha256: string;
}

/** `manifest.json` of an export. */
export interface ExportManifest {
  readonly v: 1;
  readonly tool: string;
  readonly made: string;
  readonly vault: string;
  readonly rootFingerprint: string;
  readonly point: string;
  readonly ended: string;
  /** The signed record that the rows are held by. */
  readonly record: { readonly seq: number; readonly digest: string };
  readonly org: { readonly id: string; readonly name: string; readonly isSandbox: boolean };
  readonly format: ExportFormat;
  readonly selection: Readonly<Record<string, unknown>>;
  readonly objects: readonly ObjectExported[];
  readonly files?: FilesExported;
  /** Entries of the zip besides those of objects and files. */
  readonly entries?: readonly { readonly entry: string; readonly bytes: number; readonly sha256: string }[];
  readonly notCovered: readonly LeftOut[];
}

/** `result` of `salvor export --json`. */
export interface ExportResult {
  readonly point: string;
  readonly format: ExportFormat;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** age recipients; empty: not encrypted. */
  readonly encryptedTo: readonly string[];
  readonly objects: readonly ObjectExported[];
  readonly files?: FilesExported;
  readonly notCovered: readonly LeftOut[];
}
