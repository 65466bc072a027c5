import type { Context } from '../../context.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { LeftOut } from '../../vault/manifest.ts';
import type { Parent } from './parents.ts';
import { type Chosen, hidden, hiddenFields } from './select.ts';

/** What an earlier point found out holds so long, as far as the describe of the object is the same. */
const holdsMs = 24 * 3_600_000;

/** Fields that the org hides from the user: asked anew once a day, and of objects whose describe changed. */
export class HiddenFields {
  readonly #ctx: Context;
  readonly #org: Org;
  readonly #parents: ReadonlyMap<string, Parent>;
  /** When the org was last asked for all objects. */
  readonly asked: Date;
  readonly #fresh: boolean;
  readonly #answers = new Map<string, LeftOut[]>();

  constructor(ctx: Context, org: Org, parents: ReadonlyMap<string, Parent>) {
    this.#ctx = ctx;
    this.#org = org;
    this.#parents = parents;
    const before = [...parents.values()].map(({ root }) => Date.parse(root.fieldsAsked ?? ''));
    const oldest = Math.min(...before);
    this.#fresh = Number.isFinite(oldest) && ctx.now().getTime() - oldest < holdsMs;
    this.asked = this.#fresh ? new Date(oldest) : ctx.now();
  }

  /** True: the org need not be asked about this object. */
  isKnown(describe: ObjectDescribe): boolean {
    return this.#known(describe) !== undefined;
  }

  /** Of each object, in order. */
  async ask(describes: readonly ObjectDescribe[]): Promise<LeftOut[][]> {
    const known = describes.map((describe) => this.#known(describe));
    const open = describes.filter((_, i) => known[i] === undefined);
    this.#ctx.signal.throwIfAborted();
    const found = open.length === 0 ? [] : await hiddenFields(this.#org, open);
    for (const [i, { name }] of open.entries()) this.#answers.set(name, found[i]!);
    return describes.map((describe, i) => known[i] ?? found[open.indexOf(describe)]!);
  }

  /** Of objects whose pages stay. */
  async of(chosen: readonly Chosen[], same: readonly Parent[]): Promise<LeftOut[]> {
    const names = new Set(same.map(({ object }) => object.object));
    const describes = chosen.map(({ describe }) => describe).filter(({ name }) => names.has(name));
    return (await this.ask(describes)).flat();
  }

  #known(describe: ObjectDescribe): LeftOut[] | undefined {
    const answer = this.#answers.get(describe.name);
    if (answer) return answer;
    const parent = this.#parents.get(describe.name);
    if (!parent || !this.#fresh || parent.page.schema.print !== schemaPrint(describe)) return undefined;
    const seen = new Set(describe.fields.map(({ name }) => name));
    return parent.root.notCovered.flatMap(({ object, field, reason, owner }) => {
      // The policy may have left it out as well.
      const isHidden = reason === hidden || (owner !== undefined && field !== undefined && !seen.has(field));
      return object === describe.name && isHidden ? [{ object, field, reason: hidden }] : [];
    });
  }
}
