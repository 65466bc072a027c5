import { verify } from 'node:crypto';
import { type Answer, type ApiRequest, json } from './answer.ts';
import type { Session } from './sessions.ts';
import type { OrgState } from './state.ts';
import { usernameOf, userOf } from './users.ts';

/** OAuth errors are one object, not an array (extract 1.4). */
function oauthError(error: string, description: string, status = 400): Answer {
  return json({ error, error_description: description }, status);
}

const audiences = ['https://login.salesforce.com', 'https://test.salesforce.com'];

/** GET /services/oauth2/authorize: the practice org has no login page, the user agrees at once (extract 1.3). */
export function authorize(state: OrgState, request: ApiRequest): Answer {
  const { query } = request;
  const redirect = query.get('redirect_uri');
  if (query.get('response_type') !== 'code')
    return oauthError('unsupported_response_type', 'response type not supported');
  if (!isClient(state, query.get('client_id'))) return oauthError('invalid_client_id', 'client identifier invalid');
  if (redirect === null || !URL.canParse(redirect))
    return oauthError('redirect_uri_missing', 'redirect_uri is missing or invalid');
  const method = query.get('code_challenge_method');
  if (method !== null && method !== 'S256') return oauthError('invalid_request', 'code_challenge_method must be S256');
  const url = new URL(redirect);
  if (state.settings.authorizationDenied) {
    url.searchParams.set('error', 'access_denied');
    url.searchParams.set('error_description', 'end-user denied authorization');
  } else {
    url.searchParams.set('code', state.sessions.issueCode(redirect, query.get('code_challenge') ?? undefined));
  }
  const clientState = query.get('state');
  if (clientState !== null) url.searchParams.set('state', clientState);
  return { status: 302, headers: { Location: url.href } };
}

