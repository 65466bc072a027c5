import { type Finding, findingsOf } from './finding.ts';

/** What the probe of a store found (`store/probe.ts`). */
export interface StoreProbe {
  readonly conditionalCreate: boolean;
  readonly readBack: boolean;
  readonly range: boolean;
  readonly listAfterPut: boolean;
  readonly missingKey: boolean;
  readonly clockDriftMs: number | undefined;
  readonly problems: readonly string[];
  readonly left: readonly string[];
}

const { ok, warn, bad } = findingsOf('store');

/** Whether the store does what salvor's safety rests on. */
export function storeFindings(url: string, probe: StoreProbe): Finding[] {
  const why = probe.problems.length > 0 ? `: ${probe.problems.join('; ')}` : '';
  const held = (name: string, holds: boolean, said: string, otherwise: string) =>
    holds ? ok(name, said) : bad(name, `${otherwise}${why}`, 'use another store: nothing can be made safe on this one');
  return [
    probe.conditionalCreate
      ? ok('conditional-create', `${url} refuses a second create of a key, also of 20 at once`)
      : bad(
          'conditional-create',
          `${url} does not refuse a second create of a key: two runs could destroy each other's records${why}`,
          'use a store with conditional create, or make sure that one writer only ever runs',
        ),
    held(
      'read-back',
      probe.readBack,
      'an object is read back as it was put',
      'an object is not read back as it was put',
    ),
    held('range', probe.range, 'a range of an object is read', 'a range of an object is not read'),
    held('list-after-put', probe.listAfterPut, 'a list names an object at once', 'a list does not name a new object'),
    probe.missingKey
      ? ok('missing-key', 'a key that is not there is told as missing')
      : bad(
          'missing-key',
          'a key that is not there is refused instead of told as missing: the end of the log cannot be found',
          'permit s3:ListBucket on the bucket to these credentials, without a condition on s3:prefix',
        ),
  ];
}

/** These credentials may write below `probe/` and not read there, as policies from before the doctor have it. */
export function unproven(url: string): Finding {
  return warn(
    'conditional-create',
    `${url} was not put to the proof: these credentials may not read below probe/`,
    'add probe/* to what the policy lets them read (examples/s3-writer-policy.json)',
  );
}
