import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FaultName, faults } from '../../src/errors.ts';
import { project, type Ran, Rig } from '../support/rig.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

const backup = ['backup', '--objects', 'Folder,Group,Document'];

function assertRefused(ran: Ran, name: FaultName, message: RegExp): void {
  assert.equal(ran.json?.name, name, ran.stdout + ran.stderr);
  assert.equal(ran.status, faults[name].exit);
  assert.match(ran.json.message, message);
  assert.ok(ran.json.actions.length > 0);
  assert.equal(ran.json.result, undefined);
  assert.doesNotMatch(ran.stderr, /^\s+at /m);
}

describe('a bucket', () => {
  let server: S3Server;
  let rig: Rig;
  const url = (bucket = server.bucket, prefix = 'org') =>
    `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(server.url)}`;
  const credentials = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }) => ({
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: '1',
  });

  before(async () => {
    server = await startS3Server();
    rig = await Rig.start({ vault: url(), env: credentials(server) });
    await rig.init();
  });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    await server.close();
  });

  /** With other credentials. */
  async function run(
    args: readonly string[],
    user: { accessKeyId: string; secretAccessKey: string } = server,
  ): Promise<Ran> {
    const before = rig.env;
    rig.env = { ...before, ...credentials(user) };
    const running = rig.salvor(...args, '--json', '--no-prompt');
    rig.env = before;
    const ran = await running;
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes(user.secretAccessKey));
    return ran;
  }

  test('without conditional create is refused, and taken for one writer', async () => {
    const target = ['--vault', url(server.bucket, 'loose')];
    const keys = (name: string) => ['--keys-folder', path.join(rig.folder, name), '--no-config-file'];
    server.ignoreConditions = true;
    const refused = await run(['init', ...target, ...keys('loose-1')]);
    assertRefused(refused, 'unproven-store', /replaces objects that exist/);
    assert.deepEqual(
      [...server.objects().keys()].filter((key) => key.startsWith('loose/')),
      [],
    );
    assert.ok(!readdirSync(rig.folder).includes('loose-1'), 'no keys of a vault that is not');
    const taken = await run(['init', ...target, ...keys('loose-2'), '--single-writer']);
    server.ignoreConditions = false;
    assert.equal(taken.status, 0, taken.stdout);
  });

  test('that does not exist', async () =>
    assertRefused(await run([...backup, '--vault', url('nobodys-bucket')]), 'no-vault', /nobodys-bucket/));

  test('with credentials that nobody gave', async () =>
    assertRefused(
      await run(backup, { accessKeyId: 'AKNOBODY', secretAccessKey: 'wrong-secret-of-nobody' }),
      'store-denied',
      /./,
    ));

  test('with a secret that is wrong', async () =>
    assertRefused(
      await run(backup, { accessKeyId: server.accessKeyId, secretAccessKey: 'wrong-secret-of-somebody' }),
      'store-denied',
      /./,
    ));

  test('that may be read and not written ends the run, and no point is listed', async () => {
    const reader = server.addUser(({ action }) => action !== 's3:PutObject');
    assertRefused(await run(backup, reader), 'store-denied', /runs\//);
    const listed = await run(['list-points'], reader);
    assert.deepEqual([listed.status, listed.json.result.points], [0, []]);
  });

  test('that may not be listed is refused before the org is asked for rows', async () => {
    rig.org.requests.clear();
    const blind = server.addUser(({ action }) => action !== 's3:ListBucket');
    assertRefused(await run(backup, blind), 'store-denied', /./);
    assert.ok(!rig.org.requests.entries.some(({ endpoint }) => endpoint === 'queryAll'));
  });

  test('whose policy takes no rows leaves no point', async () => {
    const partly = server.addUser(({ action, key }) => !(action === 's3:PutObject' && key.startsWith('org/data/')));
    assertRefused(await run(backup, partly), 'store-denied', /data\//);
    assert.deepEqual((await run(['list-points'])).json.result.points, []);
  });

  test('that loses what was put is noticed before the point is sealed, and the next run puts it again', async () => {
    let lost = '';
    const { keys } = server.state;
    // a segment is gone when the page that names it comes
    const losing = server.addUser(({ action, key }) => {
      if (lost === '' && action === 's3:PutObject' && key.startsWith('org/pages/')) {
        lost = [...keys.keys()].find((one) => one.startsWith('org/data/')) ?? '';
        keys.delete(lost);
      }
      return true;
    });
    assertRefused(await run(backup, losing), 'object-missing', /just written/);
    assert.notEqual(lost, '');
    assert.deepEqual((await run(['list-points'])).json.result.points, []);
    const ran = await run(backup);
    assert.equal(ran.status, 0, ran.stdout);
    assert.match(JSON.stringify(ran.json.warnings), /is gone/);
    const verified = await run(['verify', '--no-attest']);
    assert.equal(verified.status, 0, verified.stdout);
  });
});

