import type { Answer, ApiRequest } from '../answer.ts';
import { Refusal, sessionInvalid, unsupported } from '../refusal.ts';
import { login } from '../routes.ts';
import type { Session } from '../sessions.ts';
import type { OrgState } from '../state.ts';
import { flavourOf, readCall, type SoapCall, soapAnswer, soapFault } from './envelope.ts';
import { metadataCall } from './metadata.ts';
import { soapQuery } from './query.ts';
import { saves } from './saves.ts';
import { userInfo } from './user-info.ts';
import { childText, type XmlElements } from './xml.ts';

/**
 * POST /services/Soap/u/67.0[/00D…] and /services/Soap/c/67.0[/0DF…]: the Partner and the Enterprise API (restore 3.2); m: the Metadata API. What is
 * wrong with the call is a fault; what is wrong with a record stands in its result.
 */
export async function soap(state: OrgState, request: ApiRequest): Promise<Answer> {
  const flavour = flavourOf(request.parts[0]!);
  try {
    if (state.settings.soapActionNeeded && request.headers.soapaction === undefined)
      throw new Refusal(500, 'CLIENT', 'SOAPAction HTTP header missing');
    const call = readCall(request);
    checkVersion(state, call);
    if (call.operation === 'login') throw unsupported('login() with a password: log in with OAuth');
    const session = sessionOf(state, call, request);
    return soapAnswer(call, await resultOf(state, call, request, session));
  } catch (error) {
    if (error instanceof Refusal) return soapFault(error, flavour);
    throw error;
  }
}

async function resultOf(
  state: OrgState,
  call: SoapCall,
  request: ApiRequest,
  session: Session,
): Promise<XmlElements | XmlElements[]> {
  if (call.flavour === 'metadata') return metadataCall(state, call);
  switch (call.operation) {
    case 'query':
    case 'queryAll':
    case 'queryMore':
      return soapQuery(state, call, session);
    case 'getServerTimestamp':
      return { timestamp: new Date(state.now()).toISOString() };
    case 'getUserInfo':
      return userInfo(state, session);
    default: {
      const save = saves[call.operation];
      if (!save) throw unsupported(`${call.operation}() of the SOAP API`);
      return save(state, call, { userId: session.userId, fault: request.fault });
    }
  }
}

function checkVersion({ settings }: OrgState, { version }: SoapCall): void {
  if (!/^\d\d\.0$/.test(version) || Number(version) < 31 || Number(version) > settings.newestVersion)
    throw new Refusal(500, 'UNSUPPORTED_API_VERSION', `Invalid Api version specified on URL: ${version}`);
}

/** The session of the SessionHeader. JWT tokens are good for REST only, before API 68 (restore 3.2). */
function sessionOf(state: OrgState, { headers, version }: SoapCall, { fault }: ApiRequest): Session {
  const token = childText(headers.get('SessionHeader'), 'sessionId')?.trim();
  const isJwt = token !== undefined && /^eyJ[^.]*\.[^.]+\.[^.]+$/.test(token);
  if (token === undefined || (isJwt && Number(version) < 68)) throw sessionInvalid();
  return login(state, `Bearer ${token}`, fault);
}
