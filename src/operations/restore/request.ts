import { Fault } from '../../errors.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { addSelected, narrows, type SelectionRequest, select, takesIn } from '../select/selection.ts';
import type { Incident } from './compared.ts';
import type { RestoreRequest } from './make-plan.ts';
import type { ReferenceMapping } from './mapping.ts';
import { isReferenceOnly, platformRules } from './platform.ts';
import type { Related } from './related.ts';
import type { PlanScope } from './scope.ts';

/** A restore as a person asks for it. */
export interface Asked {
  readonly selection: SelectionRequest;
  readonly all: boolean;
  readonly incident: Incident | undefined;
  readonly fields: readonly string[];
  readonly overwrite: boolean;
  readonly overwriteConflicts: boolean;
  readonly writeNulls: boolean;
  readonly deleteCreated: boolean;
  readonly related: Related;
  readonly mapping: ReferenceMapping;
  /** What the plan keeps of it: the flags, as they were given. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly tool: string;
  readonly now: Date;
}

/** Throws `nothing-selected`, and `usage` for what cannot go together. */
export function restoreRequest(asked: Asked): RestoreRequest {
  const { selection, all, incident } = asked;
  const named = narrows(selection);
  if (!named && !all && !incident) throw new Fault('nothing-selected', 'nothing was selected to be restored');
  if (all && named) throw new Fault('usage', '--all does not go with a selection');
  const picks = (selection.ids ?? selection.idsByObject ?? selection.where) !== undefined;
  if (asked.deleteCreated && picks) {
    throw new Fault(
      'usage',
      '--delete-created deletes what was made since: it goes with whole objects, not with --ids, --patch or --where',
    );
  }
  if (asked.overwrite && incident) {
    throw new Fault('usage', '--overwrite puts every difference back, an incident only its own: choose one');
  }
  return {
    ...asked,
    select: incident && !picks ? undefined : (plan) => selectedRows(plan, asked),
    objects: (plan) => plan.reader.objects().filter((object) => takesIn(selection, object) && isRestored(plan, object)),
  };
}

async function selectedRows(plan: PlanScope, { selection, now }: Asked): Promise<Map<string, IdTable>> {
  const found = new Map<string, IdTable>();
  for (const [object, chosen] of await select(plan.reader, selection, now)) {
    // Setup and history are passed over by patterns and patches; who names them is told why they are not restored.
    if (!isRestored(plan, object) && !selection.objects.includes(object) && !selection.ids) continue;
    if (!(await plan.reader.map(object)).hasId) continue;
    const ids = new IdTable();
    await addSelected(plan.reader, chosen, ids, plan.ctx.signal);
    assertInPoint(plan, object, chosen.ids, ids, selection.where !== undefined);
    if (ids.size > 0) found.set(object, ids);
  }
  if (found.size === 0)
    throw new Fault('nothing-selected', `the selection fits no row of point ${plan.reader.root.point}`);
  return found;
}

/** Ids that were named and that the point does not have are no small matter: somebody expects them back. */
function assertInPoint(
  plan: PlanScope,
  object: string,
  wanted: IdTable | undefined,
  found: IdTable,
  narrowed: boolean,
): void {
  if (!wanted || narrowed || wanted.size === found.size) return;
  const missing = [...wanted].filter((id) => !found.has(id));
  throw new Fault(
    'no-such-record',
    `${missing.length} of the Ids stand in no row of ${object} in point ${plan.reader.root.point}: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ' …' : ''}`,
    { data: { object, ids: missing.slice(0, 100) }, actions: ['take them out, or choose a point that has them'] },
  );
}

/** True for objects with rows that a restore may write. */
function isRestored(plan: PlanScope, object: string): boolean {
  return (
    plan.sources.has(object) &&
    !isReferenceOnly(object) &&
    !platformRules(object).never &&
    !/__(b|x|mdt|e)$/.test(object)
  );
}

/**
 * Names of fields and lookups are those of the point, or nothing would be done and nobody told. Throws `usage` for others; gives the lookups as the
 * point spells them.
 */
export function knownNames(
  { fields, related, selection }: Pick<Asked, 'fields' | 'related' | 'selection'>,
  describes: ReadonlyMap<string, ObjectDescribe>,
): Related {
  const spelled = new Map<string, string>();
  const chosen = new Set<string>();
  for (const [object, describe] of describes) {
    for (const { name, type } of describe.fields) {
      if (takesIn(selection, object)) chosen.add(name.toLowerCase());
      if (type === 'reference') spelled.set(`${object}.${name}`.toLowerCase(), `${object}.${name}`);
    }
  }
  const unknown = fields.find((name) => !chosen.has(name.toLowerCase()));
  if (unknown !== undefined) throw new Fault('usage', `no selected object of the point has a field ${unknown}`);
  const relationships = [...related.relationships].map(([lookup, answer]) => {
    const name = spelled.get(lookup.toLowerCase());
    if (name === undefined) throw new Fault('usage', `the point has no lookup ${lookup}, which --relationship names`);
    return [name, answer] as const;
  });
  return { ...related, relationships: new Map(relationships) };
}

/** `Contact.AccountId=no`. Throws `usage`. */
export function parseRelationships(texts: readonly string[]): Map<string, boolean> {
  return new Map(
    texts.map((text) => {
      const [, lookup, answer] = /^(\w+\.\w+)=(yes|no)$/.exec(text) ?? [];
      if (!lookup) {
        throw new Fault('usage', `--relationship cannot be ${text}`, {
          actions: ['write it as Contact.AccountId=no, or =yes'],
        });
      }
      return [lookup, answer === 'yes'];
    }),
  );
}

/** `1`, `2` … or `all`. Throws `usage`. */
export function parseDepth(flag: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (text === 'all') return Number.POSITIVE_INFINITY;
  const depth = text === '' ? Number.NaN : Number(text);
  if (!Number.isInteger(depth) || depth < 0) {
    throw new Fault('usage', `--${flag} cannot be ${text}`, { actions: ['give a number of levels, or all'] });
  }
  return depth;
}
