import type { RowBatch } from '../rows/batch.ts';
import { cell } from '../rows/cells.ts';
import { queries } from './composite.ts';
import { pageFrom, parseWithSources } from './rest-json.ts';
import { encoded, type RestRead, restRows } from './rest-rows.ts';
import { and, queryPath, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** Columns by which versions of Knowledge articles are told apart. */
const needed = ['Id', 'KnowledgeArticleId', 'PublishStatus', 'IsLatestVersion', 'VersionNumber'] as const;

/**
 * The versions of Knowledge articles that an unfiltered query does not find: those that were archived by a newer one are found by their
 * article only (field guide, extract 4.1). Which articles have any is learned from the versions that are found, as they pass by.
 */
export class ArchivedVersions {
  readonly #columns: readonly number[];
  /** Articles that have a version before one that was seen. */
  readonly #articles = new Set<string>();
  /** Old archived versions that came without being asked for. */
  readonly #seen = new Set<string>();

  private constructor(columns: readonly number[]) {
    this.#columns = columns;
  }

  /** undefined: the object has no versions of this kind. */
  static of(object: string, fields: readonly string[]): ArchivedVersions | undefined {
    const columns = needed.map((field) => fields.indexOf(field));
    return object.endsWith('__kav') && !columns.includes(-1) ? new ArchivedVersions(columns) : undefined;
  }

  note(batch: RowBatch): void {
    for (let row = 0; row < batch.ends.length; row++) {
      const [id, article, status, latest, version] = this.#columns.map((column) => cell(batch, row, column)) as [
        string,
        string,
        string,
        string,
        string,
      ];
      if (status === 'Archived' && latest === 'false') this.#seen.add(id);
      if (article !== '' && !(Number(version) <= 1)) this.#articles.add(article);
    }
  }

  /** The rest, five articles to a call. */
  async *rows(wire: Wire, read: RestRead): AsyncGenerator<RowBatch> {
    const asked = [...this.#articles].map((article) => {
      const old = `KnowledgeArticleId = ${text(article)} AND PublishStatus = 'Archived' AND IsLatestVersion = false`;
      const where = and(read.where, old)!;
      const url = queryPath(wire.root, read.all ? 'queryAll' : 'query', select(read.fields, read.object, where));
      return { where, url, what: `the archived versions of ${article}` };
    });
    const parts = await queries(wire, asked, () => `archived versions of ${read.object}`, parseWithSources);
    for (const [i, { where }] of asked.entries()) {
      const part = parts[i]!;
      const first = 'body' in part ? pageFrom(part.body) : undefined;
      const isNew = ({ Id }: { readonly Id?: unknown }) => !this.#seen.has(String(Id));
      if (first?.done) yield* encoded([first.records.filter(isNew)], read);
      else yield* restRows(wire, { ...read, where }, first);
    }
  }
}
