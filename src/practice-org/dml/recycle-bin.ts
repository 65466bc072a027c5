import type { SObject } from '../schema.ts';
import { deleteError, rowError } from './access.ts';
import { rowSubject } from './condition.ts';
import type { DmlOrg } from './dml.ts';
import { kindOf } from './kinds.ts';
import { planOf } from './plan.ts';
import { lockError, triggerErrors } from './rules.ts';
import type { SaveError } from './save.ts';
import type { FoundRow, Saving } from './saving.ts';

interface ChildLookup {
  readonly object: string;
  readonly field: string;
  readonly cascades: boolean;
  readonly restricts: boolean;
}

interface Member {
  readonly object: string;
  readonly id: string;
}

/** A lookup that was emptied when its target was deleted. */
interface Blanked extends Member {
  readonly field: string;
  readonly target: string;
}

/** What went in one delete: the row and what went with it, the row first, and the lookups that were emptied. */
interface Removal {
  readonly members: readonly Member[];
  readonly blanked: readonly Blanked[];
}

const notInBin: SaveError = { code: 'UNDELETE_FAILED', message: 'Entity is not in the recycle bin', fields: [] };
/** Standard lookups that undelete fills in again; custom ones all come back (restore 3.1). */
const comesBack = new Set([
  'Account.ParentId',
  'Case.ParentId',
  'Contact.ReportsToId',
  'Asset.Product2Id',
  'Quote.OpportunityId',
]);

/** Deleting, undeleting and purging rows with all that hangs on them (restore 3). */
export class RecycleBin {
  readonly #org: DmlOrg;
  readonly #removals = new Map<string, Removal>();
  /** Id of each row in the bin -> the root that it went with. */
  readonly #roots = new Map<string, string>();
  readonly #lookups = new WeakMap<SObject, readonly ChildLookup[]>();

  constructor(org: DmlOrg) {
    this.#org = org;
  }

