import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { without } from './tools.ts';

const run = promisify(execFile);
// apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-mgr ceph-common
const programs = ['ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw', 'radosgw-admin'];

export interface Radosgw {
  /** Of the S3 endpoint, without credentials. */
  url: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** A new, empty bucket. */
  makeBucket(options?: { objectLock?: boolean }): Promise<string>;
  close(): Promise<void>;
}

/** Why there is no radosgw here, or false; in CI it has to be. */
export function withoutRadosgw(): string | false {
  return process.env.SALVOR_TEST_RADOSGW ? false : without(...programs);
}

/**
 * Ceph's S3 server over a cluster of one node in a temporary folder, with everything in memory, on free ports of the
 * loopback interface. `SALVOR_TEST_RADOSGW=http://key:secret@host:port` names one that runs already, which is then left
 * alone; this file, started as a program, is one way to have it.
 */
export async function startRadosgw(): Promise<Radosgw> {
  const given = process.env.SALVOR_TEST_RADOSGW;
  if (given) {
    const url = new URL(given);
    return gateway(url.origin, decodeURIComponent(url.username), decodeURIComponent(url.password), async () => {});
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'salvor-radosgw-'));
  const close = async (): Promise<void> => {
    await stopAll(path.join(folder, 'run'));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const user = { accessKeyId: 'TESTKEY', secretAccessKey: randomBytes(20).toString('hex') };
    const url = await startCluster(folder, user);
    return gateway(url, user.accessKeyId, user.secretAccessKey, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function gateway(url: string, accessKeyId: string, secretAccessKey: string, stop: () => Promise<void>): Radosgw {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials });
  return {
    url,
    ...credentials,
    async makeBucket({ objectLock = false } = {}) {
      const Bucket = `test-${randomBytes(6).toString('hex')}`;
      await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: objectLock }));
      return Bucket;
    },
    async close() {
      client.destroy();
      await stop();
    },
  };
}

async function startCluster(folder: string, user: { accessKeyId: string; secretAccessKey: string }): Promise<string> {
  const [monitorPort, port] = await freePorts();
  const fsid = randomUUID();
  const at = (...names: string[]): string => path.join(folder, ...names);
  for (const name of ['mon.a', 'osd.0', 'run', 'log']) await mkdir(at(name));
  await writeFile(at('ceph.conf'), configuration(folder, fsid, monitorPort!, port!));
  const ceph = async (program: string, ...args: string[]): Promise<void> => {
    await run(program, ['-c', at('ceph.conf'), ...args], { cwd: folder, timeout: 120_000 });
  };
  const key = async (name: string, ...caps: string[]): Promise<void> => {
    const pairs = caps.flatMap((cap) => ['--cap', ...cap.split('=')]);
    await run('ceph-authtool', [at('keyring'), '--gen-key', '-n', name, ...pairs]);
  };
  await writeFile(at('keyring'), '', { mode: 0o600 });
  await key('mon.', 'mon=allow *');
  await key('client.admin', 'mon=allow *', 'osd=allow *', 'mgr=allow *');
  await key('osd.0', 'mon=allow profile osd', 'mgr=allow profile osd', 'osd=allow *');
  await key('client.rgw', 'mon=allow rwx', 'osd=allow rwx', 'mgr=allow rw');

  await run('monmaptool', ['--create', '--addv', 'a', `[v1:127.0.0.1:${monitorPort}]`, '--fsid', fsid, at('monmap')]);
  await ceph('ceph-mon', '--mkfs', '-i', 'a', '--monmap', at('monmap'), '--keyring', at('keyring'));
  await ceph('ceph-mon', '-i', 'a', '--public-addr', `127.0.0.1:${monitorPort}`);
  const osd = randomUUID();
  await ceph('ceph', 'osd', 'new', osd, '0');
  await ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
  await ceph('ceph', 'osd', 'crush', 'add', 'osd.0', '1.0', 'host=localhost', 'root=default');
  await ceph('ceph-osd', '-i', '0');
  await ceph('radosgw', '-n', 'client.rgw');
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(url)); tries++) {
    if (tries > 240) throw new Error(`radosgw does not answer: ${await tail(at('log'))}`);
    await sleep(250);
  }
  const { accessKeyId, secretAccessKey } = user;
  const create = [
    'user',
    'create',
    '--uid=test',
    '--display-name=test',
    `--access-key=${accessKeyId}`,
    `--secret=${secretAccessKey}`,
  ];
  await ceph('radosgw-admin', ...create);
  return url;
}

function configuration(folder: string, fsid: string, monitorPort: number, port: number): string {
  return `[global]
fsid = ${fsid}
mon initial members = a
mon host = [v1:127.0.0.1:${monitorPort}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${folder}/keyring
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/log/$name.log
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr2 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon max pg per osd = 1000
mon data = ${folder}/mon.a
[mon.a]
host = localhost
mon addr = 127.0.0.1:${monitorPort}
[osd]
osd data = ${folder}/osd.$id
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 1073741824
[client.rgw]
host = localhost
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw enable usage log = false
rgw thread pool size = 64
`;
}

async function freePorts(): Promise<number[]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    () => true,
    () => false,
  );
}

async function tail(logs: string): Promise<string> {
  const texts = await Promise.all((await readdir(logs)).map((name) => readFile(path.join(logs, name), 'utf8')));
  return texts.map((text) => text.slice(-1000)).join('\n');
}

/** Ends the daemons of this cluster by their pid files and waits until they are gone; there is nothing to save. */
async function stopAll(folder: string): Promise<void> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.pid'));
  for (const name of files.sort()) {
    const pid = Number(await readFile(path.join(folder, name), 'utf8').catch(() => ''));
    if (!(pid > 1)) continue;
    while (kill(pid)) await sleep(50);
  }
}

/** False when there is no such process any more. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

// Started as a program it prints the value for SALVOR_TEST_RADOSGW and serves until it is told to end.
if (import.meta.main) {
  const { url, accessKeyId, secretAccessKey, close } = await startRadosgw();
  process.stdout.write(`${url.replace('//', `//${accessKeyId}:${secretAccessKey}@`)}\n`);
  const alive = setInterval(() => {}, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      clearInterval(alive);
      void close();
    });
  }
}
