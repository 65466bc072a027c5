import type { Given, KeyReference, RecordInput } from '../../dml/save.ts';
import type { Settings } from '../../settings.ts';
import { cellReader, unreadable } from './cells.ts';
import type { IngestColumn } from './columns.ts';
import type { IngestJob } from './jobs.ts';

/** A row as the engine takes it, or why it cannot be read. */
export type IngestRow = { readonly input: RecordInput } | { readonly error: string };

/** `#N/A`: the cell that clears a field. */
const nothing = '#N/A';

/**
 * Rows of this job as functions of their cells: an empty cell leaves its field out, `#N/A` clears it, and every other cell is
 * read as its field's type (restore 1.5).
 */
export function recordReader(
  job: IngestJob,
  columns: readonly IngestColumn[],
  { ingestReferenceNull, ingestNullOverDefault }: Settings,
): (cells: readonly string[]) => IngestRow {
  const takesDefault = job.operation === 'insert' && ingestNullOverDefault === 'default';
  const readers = columns.map((column) => (column.kind === 'field' ? cellReader(column.field) : undefined));
  return (cells) => {
    const fields: Record<string, Given> = {};
    let references: KeyReference[] | undefined;
    for (const [at, column] of columns.entries()) {
      const text = cells[at]!;
      if (text === '') continue;
      if (column.kind === 'parent') {
        if (text === nothing && ingestReferenceNull === 'clears') fields[column.lookup.name] = null;
        else {
          references ??= [];
          references.push({ ...reference(column), key: text });
        }
      } else if (text === nothing) {
        if (!(takesDefault && column.field.defaultedOnCreate === true)) fields[column.field.name] = null;
      } else {
        const value = readers[at]!(text);
        if (value === undefined) return { error: unreadable(column.field, at, text) };
        fields[column.field.name] = value;
      }
    }
    return { input: references ? { fields, references } : { fields } };
  };
}

function reference({ relationship, target, keyField }: IngestColumn & { kind: 'parent' }) {
  return { relationship, object: target, keyField };
}
