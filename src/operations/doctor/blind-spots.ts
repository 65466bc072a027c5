import type { Org } from '../../salesforce/org.ts';
import type { LeftOut } from '../../vault/manifest.ts';
import { answeredFor } from '../backup/exclusions.ts';
import { hiddenFields, type Policy, unseen } from '../backup/select.ts';
import { counted, type Finding, findingsOf, firstOf } from './finding.ts';
import type { Sight } from './org.ts';

const { ok, warn, bad } = findingsOf('blind spots');

/** What the org has and a point would not hold: objects that are not seen or fail, and fields that are hidden. */
export async function blindSpots(org: Org, { selection }: Sight, { exclusions }: Policy): Promise<Finding[]> {
  const { chosen, failed, notCovered } = selection;
  const describes = chosen.map(({ describe }) => describe);
  const all = answeredFor((await hiddenFields(org, describes)).flat(), exclusions);
  const hidden = all.filter(({ owner }) => owner === undefined);
  const objects = notCovered.filter(({ field }) => field === undefined);
  return [
    unseenObjects(objects.filter(({ reason }) => reason === unseen)),
    failedObjects(failed),
    ok(
      'objects-left-out',
      `${counted(chosen.length, 'object')} would be read; ${objects.filter(({ reason }) => reason !== unseen).length} cannot be queried or are excluded`,
    ),
    hiddenFinding(hidden),
  ];
}

/** Of standard objects, every org has many that nobody can read. */
function unseenObjects(objects: readonly LeftOut[]): Finding {
  const own = objects.map(({ object }) => object).filter((name) => /__\w+$/.test(name));
  if (own.length === 0) {
    const others = objects.length > 0 ? `; the org knows ${counted(objects.length, 'standard object')} beyond` : '';
    return ok('objects-unseen', `the user sees every custom object${others}`);
  }
  return warn(
    'objects-unseen',
    `the user does not see ${counted(own.length, 'object')}: ${firstOf(own)}`,
    'give Read and View All on them in a permission set of the backup user, and the licence of their package if there is one',
  );
}

function failedObjects(failed: readonly LeftOut[]): Finding {
  if (failed.length === 0) return ok('objects-refused', 'the org describes every object that can be queried');
  return bad(
    'objects-refused',
    `the org did not describe ${counted(failed.length, 'object')}: ${firstOf(failed.map(({ object, reason }) => `${object} (${reason})`))}`,
    'run `salvor doctor` again; if it stays, exclude them with --exclude or ask Salesforce why',
  );
}

function hiddenFinding(hidden: readonly LeftOut[]): Finding {
  if (hidden.length === 0) return ok('fields-hidden', 'field-level security hides no field');
  const names = hidden.map(({ object, field }) => `${object}.${field}`);
  return warn(
    'fields-hidden',
    `field-level security hides ${counted(hidden.length, 'field')}, which no point holds: ${firstOf(names)}`,
    'give read access to them in a permission set of the backup user; `salvor backup --dry-run --json` lists all',
  );
}
