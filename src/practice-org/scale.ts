import { javaDouble } from './bulk/csv.ts';
import type { Describe, Row, RowSource, Value } from './database.ts';
import { hashOf } from './random.ts';
import { recordId, recordNumber } from './record-ids.ts';
import { instant, type SampleOrg, serial } from './sample.ts';
import { patch, type Slot, type Slots, slotKinds } from './scale-patch.ts';

/**
 * Rows of a large object are made from so many templates, over and over; what must differ in every row is put in.
 * With rows of 500 bytes a round is twice zstd's window at level 3, so that repetition does not flatter compression.
 */
export const templates = 8192;

export interface ScaledObject {
  readonly describe: Describe;
  readonly prefix: string;
  readonly size: number;
  template(number: number): Row;
  readonly org: SampleOrg;
  /** Milliseconds, ascending. */
  created(number: number): number;
  /** The scaled objects of the org by the prefix of their Ids. */
  readonly scaled: ReadonlyMap<string, string>;
}

/** What a lookup of a large object points at: rows of another large object. */
export interface Target {
  readonly prefix: string;
  readonly size: number;
  /** The object itself: row n points at row n / 8, so that no chain of parents closes. */
  readonly self: boolean;
  /** For each template how many rows back the next live one is: nothing points at deleted rows. */
  readonly back: Uint8Array;
}

/** The row that row `number` points at with the lookup of this salt. */
export function targetOf(target: Target, number: number, salt: number): number {
  const at = target.self ? number >>> 3 : (number * 7919 + salt) % target.size;
  return at - target.back[at % templates]!;
}

const texts = new Set(['string', 'textarea', 'email', 'phone', 'url', 'combobox']);
const doubles = new Set(['double', 'currency', 'percent']);
const stamps: Readonly<Record<string, number>> = {
  CreatedDate: slotKinds.created,
  LastModifiedDate: slotKinds.modified,
  SystemModstamp: slotKinds.stamped,
};

export function scaledSource(object: ScaledObject): RowSource {
  const rows = new ScaledRows(object);
  return {
    size: object.size,
    row: (number) => rows.row(number),
    find: (id) => {
      const number = recordNumber(object.prefix, id);
      return number < object.size ? number : -1;
    },
    cell: (number, field) => rows.cell(number, field),
    csv: (fields, from, to) => rows.csv(fields, from, to),
  };
}

class ScaledRows {
  readonly #object: ScaledObject;
  readonly #types: ReadonlyMap<string, string>;
  readonly #targets = new Map<string, Target>();
  readonly #templates: Row[] = [];
  #block: { readonly fields: string; readonly slots: Slots | undefined } | undefined;

  constructor(object: ScaledObject) {
    this.#object = object;
    this.#types = new Map(object.describe.fields.map((field) => [field.name, field.type]));
    const own = object.describe.name;
    for (const [prefix, name] of object.scaled) {
      const size = object.org.size(name);
      if (size <= templates) continue;
      const back = new Uint8Array(templates);
      for (let at = 1; at < templates; at++) back[at] = object.org.deleted(name, at) ? back[at - 1]! + 1 : 0;
      this.#targets.set(prefix, { prefix, size, self: name === own, back });
    }
  }

