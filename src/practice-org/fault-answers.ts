import { type Answer, json } from './answer.ts';
import type { OrgFault } from './faults.ts';
import { Refusal } from './refusal.ts';

const html = { 'Content-Type': 'text/html; charset=UTF-8' };

/** The answer that a fault gives instead of the endpoint; undefined for faults that work elsewhere. */
export function faultAnswer(fault: OrgFault): Answer | undefined {
  switch (fault.name) {
    case 'refresh-dead':
      return json({ error: 'invalid_grant', error_description: 'expired access/refresh token' }, 400);
    case 'drop-before-commit':
      return { status: 503 };
    case '406-empty':
      return { status: 406 };
    case '420-empty':
      return { status: 420 };
    case '420-html':
      return {
        status: 420,
        headers: html,
        text: '<html><body><h1>We are setting things up for you.</h1></body></html>',
      };
    case '429':
      return {
        status: 429,
        headers: { ...html, 'Retry-After': '1' },
        text: '<html><body><h1>Too Many Requests</h1></body></html>',
      };
    case '502':
      return { status: 502, headers: html, text: '<html><body><h1>502 Bad Gateway</h1></body></html>' };
    case '503-html':
      return { status: 503, headers: html, text: '<html><body><h1>We are down for maintenance.</h1></body></html>' };
    case '503-json':
      return refuse(503, 'SERVER_UNAVAILABLE', 'Server is too busy. Please try again later.');
    case '500-unknown-exception':
      return refuse(
        500,
        'UNKNOWN_EXCEPTION',
        'An unexpected error occurred. Please include this ErrorId if you contact support: 1133111327-118855 (1126216936)',
      );
    case '403-daily-limit':
      return refuse(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
    case '403-concurrent-limit':
      return refuse(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.');
    case '403':
      return refuse(403, fault.errorCode, fault.message ?? fault.errorCode);
    case 'query-timeout':
      return refuse(400, 'QUERY_TIMEOUT', 'Your query request was running for too long.');
    default:
      return undefined;
  }
}

function refuse(status: number, errorCode: string, message: string): Answer {
  return json(new Refusal(status, errorCode, message).body, status);
}
