/**
 * Which objects refer to which, and in what order they can be made.
 */

/** From each object to those that its rows refer to. */
export type RefersTo = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Splits `objects` into groups that refer to each other in a circle (most are alone), in an order in which a group refers only to itself and
 * to groups before it. Objects that do not depend on each other keep the order in which they were given.
 */
export function groupsInOrder(objects: readonly string[], refersTo: RefersTo): string[][] {
  const tarjan = new Tarjan(objects, refersTo);
  const groups = tarjan.groups();
  const position = new Map(objects.map((object, at) => [object, at]));
  for (const group of groups) group.sort((a, b) => position.get(a)! - position.get(b)!);
  return groups;
}

/** Tarjan's strongly connected components; a component is complete when all that it refers to is, so they come out in order. */
class Tarjan {
  readonly #objects: readonly string[];
  readonly #refersTo: RefersTo;
  readonly #known: ReadonlySet<string>;
  readonly #index = new Map<string, number>();
  readonly #low = new Map<string, number>();
  readonly #stack: string[] = [];
  readonly #stacked = new Set<string>();
  readonly #groups: string[][] = [];

  constructor(objects: readonly string[], refersTo: RefersTo) {
    this.#objects = objects;
    this.#refersTo = refersTo;
    this.#known = new Set(objects);
  }

  groups(): string[][] {
    for (const object of this.#objects) if (!this.#index.has(object)) this.#visit(object);
    return this.#groups;
  }

  #visit(object: string): void {
    const index = this.#index.size;
    this.#index.set(object, index);
    this.#low.set(object, index);
    this.#stack.push(object);
    this.#stacked.add(object);
    for (const parent of this.#refersTo.get(object) ?? []) {
      if (!this.#known.has(parent)) continue;
      if (!this.#index.has(parent)) {
        this.#visit(parent);
        this.#lower(object, this.#low.get(parent)!);
      } else if (this.#stacked.has(parent)) this.#lower(object, this.#index.get(parent)!);
    }
    if (this.#low.get(object) !== index) return;
    const from = this.#stack.indexOf(object);
    const group = this.#stack.splice(from);
    for (const member of group) this.#stacked.delete(member);
    this.#groups.push(group);
  }

  #lower(object: string, to: number): void {
    if (to < this.#low.get(object)!) this.#low.set(object, to);
  }
}
