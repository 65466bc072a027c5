import { closeSync, openSync, writeSync } from 'node:fs';
import { Fault, systemCode } from '../../errors.ts';
import type { Event } from '../../events.ts';
import type { Envelope } from './json.ts';

/** Takes every event as a line of JSON with its time, and at the end the JSON document as `{"type":"result",…}`. */
export interface EventLog {
  event(event: Event): void;
  end(envelope: Envelope): void;
}

/**
 * A file of its own for the events of this run (mode 0600, an older one is replaced), or standard output for `-`. Lines are written
 * at once, so that a crash loses none. Throws `disk-error` when the file cannot be made; later the first failure goes to `failed`.
 */
export function openEventLog(
  place: string,
  now: () => Date,
  standardOutput: (text: string) => void,
  failed: (message: string) => void,
): EventLog {
  let handle = place === '-' ? undefined : open(place);
  function line(value: object): void {
    const text = `${JSON.stringify({ time: now().toISOString(), ...value })}\n`;
    if (place === '-') standardOutput(text);
    if (handle === undefined) return;
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    } catch (error) {
      close();
      failed(`events can no longer be written to ${place}: ${systemCode(error) ?? 'unknown error'}`);
    }
  }
  function close(): void {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  }
  return {
    event: line,
    end(envelope) {
      line({ type: 'result', ...envelope });
      close();
    },
  };
}

function open(place: string): number {
  try {
    return openSync(place, 'w', 0o600);
  } catch (cause) {
    throw new Fault('disk-error', `events cannot be written to ${place}: ${systemCode(cause) ?? 'unknown error'}`, {
      cause,
    });
  }
}
