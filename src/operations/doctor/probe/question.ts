import type { Asking } from './asking.ts';

/** One open question about Salesforce, and how a real org is asked. */
export interface Question {
  /** Stable: reports are compared by it. */
  readonly id: string;
  /** One sentence that ends with a question mark. */
  readonly question: string;
  /** The section of the field guide in which it stands open. */
  readonly guide: 'extract 11' | 'restore 12';
  /** The answer: a stable word, or the org's own code or text. Throws NotAsked when this org cannot tell. */
  readonly ask: (org: Asking) => Promise<string>;
}

/** Why a question could not be put to this org. */
export class NotAsked extends Error {}

/** For questions that no small probe can settle. */
export function cannotBeAsked(why: string): Question['ask'] {
  return async () => {
    throw new NotAsked(why);
  };
}
