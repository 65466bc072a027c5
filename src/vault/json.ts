/** Documents of the vault are six levels deep. A parser takes some forty bytes for each level, and whatever walks the value afterwards a call. */
const mostLevels = 1000;
/** Lists and objects in one document: each takes fifty bytes, be it empty. The largest detail of 128 MiB has two million. */
const mostContainers = 4_000_000;
/** Commas: the values in such a detail take some twelve bytes each. */
const mostCommas = 16_000_000;

/** The value of JSON bytes. Throws SyntaxError, and RangeError before anything is built for a document whose value would take many times its bytes. */
export function parseJson(bytes: Buffer): unknown {
  assertShape(bytes);
  return JSON.parse(bytes.toString('utf8'));
}

function assertShape(bytes: Buffer): void {
  let levels = 0;
  let containers = 0;
  let commas = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case 0x22: {
        const end = closingQuote(bytes, at);
        if (end < 0) return;
        at = end;
        break;
      }
      case 0x5b:
      case 0x7b:
        levels++;
        containers++;
        if (levels > mostLevels || containers > mostContainers) throw new RangeError('it is nested without end');
        break;
      case 0x5d:
      case 0x7d:
        levels--;
        break;
      case 0x2c:
        if (++commas > mostCommas) throw new RangeError('it has values without end');
        break;
    }
  }
}

/** Where the text ends that begins at `open`; -1: nowhere. */
function closingQuote(bytes: Buffer, open: number): number {
  for (let at = open + 1; at < bytes.length; at++) {
    if (bytes[at] === 0x22) return at;
    // What is escaped stands behind it.
    if (bytes[at] === 0x5c) at++;
  }
  return -1;
}
