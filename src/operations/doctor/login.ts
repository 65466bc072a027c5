import type { Fault } from '../../errors.ts';
import type { OrgIdentity } from '../../salesforce/org.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, warn, failed } = findingsOf('login');

/** Who is logged in, and where. */
export function login({ username, orgId, isSandbox, apiVersion, instanceUrl }: OrgIdentity): Finding {
  const kind = isSandbox ? 'a sandbox' : 'not a sandbox';
  return ok('login', `${username} in ${orgId} (${kind}) at ${new URL(instanceUrl).host}, API ${apiVersion}`);
}

/** Why the org was not looked at: there is no login at hand, or the org did not take it. */
export function notLoggedIn(fault: Fault): Finding {
  if (fault.name !== 'no-login') return failed('login', fault);
  return warn('login', `the org was not looked at: ${fault.message}`, fault.actions[0]!);
}
