import { Fault } from '../errors.ts';

/** What a login gives. */
export interface Grant {
  readonly accessToken: string;
  /** Scheme and host, no trailing slash. */
  readonly instanceUrl: string;
  /** Org and user, 18 characters, when the answer named them. */
  readonly orgId?: string;
  readonly userId?: string;
}

/** Asks for a new token; undefined for logins that cannot. */
export type Renew = () => Promise<Grant>;

/** Tokens in a row that the org may refuse before any of them worked. */
const mostRefused = 2;
/** Far above what a day of sessions of 15 minutes needs. */
const mostRenewals = 500;

/**
 * The token in use. It is renewed once per token, by one request however many ask, and never without end: a renewed
 * token that the org refuses too ends the run (field guide, extract 1.5 and 8.5).
 */
export class Session {
  #grant: Grant;
  readonly #renew: Renew | undefined;
  #renewing: Promise<void> | undefined;
  readonly #refused = new Set<string>();
  #refusedInARow = 0;
  #renewals = 0;

  constructor(grant: Grant, renew?: Renew) {
    this.#grant = grant;
    this.#renew = renew;
  }

  get accessToken(): string {
    return this.#grant.accessToken;
  }

  /** Of the org, when the login named it. */
  get orgId(): string | undefined {
    return this.#grant.orgId;
  }

  get userId(): string | undefined {
    return this.#grant.userId;
  }

  get instanceUrl(): string {
    return this.#grant.instanceUrl;
  }

  /** The org took this token. */
  accepted(token: string): void {
    if (token === this.#grant.accessToken) this.#refusedInARow = 0;
  }

  /** The org refused `token`: resolves when another one is there. Throws `session-expired`, or what the login throws. */
  async renew(token: string): Promise<void> {
    if (token !== this.#grant.accessToken) return;
    this.#renewing ??= this.#renewOnce(token).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #renewOnce(token: string): Promise<void> {
    if (!this.#renew) throw new Fault('session-expired', 'The access token has expired or was revoked.');
    this.#refusedInARow++;
    this.#renewals++;
    this.#refused.add(token);
    if (this.#refusedInARow > mostRefused || this.#renewals > mostRenewals) {
      throw new Fault('session-expired', 'The org refuses tokens that were renewed a moment ago.', {
        actions: ['check the session settings and login IP ranges of the user and of the app'],
      });
    }
    const grant = await this.#renew();
    if (this.#refused.has(grant.accessToken)) {
      throw new Fault('session-expired', 'The login gives the same token again that the org has refused.');
    }
    if (grant.orgId && this.#grant.orgId && grant.orgId !== this.#grant.orgId) {
      throw new Fault('login-failed', `The renewed token belongs to another org, ${grant.orgId}.`);
    }
    this.#grant = { ...grant, orgId: this.#grant.orgId ?? grant.orgId, userId: this.#grant.userId ?? grant.userId };
  }
}
