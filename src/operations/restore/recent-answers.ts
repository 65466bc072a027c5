/** So many are kept. */
const most = 4096;

/** Answers about Ids, kept for a while: rows that stand behind each other mostly name the same users and parents. The answer to a question must not change. */
export class RecentAnswers<T> {
  readonly #ask: (id: string) => T;
  readonly #known = new Map<string, { readonly answer: T }>();

  constructor(ask: (id: string) => T) {
    this.#ask = ask;
  }

  of(id: string): T {
    let known = this.#known.get(id);
    if (!known) {
      known = { answer: this.#ask(id) };
      if (this.#known.size === most) this.#known.clear();
      this.#known.set(id, known);
    }
    return known.answer;
  }
}
