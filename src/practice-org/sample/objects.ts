import type { SampleObject } from '../sample.ts';
import { accountObjects } from './accounts.ts';
import { setupObjects } from './setup.ts';

/** All objects of the sample org, in the order of describeGlobal. */
export function sampleObjects(options: { personAccounts: boolean }): SampleObject[] {
  return [...accountObjects(options), ...setupObjects].sort((a, b) =>
    a.declaration.name < b.declaration.name ? -1 : 1,
  );
}
