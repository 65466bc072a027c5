import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';

const host = 'acme.my.salesforce.com';

function certificate(t: TestContext): { folder: string; key: string; cert: string } | undefined {
  if (spawnSync('openssl', ['version']).error) {
    assert.ok(!process.env.CI, 'openssl is not installed');
    t.skip('openssl is not installed: apt-get install openssl');
    return undefined;
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'salvor-proxy-'));
  const key = path.join(folder, 'key.pem');
  const cert = path.join(folder, 'cert.pem');
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${host}`];
  const names = ['-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', ...options, ...names], { stdio: 'ignore' });
  return { folder, key, cert };
}

/** Runs in a process of its own, since NODE_EXTRA_CA_CERTS is read when Node starts. */
const client = `
  import { Http } from ${JSON.stringify(path.resolve('src/salesforce/http.ts'))};
  import { Usage } from ${JSON.stringify(path.resolve('src/salesforce/usage.ts'))};
  const ctx = { signal: new AbortController().signal, report() {}, now: () => new Date(), tempDir: '/nonexistent' };
  const http = new Http(ctx, { usage: new Usage(ctx) });
  for (const url of process.argv.slice(1)) {
    const request = { what: 'the test', url, authorised: false, tries: 1 };
    console.log(JSON.stringify(await http.json(request).catch(({ name, actions }) => ({ name, actions }))));
  }
  await http.close();
`;

function run(env: Record<string, string>, ...urls: string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', client, ...urls], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    child.on('error', reject).on('close', () => resolve(printed.trim().split('\n')));
  });
}

test('an org is reached through HTTPS_PROXY with a CA of the company, and this machine without the proxy', async (t) => {
  const made = certificate(t);
  if (!made) return;
  const tunnels: string[] = [];
  const org = createTlsServer({ key: readFileSync(made.key), cert: readFileSync(made.cert) }, (request, response) => {
    response.end(JSON.stringify({ host: request.headers.host }));
  });
  const plain = createServer((_request, response) => response.end('{"plain":true}'));
  const proxy = createServer((request, response) => {
    tunnels.push(`absolute ${request.url}`);
    response.writeHead(500).end();
  });
  proxy.on('connect', (request, socket) => {
    tunnels.push(`CONNECT ${request.url}`);
    const to = connectTcp((org.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      to.pipe(socket).pipe(to);
    });
    to.on('error', () => socket.destroy());
    socket.on('error', () => to.destroy());
  });
  const servers = [org, plain, proxy];
  try {
    for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const local = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
    const proxied = { HTTPS_PROXY: address, HTTP_PROXY: address };

    const trusted = await run({ ...proxied, NODE_EXTRA_CA_CERTS: made.cert }, `https://${host}/services/data/`, local);
    assert.deepEqual(trusted, [JSON.stringify({ host }), '{"plain":true}']);
    assert.deepEqual(tunnels, [`CONNECT ${host}:443`]);

    const [untrusted] = await run(proxied, `https://${host}/services/data/`);
    assert.match(untrusted!, /org-unreachable.*NODE_EXTRA_CA_CERTS/);

    const before = tunnels.length;
    const [direct] = await run({ ...proxied, NO_PROXY: '.example.invalid' }, 'https://acme.example.invalid/');
    assert.match(direct!, /org-unreachable/);
    assert.equal(tunnels.length, before);
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(made.folder, { recursive: true, force: true });
  }
});
