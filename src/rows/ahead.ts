/** The items of a source, of which the next can be made ready while one is in use: at most one is held ahead. */
export class Ahead<T> {
  readonly #source: AsyncGenerator<T>;
  #next: Promise<IteratorResult<T>> | undefined;

  constructor(source: AsyncGenerator<T>) {
    this.#source = source;
  }

  /** Begins to make the next item. What goes wrong with it is thrown in its turn. */
  prepare(): void {
    this.#next ??= this.#source.next();
    // Until its turn comes, an error must not count as unhandled.
    this.#next.catch(() => {});
  }

  /** Whoever leaves early waits for the item that is being made. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const item = await (this.#next ?? this.#source.next());
        this.#next = undefined;
        if (item.done) return;
        yield item.value;
      }
    } finally {
      await this.#source.return(undefined);
    }
  }
}
