import { type Notification, NotSent, sentences } from './notification.ts';

const timeoutMs = 10_000;

/** Sends the notification as JSON: as it is, or as Slack and those that imitate it want it. Throws `NotSent`. */
export function post(url: string, format: 'json' | 'slack', notification: Notification): Promise<void> {
  const body = format === 'slack' ? { text: sentences(notification) } : notification;
  return ask(url, 'POST', JSON.stringify(body));
}

/** Tells a dead man's switch that all is well. Throws `NotSent`. */
export function beat(url: string, method: 'GET' | 'POST'): Promise<void> {
  return ask(url, method);
}

async function ask(text: string, method: 'GET' | 'POST', body?: string): Promise<void> {
  // The URL is the secret: no message may hold it.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)))
    throw new NotSent('what stands there is no https URL');
  const { Agent, EnvHttpProxyAgent, request } = await import('undici');
  const dispatcher = isLoopback ? new Agent() : new EnvHttpProxyAgent();
  try {
    const answer = await request(url, {
      method,
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new NotSent(`${url.host} answered ${answer.statusCode}`);
  } catch (error) {
    if (error instanceof NotSent) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer in time';
    throw new NotSent(`${url.host} cannot be reached: ${code}`);
  } finally {
    await dispatcher.destroy();
  }
}
