import type { Ids } from '../../rows/id-table.ts';
import { RowReader } from '../../rows/row-reader.ts';
import { type PlatformRules, platformRules } from './platform.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import { insertable, type LeftOutReason, type WritableField } from './writable.ts';

/** Rows of an object that come back under a new Id, and how they are written. */
export class ObjectInserts {
  readonly scope: ObjectScope;
  readonly ids: Ids;
  readonly rules: PlatformRules;
  readonly fields: readonly WritableField[];
  readonly checked: readonly WritableField[];
  readonly required: readonly WritableField[];
  readonly lookups: readonly { readonly name: string; readonly required: boolean; readonly writable: boolean }[];
  readonly leftOut: readonly LeftOutReason[];
  /** The field that holds the file of each row; undefined: rows have none. */
  readonly file: string | undefined;
  /** Columns that have to be read to plan; Id comes first. */
  readonly columns: readonly string[];

  constructor(plan: PlanScope, scope: ObjectScope, ids: Ids) {
    this.scope = scope;
    this.ids = ids;
    const { fields, leftOut } = insertable(scope.source, scope.target!, scope.columns);
    this.rules = platformRules(scope.object);
    this.fields = fields;
    this.checked = fields.filter(({ check }) => check);
    this.required = fields.filter(({ required }) => required);
    this.leftOut = leftOut;
    this.file = scope.target!.fields.find(({ type, createable }) => type === 'base64' && createable)?.name;
    this.lookups = plan.lookups(scope).map(({ field }) => {
      const writable = fields.find(({ name }) => name === field.name);
      return { name: field.name, required: writable?.required ?? false, writable: writable !== undefined };
    });
    const looked = new Set([
      ...this.lookups.map(({ name }) => name),
      ...fields
        .filter(({ required, check, describe }) => required || check || describe.unique === true)
        .map(({ name }) => name),
      ...leftOut.map(({ field }) => field),
      ...[...platformFields, ...(this.rules.reads ?? [])].filter((name) => scope.columns.includes(name)),
    ]);
    this.columns = ['Id', ...scope.columns.filter((name) => name !== 'Id' && looked.has(name))];
  }

  /** These rows as the point has them, some at a time. What is read of a row is valid until the next. */
  async *rows(plan: PlanScope): AsyncGenerator<Iterable<RowReader>> {
    const flow = await plan.reader.rows(this.scope.object, { ids: this.ids, signal: plan.ctx.signal });
    const reader = new RowReader(flow.columns, this.columns);
    for await (const batch of flow.batches) {
      plan.ctx.signal.throwIfAborted();
      yield reader.rows(batch);
      batch.release?.();
    }
  }
}

/** Fields that `platform.ts` looks at. */
const platformFields = [
  ...[
    'Status',
    'SyncedQuoteId',
    'UnitPrice',
    'TotalPrice',
    'ListPrice',
    'UseStandardPrice',
    'IsChild',
    'RowCause',
    'Comments',
    'HasOpportunityLineItem',
    'Amount',
    'ContentBodyId',
  ],
  ...[
    'IsPersonAccount',
    'IsActive',
    'FirstPublishLocationId',
    'ContentDocumentId',
    'VersionNumber',
    'ContactId',
    'Pricebook2Id',
  ],
];
