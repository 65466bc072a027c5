/**
 * A reader of the vault's CSV that shares no code with the one of src/: every cell quoted, `"` doubled, `,` between cells, LF behind each row.
 * Throws on anything else.
 */
export function parseQuotedCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '"') throw new Error(`a cell without quotes in row ${rows.length + 1}`);
    let cell = '';
    let from = at + 1;
    for (;;) {
      const end = text.indexOf('"', from);
      if (end < 0) throw new Error(`a cell without end in row ${rows.length + 1}`);
      cell += text.slice(from, end);
      if (text[end + 1] !== '"') {
        at = end + 1;
        break;
      }
      cell += '"';
      from = end + 2;
    }
    row.push(cell);
    const behind = text[at];
    if (behind === '\n') {
      rows.push(row);
      row = [];
    } else if (behind !== ',') throw new Error(`${JSON.stringify(behind)} behind a cell of row ${rows.length + 1}`);
    at += 1;
  }
  if (row.length > 0) throw new Error('the last row does not end');
  const width = rows[0]?.length;
  const odd = rows.findIndex((cells) => cells.length !== width);
  if (odd >= 0) throw new Error(`row ${odd + 1} has ${rows[odd]!.length} cells, not ${width}`);
  return rows;
}
