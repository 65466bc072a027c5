/** How to take back what was written: the writes of a transaction, the last one first. */
export class Journal {
  #undo: (() => void)[] = [];
  #depth = 0;

  /** To be called after each write, with what takes it back. */
  wrote(undo: () => void): void {
    if (this.#depth > 0) this.#undo.push(undo);
  }

  /** All that `work` writes is taken back when it throws. May be nested. */
  transaction<T>(work: () => T): T {
    const start = this.#undo.length;
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      this.#takeBack(start);
      throw error;
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#undo = [];
    }
  }

  /** As `transaction`; what was written is taken back unless `keep` says yes to the result. */
  attempt<T>(work: () => T, keep: (result: T) => boolean): T {
    return this.transaction(() => {
      const start = this.#undo.length;
      const result = work();
      if (!keep(result)) this.#takeBack(start);
      return result;
    });
  }

  #takeBack(start: number): void {
    while (this.#undo.length > start) this.#undo.pop()!();
  }
}
