import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { PlannedRow } from '../restore/plan.ts';
import type { PlannedRows } from '../restore/planned-rows.ts';
import type { Problem } from '../verify/request.ts';
import { asExpected, digestOfFile, type Findings, type Pair } from './compare.ts';
import type { JudgedFields } from './judged.ts';

/** Problems of one object that are named; further ones are counted. */
const mostProblems = 1000;
const mostFields = 5;
const versionNumber = 'VersionNumber';

/** Planned rows by Id. About 23 bytes a row beside the plan. */
export class PlanIndex {
  readonly #rows: PlannedRows | undefined;
  readonly #ids = new IdTable();

  constructor(rows: PlannedRows | undefined) {
    this.#rows = rows;
    for (const { id } of rows ?? []) this.#ids.add(id);
  }

  get(id: string): PlannedRow | undefined {
    const number = this.#ids.number(id);
    return number < 0 ? undefined : this.#rows?.at(number);
  }
}

export interface Judging {
  readonly object: string;
  readonly org: Org;
  readonly reader: PointReader;
  readonly judged: JudgedFields;
  /** Places in the judged fields of those that this row is judged by. */
  readonly placesOf: (id: string) => readonly number[];
  /** True for a lookup of this row that may be empty: nobody restored the row of the point that it leads to. */
  readonly mayBeLost: (id: string, field: string, parent: string) => boolean;
  /** True: the row was made by the restore, with its file. */
  readonly isMade: (id: string) => boolean;
  readonly idOf: (id: string) => string;
  /** What the org said of a row that it refused, by Id. */
  readonly failures: ReadonlyMap<string, string>;
  /** True for rows of the org that nothing of the point leads to and that are no surprise. */
  readonly isStanding: (target: string) => boolean;
}

/** Counts what a comparison finds and puts it into words. */
export class Judge implements Findings {
  readonly #judging: Judging;
  readonly #problems: Problem[] = [];
  #found = 0;
  equal = 0;
  different = 0;
  missed = 0;
  extras = 0;
  files = 0;
  /** Rows that the platform made along with others, as it does. */
  along = 0;
  #firstExtra = '';
  /** Versions of files that have another number than in the point: they may, where earlier versions were deleted, in the same order. */
  readonly #renumbered: { id: string; names: string[]; document: string; was: number; is: number }[] = [];

  constructor(judging: Judging) {
    this.#judging = judging;
  }

  async pair({ id, target, expected, found }: Pair): Promise<void> {
    const { judged, placesOf, idOf, mayBeLost } = this.#judging;
    const names: string[] = [];
    for (const place of placesOf(id)) {
      const field = judged.fields[place]!;
      const [was, is] = [expected(place), found(place)];
      if (asExpected(field, was, is, idOf) || (is === '' && mayBeLost(id, field.name, was))) continue;
      names.push(field.name);
    }
    if (!(await this.#sameFile(id, target))) names.push(judged.blob!);
    if (names.includes(versionNumber)) {
      const at = (name: string) => judged.fields.findIndex((field) => field.name === name);
      const [was, is] = [Number(expected(at(versionNumber))), Number(found(at(versionNumber)))];
      this.#renumbered.push({ id, names, document: expected(at('ContentDocumentId')), was, is });
    } else this.#judged(id, names);
  }

  #judged(id: string, names: readonly string[]): void {
    if (names.length === 0) this.equal += 1;
    else {
      this.different += 1;
      this.#problem(id, `differs in ${listed(names)}${this.#refusal(id)}`);
    }
  }

  /** To be called when all rows have been compared. */
  end(): void {
    for (const one of this.#renumbered) {
      const others = this.#renumbered.filter(({ document }) => document === one.document);
      const inOrder = others.every(({ was, is }) => is < was && was < one.was === is < one.is);
      this.#judged(one.id, inOrder ? one.names.filter((name) => name !== versionNumber) : one.names);
    }
  }

  missing(id: string): void {
    this.missed += 1;
    this.#problem(id, `is not in the org${this.#refusal(id)}`);
  }

  extra(target: string, found: (place: number) => string): void {
    const { isStanding, object, judged } = this.#judging;
    if (isStanding(target)) return;
    const at = (name: string) => found(judged.fields.findIndex((field) => field.name === name));
    if (madeAlong(object, at)) {
      this.along += 1;
      return;
    }
    this.extras += 1;
    if (this.#firstExtra === '') this.#firstExtra = target;
  }

  shared(id: string): void {
    this.missed += 1;
    this.#problem(id, 'came back as the same record as another row');
  }

  /** By the Id of the row in the point, or by the object. */
  problems(): Problem[] {
    const { object } = this.#judging;
    const more = this.#found - this.#problems.length;
    return [
      ...this.#problems,
      ...(more > 0 ? [{ key: object, problem: `${more} more rows differ or are missing` }] : []),
      ...(this.extras > 0
        ? [
            {
              key: object,
              problem: `the org has ${this.extras} that the point does not have, ${this.#firstExtra} first`,
            },
          ]
        : []),
    ];
  }

  async #sameFile(id: string, target: string): Promise<boolean> {
    const { judged, isMade, reader, org, object } = this.#judging;
    if (judged.blob === undefined || !isMade(id)) return true;
    const entry = await reader.fileEntry(object, id, judged.blob);
    if (!entry) return true;
    const same = (await digestOfFile(org, object, target, judged.blob)) === entry.sha256;
    if (same) this.files += 1;
    return same;
  }

  #refusal(id: string): string {
    const code = this.#judging.failures.get(id);
    return code === undefined ? '' : `: the org refused it with ${code}`;
  }

  #problem(key: string, problem: string): void {
    this.#found += 1;
    if (this.#problems.length < mostProblems) this.#problems.push({ key, problem });
  }
}

/** The platform shares a file with whom its version is of (field guide, restore 9), whether or not that was taken back later. */
function madeAlong(object: string, cells: (field: string) => string): boolean {
  return object === 'ContentDocumentLink' && cells('ShareType') === 'I' && cells('LinkedEntityId').startsWith('005');
}

export const madeAlongReason = 'the platform shares a file with the user who owns its version';

function listed(names: readonly string[]): string {
  const more = names.length - mostFields;
  return names.slice(0, mostFields).join(', ') + (more > 0 ? ` and ${more} more fields` : '');
}
