import { Fault, type FaultName, isFault } from '../errors.ts';
import { redact } from './redact.ts';
import { word, words } from './rest-json.ts';
import { elementText } from './xml.ts';

/** Why a request was not answered with what was asked for, before it is mapped to a Fault. Never leaves this folder. */
export class Refusal extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Salesforce's errorCode, OAuth's error, or a system code such as `ECONNRESET`; '' when the answer had none. */
  readonly errorCode: string;
  /** Milliseconds, from Retry-After. */
  readonly retryAfter: number | undefined;
  /** Fields of a record that the org blames. */
  readonly fields: readonly string[];
  /** True when a web page stood where data should be. */
  readonly page: boolean;

  constructor(status: number, errorCode: string, message: string, more: RefusalDetail = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Refusal';
    this.status = status;
    this.errorCode = errorCode;
    this.retryAfter = more.retryAfter;
    this.fields = more.fields ?? [];
    this.page = more.page ?? false;
  }
}

interface RefusalDetail {
  readonly retryAfter?: number;
  readonly fields?: readonly string[];
  readonly page?: boolean;
  readonly cause?: unknown;
}

/**
 * Reads the dialects of error bodies (field guide, extract 2.9): a JSON array, an OAuth object, a SOAP fault, a web page, nothing.
 */
export function readRefusal(status: number, body: string, more: { retryAfter?: number } = {}): Refusal {
  const text = body.trim();
  if (text === '') return new Refusal(status, '', `HTTP ${status} with an empty body`, more);
  if (text.startsWith('<')) {
    const soap = soapFault(text);
    if (soap) return new Refusal(status, soap.code, soap.message, more);
    return new Refusal(status, '', `HTTP ${status} with a web page instead of data`, { ...more, page: true });
  }
  try {
    return refusalFrom(status, JSON.parse(text), more);
  } catch {
    return new Refusal(status, '', `HTTP ${status} with a body that is not JSON`, more);
  }
}

/** As `readRefusal`, from JSON that is already parsed, such as one answer inside a composite. */
export function refusalFrom(status: number, json: unknown, more: { retryAfter?: number } = {}): Refusal {
  const first: unknown = Array.isArray(json) ? json[0] : json;
  const part = (first ?? {}) as Record<string, unknown>;
  const errorCode = word(part.errorCode) ?? word(part.error) ?? word(part.exceptionCode) ?? '';
  const message = word(part.message) ?? word(part.error_description) ?? word(part.exceptionMessage) ?? `HTTP ${status}`;
  return new Refusal(status, errorCode, message, { ...more, fields: words(part.fields) });
}

/**
 * True when the answer says that the token ran out, rather than that it will never do: a 401 (field guide, extract 1.5), from SOAP a 500
 * (restore 3.2).
 */
export function isExpiredSession(refusal: Refusal): boolean {
  if (refusal.status === 500) return refusal.errorCode === 'INVALID_SESSION_ID';
  if (refusal.status !== 401) return false;
  if (/not valid for use with the REST API|Connected app is not attached/i.test(refusal.message)) return false;
  return refusal.errorCode === 'INVALID_SESSION_ID' || refusal.errorCode === '';
}

/** The two meanings of REQUEST_LIMIT_EXCEEDED (field guide, extract 2.9). */
export function limitReached(refusal: Refusal): 'daily' | 'concurrent' | undefined {
  if (refusal.errorCode !== 'REQUEST_LIMIT_EXCEEDED') return undefined;
  return /Concurrent/i.test(refusal.message) ? 'concurrent' : 'daily';
}

const byCode: Record<string, readonly [FaultName, string?]> = {
  INVALID_SESSION_ID: ['session-expired'],
  INVALID_AUTH_HEADER: ['session-expired'],
  API_DISABLED_FOR_ORG: [
    'org-refused',
    'give the user "API Enabled", and check that the edition of the org has API access',
  ],
  API_CURRENTLY_DISABLED: [
    'org-refused',
    'the org has switched off its API for now; ask Salesforce or its administrator',
  ],
  LIMIT_EXCEEDED: ['api-budget', 'the org allows no more Bulk jobs for today; run again tomorrow'],
  EXCEEDEDQUOTA: ['api-budget', 'the org allows no more Bulk jobs for today; run again tomorrow'],
  TXN_SECURITY_METERING_ERROR: ['object-refused', 'give the user the permission "Exempt from Transaction Security"'],
  OPERATION_TOO_LARGE: ['object-refused', 'give the user "View All Data"'],
};

