import type { Occasion } from './schema.ts';

/** What people and their tools are told: a contract as `--json` is. Names and figures only, never a record value. */
export interface Notification {
  readonly occasion: Occasion;
  readonly command: string;
  /** The exit code; of a watch, the one that `backup` would have had. */
  readonly status: number;
  readonly name?: string;
  readonly message: string;
  readonly actions: readonly string[];
  readonly org: string | null;
  readonly point: string | null;
  readonly time: string;
  readonly tool: string;
}

/** Why a channel was not told, in words that hold no secret. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** The notification as a person reads it. */
export function sentences({ command, occasion, message, actions, org, point }: Notification): string {
  const head = `salvor ${command}: ${occasion}${org === null ? '' : ` (${org})`}`;
  const lines = [head, message, point === null ? '' : `point ${point}`, ...actions.map((action) => `try: ${action}`)];
  return lines.filter(Boolean).join('\n');
}
