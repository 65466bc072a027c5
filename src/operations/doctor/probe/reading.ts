import type { Asking } from './asking.ts';
import { codeOf } from './asking.ts';
import { bulkQuery, queryJob } from './jobs.ts';
import { cannotBeAsked, NotAsked, type Question } from './question.ts';

const guide = 'extract 11';

/** What stands open on reading by Bulk API 2.0 and REST. */
export const readingQuestions: readonly Question[] = [
  {
    id: 'bulk-empty-result',
    question: 'what is the body of Bulk results without a row?',
    guide,
    async ask(org) {
      const { results } = await bulkQuery(
        org,
        `SELECT Id, LastName FROM Contact WHERE LastName = '${org.mark('nobody')}'`,
      );
      if (results.text === '') return 'nothing';
      return /^"Id","LastName"\r?\n?$/.test(results.text) ? 'header' : 'something else';
    },
  },
  {
    id: 'header-case',
    question: 'how are the Sforce headers spelled?',
    guide,
    async ask(org) {
      const { headers } = (await bulkQuery(org, nobody(org))).results;
      return headers.map(([name]) => name).find((name) => /^sforce-numberofrecords$/i.test(name)) ?? 'missing';
    },
  },
  {
    id: 'nul-in-text',
    question: 'does a NUL in a text survive?',
    guide,
    async ask(org) {
      const id = await org.insert('Contact', { LastName: org.mark('nul'), Description: 'before\u0000after' });
      const { text } = (await bulkQuery(org, `SELECT Description FROM Contact WHERE Id = '${id}'`)).results;
      if (text.includes('before\u0000after')) return 'kept';
      return text.includes('beforeafter') ? 'removed' : 'replaced';
    },
  },
  {
    id: 'results-before-completion',
    question: 'what do the results of a job answer that has not ended?',
    guide,
    async ask(org) {
      const job = await queryJob(org, nobody(org));
      const answer = await org.send({
        method: 'GET',
        path: `/jobs/query/${job}/results`,
        headers: { accept: 'text/csv' },
      });
      if (answer.status === 200) throw new NotAsked('the job had ended before it could be asked');
      return `${answer.status} ${codeOf(answer)}`;
    },
  },
  {
    id: 'processed-equals-rows',
    question: 'is numberRecordsProcessed of a query job the number of its rows?',
    guide,
    async ask(org) {
      for (const name of ['one', 'two', 'three']) await org.insert('Contact', { LastName: org.mark(`row ${name}`) });
      const { job, results } = await bulkQuery(
        org,
        `SELECT LastName FROM Contact WHERE LastName LIKE '${org.mark('row ')}%'`,
      );
      const rows = results.text.split('\n').filter((line) => line.startsWith(`"${org.mark('row ')}`)).length;
      const declared = results.headers.find(([name]) => /^sforce-numberofrecords$/i.test(name))?.[1];
      return job.numberRecordsProcessed === rows && declared === String(rows)
        ? 'yes'
        : `no: ${rows} rows, ${job.numberRecordsProcessed} processed, ${declared} declared`;
    },
  },
  {
    id: 'big-object-by-bulk',
    question: 'does Bulk read a big object without a filter?',
    guide,
    ask: (org) => objectByBulk(org, '__b', 'big object'),
  },
  {
    id: 'custom-metadata-by-bulk',
    question: 'does Bulk read custom metadata?',
    guide,
    ask: (org) => objectByBulk(org, '__mdt', 'custom metadata type'),
  },
  {
    id: 'long-downloads',
    question: 'does a download of Bulk results of 20 seconds and more count as a long-running request?',
    guide,
    ask: cannotBeAsked('it takes more data than a probe makes'),
  },
  {
    id: 'query-timeout-status',
    question: 'which status has a REST query that takes too long?',
    guide,
    ask: cannotBeAsked('it takes more data than a probe makes'),
  },
  {
    id: 'page-size-default',
    question: 'how many rows has a page of Bulk results when none is asked for?',
    guide,
    ask: cannotBeAsked('it takes more data than a probe makes'),
  },
];

const nobody = (org: Asking) => `SELECT Id FROM Contact WHERE LastName = '${org.mark('nobody')}'`;

/** Makes a query job on the first object of a kind, and reads none of its rows. */
async function objectByBulk(org: Asking, ending: string, what: string): Promise<string> {
  const object = (await org.org.objects()).find(({ name, queryable }) => name.endsWith(ending) && queryable);
  if (!object) throw new NotAsked(`the org has no ${what}`);
  const describe = (await org.org.describe([object.name])).get(object.name);
  const field = describe && 'fields' in describe ? describe.fields.find(({ custom }) => !custom)?.name : undefined;
  org.hide(object.name, `Object${ending}`);
  if (field === undefined) throw new NotAsked(`the org does not describe its ${what}`);
  const answer = await org.json('POST', '/jobs/query', {
    operation: 'query',
    query: `SELECT ${field} FROM ${object.name}`,
  });
  if (answer.status >= 300) return `refused: ${answer.status} ${codeOf(answer)}`;
  org.made.job(`/jobs/query/${(JSON.parse(answer.text) as { id: string }).id}`);
  return 'taken';
}
