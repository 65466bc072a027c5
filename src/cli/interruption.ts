import { Fault } from '../errors.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal of the system aborts the work, the second ends the process. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Signals end the process again as they do by themselves. */
  release(): void;
}

/** `onFirst` tells the person that the work is being stopped; `atOnce` cleans up what cannot wait before the process ends with 130. */
export function listenForInterruption(onFirst: (name: string) => void, atOnce: () => void): Interruption {
  const controller = new AbortController();
  function stop(name: NodeJS.Signals): void {
    if (controller.signal.aborted) {
      atOnce();
      // Should the end itself hang, the next signal is the system's to hear.
      release();
      process.exit(130);
    }
    onFirst(name);
    controller.abort(new Fault('interrupted', `stopped by ${name}`));
  }
  function release(): void {
    for (const name of signals) process.off(name, stop);
  }
  for (const name of signals) process.on(name, stop);
  return { signal: controller.signal, release };
}
