import type { Context } from '../context.ts';
import { Fault, isFault } from '../errors.ts';
import { OrgClient } from './client.ts';
import { Http, type HttpOptions } from './http.ts';
import { identify } from './identity.ts';
import { type Login, logIn, type OnRotate } from './login.ts';
import type { ApiBudget, Org } from './org.ts';
import { Usage } from './usage.ts';

export { authorizeInBrowser, type BrowserLogin } from './browser-login.ts';
export { type Login, type OnRotate, parseSfdxAuthUrl } from './login.ts';

export interface ConnectOptions {
  /** `67.0` or `v67.0`. Default: the newest that both sides know. */
  readonly apiVersion?: string;
  readonly budget?: ApiBudget;
  readonly onRotate?: OnRotate;
  /** See `HttpOptions.quotaMs`. */
  readonly quotaMs?: HttpOptions['quotaMs'];
  readonly wait?: HttpOptions['wait'];
  readonly timeouts?: HttpOptions['timeouts'];
}

/** Bulk API 2.0 query begins here (field guide, extract 3.1). */
const oldestVersion = 47;
/** The newest that this program was tested with. */
const newestVersion = 67;

/**
 * Logs in and learns who and where we are. Throws `login-failed`, `session-expired`, `org-unreachable`, `org-unavailable` or
 * `org-refused`. Close the org when done.
 */
export async function connect(ctx: Context, login: Login, options: ConnectOptions = {}): Promise<Org> {
  const http = new Http(ctx, {
    usage: new Usage(ctx, options.budget),
    quotaMs: options.quotaMs,
    wait: options.wait,
    timeouts: options.timeouts,
  });
  try {
    const session = await logIn(ctx, http, login, options.onRotate);
    http.use(session);
    const apiVersion = await chooseVersion(http, options.apiVersion);
    const wire = { ctx, http, instanceUrl: session.instanceUrl, root: `/services/data/v${apiVersion}` };
    return new OrgClient(wire, await identify(wire, session, apiVersion));
  } catch (error) {
    await http.close();
    if (isFault(error, 'object-refused')) {
      throw new Fault('org-refused', error.message, { data: error.data, cause: error });
    }
    throw error;
  }
}

/** Lists the versions, which needs no login and counts nothing (field guide, extract 2.1). */
async function chooseVersion(http: Http, wanted: string | undefined): Promise<string> {
  const list = await http.json({ what: 'the list of API versions', url: '/services/data/', cost: 0, tries: 4 });
  const versions = (Array.isArray(list) ? list : []).map((entry: { version?: unknown }) =>
    String(entry?.version ?? ''),
  );
  const numbers = versions.map(Number).filter((version) => version >= oldestVersion);
  if (wanted !== undefined) {
    const version = Number(wanted.replace(/^v/i, ''));
    if (!(version >= oldestVersion)) {
      throw new Fault('usage', `API version ${wanted} is not one that can be used; the oldest is ${oldestVersion}.0.`);
    }
    if (!numbers.includes(version)) {
      throw new Fault('org-refused', `The org does not offer API version ${version.toFixed(1)}.`, {
        actions: [`choose one of those it offers, up to ${Math.max(...numbers, 0).toFixed(1)}`],
      });
    }
    return version.toFixed(1);
  }
  const known = numbers.filter((version) => version <= newestVersion);
  if (known.length === 0) {
    throw new Fault('org-refused', `The org offers no API version between ${oldestVersion}.0 and ${newestVersion}.0.`, {
      actions: ['check that the instance URL is that of a Salesforce org'],
    });
  }
  return Math.max(...known).toFixed(1);
}
