import { Fault } from '../../errors.ts';
import { cellsAt, Keys } from '../../rows/cells.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Written } from '../../salesforce/writing.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';

/**
 * The org's own switch that its triggers, flows and rules look at (field guide, restore 6.3): a checkbox of a hierarchy custom setting, or a
 * permission set that holds a custom permission. It is switched for the user who restores alone.
 */
export type Bypass =
  | { readonly kind: 'setting'; readonly object: string; readonly field: string }
  | { readonly kind: 'permission-set'; readonly name: string };

/** How the switch stood; what the journal keeps so that it can be put back after a crash. */
export type BypassBefore = Bypass & {
  readonly user: string;
  /** setting: the user's own row had this in the field; undefined: the user had no row. */
  readonly value?: string;
  /** permission-set: the user had it already. */
  readonly assigned?: boolean;
};

/** `Automation_Settings__c.Bypass__c`, or the name of a permission set. Throws `usage`. */
export function parseBypass(text: string): Bypass {
  const [, object, field] = /^(\w+)\.(\w+)$/.exec(text) ?? [];
  if (object && field) return { kind: 'setting', object, field };
  if (/^\w+$/.test(text)) return { kind: 'permission-set', name: text };
  throw new Fault('usage', `--bypass cannot be ${text}`, {
    actions: ['name a checkbox of a custom setting, as Automation_Settings__c.Bypass__c, or a permission set'],
  });
}

/** How the switch stands now. Throws `usage` when the org has no such switch. */
export async function readBypass(org: Org, bypass: Bypass): Promise<BypassBefore> {
  const user = org.identity.userId;
  if (bypass.kind === 'setting') {
    const object = await described(org, bypass.object);
    if (!object.fields.some(({ name, updateable }) => name === bypass.field && updateable)) {
      throw new Fault('usage', `the org has no checkbox ${bypass.object}.${bypass.field} that this user may switch`);
    }
    const row = await find(org, object, 'SetupOwnerId', user, bypass.field);
    return { ...bypass, user, ...(row ? { value: row.value } : {}) };
  }
  const set = await find(org, await described(org, 'PermissionSet'), 'Name', bypass.name, 'Name');
  if (!set) throw new Fault('usage', `the org has no permission set ${bypass.name}`);
  const assigned = await assignment(org, user, set.id);
  return { ...bypass, user, assigned: assigned !== undefined };
}

/** Switches it on for the user. Safe to be done again. Throws `permission-missing`. */
export async function switchOn(org: Org, before: BypassBefore): Promise<void> {
  if (before.kind === 'setting') await put(org, before, 'true');
  else if (!before.assigned) {
    const set = await find(org, await described(org, 'PermissionSet'), 'Name', before.name, 'Name');
    const record = { AssigneeId: before.user, PermissionSetId: set!.id };
    const [written] = await org.writer.insert('PermissionSetAssignment', [record]);
    if (written?.errors[0]?.code !== 'DUPLICATE_VALUE') assertDone(written, before.name);
  }
}

/** Puts the switch back to how it stood. Safe to be done again, whatever was done in between. Throws `permission-missing`. */
export async function switchBack(org: Org, before: BypassBefore): Promise<void> {
  if (before.kind === 'setting') {
    if (before.value !== undefined) await put(org, before, before.value);
    else
      await remove(
        org,
        (await find(org, await described(org, before.object), 'SetupOwnerId', before.user, before.field))?.id,
      );
  } else if (!before.assigned) {
    const set = await find(org, await described(org, 'PermissionSet'), 'Name', before.name, 'Name');
    await remove(org, set && (await assignment(org, before.user, set.id)));
  }
}

async function put(
  org: Org,
  { object, field, user }: BypassBefore & { kind: 'setting' },
  value: string,
): Promise<void> {
  const row = await find(org, await described(org, object), 'SetupOwnerId', user, field);
  const [written] = row
    ? await org.writer.update(object, [{ Id: row.id, [field]: value }])
    : await org.writer.insert(object, [{ SetupOwnerId: user, [field]: value }]);
  assertDone(written, `${object}.${field}`);
}

async function remove(org: Org, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  const [written] = await org.writer.delete([id]);
  if (written?.errors[0]?.code !== 'ENTITY_IS_DELETED') assertDone(written, id);
}

function assertDone(written: Written | undefined, what: string): void {
  const [error] = written?.errors ?? [];
  if (error)
    throw new Fault('permission-missing', `the bypass ${what} could not be switched: ${error.code} ${error.message}`);
}

async function described(org: Org, object: string): Promise<ObjectDescribe> {
  const found = (await org.describe([object])).get(object);
  if (!found || 'reason' in found) throw new Fault('usage', `the org has no ${object} for a bypass`);
  return found;
}

async function assignment(org: Org, user: string, set: string): Promise<string | undefined> {
  const object = await described(org, 'PermissionSetAssignment');
  return (await find(org, object, 'AssigneeId', user, 'PermissionSetId', ` AND PermissionSetId = '${set}'`))?.id;
}

async function find(
  org: Org,
  object: ObjectDescribe,
  key: string,
  value: string,
  field: string,
  and = '',
): Promise<{ id: string; value: string } | undefined> {
  const way = org.plan(object);
  if (way.way === 'none') return undefined;
  const flow = org.extract({
    object: object.name,
    plan: { ...way, way: 'rest', fields: ['Id', field] },
    where: `${key} = '${value}'${and}`,
    all: false,
    rowsExpected: 1,
  });
  const keys = new Keys(flow.columns);
  let found: { id: string; value: string } | undefined;
  for await (const batch of flow.batches) {
    found ??= { id: keys.id(batch, 0), value: cellsAt(batch, 0, [flow.columns.indexOf(field)])[0]! };
  }
  return found;
}
