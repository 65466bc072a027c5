import { type Fault, isFault } from '../../errors.ts';

/** What a finding is about, in the order in which they are told. */
export const areas = [
  'login',
  'permissions',
  'blind spots',
  'API head-room',
  'store',
  'policy',
  'keys',
  'clock',
] as const;
export type Area = (typeof areas)[number];

/** One thing that was looked at. `area` and `name` are stable: scripts match on them. */
export interface Finding {
  readonly area: Area;
  readonly name: string;
  /** `warn`: nothing fails for it today; `bad`: a backup, a restore or the safety of the vault does. */
  readonly ok: 'ok' | 'warn' | 'bad';
  /** One sentence on what was found, with its figure. */
  readonly said: string;
  /** What to do, where there is something; null otherwise. */
  readonly fix: string | null;
}

/** Makes the findings of one area. */
export function findingsOf(area: Area) {
  return {
    ok: (name: string, said: string): Finding => ({ area, name, ok: 'ok', said, fix: null }),
    warn: (name: string, said: string, fix: string): Finding => ({ area, name, ok: 'warn', said, fix }),
    bad: (name: string, said: string, fix: string): Finding => ({ area, name, ok: 'bad', said, fix }),
    /** What failed, with the advice of the fault. */
    failed: (name: string, { name: fault, message, actions }: Fault): Finding => ({
      area,
      name,
      ok: 'bad',
      said: `${fault}: ${message}`,
      fix: actions[0] ?? null,
    }),
  };
}

/** What was found, or, where it could not be looked at, the finding that says why. Throws only when the run was stopped, and bugs. */
export async function lookedAt(
  signal: AbortSignal,
  area: Area,
  name: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    signal.throwIfAborted();
    if (!isFault(error)) throw error;
    return [findingsOf(area).failed(name, error)];
  }
}

/** The first names of a list, and how many there are more. */
export function firstOf(names: readonly string[], most = 5): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return `${names.slice(0, most).join(', ')}${more}`;
}

/** `1 field`, `2 fields`. */
export function counted(figure: number, word: string): string {
  return `${figure.toLocaleString('en-US')} ${word}${figure === 1 ? '' : 's'}`;
}
