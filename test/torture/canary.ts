import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { type Ran, Rig } from '../support/rig.ts';
import { startS3Server } from '../support/s3-server.ts';
import type { Torment } from './torment.ts';

const runs = [
  'backup',
  'verify',
  'list-points',
  'diff',
  'compact',
  'prune',
  'restore',
  'restore, applied',
  'undo',
  'rescue',
  'status',
  'doctor',
  'doctor, probing',
  'copy',
  'repair',
  'export, encrypted',
  'keys list',
  'init',
  'login',
  'wrong login',
  'bad store',
];
const endings = ['to its end', 'killed'];

/** Secrets and the org's contents are planted, and looked for in all that the program prints, notes, and leaves in folders and in the vault. */
export const canary: Torment = {
  name: 'canary',
  figure: 'canary secrets in any output, temporary file or name',
  faults: [...runs, ...endings],
  short: runs.length,
  async prepare() {
    const server = await startS3Server();
    const url = `s3://${server.bucket}/org?endpoint=${encodeURIComponent(server.url)}`;
    const rig = await Rig.start({
      database: sampleDatabase({ scale: { Account: 4, Contact: 6 } }),
      vault: url,
      env: {
        AWS_ACCESS_KEY_ID: server.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: '1',
      },
    });
    rig.env.NODE_COMPILE_CACHE = path.join(rig.folder, 'compiled');
    await rig.init();
    const org = new OrgRequests(rig.org);
    const [account] = await org.create('Account', [{ Name: 'canaryrow-Name', Phone: 'canaryrow-Phone' }]);
    await org.create('Contact', [{ LastName: 'canaryrow-LastName', AccountId: account! }]);
    const secretOf = (name: string) => readFileSync(rig.env[name]!, 'utf8');
    const secrets = [
      ...secretOf('SALVOR_IDENTITY_FILE').match(/AGE-SECRET-KEY-\S+/g)!,
      secretOf('SALVOR_WRITER_KEY_FILE').trim(),
      rig.org.accessToken,
      rig.org.refreshToken,
      rig.org.clientSecret,
      server.secretAccessKey,
    ];
    const backup = ['backup', '--objects', 'Account,Contact'];
    const fresh = (name: string) => path.join(rig.folder, `${Date.now()}-${name}`);
    const confirmed = ['--confirm', 'backup@practice-org.example'];
    const keys = path.join(rig.folder, 'keys');
    const copied = path.join(rig.folder, 'copy');
    const spoiled = () => org.update('Account', [{ Id: account!, Phone: 'canaryrow-Other' }]);
    const commands: Record<string, () => readonly string[] | Promise<readonly string[]>> = {
      backup: () => backup,
      verify: () => ['verify', '--all'],
      'list-points': () => ['list-points'],
      diff: () => ['diff', 'latest', '--objects', 'Account'],
      compact: () => ['compact'],
      prune: () => ['prune', '--keep-last', '3'],
      restore: () => ['restore', 'latest', '--objects', 'Account', '--dry-run'],
      'restore, applied': async () => {
        await spoiled();
        return [...restore, ...confirmed];
      },
      undo: async () => {
        await spoiled();
        const { json } = await rig.salvor(...restore, ...confirmed, '--json', '--no-prompt');
        return ['undo', json.result.restoreId, ...confirmed];
      },
      rescue: async () => {
        await spoiled();
        const incident = ['--incident', `${first.ended}..`, '--objects', 'Account'];
        return ['rescue', ...incident, '--plan-out', fresh('rescue.plan')];
      },
      status: () => ['status'],
      doctor: () => ['doctor'],
      'doctor, probing': () => {
        const report = ['--report', fresh('report.json')];
        return ['doctor', '--probe', ...confirmed, ...report];
      },
      copy: () => ['copy', '--to', copied],
      repair: () => ['repair', '--from', copied],
      'export, encrypted': () => ['export', 'latest', '--to', fresh('all.zip.age'), '--encrypt-output'],
      'keys list': () => ['keys', 'list'],
      init: () => ['init', '--vault', fresh('vault'), '--keys-folder', path.join(keys, String(Date.now()))],
      login: () => ['login', '--alias', 'prod', '--client-id', rig.org.clientId, '--instance-url', rig.org.url],
      'wrong login': () => backup,
      'bad store': () => backup,
    };
    const taken = await rig.salvor(...backup, '--json');
    assert.equal(taken.status, 0);
    const first = taken.json.result.point;
    const restore = ['restore', first.id, '--objects', 'Account', '--overwrite'];

    /** Names and bytes of files that the program left; those with keys are there to hold them. */
    function* left(folder = rig.folder): Generator<[string, string]> {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const name = path.join(folder, entry.name);
        if (entry.isDirectory()) {
          if (name !== keys && entry.name !== 'compiled') yield* left(name);
        } else yield [name, readFileSync(name, 'latin1')];
      }
    }

    return {
      async run(number, struck) {
        const random = new Random(number);
        const name = runs[number % runs.length]!;
        const kill = number % 3 === 2;
        const env = { ...rig.env };
        if (name === 'login') rig.env.SALVOR_CLIENT_SECRET = rig.org.clientSecret;
        if (name === 'wrong login') rig.env.SF_ACCESS_TOKEN = `${rig.org.accessToken}wrong`;
        if (name === 'bad store') rig.env.AWS_SECRET_ACCESS_KEY = `${server.secretAccessKey.slice(1)}0`;
        const events = path.join(rig.folder, `events-${number}.jsonl`);
        const more = random.chance(50) ? ['--json', '--no-prompt'] : ['--no-prompt'];
        const planted = [rig.env.SF_ACCESS_TOKEN!, rig.env.AWS_SECRET_ACCESS_KEY!];
        const made = () =>
          [...left(keys)].flatMap(([, text]) => text.match(/(AGE-SECRET-KEY|SALVOR-[A-Z]+-KEY)-\S+/g) ?? []);
        let ran: Ran;
        try {
          const { child, ended } = rig.start(...(await commands[name]!()), ...more, '--events', events);
          const timer = kill
            ? setTimeout(() => child.kill('SIGKILL'), number < 3 ? 200 : random.int(300, 2500))
            : undefined;
          ran = await ended;
          clearTimeout(timer);
        } finally {
          rig.env = env;
        }
        assert.ok(!kill || ran.status !== 1, ran.stderr);
        struck(name);
        struck(ran.status === 137 ? 'killed' : 'to its end');
        const said: [string, string][] = [['stdout', ran.stdout], ['stderr', ran.stderr], ...left()];
        const listing: [string, string][] = [...server.objects()].map(([key, body]) => [
          `the vault's ${key}`,
          `${key}\n${body.toString('latin1')}`,
        ]);
        const hidden = new Set([...secrets, ...planted, ...made()]);
        for (const [where, text] of [...said, ...listing]) {
          for (const secret of hidden) assert.ok(!text.includes(secret), `a secret is in ${where}`);
          // Values of rows are shown when somebody asks for them; here nobody did.
          assert.ok(!/canaryrow/i.test(text), `a value of a row is in ${where}`);
        }
        for (const [where, text] of listing) {
          if (/^the vault's (org\/)?README.txt/.test(where)) continue;
          assert.doesNotMatch(text, /Account|Contact|LastName/, `a name is in ${where}`);
          assert.ok(!text.includes(account!), `an Id is in ${where}`);
        }
      },
      async [Symbol.asyncDispose]() {
        await rig[Symbol.asyncDispose]();
        await server.close();
      },
    };
  },
};
