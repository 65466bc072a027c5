import { type Answer, json } from './answer.ts';
import type { FaultRule } from './faults.ts';
import { applySettings, type Settings } from './settings.ts';
import type { OrgState } from './state.ts';

/** Where a program in another process steers the practice org. No session needed: it listens on loopback only. */
export const controlPath = '/practice-org/';

/**
 * `GET /practice-org/requests` the log; `DELETE` empties it. `POST /practice-org/faults` one rule or a list
 * (`{"endpoint":"bulk.results","fault":{"name":"reset","afterBytes":4096},"times":2}`); `DELETE` removes all.
 * `POST /practice-org/settings` changes settings; `GET` shows them. `GET /practice-org/login` the credentials.
 */
export function control(state: OrgState, method: string, path: string, body: Buffer): Answer {
  const answer = (content: unknown, status = 200): Answer => ({ ...json(content, status), calls: 0 });
  try {
    switch (`${method} ${path.slice(controlPath.length)}`) {
      case 'GET requests':
        return answer({ calls: state.log.calls, counts: state.log.counts, requests: state.log.entries });
      case 'DELETE requests':
        state.log.clear();
        return answer({});
      case 'POST faults': {
        const rules = [JSON.parse(body.toString('utf8')) as FaultRule | FaultRule[]].flat();
        for (const rule of rules) state.faults.add(rule);
        return answer({ pending: state.faults.pending });
      }
      case 'DELETE faults':
        state.faults.clear();
        return answer({ pending: 0 });
      case 'GET settings':
        return answer(state.settings);
      case 'POST settings':
        applySettings(state.settings, JSON.parse(body.toString('utf8')) as Partial<Settings>);
        return answer(state.settings);
      case 'GET login': {
        const { sessions } = state;
        return answer({
          url: state.url,
          clientId: sessions.clientId,
          clientSecret: sessions.clientSecret,
          accessToken: sessions.open().token,
          refreshToken: sessions.issueRefreshToken(),
          username: state.database.facts.username,
          jwtPrivateKeyPem: sessions.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        });
      }
      default:
        return answer({ error: `${method} ${path} is not there` }, 404);
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return answer({ error: error.message }, 400);
    throw error;
  }
}
