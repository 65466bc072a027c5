import type { Asking } from './asking.ts';
import { soapCall } from './made.ts';
import { NotAsked, type Question } from './question.ts';

/** What stands open on deleting, undeleting and what both do to other rows. */
export const deletingQuestions: readonly Question[] = [
  {
    id: 'blanked-lookup-stamp',
    question: 'does a lookup that is emptied by a deletion move SystemModstamp?',
    guide: 'extract 11',
    async ask(org) {
      const head = await org.insert('Contact', { LastName: org.mark('head') });
      const id = await org.insert('Contact', { LastName: org.mark('report'), ReportsToId: head });
      const before = await stampOf(org, id);
      // Stamps are of whole seconds.
      await org.wait(1100);
      await org.delete('Contact', head);
      const after = await stampOf(org, id);
      if (after.ReportsToId !== null) return 'the lookup stays';
      return after.SystemModstamp === before.SystemModstamp ? 'no' : 'yes';
    },
  },
  {
    id: 'cascade-children',
    question: 'is a contact that was deleted with its account marked deleted, and can it be undeleted alone?',
    guide: 'restore 12',
    async ask(org) {
      const account = await org.insert('Account', { Name: org.mark('cascade') });
      const id = await org.insert('Contact', { LastName: org.mark('child'), AccountId: account });
      await org.delete('Account', account);
      const [row] = await org.rows(`SELECT IsDeleted FROM Contact WHERE Id = '${id}'`, true);
      const marked = row === undefined ? 'it is gone' : row.IsDeleted === true ? 'it is marked' : 'it lives on';
      return `${marked}; undeleted alone: ${await undeleted(org, id)}`;
    },
  },
  {
    id: 'undelete-live-row',
    question: 'what does undelete say of a row that lives?',
    guide: 'restore 12',
    async ask(org) {
      const id = await org.insert('Contact', { LastName: org.mark('alive') });
      return undeleted(org, id);
    },
  },
];

async function stampOf(org: Asking, id: string) {
  const [row] = await org.rows(`SELECT SystemModstamp, ReportsToId FROM Contact WHERE Id = '${id}'`);
  if (!row) throw new NotAsked('the org does not find a contact that it made');
  return row;
}

/** `done`, or the org's code. */
async function undeleted(org: Asking, id: string): Promise<string> {
  const { text } = await org.send(soapCall(org.org, 'undelete', [id]));
  if (/<success>true<\/success>/.test(text)) return 'done';
  const code = /<(?:\w+:)?statusCode>([^<]+)</.exec(text)?.[1] ?? /<faultcode>([^<]+)</.exec(text)?.[1];
  if (code === undefined) throw new NotAsked('the SOAP API gave no answer that can be read');
  return code;
}
