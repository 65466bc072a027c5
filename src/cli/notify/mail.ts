import { type Notification, NotSent, sentences } from './notification.ts';
import type { Channel } from './schema.ts';

/** What is used of the package nodemailer. */
interface Mailer {
  createTransport(options: object): { sendMail(mail: object): Promise<unknown>; close(): void };
}

const timeoutMs = 10_000;

/** Sends the notification by SMTP. A password goes over TLS only, but for this machine itself. Throws `NotSent`. */
export async function sendMail(
  channel: Extract<Channel, { kind: 'email' }>,
  password: string | undefined,
  notification: Notification,
): Promise<void> {
  const { host, port = 587, user, from, to } = channel;
  const isLoopback = ['127.0.0.1', 'localhost', '::1'].includes(host);
  const tls = channel.tls ?? !isLoopback;
  if ((channel.passwordEnv ?? channel.passwordFile) !== undefined && password === undefined)
    throw new NotSent(`there is no password in ${channel.passwordEnv ?? channel.passwordFile}`);
  if (password !== undefined && !tls && !isLoopback) throw new NotSent('a password is not sent without TLS');
  const mailer = await loadMailer();
  const transport = mailer.createTransport({
    host,
    port,
    secure: tls && port === 465,
    requireTLS: tls && port !== 465,
    ignoreTLS: !tls,
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  try {
    const subject = `salvor ${notification.command}: ${notification.occasion}${notification.org === null ? '' : ` (${notification.org})`}`;
    await transport.sendMail({
      from,
      to: [...to],
      subject,
      text: `${sentences(notification)}\n\n${notification.time}\n`,
    });
  } catch (error) {
    // The words of a server may repeat what was sent to it.
    const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
    throw new NotSent(
      `${host}:${port} did not take the mail: ${[code, responseCode].filter(Boolean).join(' ') || 'unknown error'}`,
    );
  } finally {
    transport.close();
  }
}

async function loadMailer(): Promise<Mailer> {
  // not a literal: the package brings no types
  const name: string = 'nodemailer';
  return (await import(name)).default as Mailer;
}
