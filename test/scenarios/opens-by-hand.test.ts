import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  assertFilesByHand,
  assertReadByHand,
  byHand,
  database,
  type Filled,
  filled,
  objects,
} from '../support/by-hand.ts';
import { parseQuotedCsv } from '../support/foreign-csv.ts';
import { asFolder, bash, ForeignReader, foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { Rig } from '../support/rig.ts';
import { startS3Server } from '../support/s3-server.ts';
import { without } from '../support/tools.ts';

const skip = without(...foreignPrograms);

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}

describe('a folder vault', { skip }, () => {
  let rig: Rig;
  let facts: Filled;
  before(async () => {
    rig = await Rig.start({ database });
    facts = await filled(rig);
  });
  after(async () => await rig[Symbol.asyncDispose]());
  const copy = (): string => {
    const folder = path.join(rig.folder, 'copy');
    rmSync(folder, { recursive: true, force: true });
    cpSync(rig.vault, folder, { recursive: true });
    return folder;
  };
  test('the commands of README.txt read it with the recovery kit alone', () => {
    assertReadByHand(copy(), facts);
    assertFilesByHand(copy(), facts.kit);
  });

  test('sha256sum tells when one bit of what a point reaches is another', () => {
    const { point, kit } = facts;
    const inside = (folder: string) => path.join(folder, readdirSync(path.join(rig.vault, folder)).sort()[0]!);
    const reached = bash(`zstd -dc points/${point}/refs.zst | grep -o 'pages/.*map.zst.age$'`, [], rig.vault);
    const page = reached.toString('utf8').split('\n')[0]!;
    for (const key of [...['data', 'index', 'gone', 'files'].map((folder) => inside(`${folder}/${point}`)), page]) {
      const damaged = copy();
      flip(path.join(damaged, key));
      const ran = byHand(damaged, kit);
      assert.notEqual(ran.status, 0, `a flipped bit in ${key} goes unnoticed`);
      assert.equal(ran.stdout.split('\n').at(-2), `${key}: FAILED`);
    }
  });

  test('ssh-keygen tells when the trust file or a log record is another', () => {
    for (const key of ['trust/0001', 'log/00000000000000000002']) {
      const damaged = copy();
      const file = path.join(damaged, key);
      writeFileSync(file, readFileSync(file, 'utf8').replace('"v":1', '"v":2'));
      const ran = byHand(damaged, facts.kit);
      assert.notEqual(ran.status, 0, `a change of ${key} goes unnoticed`);
      assert.match(ran.stdout + ran.stderr, /Could not verify signature|incorrect signature/);
    }
  });

  test('the recovery kit, as it is printed, is an identity file for age', () => {
    const { kit } = facts;
    const wraps = readdirSync(path.join(rig.vault, 'keys/e0001'));
    const opened = wraps.map((wrap) => spawnSync('age', ['-d', '-i', kit, path.join(rig.vault, 'keys/e0001', wrap)]));
    const epoch = opened.filter(({ status }) => status === 0).map(({ stdout }) => stdout.toString('utf8'));
    assert.equal(epoch.length, 1);
    assert.match(epoch[0]!, /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/m);
    // Typed off the page: nothing but the line that matters.
    const typed = path.join(rig.folder, 'typed.txt');
    writeFileSync(typed, `${/^AGE-SECRET-KEY-1.*$/m.exec(readFileSync(kit, 'utf8'))![0]}\n`);
    const again = spawnSync('age', ['-d', '-i', typed, path.join(rig.vault, 'keys/e0001', wraps[0]!)]);
    assert.equal(again.status, 0);
  });

  test('the commands of README.txt read a point of a later epoch', async () => {
    assert.equal((await rig.salvor('keys', 'rotate', '--json')).status, 0);
    const third = await rig.salvor('backup', '--json', '--objects', objects.join());
    assert.equal(third.status, 0, third.stderr);
    const ran = byHand(copy(), facts.kit);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(JSON.parse(ran.made.get('root.json')!.toString('utf8')).point, third.json.result.point.id);
    const [, ...rows] = parseQuotedCsv(ran.made.get('account.csv')!.toString('utf8'));
    const { source } = database.tables.get('Account')!;
    const live = Array.from({ length: source.size }, (_, n) => source.row(n)).filter((row) => row.IsDeleted !== true);
    assert.deepEqual(
      rows.map(([id]) => id),
      live.map(({ Id }) => Id),
    );
  });

  test('the commands of README.txt verify the records of keys that were added, and name one that was stolen', async () => {
    const { SALVOR_WRITER_KEY_FILE: first, SALVOR_IDENTITY_FILE: identity, ...host } = rig.env;
    const second = await rig.salvor('keys', 'add', '--json', '--writer', '--keys-folder', rig.folder);
    const pruner = await rig.salvor('keys', 'export-admin', '--json', '--keys-folder', rig.folder);
    rig.env = { ...host, SALVOR_WRITER_KEY_FILE: second.json.result.writerKeyFile };
    const theirs = await rig.salvor('backup', '--json', '--objects', 'User');
    assert.equal(theirs.status, 0, theirs.stderr);
    rig.env = { ...host, SALVOR_ADMIN_KEY_FILE: pruner.json.result.adminKeyFile };
    const kept = await rig.salvor('keep', 'latest', '--json');
    assert.equal(kept.status, 0, kept.stderr);
    rig.env = { ...host, SALVOR_WRITER_KEY_FILE: first!, SALVOR_IDENTITY_FILE: identity! };
    const since = theirs.json.result.point.id.replace(/^(....)(..)(..)T(..)(..)(..)Z.*/, '$1-$2-$3T$4:$5:$6Z');
    const revoked = await rig.salvor('keys', 'revoke-writer', 'writer-2', '--json', '--since', since);
    assert.deepEqual(revoked.json.result.quarantined, [theirs.json.result.point.id]);
    const after = await rig.salvor('backup', '--json', '--objects', objects.join());
    assert.equal(after.status, 0, after.stderr);

    const folder = copy();
    const records = readdirSync(path.join(folder, 'log'))
      .sort()
      .map((name) => JSON.parse(readFileSync(path.join(folder, 'log', name), 'utf8').split('\n')[0]!));
    const ran = byHand(folder, facts.kit);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stderr, '');
    const signers = (namespace: string) =>
      [...ran.stdout.matchAll(/^Good "(.*)" signature for (\S+) with/gm)]
        .filter(([, of]) => of === namespace)
        .map(([, , signer]) => signer);
    assert.deepEqual(
      signers('salvor-vault-v1'),
      readdirSync(path.join(folder, 'trust')).map(() => 'root'),
    );
    assert.deepEqual(
      signers('salvor-log-v1'),
      records.map(({ writer }) => writer),
    );
    assert.deepEqual([...new Set(signers('salvor-log-v1'))].sort(), ['admin-1', 'pruner-1', 'writer-1', 'writer-2']);
    const stolen = records.find(({ writer }) => writer === 'writer-2').seq;
    const quarantine = records.find(({ kind }) => kind === 'quarantine').seq;
    const line = /^"id":"writer-2","since":"[^"]*","from":(\d+),"to":(\d+)$/m.exec(ran.stdout);
    assert.deepEqual(line?.slice(1).map(Number), [stolen, quarantine - 1]);
    assert.equal(JSON.parse(ran.made.get('root.json')!.toString('utf8')).point, after.json.result.point.id);
  });

  test('a key that the root key did not sign for is not taken', () => {
    const forged = copy();
    const files = readdirSync(path.join(forged, 'trust')).map((name) => path.join(forged, 'trust', name));
    const added = files.find((file) => readFileSync(file, 'utf8').includes('"id":"writer-2","role":"writer"'))!;
    writeFileSync(added, readFileSync(added, 'utf8').replace('"writer-2"', '"writer-9"'));
    const ran = byHand(forged, facts.kit);
    assert.notEqual(ran.status, 0);
    assert.match(ran.stdout, /Could not verify signature/);
  });
});

test('the commands of README.txt read a vault that was downloaded from S3', { skip }, async () => {
  const server = await startS3Server();
  try {
    const env = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey };
    const vault = `s3://${server.bucket}/salvor/prod?endpoint=${server.url}&region=us-east-1`;
    await using rig = await Rig.start({ database, vault, env });
    const facts = await filled(rig);
    const folder = asFolder(path.join(rig.folder, 'download'), server.objects(), 'salvor/prod/');
    assert.ok(existsSync(path.join(folder, 'vault.json')));
    assertReadByHand(folder, facts);
    assertFilesByHand(folder, facts.kit);
    using reader = new ForeignReader(folder, facts.kit);
    assert.deepEqual(differences(database, reader, { objects }), []);
  } finally {
    await server.close();
  }
});
