import { Fault } from '../errors.ts';
import { isObjectLevel } from './faults.ts';
import type { OrgIdentity } from './org.ts';
import { queryAll } from './rest-query.ts';
import type { Session } from './session.ts';
import { select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** Who the token belongs to, and which org this is. Three calls at most. */
export async function identify(wire: Wire, session: Session, apiVersion: string): Promise<OrgIdentity> {
  const [organization] = await queryAll(
    wire,
    select(['Id', 'Name', 'IsSandbox'], 'Organization'),
    'the Organization record',
  );
  const orgId = String(organization?.Id ?? '');
  if (orgId.length !== 18)
    throw new Fault('org-refused', 'The org does not show its Organization record to this user.');
  if (session.orgId && session.orgId.slice(0, 15) !== orgId.slice(0, 15)) {
    throw new Fault('login-failed', `The login is for org ${session.orgId}, but the address is that of org ${orgId}.`);
  }
  const userId = session.userId ?? (await userIdOf(wire));
  const [user] = await queryAll(wire, select(['Id', 'Username'], 'User', `Id = ${text(userId)}`), 'the User record');
  if (!user) throw new Fault('org-refused', `The org does not show its own record to user ${userId}.`);
  return {
    orgId,
    userId: String(user.Id),
    username: String(user.Username ?? ''),
    instanceUrl: wire.instanceUrl,
    apiVersion,
    isSandbox: organization?.IsSandbox === true,
    organizationName: String(organization?.Name ?? ''),
  };
}

/** For logins whose answer did not name the user: a plain token, the sf CLI. */
async function userIdOf(wire: Wire): Promise<string> {
  const asked = [
    { url: '/services/oauth2/userinfo', cost: 0 },
    { url: wire.root, cost: 1 },
  ];
  for (const { url, cost } of asked) {
    try {
      const answer = (await wire.http.json({ what: 'the question who is logged in', url, cost, tries: 3 })) as Record<
        string,
        unknown
      >;
      const id = String(answer?.user_id ?? answer?.identity ?? '')
        .split('/')
        .at(-1)!;
      if (/^005[A-Za-z0-9]{12,15}$/.test(id)) return id;
    } catch (error) {
      // The first needs a scope that the token may lack; the second says it too.
      if (!isObjectLevel(error)) throw error;
    }
  }
  throw new Fault('login-failed', 'The org does not say to which user the token belongs.', {
    actions: ['give the app the scope "openid" or "id"'],
  });
}
