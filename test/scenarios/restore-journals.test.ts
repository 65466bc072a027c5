import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { parseWriterKey } from '../../src/age/keys.ts';
import { isFault } from '../../src/errors.ts';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { openBytes } from '../../src/vault/sealed.ts';
import { differences } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';
import { until } from '../support/runs.ts';

/** Values that stand in the point or are written over; none may be read anywhere. */
const secrets = ['Zanzibar Holdings', '+255 24 223', 'Overwritten 4711', 'Kilimanjaro'];

/** Files of a folder and all folders in it: name -> bytes. */
function filesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(path.join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(path.join(folder, name))]));
}

function digests(folder: string): Record<string, string> {
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  return Object.fromEntries([...filesIn(folder)].map(([name, bytes]) => [name, digest(bytes)]));
}

describe('the journal of a restore', () => {
  let rig: Rig;
  let restores: Restores;
  /** Accounts with a contact each; those of one test are of no other. */
  let accounts: string[];
  let writerKeyFile: string;
  let journal: string;

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 5, Contact: 5 } }) });
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      accounts = await org.create(
        'Account',
        Array.from({ length: 12 }, () => ({ Name: 'Zanzibar Holdings', Phone: '+255 24 223' })),
      );
      await org.create(
        'Contact',
        accounts.map((AccountId) => ({ LastName: 'Kilimanjaro', AccountId })),
      );
    });
    writerKeyFile = rig.env.SALVOR_WRITER_KEY_FILE!;
    journal = path.join(rig.folder, 'journal');
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => {
    rig.org.settings.bulkPollsInProgress = 0;
    rig.env.SALVOR_WRITER_KEY_FILE = writerKeyFile;
  });

  /** Purges an account with its contact and overwrites another; the org as it was and as it is. */
  async function damaged() {
    const whole = await restores.before();
    const [gone, spoiled] = accounts.splice(0, 2) as [string, string];
    await restores.org.delete([gone]);
    await restores.org.emptyRecycleBin([gone]);
    await restores.org.update('Account', [{ Id: spoiled, Phone: 'Overwritten 4711' }]);
    const args = ['before', '--ids', [gone, spoiled].join(), '--overwrite'];
    return { whole, spoilt: await restores.before(), args };
  }

  async function killedAt(endpoint: Endpoint, args: readonly string[]): Promise<Ran> {
    const { child, ended } = rig.start('restore', ...args, '--json', '--no-prompt');
    const { entries } = rig.org.requests;
    entries.push = (...added) => {
      if (added.some((one) => one.endpoint === endpoint)) child.kill('SIGKILL');
      return Array.prototype.push.apply(entries, added);
    };
    const ran = await ended;
    Reflect.deleteProperty(entries, 'push');
    return ran;
  }

  test('is kept in another folder when the vault may only be read: the restore goes on from there and is taken back from there', async () => {
    const { whole, spoilt, args } = await damaged();
    delete rig.env.SALVOR_WRITER_KEY_FILE;
    const vault = digests(rig.vault);
    const elsewhere = ['--journal-to', journal];

    const killed = await killedAt('ingest.close', [...args, ...elsewhere]);
    assert.equal(killed.status, 137, killed.stdout);
    const other = await rig.salvor('restore', 'before', '--objects', 'Contact', ...elsewhere, '--json', '--no-prompt');
    assert.deepEqual([other.status, other.json.name], [69, 'restore-unfinished'], other.stdout);

    const restored = await restores.restore(whole, ...args, ...elsewhere);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { restoreId } = restored.ran.json.result;
    assert.match(other.json.message, new RegExp(`^restore ${restoreId} `));
    assert.deepEqual(readdirSync(path.join(journal, 'restores')), [restoreId]);

    const undone = await rig.salvor('undo', restoreId, ...elsewhere, '--json', '--no-prompt');
    assert.equal(undone.status, 0, undone.stderr + undone.stdout);
    assert.deepEqual(differences(spoilt, await restores.before()), []);
    assert.deepEqual(digests(rig.vault), vault);
  });

  test('holds nothing that can be read where it lies, in another folder or in the vault', async () => {
    for (const [folder, args] of [
      [journal, ['--journal-to', journal]],
      [rig.vault, []],
    ] as const) {
      const damage = await damaged();
      const restored = await restores.restore(damage.whole, ...damage.args, ...args);
      assert.equal(restored.ran.status, 0, restored.ran.stderr);
      const files = filesIn(folder);
      assert.ok([...files.keys()].some((name) => name.includes(restored.ran.json.result.restoreId)));
      for (const [name, bytes] of files) {
        for (const secret of secrets) assert.equal(bytes.indexOf(secret), -1, `${secret} stands in ${name}`);
      }
    }
  });

  test('elsewhere knows what a restore in the vault made again', async () => {
    const { whole, args } = await damaged();
    assert.equal((await restores.restore(whole, ...args)).ran.status, 0);
    const count = async () => (await restores.org.query('SELECT Id FROM Account')).length;
    const before = await count();
    const again = await rig.salvor('restore', ...args, '--journal-to', journal, '--json', '--no-prompt');
    assert.deepEqual([again.status, again.json.result.done.Account?.inserted ?? 0], [0, 0], again.stderr);
    assert.equal(await count(), before);
  });

  test('is not to be read with the writer key alone', async () => {
    const { whole, args } = await damaged();
    const { restoreId } = (await restores.restore(whole, ...args)).ran.json.result;
    const { identity } = parseWriterKey(readFileSync(writerKeyFile, 'utf8').trim());
    const all = [...filesIn(path.join(rig.vault, 'restores', restoreId))];
    const files = all.filter(([name]) => /^(\d{6,}|part-)/.test(name));
    assert.ok(files.length > 5);
    for (const [name, bytes] of files) {
      await assert.rejects(openBytes(name, bytes, [identity]), (error) => isFault(error, 'wrong-identity'), name);
    }
    const identityFile = rig.env.SALVOR_IDENTITY_FILE!;
    delete rig.env.SALVOR_IDENTITY_FILE;
    const ran = await rig.salvor('undo', restoreId, '--json', '--no-prompt');
    rig.env.SALVOR_IDENTITY_FILE = identityFile;
    assert.deepEqual([ran.status, ran.json.name], [68, 'no-identity']);
  });

  test('lets no second restore into the same org begin while the first is at work', async () => {
    const { whole, args } = await damaged();
    rig.org.settings.bulkPollsInProgress = 100_000;
    rig.org.requests.clear();
    const first = restores.restore(whole, ...args);
    await until('the first writes', () => (rig.org.requests.counts['ingest.close'] ?? 0) > 0);
    const second = await rig.salvor('restore', 'before', '--objects', 'Account', '--json', '--no-prompt');
    rig.org.settings.bulkPollsInProgress = 0;
    assert.deepEqual([second.status, second.json.name], [69, 'lease-held'], second.stdout);
    assert.match(second.json.message, /^another restore \(R\S+, on .*\) writes to this org since /);

    const restored = await first;
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
  });
});