  remove(saving: Saving, id: string, hard: boolean): SaveError[] {
    const found = saving.find(id);
    if (!found) return [{ code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] }];
    if (isDeleted(found)) {
      if (!hard) return [{ code: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }];
      this.empty([id]);
      return [];
    }
    const refused = refusal(saving, found, 'delete') ?? kindOf(found.object.name).removing?.(saving, found);
    if (refused) return [refused];
    const group = new Map<string, FoundRow>();
    const blocked = this.#collect(saving, id, found, group);
    if (blocked) return [blocked];
    const blanked = this.#blank(saving, group);
    for (const row of group.values()) sink(saving, row, hard);
    for (const row of group.values()) kindOf(row.object.name).moved?.(saving, row);
    const members = [...group].map(([member, row]) => ({ object: row.object.name, id: member }));
    if (!hard) this.#remember({ members, blanked });
    return [];
  }

  undelete(saving: Saving, id: string): SaveError[] {
    const found = saving.find(id);
    if (!found || !isDeleted(found) || found.object.describe.undeletable === false) return [notInBin];
    if ((this.#roots.get(id) ?? id) !== id || this.#hasDeletedMaster(saving, found)) return [notInBin];
    const refused = refusal(saving, found, 'undelete');
    if (refused) return [refused];
    const removal = this.#removals.get(id) ?? { members: this.#seededMembers(found.object, id), blanked: [] };
    const back = removal.members.flatMap((member) => saving.rowNamed(member) ?? []).filter(isDeleted);
    for (const row of back) {
      const taken = uniqueTaken(saving, row);
      if (taken) return [taken];
      row.rows.set(row.number, { IsDeleted: false, ...saving.modified(row.object) });
    }
    for (const { field, target, ...child } of removal.blanked) {
      const isBack = comesBack.has(`${child.object}.${field}`) || field.endsWith('__c');
      const row = isBack ? saving.rowNamed(child) : undefined;
      if (row && row.rows.cell(row.number, field) === null) row.rows.set(row.number, { [field]: target });
    }
    for (const row of back) kindOf(row.object.name).moved?.(saving, row);
    this.#forget(removal);
    return [];
  }

  /** Without `ids`: everything in the bin. Rows that are not in it are left alone. */
  empty(ids?: readonly string[]): void {
    for (const member of ids ? ids.flatMap((id) => this.#named(id)) : this.#all()) {
      const removal = this.#removals.get(member.id);
      const seeded = () => this.#seededMembers(this.#org.schema.object(member.object)!, member.id);
      for (const { object, id } of removal?.members ?? (ids ? seeded() : [member])) {
        const rows = this.#org.database.tables.get(object)!.source;
        const number = rows.find(id);
        if (number >= 0 && rows.cell(number, 'IsDeleted') === true) rows.purge(number);
      }
      if (removal) this.#forget(removal);
    }
  }

  #named(id: string): Member[] {
    const object = this.#org.schema.objectOfId(id, [...this.#org.database.tables.keys()]);
    return object ? [{ object: object.name, id }] : [];
  }

  /** All rows that are deleted and not gone. */
  #all(): Member[] {
    const found: Member[] = [];
    for (const { source, describe } of this.#org.database.tables.values()) {
      if (!describe.fields.some((field) => field.name === 'IsDeleted')) continue;
      for (let number = 0; number < source.size; number++)
        if (source.cell(number, 'IsDeleted') === true && !source.purged.has(number))
          found.push({ object: describe.name, id: source.cell(number, 'Id') as string });
    }
    return found;
  }

  /** All that goes with a row into `group`; an error when something forbids it. */
  #collect(saving: Saving, id: string, row: FoundRow, group: Map<string, FoundRow>): SaveError | undefined {
    group.set(id, row);
    for (const lookup of this.#childLookups(row.object)) {
      if (!lookup.cascades && !lookup.restricts) continue;
      const rows = saving.table(lookup.object)?.source;
      const object = saving.object(lookup.object);
      if (!rows || !object) continue;
      for (const number of saving.live(lookup.object, lookup.field, id)) {
        const child = rows.cell(number, 'Id') as string;
        if (group.has(child)) continue;
        if (lookup.restricts) return deleteFailed(row, { object, rows, number });
        const blocked = this.#collect(saving, child, { object, rows, number }, group);
        if (blocked) return blocked;
      }
    }
    return undefined;
  }

  /** Empties the lookups of living rows that point into `group`. */
  #blank(saving: Saving, group: ReadonlyMap<string, FoundRow>): Removal['blanked'] {
    const blanked: Removal['blanked'][number][] = [];
    const moves = this.#org.settings.blankedLookupsMoveStamps;
    for (const [target, { object }] of group) {
      for (const lookup of this.#childLookups(object)) {
        if (lookup.cascades || lookup.restricts) continue;
        const rows = saving.table(lookup.object)?.source;
        const child = saving.object(lookup.object);
        if (!rows || !child) continue;
        for (const number of saving.live(lookup.object, lookup.field, target)) {
          const id = rows.cell(number, 'Id') as string;
          if (group.has(id)) continue;
          const changes = { [lookup.field]: null };
          rows.set(number, moves ? { ...changes, ...saving.modified(child) } : changes);
          blanked.push({ object: lookup.object, id, field: lookup.field, target });
        }
      }
    }
    return blanked;
  }

  #remember(removal: Removal): void {
    this.#keep(removal);
    this.#org.journal.wrote(() => this.#drop(removal));
  }

  #forget(removal: Removal): void {
    if (this.#removals.get(removal.members[0]!.id) !== removal) return;
    this.#drop(removal);
    this.#org.journal.wrote(() => this.#keep(removal));
  }

  #keep(removal: Removal): void {
    const root = removal.members[0]!.id;
    this.#removals.set(root, removal);
    for (const { id } of removal.members) this.#roots.set(id, root);
  }

  #drop(removal: Removal): void {
    this.#removals.delete(removal.members[0]!.id);
    for (const { id } of removal.members) this.#roots.delete(id);
  }

  /** Whether a row that this one goes with lies in the bin itself. */
  #hasDeletedMaster(saving: Saving, { object, rows, number }: FoundRow): boolean {
    return object.fields.some((field) => {
      const target = field.type === 'reference' ? rows.cell(number, field.name) : null;
      if (typeof target !== 'string') return false;
      const parent = saving.find(target, field.referenceTo ?? []);
      if (!parent || !isDeleted(parent)) return false;
      return this.#childLookups(parent.object).some(
        (lookup) => lookup.cascades && lookup.object === object.name && lookup.field === field.name,
      );
    });
  }

  /** A row that was deleted before the org started, and those that went with it. */
  #seededMembers(object: SObject, id: string): Member[] {
    const members: Member[] = [{ object: object.name, id }];
    for (const lookup of this.#childLookups(object)) {
      const rows = lookup.cascades ? this.#org.database.tables.get(lookup.object)?.source : undefined;
      const child = this.#org.schema.object(lookup.object);
      if (!rows || !child) continue;
      for (const number of rows.lookup(lookup.field, id)) {
        const member = rows.cell(number, 'Id') as string;
        if (rows.cell(number, 'IsDeleted') !== true || this.#roots.has(member)) continue;
        members.push(...this.#seededMembers(child, member));
      }
    }
    return members;
  }

  /** A lookup that cannot be emptied keeps its target as one that restricts does. */
  #mustBeSet({ childSObject, field }: { childSObject: string; field: string }): boolean {
    return this.#org.schema.object(childSObject)?.field(field)?.nillable === false;
  }

  /** The lookups that point at rows of an object, as describe lists them. */
  #childLookups(object: SObject): readonly ChildLookup[] {
    let lookups = this.#lookups.get(object);
    if (!lookups) {
      const children = (object.describe.childRelationships ?? []) as readonly {
        childSObject: string;
        field: string;
        cascadeDelete?: boolean;
        restrictedDelete?: boolean;
      }[];
      lookups = children.map((child) => ({
        object: child.childSObject,
        field: child.field,
        cascades: child.cascadeDelete === true,
        restricts: child.cascadeDelete !== true && (child.restrictedDelete === true || this.#mustBeSet(child)),
      }));
      this.#lookups.set(object, lookups);
    }
    return lookups;
  }
}