  #template(number: number): Row {
    this.#templates[number] ??= this.#object.template(number);
    return this.#templates[number];
  }

  row(number: number): Row {
    const at = number % templates;
    const template = this.#template(at);
    const row: Record<string, Value> = {};
    for (const field in template) {
      const value = template[field]!;
      row[field] = value === null ? null : this.#value(field, value, template, at, number);
    }
    return row;
  }

  cell(number: number, field: string): Value {
    const at = number % templates;
    const template = this.#template(at);
    const value = template[field] ?? null;
    return value === null ? null : this.#value(field, value, template, at, number);
  }

  /** One cell of row `number`, whose template at `at` holds `value`. */
  #value(field: string, value: Value, template: Row, at: number, number: number): Value {
    const { created, prefix } = this.#object;
    if (field === 'Id') return recordId(prefix, number);
    const kind = stamps[field];
    if (kind !== undefined) return this.#stamp(kind, value, template, at, created(number));
    const type = this.#types.get(field)!;
    if (type === 'reference') {
      const target = this.#targets.get(String(value).slice(0, 3));
      return target ? recordId(target.prefix, targetOf(target, number, hashOf(field))) : value;
    }
    if (texts.has(type)) return (value as string).replaceAll(serial(at), serial(number));
    if (doubles.has(type) && sixDigits(value)) {
      const text = String(value);
      return Number(text[0] + roundDigits(number) + text.slice(3));
    }
    return value;
  }

  #stamp(kind: number, value: Value, template: Row, at: number, created: number): Value {
    if (kind === slotKinds.stamped && template.IsDeleted === true) return value;
    return instant(created + Date.parse(value as string) - this.#object.created(at));
  }

  /** Undefined where cells depend on more than the row: files, secrets, numbers that a setting writes in two ways. */
  csv(fields: readonly string[], from: number, to: number): Buffer | undefined {
    const key = fields.join();
    if (this.#block?.fields !== key) this.#block = { fields: key, slots: this.#prepare(fields) };
    return this.#block.slots && patch(this.#block.slots, from, Math.min(to, this.#object.size));
  }

  #prepare(fields: readonly string[]): Slots | undefined {
    for (const field of fields) {
      const type = this.#types.get(field);
      if (type === undefined || ['address', 'location', 'base64', 'encryptedstring'].includes(type)) return undefined;
    }
    const lines: Buffer[] = [];
    const starts = new Int32Array(templates + 1);
    const slots: Slot[] = [];
    const firsts = new Int32Array(templates + 1);
    for (let at = 0; at < templates; at++) {
      const template = this.#template(at);
      let line = '';
      const found: Slot[] = [];
      for (const [index, field] of fields.entries()) {
        const value = template[field] ?? null;
        const type = this.#types.get(field)!;
        if (doubles.has(type) && typeof value === 'number' && inTwoNotations(value)) return undefined;
        const text = cellText(value, type);
        if (value !== null) {
          const start = Buffer.byteLength(line) + (index === 0 ? 1 : 2);
          for (const slot of this.#slots(field, type, value, text, template, at)) {
            found.push({ ...slot, offset: starts[at]! + start + slot.offset });
          }
        }
        line += index === 0 ? `"${text}"` : `,"${text}"`;
      }
      const bytes = Buffer.from(`${line}\n`);
      lines.push(bytes);
      starts[at + 1] = starts[at]! + bytes.length;
      slots.push(...found);
      firsts[at + 1] = slots.length;
    }
    const { created, size } = this.#object;
    return { block: Buffer.concat(lines), starts, firsts, slots: columns(slots), created, size };
  }

  /** Where the cell `text` of a template differs from row to row; offsets in bytes from its start. */
  #slots(field: string, type: string, value: Value, text: string, template: Row, at: number): Slot[] {
    if (field === 'Id') return [{ kind: slotKinds.id, offset: 0, argument: 0, target: undefined }];
    const kind = stamps[field];
    if (kind !== undefined) {
      if (kind === slotKinds.stamped && template.IsDeleted === true) return [];
      const argument = (Date.parse(value as string) - this.#object.created(at)) / 1000;
      return [{ kind, offset: 0, argument, target: undefined }];
    }
    if (type === 'reference') {
      const target = this.#targets.get(String(value).slice(0, 3));
      return target ? [{ kind: slotKinds.reference, offset: 0, argument: hashOf(field), target }] : [];
    }
    if (texts.has(type)) {
      const found: Slot[] = [];
      const mark = serial(at);
      for (let i = text.indexOf(mark); i >= 0; i = text.indexOf(mark, i + mark.length)) {
        found.push({
          kind: slotKinds.serial,
          offset: Buffer.byteLength(text.slice(0, i)),
          argument: 0,
          target: undefined,
        });
      }
      return found;
    }
    return doubles.has(type) && sixDigits(value)
      ? [{ kind: slotKinds.round, offset: 1, argument: 0, target: undefined }]
      : [];
  }
}

function columns(slots: readonly Slot[]): Slots['slots'] {
  const targets: Target[] = [];
  const targetIndex = (target: Target | undefined): number => {
    if (!target) return 0;
    if (!targets.includes(target)) targets.push(target);
    return targets.indexOf(target);
  };
  return {
    kind: Uint8Array.from(slots, (slot) => slot.kind),
    offset: Int32Array.from(slots, (slot) => slot.offset),
    argument: Float64Array.from(slots, (slot) => slot.argument),
    target: Uint8Array.from(slots, (slot) => targetIndex(slot.target)),
    targets,
  };
}

/** The text of a cell in Bulk CSV, quotes doubled (field guide, extract 3.5). */
function cellText(value: Value, type: string): string {
  if (value === null) return '';
  if (typeof value === 'number' && doubles.has(type)) return javaDouble(value, false);
  return String(value).replaceAll('"', '""');
}

function inTwoNotations(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude >= 1e7 || (magnitude > 0 && magnitude < 1e-3);
}

/** Numbers from 100,000 to 999,999: their second and third digit follow the round. */
function sixDigits(value: Value): boolean {
  return typeof value === 'number' && value >= 100_000 && value < 1_000_000;
}

function roundDigits(number: number): string {
  return String(Math.floor(number / templates) % 100).padStart(2, '0');
}
