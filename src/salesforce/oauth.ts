import { sign } from 'node:crypto';
import { Fault, isFault } from '../errors.ts';
import { checkedOrigin } from './hosts.ts';
import type { Http } from './http.ts';
import type { Grant } from './session.ts';

/** A grant, and the refresh token when the answer had one. */
export interface TokenAnswer {
  readonly grant: Grant;
  readonly refreshToken?: string;
}

/**
 * Asks `host` (scheme and host) for a token (field guide, extract 1.2 and 1.3). Throws `login-failed` with advice for the
 * error, or `org-unreachable` when no answer came.
 */
export async function requestToken(http: Http, host: string, form: Record<string, string>): Promise<TokenAnswer> {
  for (const name of ['client_secret', 'refresh_token', 'code', 'code_verifier', 'assertion']) http.hide(form[name]);
  let answer: unknown;
  try {
    answer = await http.json({
      what: `the login at ${new URL(host).host}`,
      method: 'POST',
      url: `${host}/services/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      cost: 0,
      authorised: false,
      tries: 3,
      deadlineMs: 60_000,
    });
  } catch (error) {
    throw loginFault(error);
  }
  const said: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const { access_token: accessToken, instance_url: instanceUrl, id, refresh_token: refreshToken } = said;
  if (typeof accessToken !== 'string' || accessToken === '') {
    throw new Fault('login-failed', 'The login was answered without an access token.');
  }
  http.hide(accessToken);
  const [orgId, userId] = typeof id === 'string' ? id.split('/').slice(-2) : [];
  const origin = checkedOrigin(typeof instanceUrl === 'string' ? instanceUrl : host, 'instance URL', 'login-failed');
  if (typeof refreshToken === 'string') http.hide(refreshToken);
  return {
    grant: { accessToken, instanceUrl: origin, orgId, userId },
    refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined,
  };
}

/** What to do about an OAuth error, by the words of its description (field guide, extract 1.4). */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /expired access\/refresh token/i,
    'the refresh token was revoked, has expired or was rotated: run `salvor login` again',
  ],
  [
    /audience/i,
    'name the login host that the user belongs to: https://login.salesforce.com or https://test.salesforce.com',
  ],
  [
    /hasn.?t approved|not approved/i,
    'pre-authorise the user: in the app set "Admin approved users are pre-authorized" and assign a permission set',
  ],
  [/client identifier invalid/i, 'check the client id; a new app takes about ten minutes until every host knows it'],
  [/app must be installed/i, 'install the app in the org, or use an external client app of the org itself'],
  [/invalid client credentials|invalid_client$/i, 'check the client secret'],
  [/no client credentials user/i, 'give the app a "Run As" user for the client credentials flow'],
  [/not supported on this domain/i, "use the org's own address, https://….my.salesforce.com, not login or test"],
  [/inactive_user|inactive user|user.*inactive/i, 'the user is deactivated or frozen'],
  [
    /invalid assertion|signature|invalid_grant$/i,
    'check that the private key belongs to the certificate of the app, and the clock',
  ],
  [/authentication failure/i, 'check the user, the host (login or test) and the login IP ranges'],
  [/ip restricted|restricted ip/i, 'allow the address of this machine in the login IP ranges'],
  [/expired authorization code/i, 'the code is valid for 15 minutes and for one use: start the login again'],
];

function loginFault(error: unknown): unknown {
  if (!isFault(error)) return error;
  const status = Number(error.data.status ?? 0);
  if (status < 400 || status >= 500 || status === 420 || status === 429) return error;
  const found = advice.find(([words]) => words.test(error.message));
  return new Fault('login-failed', error.message, {
    data: error.data,
    actions: found ? [found[1]] : undefined,
  });
}

/** A signed assertion for the JWT bearer flow. Throws `login-failed` when the key cannot sign. */
export function jwtAssertion(
  claims: { iss: string; sub: string; aud: string; exp: number },
  privateKeyPem: string,
): string {
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  try {
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKeyPem).toString('base64url')}`;
  } catch {
    throw new Fault('login-failed', 'The private key cannot sign: it is not an unencrypted RSA key in PEM form.', {
      actions: ['make one with `openssl genrsa -out key.pem 2048`, and upload its certificate to the app'],
    });
  }
}
