import type { Context } from '../context.ts';
import { Fault, isFault } from '../errors.ts';
import { authorizeInBrowser, type BrowserLogin } from './browser-login.ts';
import { checkedOrigin } from './hosts.ts';
import type { Http } from './http.ts';
import { jwtAssertion, requestToken, type TokenAnswer } from './oauth.ts';
import { Session } from './session.ts';
import { grantOfSf, type RunSf } from './sf-cli.ts';

/** The ways to log in (field guide, extract 1.3 and 1.7). URLs are an org's or a login host's, with or without scheme. */
export type Login =
  | { readonly kind: 'token'; readonly accessToken: string; readonly instanceUrl: string }
  | {
      readonly kind: 'clientCredentials';
      readonly clientId: string;
      readonly clientSecret: string;
      /** The org's own address: login and test hosts refuse this flow. */
      readonly instanceUrl: string;
    }
  | {
      readonly kind: 'jwt';
      readonly clientId: string;
      readonly privateKeyPem: string;
      readonly username: string;
      /** Default: login.salesforce.com, test.salesforce.com and the instance are tried in turn. */
      readonly audience?: string;
      readonly instanceUrl?: string;
    }
  | {
      readonly kind: 'refresh';
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly refreshToken: string;
      readonly instanceUrl?: string;
      readonly loginUrl?: string;
    }
  | { readonly kind: 'sfdxAuthUrl'; readonly url: string }
  | { readonly kind: 'sfAlias'; readonly alias: string; readonly run?: RunSf }
  | ({ readonly kind: 'web' } & BrowserLogin);

/** Is given each new refresh token of an org that rotates them; the old one is dead by then. Awaited. */
export type OnRotate = (refreshToken: string) => void | Promise<void>;

/** Logs in. Throws `login-failed`, `org-unreachable` or the signal's Fault. */
export async function logIn(ctx: Context, http: Http, login: Login, onRotate?: OnRotate): Promise<Session> {
  switch (login.kind) {
    case 'token': {
      const accessToken = login.accessToken.trim();
      if (accessToken === '' || /[\s[\]]/.test(accessToken)) {
        throw new Fault('login-failed', 'The access token is not a token.', {
          actions: ['newer sf CLIs print it with `sf org auth show-access-token`'],
        });
      }
      http.hide(accessToken);
      return new Session({ accessToken, instanceUrl: checkedOrigin(login.instanceUrl) });
    }
    case 'clientCredentials': {
      const { clientId, clientSecret } = login;
      const host = checkedOrigin(login.instanceUrl);
      const ask = () =>
        requestToken(http, host, {
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: clientSecret,
        });
      return new Session((await ask()).grant, async () => (await ask()).grant);
    }
    case 'jwt':
      return byAssertion(ctx, http, login);
    case 'refresh': {
      const host = checkedOrigin(login.instanceUrl ?? login.loginUrl ?? 'https://login.salesforce.com');
      return byRefreshToken(http, host, login, onRotate);
    }
    case 'sfdxAuthUrl': {
      const parsed = parseSfdxAuthUrl(login.url);
      return byRefreshToken(http, parsed.instanceUrl, parsed, onRotate);
    }
    case 'sfAlias': {
      const ask = async () => {
        const grant = await grantOfSf(login.alias, ctx.signal, login.run);
        http.hide(grant.accessToken);
        return grant;
      };
      return new Session(await ask(), ask);
    }
    case 'web': {
      const { grant, refreshToken, loginUrl } = await authorizeInBrowser(ctx, login);
      http.hide(grant.accessToken);
      if (!refreshToken) return new Session(grant);
      await onRotate?.(refreshToken);
      return new Session(grant, refresher(http, loginUrl, { ...login, refreshToken }, onRotate));
    }
  }
}

/**
 * The parts of `force://<clientId>:<clientSecret>:<refreshToken>@<host>` (field guide, extract 1.7); the secret may be
 * empty. Throws `login-failed`.
 */
export function parseSfdxAuthUrl(url: string): {
  clientId: string;
  clientSecret: string | undefined;
  refreshToken: string;
  instanceUrl: string;
} {
  const match = /^force:\/\/([^:@\s]+):([^:@\s]*):([^:@\s]+)@(\S+)$/.exec(url.trim());
  if (!match) {
    throw new Fault('login-failed', 'The SFDX auth URL is not of the form force://id:secret:token@host.', {
      actions: ['newer sf CLIs print it with `sf org auth show-sfdx-auth-url`'],
    });
  }
  const [, clientId, clientSecret, refreshToken, host] = match;
  return {
    clientId: clientId!,
    clientSecret: clientSecret || undefined,
    refreshToken: refreshToken!,
    instanceUrl: checkedOrigin(host!),
  };
}

interface RefreshLogin {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly refreshToken: string;
}

async function byRefreshToken(http: Http, host: string, login: RefreshLogin, onRotate?: OnRotate): Promise<Session> {
  const renew = refresher(http, host, login, onRotate);
  return new Session(await renew(), renew);
}

function refresher(http: Http, host: string, login: RefreshLogin, onRotate?: OnRotate) {
  let { refreshToken } = login;
  return async () => {
    const answer = await requestToken(http, host, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: login.clientId,
      ...(login.clientSecret && { client_secret: login.clientSecret }),
    });
    if (answer.refreshToken && answer.refreshToken !== refreshToken) {
      refreshToken = answer.refreshToken;
      await onRotate?.(refreshToken);
    }
    return answer.grant;
  };
}

async function byAssertion(ctx: Context, http: Http, login: Extract<Login, { kind: 'jwt' }>): Promise<Session> {
  const hosts = loginHosts(login);
  let first: unknown;
  for (const [host, aud] of hosts) {
    const ask = (): Promise<TokenAnswer> => {
      const exp = Math.floor(ctx.now().getTime() / 1000) + 180;
      const claims = { iss: login.clientId, sub: login.username, aud, exp };
      return requestToken(http, host, {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: jwtAssertion(claims, login.privateKeyPem),
      });
    };
    try {
      return new Session((await ask()).grant, async () => (await ask()).grant);
    } catch (error) {
      // Only an answer about the grant depends on the host and audience; everything else would be the same elsewhere.
      if (!isFault(error, 'login-failed') || error.data.errorCode !== 'invalid_grant') throw error;
      if (first === undefined || /audience/i.test((first as Error).message)) first = error;
    }
  }
  throw first;
}

/** Pairs of host and audience to try: the audience cannot be told from the URL (field guide, extract 1.3). */
function loginHosts(login: Extract<Login, { kind: 'jwt' }>): [string, string][] {
  const production = 'https://login.salesforce.com';
  const sandbox = 'https://test.salesforce.com';
  const instance = login.instanceUrl === undefined ? undefined : checkedOrigin(login.instanceUrl);
  if (login.audience !== undefined) {
    const audience = login.audience.replace(/\/$/, '');
    return [[instance ?? checkedOrigin(audience, 'audience'), audience]];
  }
  if (instance === production || instance === sandbox) return [[instance, instance]];
  if (!instance) {
    return [
      [production, production],
      [sandbox, sandbox],
    ];
  }
  const known = /\.sandbox\.|--/.test(instance) ? [sandbox, production] : [production, sandbox];
  return [...known, instance].map((audience) => [instance, audience]);
}
