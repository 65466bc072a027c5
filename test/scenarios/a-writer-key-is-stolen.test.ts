import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseWriterKey } from '../../src/age/keys.ts';
import { isFault } from '../../src/errors.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { openStore } from '../../src/store/open.ts';
import { openBytes } from '../../src/vault/sealed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

const backup = ['backup', '--json', '--no-prompt', '--objects', 'Product2,Campaign,Document'];

interface Listed {
  readonly id: string;
  readonly quarantined: boolean;
}

/** The drill: a backup host is broken into; the thief has its key and writes to the bucket. */
describe('a writer key is stolen', () => {
  let rig: Rig;
  let thief: string;
  let honest: string;
  let stolen: Date;
  /** The vault as somebody opened it who does not know yet that the key is revoked. */
  let unaware: Vault;
  const points: string[] = [];

  const as = (key: string, ...args: string[]) => {
    const { SALVOR_IDENTITY_FILE: _, ...host } = rig.env;
    return rig.salvor.call(
      Object.assign(Object.create(rig), { env: { ...host, SALVOR_WRITER_KEY_FILE: key } }),
      ...args,
    );
  };
  const files = (folder: string) =>
    readdirSync(path.join(rig.vault, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
  /** Keys below a folder that the thief's key opens. */
  const opened = async (folder: string) => {
    const { identity } = parseWriterKey(readFileSync(thief, 'utf8').trim());
    const open: string[] = [];
    for (const file of files(folder)) {
      if (!file.endsWith('.age')) continue;
      try {
        await openBytes(file, readFileSync(file), [identity]);
        open.push(path.relative(rig.vault, file));
      } catch (error) {
        if (!isFault(error, 'wrong-identity')) throw error;
      }
    }
    return open;
  };

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Product2: 30, Campaign: 5, Document: 4 } }) });
    await rig.init();
    thief = rig.env.SALVOR_WRITER_KEY_FILE!;
    honest = (await rig.salvor('keys', 'add', '--writer', '--json')).json.result.writerKeyFile;
    const first = await as(thief, ...backup);
    assert.equal(first.status, 0, first.stdout);
    points.push(first.json.result.point.id);
    stolen = new Date(Math.ceil(Date.now() / 1000) * 1000);
    await new Promise((resolve) => setTimeout(resolve, stolen.getTime() - Date.now() + 50));
  });
  after(() => rig[Symbol.asyncDispose]());

  test('the thief reads Ids, stamps, sizes and deletions, and no value of any row or file', async () => {
    assert.deepEqual(await opened('data'), []);
    assert.deepEqual(await opened('detail'), []);
    assert.deepEqual(await opened('files'), []);
    assert.deepEqual(await opened('keys'), []);
    assert.ok((await opened('index')).length > 0, 'Ids and stamps are open to him: invariant 6 says so');
    for (const file of await opened('index')) {
      const { identity } = parseWriterKey(readFileSync(thief, 'utf8').trim());
      const stored = readFileSync(path.join(rig.vault, file));
      const [header] = (await openBytes(file, stored, [identity])).toString('utf8').split('\n');
      assert.equal(header, '"Id","SystemModstamp"');
    }
    assert.equal((await as(thief, 'show', 'latest', 'Product2', '--json')).status, 68);
    assert.equal((await as(thief, 'export', 'latest', '--to', 'loot.zip', '--json')).status, 68);
  });

  test('he signs a false point, and an honest one is built on it', async () => {
    const org = new OrgRequests(rig.org);
    const ids = (await org.query('SELECT Id FROM Product2')).map(({ Id }) => String(Id));
    // What he makes the vault believe.
    await org.update(
      'Product2',
      ids.slice(0, 10).map((Id) => ({ Id, Name: 'forged' })),
    );
    const forged = await as(thief, ...backup);
    assert.equal(forged.status, 0, forged.stdout);
    await org.update(
      'Product2',
      ids.slice(0, 10).map((Id) => ({ Id, Name: 'put right' })),
    );
    const built = await as(honest, ...backup);
    assert.equal(built.status, 0, built.stdout);
    points.push(forged.json.result.point.id, built.json.result.point.id);
    const store = await openStore(rig.vault);
    const writerKey = readFileSync(thief, 'utf8').trim();
    unaware = await Vault.open(store, { operation: 'write', writerKey });
    await unaware.state();
  });

  test('a key that is none, a time to come, no time and no identity are refused', async () => {
    const revoke = (...args: string[]) => rig.salvor('keys', 'revoke-writer', ...args, '--json');
    const unknown = await revoke('writer-9', '--since', stolen.toISOString());
    assert.deepEqual([unknown.status, unknown.json.actions], [2, ['name one of writer-1, writer-2']]);
    assert.equal((await revoke('writer-1', '--since', '2999-01-01')).status, 2);
    assert.equal((await revoke('writer-1')).status, 2);
    assert.equal((await revoke('admin-1', '--since', '2026-01-01')).status, 2);
    const bare = await as(thief, 'keys', 'revoke-writer', 'writer-2', '--since', '2026-01-01', '--json');
    assert.equal(bare.status, 68);
    assert.equal((await rig.salvor('keys', 'list', '--json')).json.result.epochs.length, 1);
  });

  test('revoked: both points stand in quarantine, a new epoch begins, and `latest` is what was before', async () => {
    const { status, json } = await rig.salvor(
      'keys',
      'revoke-writer',
      'writer-1',
      '--since',
      stolen.toISOString(),
      '--json',
    );
    assert.equal(status, 0, JSON.stringify(json));
    assert.deepEqual(json.result, {
      id: 'writer-1',
      since: stolen.toISOString(),
      quarantined: points.slice(1),
      epoch: 2,
    });
    const listed = (await rig.salvor('list-points', '--json')).json.result.points;
    assert.deepEqual(
      listed.map(({ id, quarantined }: { id: string; quarantined: boolean }) => [id, quarantined]),
      [
        [points[2], true],
        [points[1], true],
        [points[0], false],
      ],
    );
    assert.equal((await rig.salvor('show', 'latest', '--json')).json.result.point.id, points[0]);
    const now = new Date(Date.now() + 60_000).toISOString();
    assert.equal((await rig.salvor('show', now, '--json')).json.result.point.id, points[0], 'by time as well');
    const { keys } = (await rig.salvor('keys', 'list', '--json')).json.result;
    const [revoked] = keys.filter(({ id }: { id: string }) => id === 'writer-1');
    assert.equal(revoked.revokedSince, stolen.toISOString());
  });

  test('done again it changes nothing', async () => {
    const before = files('log').length;
    const { status, json } = await rig.salvor(
      'keys',
      'revoke-writer',
      'writer-1',
      '--since',
      stolen.toISOString(),
      '--json',
    );
    assert.deepEqual([status, json.result.quarantined, json.result.epoch], [0, points.slice(1), 2]);
    // That somebody did it is noted.
    assert.equal(files('log').length, before + 1);
  });

  test('the thief takes no more points: neither with salvor, which refuses, nor with a record of his own', async () => {
    const refused = await as(thief, ...backup);
    assert.deepEqual([refused.status, refused.json.name], [68, 'wrong-writer-key']);
    assert.match(refused.json.message, /writer-1 was revoked/);

    const [, forged] = (await unaware.state()).points;
    const { seq: _, v: __, vault: ___, prev: ____, writer: _____, ...fields } = forged!.record;
    await unaware.log.append(unaware.keyring.writerSigner(), { ...fields, started: '2026-01-01T00:00:00Z' });
    const { points: known } = (await rig.salvor('list-points', '--json')).json.result;
    assert.equal(known.length, 3);
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
  });

  test('the honest host goes on, reads everything anew, and the thief opens nothing of it', async () => {
    const pages = await opened('pages');
    const next = await as(honest, ...backup);
    assert.equal(next.status, 0, next.stdout);
    assert.deepEqual(await opened('pages'), pages);
    const { id, kind, status } = next.json.result.point;
    assert.deepEqual([kind, status], ['full', 'complete']);
    for (const folder of ['data', 'index', 'points', 'runs']) {
      const open = (await opened(folder)).filter((key) => key.includes(id));
      assert.deepEqual(open, [], folder);
    }
    const rows = (await rig.salvor('show', 'latest', 'Product2', '--json', '--limit', '100')).json.result.rows;
    assert.equal(rows.length, 30);
    assert.ok(!rows.some(({ Name }: { Name: string }) => Name === 'forged'));
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
  });

  test('stolen earlier than was thought: the first point goes into quarantine as well', async () => {
    const { json } = await rig.salvor('keys', 'revoke-writer', 'writer-1', '--since', '2026-01-01', '--json');
    assert.deepEqual([json.result.quarantined, json.result.epoch], [points, 2]);
    const named = (await rig.salvor('show', points[0]!, '--json')).status;
    assert.equal(named, 0, 'by its id it can still be looked at');
  });

  test('in a copy, whose store dates everything by the copying, no point is put in quarantine for that', async () => {
    const to = path.join(rig.folder, 'copy');
    assert.equal((await rig.salvor('copy', '--to', to, '--json')).status, 0);
    const quarantined = async () =>
      (await rig.salvor('list-points', '--vault', to, '--json')).json.result.points.flatMap((point: Listed) =>
        point.quarantined ? [point.id] : [],
      );
    const revoke = (since: string) =>
      rig.salvor('keys', 'revoke-writer', 'writer-2', '--json', '--vault', to, '--since', since);
    const before = await quarantined();
    const refused = await revoke(stolen.toISOString());
    assert.deepEqual([refused.status, refused.json.name], [2, 'usage'], refused.stdout);
    assert.match(refused.json.message, /^the store dates every record at .* or later: it tells when they were copied/);
    assert.deepEqual(await quarantined(), before);
    const all = await revoke('2020-01-01');
    assert.equal(all.status, 0, all.stdout);
    assert.deepEqual(
      await quarantined(),
      (await rig.salvor('list-points', '--json')).json.result.points.map(({ id }: Listed) => id),
      'nothing that it ever signed is trusted',
    );
  });
});
