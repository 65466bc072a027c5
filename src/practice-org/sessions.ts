import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { OrgFacts } from './database.ts';
import type { Settings } from './settings.ts';

export interface Session {
  readonly token: string;
  /** Whose it is. */
  readonly userId: string;
  readonly issuedAt: number;
  requests: number;
  /** Its own limit of requests, when a fault set one. */
  requestsLeft: number;
}

interface AuthorizationCode {
  readonly redirectUri: string;
  /** S256 of the verifier; undefined when the client sent none. */
  readonly challenge: string | undefined;
  readonly issuedAt: number;
}

/** Who may log in, and who has. One app, one user; others are let in by whoever runs the org. */
export class Sessions {
  readonly clientId = `3MVG9PracticeOrg.${randomBytes(24).toString('base64url')}`;
  readonly clientSecret = randomBytes(32).toString('hex').toUpperCase();
  readonly #facts: OrgFacts;
  readonly #settings: Settings;
  readonly #sessions = new Map<string, Session>();
  readonly #refreshTokens = new Set<string>();
  readonly #codes = new Map<string, AuthorizationCode>();
  #keys: { publicKey: KeyObject; privateKey: KeyObject } | undefined;

  constructor(facts: OrgFacts, settings: Settings) {
    this.#facts = facts;
    this.#settings = settings;
  }

  /** The key pair of the app's certificate, made when first asked for. */
  get keys(): { publicKey: KeyObject; privateKey: KeyObject } {
    this.#keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
    return this.#keys;
  }

  /** A session of the app's user, or of another user of the org. */
  open(userId = this.#facts.userId): Session {
    const token = this.#settings.accessTokens === 'jwt' ? jwt() : opaque(this.#facts.organizationId);
    const session = { token, userId, issuedAt: Date.now(), requests: 0, requestsLeft: Number.POSITIVE_INFINITY };
    this.#sessions.set(token, session);
    return session;
  }

  /** The live session of an Authorization header; counts the request. Undefined: expired or never there. */
  use(authorization: string | undefined): Session | undefined {
    const token = /^(?:Bearer|OAuth) +(\S+)$/i.exec(authorization ?? '')?.[1];
    const session = token === undefined ? undefined : this.#sessions.get(token);
    if (!session) return undefined;
    const old = Date.now() - session.issuedAt >= this.#settings.sessionSeconds * 1000;
    if (old || session.requests >= this.#settings.sessionRequests || session.requestsLeft <= 0) {
      this.#sessions.delete(session.token);
      return undefined;
    }
    session.requests += 1;
    session.requestsLeft -= 1;
    return session;
  }

  close(token: string): boolean {
    return this.#sessions.delete(token) || this.#refreshTokens.delete(token);
  }

  closeAll(): void {
    this.#sessions.clear();
  }

  issueRefreshToken(): string {
    const token = `5Aep861${randomBytes(48).toString('base64url').replaceAll('-', '.')}`;
    this.#refreshTokens.add(token);
    return token;
  }

  /** Undefined: dead token. A rotated one comes with its successor. */
  refresh(token: string): { session: Session; refreshToken: string | undefined } | undefined {
    if (!this.#refreshTokens.has(token)) return undefined;
    if (!this.#settings.refreshTokenRotation) return { session: this.open(), refreshToken: undefined };
    this.#refreshTokens.delete(token);
    return { session: this.open(), refreshToken: this.issueRefreshToken() };
  }

  issueCode(redirectUri: string, challenge: string | undefined): string {
    const code = `aPrx${randomBytes(40).toString('base64url').replaceAll('-', '.')}==`;
    this.#codes.set(code, { redirectUri, challenge, issuedAt: Date.now() });
    return code;
  }

  /** What is wrong with the exchange of this code, or undefined. A code works once, for 15 minutes. */
  redeem(code: string, redirectUri: string, verifier: string | undefined): string | undefined {
    const known = this.#codes.get(code);
    this.#codes.delete(code);
    if (!known) return 'invalid authorization code';
    if (Date.now() - known.issuedAt > 15 * 60_000) return 'expired authorization code';
    if (known.redirectUri !== redirectUri) return 'redirect_uri must match configuration';
    if (known.challenge === undefined) return undefined;
    const challenge = createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url');
    return challenge === known.challenge ? undefined : 'invalid code verifier';
  }
}

function opaque(organizationId: string): string {
  return `${organizationId.slice(0, 15)}!${randomBytes(72).toString('base64url').replaceAll('-', '.')}`;
}

/** The look of a JWT: nobody but the org reads it. */
function jwt(): string {
  const header = Buffer.from('{"alg":"RS256","typ":"JWT"}').toString('base64url');
  return [header, randomBytes(90).toString('base64url'), randomBytes(256).toString('base64url')].join('.');
}
