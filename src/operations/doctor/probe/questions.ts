import { deletingQuestions } from './deleting.ts';
import { ingestJobQuestions } from './ingest-jobs.ts';
import { ingestRowQuestions } from './ingest-rows.ts';
import type { Question } from './question.ts';
import { readingQuestions } from './reading.ts';
import { savingQuestions } from './saving.ts';

/** Every open question of the field guide (extract 11, restore 12). */
export const questions: readonly Question[] = [
  ...readingQuestions,
  ...ingestJobQuestions,
  ...ingestRowQuestions,
  ...savingQuestions,
  ...deletingQuestions,
];
