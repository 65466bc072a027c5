import type { RowBatch } from '../../rows/batch.ts';
import { cells } from '../../rows/cells.ts';
import type { FieldDescribe } from '../../schema/describe.ts';
import type { Archive } from './archive.ts';
import { escaped, headXml, rowXml } from './sheet-cells.ts';

/** Rows that a sheet holds at most, its header included. */
const rowsOfSheet = 1_048_576;
const longestName = 31;

const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';
const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** A workbook (Office Open XML), sheet by sheet into a zip; of a sheet only a batch of rows is in memory. */
export class Workbook {
  readonly #archive: Archive;
  readonly #mostRows: number;
  readonly #sheets: string[] = [];

  constructor(archive: Archive, mostRows: number = rowsOfSheet) {
    this.#archive = archive;
    this.#mostRows = mostRows;
  }

  /**
   * Adds rows under a name, on as many sheets as they need. Names are shortened where they have to be, and no two are the same. `cut`: texts that
   * are longer than a cell may be.
   */
  async add(
    name: string,
    fields: readonly Pick<FieldDescribe, 'name' | 'type'>[],
    batches: AsyncIterable<RowBatch>,
  ): Promise<{ sheets: string[]; cut: number }> {
    const cursor = new RowCursor(batches);
    const found = { sheets: [] as string[], cut: 0 };
    do {
      const sheet = this.#nameFor(found.sheets.length === 0 ? name : `${name} ${found.sheets.length + 1}`);
      found.sheets.push(sheet);
      this.#sheets.push(sheet);
      await this.#archive.add(
        `xl/worksheets/sheet${this.#sheets.length}.xml`,
        sheetXml(fields, cursor, this.#mostRows, found),
      );
    } while (await cursor.more());
    return found;
  }

  /** What holds the sheets together. */
  async end(): Promise<void> {
    const part = (name: string, xml: string) => this.#archive.add(name, once(`${declaration}${xml}`));
    const sheet = (i: number) => `xl/worksheets/sheet${i + 1}.xml`;
    const type = (kind: string) => `application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml`;
    const book = this.#sheets
      .map((name, i) => `<sheet name="${attribute(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`)
      .join('');
    await part(
      'xl/workbook.xml',
      `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${book}</sheets></workbook>`,
    );
    const links = this.#sheets.map(
      (_, i) => `<Relationship Id="rId${i + 1}" Type="${relations}/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`,
    );
    links.push(`<Relationship Id="styles" Type="${relations}/styles" Target="styles.xml"/>`);
    await part(
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${packages}/relationships">${links.join('')}</Relationships>`,
    );
    await part('xl/styles.xml', stylesXml);
    await part(
      '_rels/.rels',
      `<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    );
    const overrides = [
      ['xl/workbook.xml', type('sheet.main')],
      ['xl/styles.xml', type('styles')],
      ...this.#sheets.map((_, i) => [sheet(i), type('worksheet')]),
    ].map(([name, kind]) => `<Override PartName="/${name}" ContentType="${kind}"/>`);
    await part(
      '[Content_Types].xml',
      `<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${overrides.join('')}</Types>`,
    );
  }

  /** Names are compared without case, and have no brackets, colons, slashes, question marks and stars. */
  #nameFor(wanted: string): string {
    const clean = wanted.replaceAll(/[[\]:*?/\\']/g, '_');
    const taken = (name: string) =>
      name.toLowerCase() === 'history' || this.#sheets.some((one) => one.toLowerCase() === name.toLowerCase());
    let name = clean.slice(0, longestName);
    for (let n = 2; taken(name); n++) {
      const end = `~${n}`;
      name = clean.slice(0, longestName - end.length) + end;
    }
    return name;
  }
}

async function* sheetXml(
  fields: readonly Pick<FieldDescribe, 'name' | 'type'>[],
  cursor: RowCursor,
  mostRows: number,
  found: { cut: number },
): AsyncGenerator<Buffer> {
  yield Buffer.from(
    `${declaration}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>${headXml(fields.map(({ name }) => name))}`,
  );
  let number = 2;
  for (let rows = await cursor.take(mostRows - 1); rows.length > 0; rows = await cursor.take(mostRows - number + 1)) {
    const lines: string[] = [];
    for (const values of rows) {
      const { xml, cut } = rowXml(number++, values, fields);
      lines.push(xml);
      found.cut += cut;
    }
    yield Buffer.from(lines.join(''));
  }
  yield Buffer.from('</sheetData></worksheet>');
}

/** Rows in pieces that fit where they go. */
class RowCursor {
  readonly #batches: AsyncIterator<RowBatch>;
  #batch: RowBatch | undefined;
  #at = 0;

  constructor(batches: AsyncIterable<RowBatch>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** True when there are rows left. */
  async more(): Promise<boolean> {
    while (this.#batch === undefined || this.#at >= this.#batch.ends.length) {
      const next = await this.#batches.next();
      if (next.done) return false;
      this.#batch = next.value;
      this.#at = 0;
    }
    return true;
  }

  /** Some rows, at most so many; none at the end. */
  async take(most: number): Promise<string[][]> {
    if (most <= 0 || !(await this.more())) return [];
    const batch = this.#batch!;
    const end = Math.min(batch.ends.length, this.#at + Math.min(most, 500));
    const rows: string[][] = [];
    for (; this.#at < end; this.#at++) rows.push(cells(batch, this.#at));
    return rows;
  }
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

function attribute(text: string): string {
  return escaped(text).replaceAll('"', '&quot;');
}

/** Four cell styles: plain, date, date with time, bold. */
const stylesXml = `<styleSheet xmlns="${main}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`;
