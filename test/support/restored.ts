import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Difference, differing, OrgRequests, type Snapshot } from './org-snapshot.ts';
import type { Ran, Rig } from './rig.ts';

/** A restore through bin/, held against the org by plain requests. */
export interface Restored {
  readonly ran: Ran;
  /** Id in the point -> Id in the org, as the file of Ids says. */
  readonly ids: ReadonlyMap<string, string>;
  /** Object, Id, Step and Code of each failed row, as the file of failed rows says. */
  readonly failed: readonly FailedRow[];
  /** Differences that the result does not speak of. */
  readonly unlisted: readonly string[];
  /** What the result speaks of and that is not there. */
  readonly unfounded: readonly string[];
}

interface FailedRow {
  readonly object: string;
  readonly id: string;
  readonly step: string;
  readonly code: string;
}

interface Listed {
  readonly object: string;
  readonly id: string;
  readonly fields: readonly string[];
}

interface FieldListed {
  readonly object: string;
  readonly field: string;
  readonly code: string;
  readonly rows: number;
}

/**
 * The same org damaged and restored, time and again: `before` looks at it, `restore` runs the program and holds what it left against that look
 * and against its own result.
 */
export class Restores {
  readonly rig: Rig;
  readonly org: OrgRequests;
  readonly objects: readonly string[];
  /** Id in the point -> Id in the org, by all restores so far. */
  readonly #ids = new Map<string, string>();

  private constructor(rig: Rig, objects: readonly string[]) {
    this.rig = rig;
    this.org = new OrgRequests(rig.org);
    this.objects = objects;
  }

  /**
   * Takes a point, named `before`, of these objects and of the setup that they refer to. `prepare`: what the org is made to hold first.
   * Disposing of the rig is the caller's.
   */
  static async start(
    rig: Rig,
    objects: readonly string[],
    prepare: (org: OrgRequests) => Promise<void> = async () => {},
  ): Promise<Restores> {
    await rig.init();
    const restores = new Restores(rig, objects);
    await prepare(restores.org);
    await restores.backup('before');
    return restores;
  }

  async backup(tag: string): Promise<void> {
    const backup = await this.rig.salvor(
      'backup',
      '--objects',
      [...this.objects, ...setup].join(),
      '--tag',
      tag,
      '--json',
    );
    // A point that shows the damage may be suspect.
    assert.ok(backup.status === 0 || backup.json?.name === 'point-suspect', backup.stderr + backup.stdout);
  }

  before(): Promise<Snapshot> {
    return this.org.snapshot(this.objects);
  }

  /** `salvor restore` with `--json` and without questions. */
  async restore(before: Snapshot, ...args: string[]): Promise<Restored> {
    const ran = await this.rig.salvor('restore', ...args, '--json', '--no-prompt');
    assert.ok(ran.json?.result, ran.stderr + ran.stdout);
    const { result } = ran.json;
    const ids = new Map(table(this.rig, result.idMapFile).map(({ Id, Target }) => [Id!, Target!]));
    const failed = table(this.rig, result.failedFile).map(failedRow);
    // What an earlier restore made again stands in `before` under its new Id.
    const known = new Map(this.#ids);
    const moved = new Map([...ids].map(([id, target]) => [known.get(id) ?? id, target]));
    const left = differing(before, await this.org.snapshot(this.objects), moved);
    const ofPoint = new Map([...known].map(([id, target]) => [target, id]));
    for (const [id, target] of ids) this.#ids.set(id, target);
    const named = left.map((one) => ({ ...one, id: ofPoint.get(one.id) ?? one.id }));
    return { ran, ids, failed, ...reckoning(named, result, failed) };
  }
}

/** The org is as it was, but for what the result lists with its reason; and all of that is so. */
export function assertNothingSilent({ unlisted, unfounded }: Restored): void {
  assert.deepEqual({ unlisted, unfounded }, { unlisted: [], unfounded: [] });
}

/** What rows of most objects refer to, and what no restore writes. */
const setup = ['User', 'Group', 'RecordType', 'Profile', 'UserRole', 'BusinessHours'];

/** Rows of a CSV file that the restore wrote beside the vault: every cell quoted, none with a newline. */
function table(rig: Rig, file: string | null): Record<string, string>[] {
  if (file === null) return [];
  const cells = (line: string) =>
    line
      .slice(1, -1)
      .split('","')
      .map((cell) => cell.replaceAll('""', '"'));
  const [header, ...lines] = readFileSync(path.resolve(rig.folder, file), 'utf8').trimEnd().split('\n');
  const columns = cells(header!);
  return lines.map((line) => Object.fromEntries(cells(line).map((cell, at) => [columns[at]!, cell])));
}

function failedRow({ Object: object, Id: id, Step: step, Code: code }: Record<string, string>): FailedRow {
  return { object: object!, id: id!, step: step!, code: code! };
}

/** Codes of fields that may come out right although they were not sent: the platform works them out again, or sets them itself. */
const mayHold = /^(platform-derives|read-only|audit-field|number-given-anew)$/;

/** Compares what differs with what the result says that it left. */
function reckoning(
  left: readonly Difference[],
  result: ReturnType<typeof JSON.parse>,
  failed: readonly FailedRow[],
): Pick<Restored, 'unlisted' | 'unfounded'> {
  const { withheld, conflicts } = result as { withheld: Listed[]; conflicts: Listed[] };
  const leftOut = result.leftOut as FieldListed[];
  const unlisted: string[] = [];
  const used = new Set<object>();
  const counts = new Map<string, number>();
  const claim = (listed: object | undefined) => listed && used.add(listed);
  for (const difference of left) {
    const { object, id, field, text } = difference;
    const isIt = (one: { object: string; id: string }) => one.object === object && one.id === id;
    if (field === undefined) {
      if (!claim(withheld.find(isIt) ?? failed.find((one) => isIt(one) && /^(insert|undelete)$/.test(one.step))))
        unlisted.push(text);
      continue;
    }
    const conflict = conflicts.find((one) => isIt(one) && (one.fields.length === 0 || one.fields.includes(field)));
    if (claim(conflict ?? failed.find((one) => isIt(one) && !/^(insert|undelete)$/.test(one.step)))) continue;
    if (difference.byPlatform) continue;
    const key = `${object}.${field}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (!leftOut.some((one) => `${one.object}.${one.field}` === key)) unlisted.push(text);
  }
  const unfounded = [...withheld, ...conflicts, ...failed]
    .filter((one) => !used.has(one))
    .map((one) => `${one.object} ${one.id} is listed, and nothing of it differs: ${JSON.stringify(one)}`);
  for (const [key, listed] of Map.groupBy(leftOut, ({ object, field }) => `${object}.${field}`)) {
    const rows = listed.reduce((sum, one) => sum + one.rows, 0);
    const found = counts.get(key) ?? 0;
    if (found > rows) unlisted.push(`${key} differs in ${found} rows, and ${rows} are listed`);
    if (found < rows && !listed.some(({ code }) => mayHold.test(code)))
      unfounded.push(`${key} differs in ${found} rows, and ${rows} are listed: ${JSON.stringify(listed)}`);
  }
  return { unlisted, unfounded };
}
