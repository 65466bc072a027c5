import type { Asking } from './asking.ts';
import { codeOf } from './asking.ts';
import type { Question } from './question.ts';

const guide = 'restore 12';

/** What stands open on saving several records by REST. */
export const savingQuestions: readonly Question[] = [
  {
    id: 'attributes-last',
    question: 'may attributes stand behind the fields of a record in Collections?',
    guide,
    async ask(org) {
      const record = { LastName: org.mark('attributes'), attributes: { type: 'Contact' } };
      const answer = await saved(org, [record]);
      return answer.every(({ success }) => success) && answer.length === 1 ? 'yes' : `refused: ${lastCode(org)}`;
    },
  },
  {
    id: 'unknown-field-in-collection',
    question: 'does a field that is not there refuse the whole request of Collections, or one record?',
    guide,
    async ask(org) {
      const good = { attributes: { type: 'Contact' }, LastName: org.mark('with a good twin') };
      const bad = { attributes: { type: 'Contact' }, LastName: org.mark('bad'), NoSuchField__c: 'x' };
      const answer = await saved(org, [good, bad]);
      if (answer.length === 0) return `the request: ${lastCode(org)}`;
      return answer[0]?.success && !answer[1]?.success ? 'the record' : 'every record';
    },
  },
];

/** Results of a Collections insert; none: it was refused as a whole. */
async function saved(org: Asking, records: readonly object[]): Promise<readonly { id?: string; success: boolean }[]> {
  const answer = await org.json('POST', '/composite/sobjects', { allOrNone: false, records });
  if (answer.status !== 200) return [];
  const results = JSON.parse(answer.text) as { id?: string; success: boolean }[];
  for (const { id, success } of results) if (success && id) org.made.record('Contact', id);
  return results;
}

function lastCode(org: Asking): string {
  const { status, body } = org.exchanges.at(-1)!.got;
  return `${status} ${codeOf({ status, headers: [], text: body })}`;
}
