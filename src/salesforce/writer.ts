import { deleteRecords, saveRecords } from './collections.ts';
import { insertFileRecord } from './file-upload.ts';
import { IngestClient } from './ingest.ts';
import { readLimits } from './limits.ts';
import type { FieldTypes } from './record-json.ts';
import { undeleteRecords } from './undelete.ts';
import type { Wire } from './wire.ts';
import type { FileContent, Ingest, OrgLimits, OrgWriter, WriteOptions, WriteRecord, Written } from './writing.ts';

/** The writing side of an org that answers over HTTP; see `OrgWriter`. */
export class OrgWriterClient implements OrgWriter {
  readonly ingest: Ingest;
  readonly #wire: Wire;
  readonly #typesOf: (object: string) => Promise<FieldTypes>;

  /** `typesOf` throws `object-refused` for an object that the org does not describe. */
  constructor(wire: Wire, typesOf: (object: string) => Promise<FieldTypes>) {
    this.#wire = wire;
    this.#typesOf = typesOf;
    this.ingest = new IngestClient(wire);
  }

  async insert(object: string, records: readonly WriteRecord[], options?: WriteOptions): Promise<Written[]> {
    const what = `the insertion of ${records.length} rows of ${object}`;
    const types = await this.#typesOf(object);
    return saveRecords(this.#wire, { what, method: 'POST', object, records, types, options, once: true });
  }

  async update(object: string, records: readonly WriteRecord[], options?: WriteOptions): Promise<Written[]> {
    if (records.some(({ Id }) => !Id)) throw new TypeError('a record that is to be updated has no Id');
    const what = `the update of ${records.length} rows of ${object}`;
    const types = await this.#typesOf(object);
    return saveRecords(this.#wire, { what, method: 'PATCH', object, records, types, options });
  }

  async upsert(
    object: string,
    keyField: string,
    records: readonly WriteRecord[],
    options?: WriteOptions,
  ): Promise<Written[]> {
    if (records.some((record) => !record[keyField])) throw new TypeError(`a record has no value in ${keyField}`);
    const what = `the upsert of ${records.length} rows of ${object}`;
    const types = await this.#typesOf(object);
    let doubt = false;
    const onDoubt = () => {
      doubt = true;
    };
    const path = `/${object}/${keyField}`;
    const written = await saveRecords(this.#wire, {
      what,
      method: 'PATCH',
      path,
      object,
      records,
      types,
      options,
      onDoubt,
    });
    return doubt ? written.map(withoutFalseCreated) : written;
  }

  delete(ids: readonly string[]): Promise<Written[]> {
    return deleteRecords(this.#wire, ids);
  }

  undelete(ids: readonly string[]): Promise<Written[]> {
    return undeleteRecords(this.#wire, ids);
  }

  async insertFile(
    object: string,
    record: WriteRecord,
    blobField: string,
    content: FileContent,
    options?: WriteOptions,
  ): Promise<Written> {
    const types = await this.#typesOf(object);
    return insertFileRecord(this.#wire, { object, record, types, blobField, content, options });
  }

  limits(): Promise<OrgLimits> {
    return readLimits(this.#wire);
  }
}

/** A row that is not new now may have been made by the try before. */
function withoutFalseCreated({ created, ...rest }: Written): Written {
  return created === true ? { created, ...rest } : rest;
}
