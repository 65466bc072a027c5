const segment = /^[A-Za-z0-9_](?:[A-Za-z0-9._=@~-]{0,198}[A-Za-z0-9_=@~-])?$/;
const windowsDevice = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** True for one part of a key, between its slashes. */
export function isKeySegment(text: string): boolean {
  return segment.test(text) && !windowsDevice.test(text);
}

/**
 * True for a key that every store can hold, on every system: at most 800 characters; segments of 1 to 200 characters out
 * of letters, digits and `._=@~-`, not beginning with `.` or `-`, not ending with `.`, not a device name of Windows.
 * Names that begin with a dot are the stores' own. No two keys in use may differ in case only, and none may be the
 * folder of another.
 */
export function isKey(key: string): boolean {
  return key.length <= 800 && key.split('/').every(isKeySegment);
}

/** Throws TypeError, a bug of the caller, for what is not a key. */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`not a key of a store: ${JSON.stringify(key.slice(0, 200))}`);
}