/** Into the bin, or away for good where the object has none. */
function sink(saving: Saving, { object, rows, number }: FoundRow, hard: boolean): void {
  const vanishes = hard || object.table.treatment.noRecycleBin === true || !object.field('IsDeleted');
  if (vanishes) rows.purge(number);
  else if (saving.org.settings.deletesMoveStamps) rows.set(number, { IsDeleted: true, ...saving.modified(object) });
  else rows.set(number, { IsDeleted: true, ...(object.field('SystemModstamp') && { SystemModstamp: saving.now }) });
}

/** Why the user may not, or a trigger or lock that stands in the way. */
function refusal(saving: Saving, found: FoundRow, occasion: 'delete' | 'undelete'): SaveError | undefined {
  const cell = (field: string) => found.rows.cell(found.number, field);
  const references = () => found.object.fields.filter((field) => field.type === 'reference');
  return (
    (occasion === 'delete' ? deleteError(saving, found) : rowError(saving, found)) ??
    triggerErrors(saving, rowSubject(found.object, cell), occasion, saving.place)[0] ??
    lockError(saving, () => [cell('Id'), ...references().map((field) => cell(field.name))])
  );
}

/** A unique value of a row that comes back, which another has taken meanwhile (restore 3.3). */
function uniqueTaken(saving: Saving, { object, rows, number }: FoundRow): SaveError | undefined {
  for (const { name } of planOf(object).unique) {
    const value = rows.cell(number, name);
    const other = value === null ? undefined : saving.live(object.name, name, value).find((each) => each !== number);
    if (other === undefined) continue;
    const message = `duplicate value found: ${name} duplicates value on record with id: ${rows.cell(other, 'Id')}`;
    return { code: 'DUPLICATE_VALUE', message, fields: [] };
  }
  return undefined;
}

function isDeleted({ rows, number }: FoundRow): boolean {
  return rows.cell(number, 'IsDeleted') === true;
}

function deleteFailed(row: FoundRow, child: FoundRow): SaveError {
  const name = (found: FoundRow) => {
    const field = found.object.fields.find((each) => each.nameField === true);
    return field ? found.rows.cell(found.number, field.name) : found.rows.cell(found.number, 'Id');
  };
  const message = `Your attempt to delete ${name(row)} could not be completed because it is associated with the following ${String(child.object.describe.labelPlural ?? child.object.name).toLowerCase()}.: ${name(child)}\n`;
  return { code: 'DELETE_FAILED', message, fields: [] };
}
