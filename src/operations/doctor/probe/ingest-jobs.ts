import type { Asking } from './asking.ts';
import { codeOf } from './asking.ts';
import { ingest, ingestJob, type JobState, outcomeOf } from './jobs.ts';
import { NotAsked, type Question } from './question.ts';

const guide = 'restore 12';
const contact = { object: 'Contact', operation: 'insert' } as const;

/** What stands open on ingest jobs of Bulk API 2.0 as such. */
export const ingestJobQuestions: readonly Question[] = [
  {
    id: 'job-create-status',
    question: 'which status has the answer to a new ingest job?',
    guide,
    async ask(org) {
      await ingestJob(org, contact);
      return String(org.exchanges.at(-1)!.got.status);
    },
  },
  {
    id: 'multipart-closes',
    question: 'is an ingest job that was made with its data in one request closed?',
    guide,
    async ask(org) {
      const csv = `LastName\n${org.mark('multipart')}\n`;
      const boundary = 'salvor-probe-boundary';
      const part = (name: string, type: string, text: string, file = '') =>
        `--${boundary}\r\nContent-Type: ${type}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`;
      const job = JSON.stringify({ ...contact, contentType: 'CSV', lineEnding: 'LF' });
      const body = `${part('job', 'application/json', job)}${part('content', 'text/csv', csv, '; filename="content"')}--${boundary}--\r\n`;
      const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, accept: 'application/json' };
      const answer = await org.send({ method: 'POST', path: '/jobs/ingest', headers, body });
      if (answer.status >= 300) return `refused: ${codeOf(answer)}`;
      const { id, state } = JSON.parse(answer.text) as JobState;
      const path = `/jobs/ingest/${id}`;
      org.made.job(path);
      if (state === 'Open') return 'no';
      await outcomeOf(org, path, contact.object);
      return 'yes';
    },
  },
  {
    id: 'close-without-data',
    question: 'what becomes of an ingest job that is closed without data?',
    guide,
    async ask(org) {
      const path = `/jobs/ingest/${await ingestJob(org, contact)}`;
      const closed = await org.json('PATCH', path, { state: 'UploadComplete' });
      if (closed.status >= 300) return `refused: ${codeOf(closed)}`;
      const { state, errorMessage } = await outcomeOf(org, path, contact.object);
      return errorMessage ? `${state}: ${errorMessage}` : state;
    },
  },
  {
    id: 'line-ending-mismatch',
    question: 'what does a job for CRLF say to lines that end in LF?',
    guide,
    ask: async (org) =>
      jobOrRow(await ingest(org, { ...contact, lineEnding: 'CRLF' }, `LastName\n${org.mark('ending')}\n`)),
  },
  {
    id: 'mixed-newlines',
    question: 'may a cell hold CRLF in a job for LF?',
    guide,
    ask: async (org) =>
      jobOrRow(await ingest(org, contact, `LastName,Description\n${org.mark('newlines')},"one\r\ntwo"\n`)),
  },
  {
    id: 'cell-limit',
    question: 'are 40,000 characters in a cell too many for the job, or only for the field?',
    guide,
    async ask(org) {
      const outcome = await ingest(org, contact, `LastName,Description\n${org.mark('long')},${'x'.repeat(40_000)}\n`);
      if (outcome.state === 'Failed') return 'the job';
      return jobOrRow(outcome) === 'taken' ? 'neither' : 'the field';
    },
  },
  {
    id: 'duplicate-header-in-bulk',
    question: 'does Bulk ingest honour Sforce-Duplicate-Rule-Header?',
    guide,
    async ask(org) {
      const twin = { LastName: org.mark('twin'), FirstName: 'Probe', Email: 'probe.twin@salvor.invalid' };
      await org.insert('Contact', twin, allow);
      const plain = await org.json('POST', '/sobjects/Contact', twin);
      if (plain.status === 201) {
        org.made.record('Contact', (JSON.parse(plain.text) as { id: string }).id);
        throw new NotAsked('no duplicate rule of the org speaks up for two equal contacts');
      }
      if (codeOf(plain) !== 'DUPLICATES_DETECTED') throw new NotAsked(`the org refused a twin: ${codeOf(plain)}`);
      const csv = `LastName,FirstName,Email\n${twin.LastName},${twin.FirstName},${twin.Email}\n`;
      const without = jobOrRow(await ingest(org, contact, csv));
      if (without === 'taken') return 'Bulk heeds no duplicate rule';
      return jobOrRow(await ingest(org, contact, csv, allow)) === 'taken' ? 'yes' : 'no';
    },
  },
  {
    id: 'assignment-by-default',
    question: 'do assignment rules run in Bulk ingest when nothing is said of them?',
    guide,
    async ask(org) {
      const user = org.org.identity.userId;
      const asked = await org.insert('Case', { Subject: org.mark('assigned') }, { 'sforce-auto-assign': 'TRUE' });
      if ((await ownerOf(org, asked)) === user) throw new NotAsked('no assignment rule of the org takes a new case');
      const { successful } = await ingest(org, { ...contact, object: 'Case' }, `Subject\n${org.mark('by bulk')}\n`);
      const id = /^"?([A-Za-z0-9]{18})"?,/m.exec(successful)?.[1];
      if (id === undefined) throw new NotAsked('the org refused a case by Bulk');
      return (await ownerOf(org, id)) === user ? 'no' : 'yes';
    },
  },
];

const allow = { 'sforce-duplicate-rule-header': 'allowSave=true' };

async function ownerOf(org: Asking, id: string): Promise<unknown> {
  return (await org.rows(`SELECT OwnerId FROM Case WHERE Id = '${id}'`))[0]?.OwnerId;
}

/** How a job of one row ended: `taken`, or what was said of the job or the row. */
export function jobOrRow({ state, errorMessage, successful, failed }: Awaited<ReturnType<typeof ingest>>): string {
  if (state === 'Failed') return `the job fails: ${errorMessage}`;
  if (/^"?[A-Za-z0-9]{18}"?,/m.test(successful)) return 'taken';
  return `the row fails: ${/([A-Z_]{6,}):/.exec(failed)?.[1] ?? 'without a code'}`;
}
