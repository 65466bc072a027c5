import { Fault } from '../../errors.ts';
import type { RowFlow } from '../../rows/batch.ts';
import { cellsAt, Keys } from '../../rows/cells.ts';
import { looksLikeId } from '../../schema/ids.ts';
import { isReferenceOnly } from './platform.ts';
import type { PlanScope } from './scope.ts';

/** How rows of setup that records refer to are found in another org. */
export interface ReferenceMapping {
  readonly rules: readonly MappingRule[];
  /**
   * What becomes of a row whose reference is not found: `abort` nothing is restored at all; `default` the field is left to the org (an owner
   * becomes the user who restores); `skip` the row is not restored.
   */
  readonly unmapped: 'abort' | 'default' | 'skip';
}

/** One line of a mapping file: an Id, or a name as `naturalNames` makes it, on each side. */
export interface MappingRule {
  readonly object: string;
  readonly from: string;
  readonly to: string;
}

interface NamedRow {
  readonly id: string;
  /** Best first; a row is found by the first name that the other side has exactly once. */
  readonly names: readonly string[];
}

type Cell = (field: string) => string;

/** What tells rows of setup apart from org to org (field guide, restore 4.4, 4.5), best first. Never the Name of a user. */
const naturalNames: Readonly<Record<string, (cell: Cell) => readonly string[]>> = {
  User: (cell) => [
    ...tagged('federation', cell('FederationIdentifier')),
    ...tagged('username', cell('Username')),
    ...tagged('username', withoutSandbox(cell('Username'))),
    ...tagged('email', cell('Email').replace(/\.invalid$/, '')),
  ],
  RecordType: (cell) => [
    `${cell('SobjectType')}.${cell('DeveloperName')}${cell('IsPersonType') === 'true' ? ' (person)' : ''}`,
  ],
  Group: (cell) => [`${cell('Type')}.${cell('DeveloperName') || cell('Name')}`],
  UserRole: (cell) => [cell('DeveloperName')],
  Profile: (cell) => [cell('Name')],
  PermissionSet: (cell) => [cell('Name')],
  BusinessHours: (cell) => [cell('Name')],
  Folder: (cell) => [`${cell('Type')}.${cell('DeveloperName')}`],
  EmailTemplate: (cell) => [cell('DeveloperName')],
  CurrencyType: (cell) => [cell('IsoCode')],
  Pricebook2: (cell) => (cell('IsStandard') === 'true' ? ['standard'] : []),
  Organization: () => ['organization'],
};

function tagged(tag: string, value: string): string[] {
  return value === '' ? [] : [`${tag} ${value.toLowerCase()}`];
}

/** `ann@example.com.uat` is `ann@example.com` of the sandbox uat. */
function withoutSandbox(username: string): string {
  const parts = /^([^@]+@[^@]+\.[a-z]{2,})\.[a-z0-9]+$/i.exec(username);
  return parts?.[1] ?? '';
}

/**
 * Fills `references` of the plan: for each row of setup in the point the one of the org with the same name, or the one that a rule names. In the
 * org of the point only the rules count. Throws `usage` for a rule that fits nothing.
 */
export async function mapReferences(plan: PlanScope, { rules }: ReferenceMapping): Promise<void> {
  const objects = Object.keys(naturalNames).filter((object) => plan.reader.objects().includes(object));
  const wanted = new Set([...(plan.anotherOrg ? objects : []), ...rules.map(({ object }) => object)]);
  await plan.describeTargets([...wanted]);
  for (const object of wanted)
    await mapObject(
      plan,
      object,
      rules.filter((rule) => rule.object === object),
    );
}

async function mapObject(plan: PlanScope, object: string, rules: readonly MappingRule[]): Promise<void> {
  const nameOf = naturalNames[object] ?? (() => []);
  const there = await orgRows(plan, object, nameOf);
  const here = plan.reader.objects().includes(object)
    ? await named(await plan.reader.rows(object, { signal: plan.ctx.signal }), nameOf)
    : [];
  const byName = index(there);
  if (plan.anotherOrg) {
    for (const { id, names } of here) {
      const found = names.map((name) => byName.get(name)).find((ids) => ids?.length === 1);
      if (found) plan.references.set(id, found[0]!);
    }
  }
  const hereByName = index(here);
  for (const rule of rules) {
    const from = looksLikeId(rule.from)
      ? [rule.from]
      : (hereByName.get(rule.from) ?? hereByName.get(rule.from.toLowerCase()));
    const to = looksLikeId(rule.to) ? [rule.to] : (byName.get(rule.to) ?? byName.get(rule.to.toLowerCase()));
    if (from?.length !== 1) throw unfit(rule, `the point has no ${object} ${rule.from}`, here);
    if (to?.length !== 1) throw unfit(rule, `the org has no ${object} ${rule.to}`, there);
    plan.references.set(from[0]!, to[0]!);
  }
}

function unfit(rule: MappingRule, message: string, rows: readonly NamedRow[]): Fault {
  const some = rows.flatMap(({ names }) => names.slice(0, 1)).slice(0, 5);
  return new Fault('usage', `a mapping rule fits nothing: ${message}`, {
    actions: [some.length === 0 ? 'correct the rule' : `correct the rule; there are: ${some.join(', ')}`],
    data: { object: rule.object },
  });
}

async function orgRows(
  plan: PlanScope,
  object: string,
  nameOf: (cell: Cell) => readonly string[],
): Promise<NamedRow[]> {
  const [described] = [...(await plan.org.describe([object])).values()];
  if (!described || 'reason' in described) return [];
  const way = plan.org.plan(described);
  if (way.way === 'none') return [];
  return named(plan.org.extract({ object, plan: way, all: false }), nameOf);
}

async function named(flow: RowFlow, nameOf: (cell: Cell) => readonly string[]): Promise<NamedRow[]> {
  const rows: NamedRow[] = [];
  const keys = new Keys(flow.columns);
  const positions = flow.columns.map((_, at) => at);
  const at = new Map(flow.columns.map((name, index) => [name, index]));
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const cells = cellsAt(batch, i, positions);
      rows.push({ id: keys.id(batch, i), names: nameOf((field) => cells[at.get(field) ?? -1] ?? '') });
    }
  }
  return rows;
}

function index(rows: readonly NamedRow[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id, names } of rows) {
    for (const name of new Set(names)) {
      const ids = found.get(name);
      if (ids) ids.push(id);
      else found.set(name, [id]);
    }
  }
  return found;
}

/** What the point's rows of setup are called in a mapping file, for an error that says what is missing. */
export function mappedByName(object: string): boolean {
  return isReferenceOnly(object) || object in naturalNames;
}
