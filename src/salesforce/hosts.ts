import { Fault } from '../errors.ts';

/** True for addresses of this machine, the only ones that may be spoken to without TLS. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Scheme and host of an org or login address, without a trailing slash. `name` is what a person calls the setting.
 * Throws `malformed` for what is no URL of a host, `login-failed` for anything else that is not a Salesforce API host's address.
 */
export function checkedOrigin(
  url: string,
  name = 'instance URL',
  malformed: 'usage' | 'login-failed' = 'usage',
): string {
  let parsed: URL;
  try {
    parsed = new URL(/^[a-z]+:\/\//i.test(url) ? url : `https://${url}`);
  } catch (cause) {
    throw new Fault(malformed, `The ${name} is not a URL.`, { actions: [example], cause });
  }
  // One word is no host of an org, and would be looked for in the network.
  if (!/[.:]/.test(parsed.hostname) && !isLoopback(parsed.hostname))
    throw new Fault(malformed, `The ${name} is not the URL of an org.`, { actions: [example] });
  if (parsed.username || parsed.password) {
    throw new Fault('login-failed', `The ${name} holds a user name or password.`, { actions: [example] });
  }
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLoopback(parsed.hostname))) {
    throw new Fault('login-failed', `The ${name} begins with ${parsed.protocol}// instead of https://.`, {
      actions: ['write https://; http:// is accepted for this machine only'],
    });
  }
  if (/\.lightning\.force\.com$/i.test(parsed.hostname)) {
    const host = parsed.hostname.replace(/\.lightning\.force\.com$/i, '.my.salesforce.com');
    throw new Fault('login-failed', `${parsed.hostname} serves the user interface, not the API.`, {
      actions: [`use https://${host}`],
    });
  }
  return parsed.origin;
}

const example = 'write it as in https://example.my.salesforce.com';
