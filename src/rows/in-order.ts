/**
 * Does `work` on each item of `source`, up to `inFlight` at a time, and yields the results in the order of the items.
 * Takes no item ahead of that. When it fails or is left early, it waits for the work that is under way.
 */
export async function* inOrder<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  inFlight: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const result = work(item);
      // The error is raised when its turn comes; until then it must not count as unhandled.
      result.catch(() => {});
      underWay.push(result);
      if (underWay.length >= inFlight) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}
