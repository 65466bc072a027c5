import type { Counts } from './periods.ts';

/** What is kept. A point is kept when any part of it says so. */
export interface Policy extends Counts {
  /** Any moment of so many milliseconds before the newest point stays recoverable. */
  readonly window?: number;
}

const days = 86_400_000;

/** Policies by name. */
export const presets = {
  /** Sixty days of points behind the window leave time to notice what happened in it. */
  'any-moment-30d': { window: 30 * days, daily: 60 },
} as const satisfies Record<string, Policy>;
export type Preset = keyof typeof presets;
export const presetNames = Object.keys(presets) as Preset[];

/** True for a policy that names nothing to keep: it retires nothing. */
export function isEmpty(policy: Policy): boolean {
  return Object.values(policy).every((value) => !value);
}