describe('a folder', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
    await rig.init();
  });
  after(() => rig[Symbol.asyncDispose]());

  test('that takes no files', async () => {
    const file = path.join(rig.folder, 'a-file');
    writeFileSync(file, 'no folder');
    const keys = ['--keys-folder', path.join(rig.folder, 'other-keys')];
    const ran = await rig.salvor('init', '--json', '--no-prompt', '--vault', path.join(file, 'vault'), ...keys);
    assertRefused(ran, 'disk-error', /could not write|ENOTDIR|EEXIST/);
    assert.ok(!readdirSync(rig.folder).includes('other-keys'));
  });

  /** Makes every write fail that would bring the bytes written to this file of the vault: a disk that is full. */
  const full = (bytes: number): Record<string, string> => {
    const module = path.join(rig.folder, `full-${bytes}.mjs`);
    writeFileSync(
      module,
      `import { open } from 'node:fs/promises';
       const file = await open(${JSON.stringify(module)}, 'r');
       const { prototype } = file.constructor;
       await file.close();
       const { writeFile } = prototype;
       let left = ${bytes};
       prototype.writeFile = function (body, options) {
         left -= body.length;
         if (left >= 0) return writeFile.call(this, body, options);
         return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }));
       };`,
    );
    return { NODE_OPTIONS: `--import=${module}` };
  };

  test('on a disk that is full ends with 74, has no point, and takes the point when there is space', async () => {
    const before = rig.env;
    for (const bytes of [100, 5_000, 40_000]) {
      rig.env = { ...before, ...full(bytes) };
      const ran = await rig.salvor(...backup, '--json');
      rig.env = before;
      assertRefused(ran, 'disk-full', /no space is left/);
      assert.deepEqual((await rig.salvor('list-points', '--json')).json.result.points, []);
      assert.deepEqual(halfWritten(rig.vault), []);
    }
    const ran = await rig.salvor(...backup, '--json');
    assert.equal(ran.status, 0, ran.stdout);
    assert.equal((await rig.salvor('verify', '--json', '--no-attest')).status, 0);
  });

  test('on a real disk of 400 kB that is full does the same', { skip: withoutMount() }, async () => {
    const mounted = path.join(rig.folder, 'small-disk');
    mkdirSync(mounted);
    assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', mounted]).status, 0);
    const before = rig.env;
    try {
      const vault = path.join(mounted, 'vault');
      const keys = path.join(rig.folder, 'small-keys');
      const made = await rig.salvor(
        'init',
        '--json',
        '--no-prompt',
        '--no-config-file',
        '--vault',
        vault,
        '--keys-folder',
        keys,
      );
      assert.equal(made.status, 0, made.stdout);
      const { writerKeyFile, rootFingerprint } = made.json.result;
      rig.env = {
        ...before,
        SALVOR_VAULT: vault,
        SALVOR_WRITER_KEY_FILE: writerKeyFile,
        SALVOR_ROOT_FINGERPRINT: rootFingerprint,
      };
      const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Contact,Document,Attachment');
      assertRefused(ran, 'disk-full', /no space is left/);
      assert.deepEqual((await rig.salvor('list-points', '--json')).json.result.points, []);
      assert.deepEqual(halfWritten(vault), []);
    } finally {
      rig.env = before;
      spawnSync('umount', [mounted]);
    }
  });

  test('can be read into a pipe that closes early', async () => {
    assert.equal((await rig.salvor(...backup, '--json')).status, 0);
    for (const args of [
      ['list-points', '--json'],
      ['show', 'latest', '--json'],
      ['show', 'latest', 'Folder', '--json'],
      ['--help'],
    ]) {
      const command = [
        'set -o pipefail;',
        process.execPath,
        path.join(project, 'bin/salvor.js'),
        ...args,
        '| head -c 1',
      ];
      const child = spawn('bash', ['-c', command.join(' ')], { cwd: rig.folder, env: rig.env });
      let told = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        told += text;
      });
      const status = await new Promise((resolve) => child.on('close', resolve));
      assert.equal(told, '', args.join(' '));
      assert.equal(status, 0, args.join(' '));
    }
  });
});

/** Files under a name of the vault whose bytes are not those that the name tells. */
function halfWritten(vault: string): string[] {
  return readdirSync(vault, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => {
      const digest = /(?:^|[/-])([0-9a-f]{64})(?:\.|$)/.exec(file)?.[1];
      return digest !== undefined && createHash('sha256').update(readFileSync(file)).digest('hex') !== digest;
    });
}

/** Only root on a Linux that lets it mount can make a disk of its own; the disk before is full everywhere. */
function withoutMount(): string | false {
  return process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0
    ? false
    : 'needs the right to mount';
}
