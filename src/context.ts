import type { Event } from './events.ts';

/** What every operation is given, so that the whole program is testable. */
export interface Context {
  /** Aborted by the first Ctrl-C or a time budget; every wait and request honours it. */
  readonly signal: AbortSignal;
  /** Takes an event; never throws, never waits. */
  report(event: Event): void;
  /** The host's clock. Windows on the org's data use the org's clock instead. */
  now(): Date;
  /** A private folder (0700) for this run, removed at its end. Nothing in plaintext goes into it. */
  readonly tempDir: string;
}
