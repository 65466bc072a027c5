import type { Asking } from './asking.ts';
import { jobOrRow } from './ingest-jobs.ts';
import { errorIn, ingest } from './jobs.ts';
import { NotAsked, type Question } from './question.ts';

const guide = 'restore 12';

/** What stands open on the rows of ingest jobs and what is said of them. */
export const ingestRowQuestions: readonly Question[] = [
  {
    id: 'null-over-default',
    question: 'what does #N/A put into a field with a default on insert?',
    guide,
    async ask(org) {
      const { object, nameField, field } = await defaulted(org);
      const name = org.mark('default');
      const outcome = await ingest(org, { object, operation: 'insert' }, `${nameField},${field}\n${name},#N/A\n`);
      if (jobOrRow(outcome) !== 'taken') return jobOrRow(outcome);
      const [row] = await org.rows(`SELECT ${field} FROM ${object} WHERE ${nameField} = '${name}'`);
      return row?.[field] === null ? 'null' : 'the default';
    },
  },
  {
    id: 'null-in-reference',
    question: 'does #N/A in a relationship column clear the lookup?',
    guide,
    async ask(org) {
      const csv = `LastName,ReportsTo.Email\n${org.mark('reference')},#N/A\n`;
      const told = jobOrRow(await ingest(org, { object: 'Contact', operation: 'insert' }, csv));
      return told === 'taken' ? 'yes' : told;
    },
  },
  {
    id: 'audit-fields-on-upsert',
    question: 'may an upsert that inserts set CreatedDate?',
    guide,
    async ask(org) {
      const csv = `Email,LastName,CreatedDate\nprobe.audit@salvor.invalid,${org.mark('audit')},2020-01-02T03:04:05.000Z\n`;
      const job = { object: 'Contact', operation: 'upsert', externalIdFieldName: 'Email' };
      const told = jobOrRow(await ingest(org, job, csv));
      if (told !== 'taken') return told;
      const [row] = await org.rows(`SELECT CreatedDate FROM Contact WHERE LastName = '${org.mark('audit')}'`);
      return String(row?.CreatedDate).startsWith('2020-01-02') ? 'yes' : 'it is passed over';
    },
  },
  {
    id: 'failed-update-id',
    question: 'what stands in sf__Id of a row that failed to be updated?',
    guide,
    async ask(org) {
      const id = await org.insert('Contact', { LastName: org.mark('update') });
      const csv = `Id,LastName\n${id},${'x'.repeat(200)}\n`;
      const { failed } = await ingest(org, { object: 'Contact', operation: 'update' }, csv);
      const row = failed.slice(failed.indexOf('\n') + 1);
      if (row.trim() === '') throw new NotAsked('the update did not fail');
      return row.replaceAll('"', '').startsWith(id.slice(0, 15)) ? 'the Id' : 'nothing';
    },
  },
  {
    id: 'error-separator',
    question: 'what stands between the errors of a row that has two?',
    guide,
    async ask(org) {
      const csv = `LastName,FirstName,Email\n${org.mark('errors')} ${'x'.repeat(100)},${'y'.repeat(100)},no address\n`;
      const { failed } = await ingest(org, { object: 'Contact', operation: 'insert' }, csv);
      const error = errorIn(failed);
      const between = /--([^A-Z]*)[A-Z_]{6,}:/.exec(error);
      if (!between) return 'one error is told';
      return JSON.stringify(between[1]);
    },
  },
];

/** A picklist with a default, of an object that the probe may make; one that may be empty before one that may not. */
async function defaulted(org: Asking) {
  const names = { Case: 'Subject', Contact: 'LastName', Account: 'Name' };
  const described = await org.org.describe(Object.keys(names));
  const found = Object.entries(names).flatMap(([object, nameField]) => {
    const describe = described.get(object);
    const fields = describe && 'fields' in describe ? describe.fields : [];
    return fields
      .filter(
        ({ createable, custom, type, picklistValues }) =>
          createable && !custom && type === 'picklist' && hasDefault(picklistValues),
      )
      .map(({ name: field, nillable }) => ({ object, nameField, field, nillable }));
  });
  const chosen = found.find(({ nillable }) => nillable) ?? found[0];
  if (!chosen) throw new NotAsked('no picklist of Case, Contact or Account has a default');
  return chosen;
}

function hasDefault(values: unknown): boolean {
  return Array.isArray(values) && values.some(({ defaultValue }) => defaultValue === true);
}