const tlsCode = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/;

/**
 * The Fault for a refusal: the only place where status and errorCode become names. `what` names the request, as in
 * `the describe of Account`. `data` holds `status`, `errorCode`, `what`, the org's `reason` and the `fields` that it blames.
 */
export function faultOf(refusal: Refusal, what: string, secrets: Iterable<string> = []): Fault {
  const [name, action] = nameOf(refusal);
  const { status, errorCode, fields } = refusal;
  const reason = redact(oneLine(refusal.message), secrets);
  const verb = status === 0 ? 'got no answer' : 'was refused';
  return new Fault(name, `${capital(what)} ${verb}: ${errorCode ? `${errorCode}: ` : ''}${reason}`, {
    data: { status, errorCode, what, never: neverAnswers(refusal), reason, fields },
    actions: action ? [action] : undefined,
  });
}

/** The Fault for a request that is sent once, when it may have been done although no good answer came. `data` as in `faultOf`. */
export function lostAnswer(refusal: Refusal, what: string, secrets: Iterable<string> = []): Fault {
  const { status, errorCode } = refusal;
  const reason = redact(`${errorCode ? `${errorCode}: ` : ''}${oneLine(refusal.message)}`, secrets);
  return new Fault('answer-lost', `Nobody knows whether the org has done ${what}: ${reason}`, {
    data: { status, errorCode, what, reason },
  });
}

const structuralCodes = new Set([
  'INVALID_TYPE_FOR_OPERATION',
  'INVALID_TYPE',
  'EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION',
  'EXTERNAL_OBJECT_EXCEPTION',
  'DATACLOUD_API_DISABLED_EXCEPTION',
  'BIG_OBJECT_UNSUPPORTED_OPERATION',
  'FUNCTIONALITY_NOT_ENABLED',
]);
const structuralTexts =
  /requires a filter|must filter|must be specified in your query|reified column is required|does not support queryMore|Can select only/i;

/** True when the org answers no such query of this object, ever, whoever asks (field guide, extract 4.2). */
function neverAnswers({ status, errorCode, message }: Refusal): boolean {
  return status === 400 && (structuralCodes.has(errorCode) || structuralTexts.test(message));
}

function nameOf(refusal: Refusal): readonly [FaultName, string?] {
  const { status, errorCode } = refusal;
  const limit = limitReached(refusal);
  if (limit) return limit === 'daily' ? ['api-budget'] : ['org-unavailable'];
  if (byCode[errorCode]) return byCode[errorCode];
  if (status === 0 && tlsCode.test(errorCode)) {
    return ['org-unreachable', 'the certificate is not trusted: name the CA that signed it in NODE_EXTRA_CA_CERTS'];
  }
  if (status === 0) return ['org-unreachable'];
  if (status === 401) return ['session-expired'];
  if (status >= 300 && status < 400)
    return ['org-unreachable', 'use the address of the org itself (…my.salesforce.com)'];
  if (status === 410) return ['org-refused', 'this API version is retired; choose a newer one with --api-version'];
  if (status === 500 && errorCode !== '') return ['object-refused'];
  if (status === 406 || status === 408 || status === 420 || status === 429 || status >= 500) return ['org-unavailable'];
  return ['object-refused'];
}

/** Salesforce's errorCode behind a Fault of this folder; '' when there is none. */
export function errorCodeOf(error: unknown): string {
  return isFault(error) ? String(error.data.errorCode ?? '') : '';
}

/** The HTTP status behind a Fault of this folder; 0 when there is none. */
export function statusOf(error: unknown): number {
  return isFault(error) ? Number(error.data.status ?? 0) : 0;
}

/** True when the org said no to this one request; false for everything that stops the whole run. */
export function isObjectLevel(error: unknown): error is Fault {
  return isFault(error, 'object-refused', 'bulk-refused');
}

/** The Fault of an aborted run: the reason of the signal when it is one, else `interrupted`. */
export function abortFault(signal: AbortSignal): Fault {
  const { reason } = signal;
  return isFault(reason) ? reason : new Fault('interrupted', 'The work was stopped by a signal.', { cause: reason });
}

/** The code and text of a SOAP fault; undefined when the XML is none. */
function soapFault(xml: string): { code: string; message: string } | undefined {
  const code = elementText(xml, 'faultcode')?.replace(/^.*:/, '').trim();
  if (!code) return undefined;
  const message = elementText(xml, 'faultstring') ?? code;
  return { code, message: message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message };
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
