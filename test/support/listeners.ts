import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';

export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

/** A server on this machine that takes webhooks; `status` is what it answers. */
export async function webhookServer(status = 200): Promise<{ url: string; heard: Heard[] } & AsyncDisposable> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      heard.push({ method: request.method ?? '', url: request.url ?? '', body });
      response.writeHead(status).end('ok');
    });
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}`, heard, [Symbol.asyncDispose]: () => closed(server) };
}

/** An SMTP server (RFC 5321, AUTH PLAIN) on this machine; `mails` are the messages as they were sent, `logins` what came with AUTH. */
export async function mailServer(): Promise<{ port: number; mails: string[]; logins: string[] } & AsyncDisposable> {
  const mails: string[] = [];
  const logins: string[] = [];
  const server = createSocketServer((socket) => {
    let [buffer, mail, inData] = ['', '', false];
    const answer = (line: string) => socket.write(`${line}\r\n`);
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text) => {
      buffer += text;
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (inData) {
          if (line !== '.') mail += `${line.replace(/^\.\./, '.')}\n`;
          else {
            mails.push(mail);
            [mail, inData] = ['', false];
            answer('250 taken');
          }
          continue;
        }
        const verb = line.split(' ', 1)[0]!.toUpperCase();
        if (verb === 'EHLO') answer('250-here\r\n250 AUTH PLAIN');
        else if (verb === 'AUTH') {
          logins.push(Buffer.from(line.split(' ')[2] ?? '', 'base64').toString());
          answer('235 welcome');
        } else if (verb === 'DATA') {
          inData = true;
          answer('354 go on');
        } else if (verb === 'QUIT') socket.end('221 bye\r\n');
        else answer('250 ok');
      }
    });
    answer('220 here ESMTP');
  });
  const port = await listening(server);
  return { port, mails, logins, [Symbol.asyncDispose]: () => closed(server) };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: { close(done: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
