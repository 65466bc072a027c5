/** An answer with an error code instead of a result, in Salesforce's array form (field guide, extract 2.9). */
export class Refusal extends Error {
  readonly status: number;
  readonly errorCode: string;
  readonly fields: readonly string[] | undefined;

  constructor(status: number, errorCode: string, message: string, fields?: readonly string[]) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
    this.fields = fields;
  }

  /** The JSON body: an array with one error. */
  get body(): unknown {
    const error = { message: this.message, errorCode: this.errorCode };
    return [this.fields ? { ...error, fields: this.fields } : error];
  }
}

export function notFound(message = 'The requested resource does not exist'): Refusal {
  return new Refusal(404, 'NOT_FOUND', message);
}

/** What Salesforce can do and the practice org cannot: named, never guessed. */
export function unsupported(what: string): Refusal {
  return new Refusal(501, 'PRACTICE_ORG_UNSUPPORTED', `the practice org does not support ${what}`);
}

export function sessionInvalid(): Refusal {
  return new Refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
}
