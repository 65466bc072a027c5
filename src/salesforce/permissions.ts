import { isObjectLevel } from './faults.ts';
import type { Permissions } from './org.ts';
import { queryAll } from './rest-query.ts';
import { select, text } from './soql.ts';
import type { Wire } from './wire.ts';

const columns = {
  viewAllData: 'PermissionsViewAllData',
  queryAllFiles: 'PermissionsQueryAllFiles',
  viewEncryptedData: 'PermissionsViewEncryptedData',
  viewSetup: 'PermissionsViewSetup',
} as const;

/**
 * What decides whether rows, files and values are missing without an error (field guide, extract 1.8). False where the org does not
 * know a permission or does not tell.
 */
export async function readPermissions(wire: Wire, userId: string): Promise<Permissions> {
  const granted = (await all(wire, userId)) ?? (await oneByOne(wire, userId));
  return {
    viewAllData: granted.has(columns.viewAllData),
    queryAllFiles: granted.has(columns.queryAllFiles),
    viewEncryptedData: granted.has(columns.viewEncryptedData),
    viewSetup: granted.has(columns.viewSetup),
  };
}

const what = 'the permissions of the user';

async function all(wire: Wire, userId: string): Promise<Set<string> | undefined> {
  const wanted = Object.values(columns);
  return (await effective(wire, wanted)) ?? (await assigned(wire, wanted, userId));
}

/** An org without a feature does not know its permission, and refuses the whole query for it. */
async function oneByOne(wire: Wire, userId: string): Promise<Set<string>> {
  const granted = new Set<string>();
  for (const column of Object.values(columns)) {
    const found = (await effective(wire, [column])) ?? (await assigned(wire, [column], userId));
    for (const one of found ?? []) granted.add(one);
  }
  return granted;
}

/** The one row of UserPermissionAccess: what the user may do, all sources together. */
function effective(wire: Wire, wanted: readonly string[]): Promise<Set<string> | undefined> {
  return granting(wire, select(wanted, 'UserPermissionAccess'), wanted);
}

/** The permission sets of the user, the profile's own among them. */
function assigned(wire: Wire, wanted: readonly string[], userId: string): Promise<Set<string> | undefined> {
  const mine = `Id IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = ${text(userId)})`;
  return granting(wire, select(wanted, 'PermissionSet', mine), wanted);
}

async function granting(wire: Wire, soql: string, wanted: readonly string[]): Promise<Set<string> | undefined> {
  try {
    const rows = await queryAll(wire, soql, what);
    if (rows.length === 0) return undefined;
    return new Set(wanted.filter((column) => rows.some((row) => row[column] === true)));
  } catch (error) {
    if (isObjectLevel(error)) return undefined;
    throw error;
  }
}
