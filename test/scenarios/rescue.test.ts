import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { differences, OrgRequests, type Snapshot } from '../support/org-snapshot.ts';
import { Restores } from '../support/restored.ts';
import { project, Rig } from '../support/rig.ts';

const writes = /^(record\.|collections|ingest|soap|composite\.(graph|tree))/;

/** The next whole second: stamps have no finer ones. */
async function nextSecond(): Promise<Date> {
  await pause(1000 - (Date.now() % 1000));
  return new Date();
}

type Run = (...args: string[]) => Promise<{ status: unknown; stdout: string; stderr: string }>;

/** Runs the program in a folder of its own, with this environment alone. */
function run(args: readonly string[], options: { cwd: string; env: Record<string, string> }) {
  return new Promise<{ error: ExecFileException | null; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [path.join(project, 'bin/salvor.js'), ...args], options, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
  });
}

describe('salvor rescue', () => {
  let rig: Rig;
  let restores: Restores;
  let whole: Snapshot;
  let damaged: Snapshot;
  /** When the incident began, and who did it. */
  let incident: string[];
  let good: string;

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 30, Contact: 30 } }) });
    let lost: string[] = [];
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      lost = await org.create('Contact', [{ LastName: 'lost', Email: 'lost@example.com' }]);
    });
    await restores.backup('good');
    await partialPoint();
    const { points } = (await rig.salvor('list-points', '--json')).json.result;
    assert.deepEqual(
      points.map(({ status }: { status: string }) => status),
      ['partial', 'complete', 'complete'],
    );
    good = points[1].id;
    whole = await restores.before();

    await nextSecond();
    const from = await nextSecond();
    const users = await restores.org.query('SELECT Id, Username FROM User WHERE IsActive = true');
    const user = users.find(({ Id }) => Id !== rig.org.facts.userId)!;
    const integration = new OrgRequests(rig.org, rig.org.sessionOf(String(user.Id)));
    const accounts = [...whole.rows.get('Account')!.keys()].slice(0, 10);
    await integration.update(
      'Account',
      accounts.map((Id) => ({ Id, Phone: 'lost', Site: null })),
    );
    await integration.delete(lost);
    damaged = await restores.before();
    await nextSecond();
    await restores.backup('later');
    incident = ['--incident', `${from.toISOString()}..`, '--changed-by', String(user.Username)];
  });
  after(() => rig[Symbol.asyncDispose]());

  /** A point of a user who may not see every record. */
  async function partialPoint(): Promise<void> {
    rig.org.settings.permissions.viewAllData = false;
    const ran = await rig.salvor('backup', '--objects', 'Account,Contact', '--json');
    rig.org.settings.permissions.viewAllData = true;
    assert.equal(ran.status, 3, ran.stdout);
  }

  /** The commands of a machine that has nothing but the recovery kit and a login. */
  async function onFreshMachine(): Promise<{ folder: string; salvor: Run }> {
    const folder = path.join(rig.folder, 'fresh');
    await mkdir(path.join(folder, 'home'), { recursive: true });
    await copyFile(path.join(rig.folder, 'keys', 'recovery-kit.txt'), path.join(folder, 'recovery-kit.txt'));
    const { PATH = '', TMPDIR = '', SF_ACCESS_TOKEN = '', SF_ORG_INSTANCE_URL = '' } = rig.env;
    const home = path.join(folder, 'home');
    const env = {
      PATH,
      TMPDIR,
      HOME: home,
      USERPROFILE: home,
      NO_COLOR: '1',
      SALVOR_NO_KEYCHAIN: '1',
      SF_ACCESS_TOKEN,
      SF_ORG_INSTANCE_URL,
    };
    return {
      folder,
      salvor: async (...args) => {
        const { error, stdout, stderr } = await run(args, { cwd: folder, env });
        return { status: error?.code ?? 0, stdout, stderr };
      },
    };
  }

  test('names the newest whole point before the incident and saves a plan, and writes nothing to the org', async () => {
    rig.org.requests.clear();
    const ran = await rig.salvor('rescue', ...incident, '--plan-out', 'rescue.plan', '--json', '--no-prompt');
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    const { result } = ran.json;
    assert.deepEqual([result.point.id, result.dryRun, result.restoreId], [good, true, null]);
    assert.equal(result.planFile, 'rescue.plan');
    assert.deepEqual(
      result.plan.steps.map((step: { object: string; action: string; rows: number }) => Object.values(step)),
      [
        ['Account', 'update', 10],
        ['Contact', 'undelete', 1],
      ],
    );
    assert.deepEqual(
      Object.keys(rig.org.requests.counts).filter((endpoint) => writes.test(endpoint)),
      [],
    );
    assert.deepEqual(differences(damaged, await restores.before()), []);
  });

  test('of an incident before every whole point says that there is none', async () => {
    const files = await readdir(rig.folder);
    const ran = await rig.salvor('rescue', '--incident', '2020-01-01..2020-01-02', '--json', '--no-prompt');
    assert.deepEqual([ran.status, ran.json.name], [2, 'no-such-point'], ran.stdout);
    assert.equal(ran.json.message, 'no whole point of the vault was over before 2020-01-01T00:00:00.000Z');
    assert.match(ran.json.actions[0], /list-points/);
    assert.deepEqual(await readdir(rig.folder), files);
  });

  test('on a fresh machine needs the recovery kit alone, and what it says to run then puts everything back', async () => {
    const { folder, salvor } = await onFreshMachine();
    const kit = ['--kit', 'recovery-kit.txt'];
    const ran = await salvor('rescue', ...kit, ...incident, '--objects', 'Account,Contact', '--no-prompt');
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    const [, command = ''] = /salvor (restore --plan \S+ [^\n]*?--root-fingerprint \S+)/.exec(ran.stdout) ?? [];
    assert.match(command, /^restore --plan salvor-rescue-\S+\.plan --vault \S+ --identity recovery-kit\.txt /);
    // Of keys and points nothing: what stays is salvor itself, compiled.
    assert.deepEqual(await readdir(path.join(folder, 'home')), ['.cache']);
    assert.deepEqual(await readdir(path.join(folder, 'home/.cache/salvor')), ['compiled']);

    const applied = await salvor(...command.split(' '), '--json', '--no-prompt');
    assert.equal(applied.status, 0, applied.stderr + applied.stdout);
    assert.equal(JSON.parse(applied.stdout).result.plan.point, good);
    assert.deepEqual(differences(whole, await restores.before()), []);
  });
});