/** POST /services/oauth2/token. */
export function token(state: OrgState, request: ApiRequest): Answer {
  const form = new URLSearchParams(request.body.toString('utf8'));
  const basic = /^Basic +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic) {
    const [id, secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    form.set('client_id', decodeURIComponent(id ?? ''));
    form.set('client_secret', decodeURIComponent(secret ?? ''));
  }
  const grant = form.get('grant_type');
  if (grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer') return jwtBearer(state, form.get('assertion') ?? '');
  if (!['client_credentials', 'refresh_token', 'authorization_code'].includes(grant ?? ''))
    return oauthError('unsupported_grant_type', 'grant type not supported');
  if (!isClient(state, form.get('client_id'))) return oauthError('invalid_client_id', 'client identifier invalid');
  const secret = form.get('client_secret');
  const secretNeeded = grant === 'client_credentials';
  if ((secretNeeded || secret) && secret !== state.sessions.clientSecret)
    return oauthError('invalid_client', 'invalid client credentials');
  if (grant === 'client_credentials') return json(tokens(state, state.sessions.open(), 'api'));
  if (grant === 'refresh_token') {
    const refreshed = state.sessions.refresh(form.get('refresh_token') ?? '');
    if (!refreshed) return oauthError('invalid_grant', 'expired access/refresh token');
    return json({
      ...tokens(state, refreshed.session, 'refresh_token api'),
      ...(refreshed.refreshToken && { refresh_token: refreshed.refreshToken }),
    });
  }
  const wrong = state.sessions.redeem(
    form.get('code') ?? '',
    form.get('redirect_uri') ?? '',
    form.get('code_verifier') ?? undefined,
  );
  if (wrong) return oauthError('invalid_grant', wrong);
  return json({
    ...tokens(state, state.sessions.open(), 'refresh_token api'),
    refresh_token: state.sessions.issueRefreshToken(),
  });
}

/** The app of the org, or the sf CLI, which brings no secret. */
function isClient(state: OrgState, id: string | null): boolean {
  return id === state.sessions.clientId || id === 'PlatformCLI';
}

function jwtBearer(state: OrgState, assertion: string): Answer {
  const parts = assertion.split('.');
  let header: { alg?: unknown };
  let claims: { iss?: unknown; sub?: unknown; aud?: unknown; exp?: unknown };
  try {
    header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
    claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return oauthError('invalid_grant', 'invalid assertion');
  }
  if (claims.iss !== state.sessions.clientId) return oauthError('invalid_client_id', 'client identifier invalid');
  const signature = Buffer.from(parts[2] ?? '', 'base64url');
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (
    parts.length !== 3 ||
    header.alg !== 'RS256' ||
    !verify('RSA-SHA256', signed, state.sessions.keys.publicKey, signature)
  )
    return oauthError('invalid_grant', 'invalid assertion');
  // The sf CLI asks the org's own URL with a slash behind it before it tries the public login hosts.
  if (![...audiences, state.url, `${state.url}/`].includes(String(claims.aud)))
    return oauthError('invalid_grant', 'Audience validation failed');
  // The sf CLI gives milliseconds, which the platform takes as a far future.
  if (typeof claims.exp !== 'number' || claims.exp * 1000 < state.now())
    return oauthError('invalid_grant', 'expired assertion');
  if (claims.sub !== state.database.facts.username)
    return oauthError('invalid_grant', "user hasn't approved this consumer");
  return json(tokens(state, state.sessions.open(), 'api'));
}

/** The token response (extract 1.2): no expires_in, `issued_at` as text. */
function tokens(state: OrgState, session: Session, scope: string): Record<string, unknown> {
  const { organizationId } = state.database.facts;
  const { userId } = session;
  return {
    access_token: session.token,
    signature: Buffer.from(session.token.slice(-32)).toString('base64'),
    scope,
    instance_url: state.url,
    id: `${state.url}/id/${organizationId}/${userId}`,
    token_type: 'Bearer',
    issued_at: String(state.now()),
    api_instance_url: 'https://api.salesforce.com',
  };
}

/** POST /services/oauth2/revoke: 200 for a live token of either kind. */
export function revoke(state: OrgState, request: ApiRequest): Answer {
  const form = new URLSearchParams(request.body.toString('utf8'));
  const gone = state.sessions.close(form.get('token') ?? request.query.get('token') ?? '');
  return gone ? { status: 200 } : oauthError('unsupported_token_type', 'this token type is not supported');
}

/** GET /services/oauth2/userinfo. */
export function userinfo(state: OrgState, { session }: ApiRequest): Answer {
  const { organizationId } = state.database.facts;
  const { userId } = session!;
  const username = usernameOf(state, userId);
  return {
    ...json({
      sub: `${state.url}/id/${organizationId}/${userId}`,
      user_id: userId,
      organization_id: organizationId,
      preferred_username: username,
      nickname: username.split('@')[0],
      name: userOf(state, userId).Name ?? username,
      email: userOf(state, userId).Email ?? username,
      email_verified: true,
      active: true,
      user_type: 'STANDARD',
      urls: urls(state),
    }),
    calls: 0,
  };
}

/** GET /id/{organization}/{user}: the identity behind the session. */
export function identity(state: OrgState, request: ApiRequest): Answer {
  const { organizationId } = state.database.facts;
  const { userId } = request.session!;
  const username = usernameOf(state, userId);
  const [organization, wanted] = request.parts as [string, string];
  if (!organizationId.startsWith(organization.slice(0, 15)) || !userId.startsWith(wanted.slice(0, 15)))
    return { status: 403, text: 'Wrong_Org', calls: 0 };
  return {
    ...json({
      id: `${state.url}/id/${organizationId}/${userId}`,
      asserted_user: true,
      user_id: userId,
      organization_id: organizationId,
      username,
      nick_name: username.split('@')[0],
      display_name: userOf(state, userId).Name ?? username,
      email: userOf(state, userId).Email ?? username,
      active: true,
      user_type: 'STANDARD',
      is_app_installed: true,
      urls: urls(state),
    }),
    calls: 0,
  };
}

function urls(state: OrgState): Record<string, string> {
  const rest = `${state.url}/services/data/v{version}/`;
  return {
    rest,
    sobjects: `${rest}sobjects/`,
    query: `${rest}query/`,
    partner: `${state.url}/services/Soap/u/{version}/${state.database.facts.organizationId.slice(0, 15)}`,
  };
}
