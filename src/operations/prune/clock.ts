import { randomBytes } from 'node:crypto';
import { Fault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { mostDrift } from '../clock.ts';

/** Holds this host's clock against the store's, by an object that is put and deleted again. Throws `clock-drift`. */
export async function assertClock(store: Store, now: () => Date, signal: AbortSignal): Promise<void> {
  const key = `probe/${randomBytes(8).toString('hex')}/clock`;
  const before = now().getTime();
  await store.putIfAbsent(key, Buffer.from('what time is it?'), signal);
  try {
    const stored = (await store.head(key, signal))?.modified.getTime();
    const drift = stored === undefined ? 0 : stored - (before + now().getTime()) / 2;
    if (Math.abs(drift) <= mostDrift) return;
    const ahead = drift > 0 ? 'behind' : 'ahead of';
    throw new Fault(
      'clock-drift',
      `the clock of this host is ${Math.round(Math.abs(drift) / 60_000)} minutes ${ahead} the store's`,
      { data: { driftMs: Math.round(drift) } },
    );
  } finally {
    await store.delete(key).catch(() => false);
  }
}
