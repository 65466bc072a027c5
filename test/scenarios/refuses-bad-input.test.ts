import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newAgeIdentity, newWriterKey } from '../../src/age/keys.ts';
import { type FaultName, faults } from '../../src/errors.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { openStore } from '../../src/store/open.ts';
import { signDocument } from '../../src/vault/signed.ts';
import { Vault } from '../../src/vault/vault.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { type Ran, Rig } from '../support/rig.ts';

type Environment = Readonly<Record<string, string | undefined>>;
const backup = ['backup', '--objects', 'Folder,Group'];

let rig: Rig;
/** What no output may hold. */
let secrets: string[];
let copies = 0;

before(async () => {
  rig = await Rig.start();
  await rig.init();
  const keys = [rig.env.SALVOR_WRITER_KEY_FILE!, rig.env.SALVOR_IDENTITY_FILE!].map((file) =>
    readFileSync(file, 'utf8'),
  );
  secrets = [
    rig.org.accessToken,
    ...keys.flatMap((text) => text.match(/(?:SALVOR-WRITER-KEY|AGE-SECRET-KEY)-\S+/g) ?? []),
  ];
  assert.ok(secrets.length >= 3);
  const ran = await rig.salvor(...backup, '--json');
  assert.equal(ran.status, 0, ran.stdout);
});
after(() => rig[Symbol.asyncDispose]());

/** Runs with a changed environment; undefined takes a variable away. */
async function run(args: readonly string[], environment: Environment = {}): Promise<Ran> {
  const before = rig.env;
  const changed = Object.entries({ ...before, ...environment }).filter(([, value]) => value !== undefined);
  rig.env = Object.fromEntries(changed) as Record<string, string>;
  const running = rig.salvor(...args);
  rig.env = before;
  const ran = await running;
  for (const secret of [...secrets, ...Object.values(environment)].filter((text) => isSecret(text))) {
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes(secret!), `${args.join(' ')} shows a secret`);
  }
  assert.doesNotMatch(ran.stderr, /^\s+at /m, 'no stack');
  return ran;
}

function isSecret(text: string | undefined): boolean {
  return text !== undefined && (secrets.includes(text) || /^(SALVOR-|AGE-SECRET|00D.*!|force:)/.test(text));
}

/** The command is refused under this name: exit code, one sentence, what to do, for people and for scripts. */
async function refused(
  name: FaultName,
  message: RegExp,
  args: readonly string[],
  environment: Environment = {},
): Promise<void> {
  await refusal(name, message, args, environment);
}

/** As `refused`, with what was printed. */
async function refusal(
  name: FaultName,
  message: RegExp,
  args: readonly string[],
  environment: Environment = {},
): Promise<Ran> {
  const ran = await run([...args, '--json', '--no-prompt'], environment);
  const { json } = ran;
  assert.equal(json?.name, name, ran.stdout + ran.stderr);
  assert.equal(ran.status, faults[name].exit);
  assert.equal(json.status, ran.status);
  assert.equal(json.result, undefined, 'nothing was done');
  assert.match(json.message, message);
  assert.doesNotMatch(json.message, /\n/);
  assert.ok(json.actions.length > 0 && json.actions.every((action: string) => action.length > 5));
  assert.ok(ran.stderr.includes(json.message), 'people read the same');
  return ran;
}

/** A copy of the vault with one point, changed. */
function damaged(change: (folder: string) => void): string {
  const folder = path.join(rig.folder, `copy-${++copies}`);
  cpSync(rig.vault, folder, { recursive: true });
  change(folder);
  return folder;
}

function replace(file: string, text: string | Buffer): void {
  rmSync(file);
  writeFileSync(file, text);
}

const remove = (...keys: string[]) =>
  damaged((folder) => {
    for (const key of keys) rmSync(path.join(folder, key), { recursive: true });
  });

/** Records of a vault's log. */
const records = (folder: string) => readdirSync(path.join(folder, 'log')).sort();

describe('a login', () => {
  test('with a token that the org does not know', () =>
    refused('session-expired', /token/i, backup, { SF_ACCESS_TOKEN: '00D000000000001!wrong.token.of.nobody' }));

  test('that does not exist', () => refused('no-login', /no login/, backup, { SF_ACCESS_TOKEN: undefined }));

  test('with a token and no address', () =>
    refused('no-login', /SF_ORG_INSTANCE_URL/, backup, { SF_ORG_INSTANCE_URL: undefined }));

  test('over plain http to another machine', () =>
    refused('login-failed', /http:/, backup, { SF_ORG_INSTANCE_URL: 'http://192.0.2.1' }));

  test('to something that is no address', () =>
    refused('usage', /not a URL/, backup, { SF_ORG_INSTANCE_URL: 'https://' }));

  test('by an SFDX auth URL that is none', () =>
    refused('login-failed', /SFDX auth URL/, backup, { SF_ACCESS_TOKEN: undefined, SFDX_AUTH_URL: 'force://one:two' }));

  test('by an alias that nobody knows', async () => {
    const ran = await run([...backup, '-o', 'nobody', '--json', '--no-prompt']);
    assert.equal(ran.status, 68, ran.stdout);
    assert.match(ran.json.message, /nobody|sf/);
  });

  describe('to an org of its own', () => {
    let org: PracticeOrg;
    let environment: Environment;
    before(async () => {
      org = await startPracticeOrg(sampleDatabase());
      environment = { SF_ACCESS_TOKEN: org.accessToken, SF_ORG_INSTANCE_URL: org.url };
    });
    after(() => org.close());

    test('by a user who may not use the API', async () => {
      org.settings.permissions.apiEnabled = false;
      await refused('org-refused', /API/, backup, environment);
      org.settings.permissions.apiEnabled = true;
    });

    test('whose daily requests others have used up', async () => {
      org.settings.requestsUsedByOthers = org.settings.dailyRequests;
      await refused('api-budget', /Limit/i, backup, environment);
      org.settings.requestsUsedByOthers = 0;
    });

    test('of a version that the org does not have', () =>
      refused('org-refused', /99\.0/, [...backup, '--api-version', '99.0'], environment));

    test('whose session has ended', async () => {
      org.expireSessions();
      await refused('session-expired', /token/i, backup, environment);
    });
  });

  describe('to a host that does not answer', { concurrency: true }, () => {
    let silent: Server;
    let port: number;
    before(async () => {
      silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      port = (silent.address() as { port: number }).port;
    });
    after(() => {
      silent.close();
    });

    test('because nobody listens there', async () => {
      const closed = createServer();
      await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
      const { port: free } = closed.address() as { port: number };
      await new Promise((resolve) => closed.close(resolve));
      await refused('org-unreachable', /got no answer: ECONNREFUSED/, backup, {
        SF_ORG_INSTANCE_URL: `http://127.0.0.1:${free}`,
      });
    });

    test('because it hangs', () =>
      refused('org-unreachable', /got no answer/, [...backup, '--org-timeout', '1s'], {
        SF_ORG_INSTANCE_URL: `http://127.0.0.1:${port}`,
      }));
  });
});

describe('a vault', () => {
  test('that is not named', () =>
    refused('no-vault', /no vault is named/, [...backup, ...config('{}')], { SALVOR_VAULT: undefined }));

  test('that is not there', () => refused('no-vault', /no vault at/, [...backup, '--vault', emptyFolder()]));

  test('without vault.json', () =>
    refused('vault-incomplete', /no vault\.json/, [...backup, '--vault', remove('vault.json')]));

  test('without trust/', () => refused('object-missing', /trust\/0001/, [...backup, '--vault', remove('trust')]));

  test('without the record of its epoch', () => {
    const folder = damaged((copy) => rmSync(path.join(copy, 'log', records(copy)[0]!)));
    return refused('chain-broken', /epoch/, [...backup, '--vault', folder]);
  });

  test('without keys/, for one who wants to read', () =>
    refused('object-missing', /keys\//, ['show', 'latest', 'Group', '--vault', remove('keys')]));

  test('of which the root key is another than the configuration says', () =>
    refused('signature-invalid', /root key is SHA256:.*, expected/, backup, {
      SALVOR_ROOT_FINGERPRINT: `SHA256:${'A'.repeat(43)}`,
    }));

  test('of which vault.json was changed', () => {
    const folder = damaged((copy) => {
      const file = path.join(copy, 'vault.json');
      replace(file, readFileSync(file, 'utf8').replace('"features"', '"Features"'));
    });
    return refused('signature-invalid', /vault\.json/, [...backup, '--vault', folder]);
  });

  test('of another org', async () => {
    const org = await startPracticeOrg(ofAnotherOrg(sampleDatabase()));
    const environment = { SF_ACCESS_TOKEN: org.accessToken, SF_ORG_INSTANCE_URL: org.url };
    try {
      await refused('foreign-vault', /another org/, backup, environment);
    } finally {
      await org.close();
    }
  });

  describe('of a newer format', () => {
    async function rootSigned(change: (info: Record<string, unknown>) => void): Promise<string> {
      const store = await openStore(rig.vault);
      const identity = /AGE-SECRET-KEY-\S+/.exec(readFileSync(rig.env.SALVOR_IDENTITY_FILE!, 'utf8'))![0];
      const vault = await Vault.open(store, { operation: 'read', identities: [identity] });
      const { root } = await vault.keyring.adminKeys((await vault.state()).epochs);
      const info = structuredClone(vault.info) as Record<string, unknown>;
      change(info);
      return damaged((copy) => replace(path.join(copy, 'vault.json'), signDocument(root, 'salvor-vault-v1', info)));
    }

    test('is not written to', async () => {
      const folder = await rootSigned((info) => {
        info.v = 2;
      });
      await refused('newer-format', /format 2/, [...backup, '--vault', folder]);
      await refused('newer-format', /format 2/, ['list-points', '--vault', folder]);
    });

    test('with a feature for writing is read and not written', async () => {
      const folder = await rootSigned((info) => {
        info.features = { read: [], write: ['column-stores'], prune: [], verify: [] };
      });
      await refused('newer-format', /column-stores/, [...backup, '--vault', folder]);
      assert.equal((await run(['list-points', '--json', '--vault', folder])).status, 0);
    });
  });

  test('with a record that was damaged takes the next point, says so, and verify names the record', async () => {
    const folder = damaged((copy) => {
      const file = path.join(copy, 'log', records(copy).at(-1)!);
      replace(file, readFileSync(file, 'utf8').replace('"kind":"point"', '"kind":"paint"'));
    });
    // another state folder: the copy has the same name, and what is known of the vault's head is not to be spoiled
    const apart = { XDG_STATE_HOME: emptyFolder() };
    const ran = await run([...backup, '--json', '--vault', folder], apart);
    assert.equal(ran.status, 0, ran.stdout);
    assert.match(JSON.stringify(ran.json.warnings), /log\/0+2/);
    const listed = await run(['list-points', '--json', '--vault', folder], apart);
    assert.deepEqual(
      listed.json.result.points.map(({ id }: { id: string }) => id),
      [ran.json.result.point.id],
    );
    const verified = await run(['verify', '--json', '--vault', folder], apart);
    assert.equal(verified.status, 4);
    assert.match(verified.json.message, /log\/0+2/);
  });
});

describe('a key', () => {
  const without = { SALVOR_WRITER_KEY_FILE: undefined };

  test('of the writer that is missing', () => refused('no-writer-key', /no writer key/, backup, without));

  test('of the writer that is of another vault', () =>
    refused('wrong-writer-key', /trusts/, backup, { ...without, SALVOR_WRITER_KEY: newWriterKey() }));

  test('of the writer with a letter that was lost', () =>
    refused('key-invalid', /key/, backup, {
      ...without,
      SALVOR_WRITER_KEY: secretLike('SALVOR-WRITER-KEY').slice(0, -1),
    }));

  test('of the writer that is an identity', () =>
    refused('key-invalid', /key/, backup, { ...without, SALVOR_WRITER_KEY: secretLike('AGE-SECRET-KEY') }));

  test('of the writer whose file is not there', () =>
    refused('usage', /there is no file/, backup, { SALVOR_WRITER_KEY_FILE: path.join(rig.folder, 'lost.key') }));

  test('that rows are opened with and that is missing', () =>
    refused('no-identity', /no identity/, ['show', 'latest', 'Group'], { SALVOR_IDENTITY_FILE: undefined }));

  test('that rows are opened with and that is of another vault', async () => {
    const { identity } = await newAgeIdentity();
    await refused('wrong-identity', /none of the identities/, ['show', 'latest', 'Group'], {
      SALVOR_IDENTITY_FILE: undefined,
      SALVOR_IDENTITY: identity,
    });
  });

  test('that rows are opened with and that is damaged', async () => {
    const damage = secretLike('AGE-SECRET-KEY').replace(/.$/, (letter) => (letter === 'Q' ? 'P' : 'Q'));
    await refused('key-invalid', /identity|key/, ['show', 'latest', 'Group'], {
      SALVOR_IDENTITY_FILE: undefined,
      SALVOR_IDENTITY: damage,
    });
  });

  test('that is given on the command line', () =>
    refused('usage', /never given on the command line|unknown option/, ['login', '--client-secret', 'hunter22hunter']));
});

function secretLike(start: string): string {
  return secrets.find((secret) => secret.startsWith(start))!;
}

function emptyFolder(): string {
  const folder = path.join(rig.folder, `empty-${++copies}`);
  mkdirSync(folder);
  return folder;
}

function config(text: string): string[] {
  const file = path.join(emptyFolder(), 'salvor.config.json');
  writeFileSync(file, text);
  return ['--config', file];
}

describe('a configuration', () => {
  test('with a key that nobody knows names the nearest', () =>
    refusal('config-invalid', /maxApiPercnt/, [...backup, ...config('{"backup":{"maxApiPercnt":50}}')]).then(
      ({ json }) => assert.match(JSON.stringify(json), /maxApiPercent/),
    ));

  test('that is not JSON', () => refused('config-invalid', /not JSON/, [...backup, ...config('{"vault":')]));

  test('with a value of another type', () =>
    refused('config-invalid', /parallel/, [...backup, ...config('{"backup":{"parallel":"many"}}')]));

  test('that is not there', () => refused('usage', /no configuration file/, [...backup, '--config', 'lost.json']));
});

describe('a flag', () => {
  for (const [args, message] of [
    [['backup', '--parallell', '3'], /parallell/],
    [['bakcup'], /bakcup/],
    [['keys'], /keys wants one of/],
    [['backup', '--parallel', 'many'], /--parallel/],
    [['backup', '--parallel', '1000000000'], /--parallel has to be 100 at most/],
    [['backup', '--objects', 'Group', '--exclude', 'gr*', '--dry-run'], /no object is left .* Group: excluded/],
    [['backup', '--max-duration', 'soon'], /--max-duration/],
    [['backup', '--org-timeout', '-1s'], /--org-timeout/],
    [['backup', '--max-api-percent', '101'], /--max-api-percent/],
    [['backup', '--max-api-calls', '1e99'], /--max-api-calls/],
    [['backup', '--min-coverage', '200'], /--min-coverage/],
    [['backup', '--events', '-'], /--events/],
    [['backup', '--vault', 'ftp://host/vault'], /ftp/],
    [['verify', '--sample', '9/2'], /--sample/],
    [['verify', '--expect-head', '12'], /--expect-head/],
    [['show'], /point/],
    [['show', 'latest', 'Group', '--limit', 'all'], /--limit/],
    [['show', ''], /the name of a point is empty/],
    [['keep', ''], /the name of a point is empty/],
    [['backup', '--tag', 'fine', '--tag', 'latest'], /the tag latest: it stands for the newest point/],
    [['backup', '--tag', 'latest~2'], /the newest point/],
    [['backup', '--tag', 'latest!'], /the newest point/],
    [['backup', '--tag', '2026-11-22T10:17Z'], /the tag 2026-11-22T10:17Z: it stands for a time/],
    [['backup', '--tag', '2026-11-22'], /a time/],
    [['backup', '--tag', ''], /a tag is empty/],
  ] as const) {
    test(`wrong: salvor ${args.join(' ')}`, () => refused('usage', message, args));
  }

  test('that names an object which the org does not have', () =>
    refused('no-such-object', /Acount/, ['backup', '--objects', 'Acount']));

  test('that leaves nothing of a point to be exported', () =>
    refused('nothing-selected', /fits nothing/, ['export', 'latest', '--exclude', '*', '--to', 'nothing.zip']));

  test('that asks for more coverage than there is', async () => {
    const before = records(rig.vault);
    await refused('coverage-too-low', /100 % are asked for/, [...backup, '--min-coverage', '100']);
    assert.deepEqual(records(rig.vault), before);
  });

  test('that names a place for events where none can be', () =>
    refused('disk-error', /events cannot be written/, [
      ...backup,
      '--events',
      path.join(rig.folder, 'no', 'such', 'folder'),
    ]));
});

describe('out of order', () => {
  let fresh: string;
  let environment: Environment;

  before(async () => {
    fresh = emptyFolder();
    const keys = path.join(fresh, 'keys');
    const ran = await run([
      'init',
      '--json',
      '--no-prompt',
      '--keys-folder',
      keys,
      '--vault',
      path.join(fresh, 'vault'),
    ]);
    assert.equal(ran.status, 0, ran.stdout);
    const { writerKeyFile, recoveryKeyFile, rootFingerprint } = ran.json.result;
    environment = {
      SALVOR_VAULT: path.join(fresh, 'vault'),
      SALVOR_WRITER_KEY_FILE: writerKeyFile,
      SALVOR_IDENTITY_FILE: recoveryKeyFile,
      SALVOR_ROOT_FINGERPRINT: rootFingerprint,
    };
  });

  test('a vault without points is listed and verified', async () => {
    const listed = await run(['list-points', '--json'], environment);
    assert.deepEqual([listed.status, listed.json.result.points], [0, []]);
    const verified = await run(['verify', '--json'], environment);
    assert.equal(verified.status, 0, verified.stdout);
  });

  test('a point of a vault without points is not shown', () =>
    refused('no-such-point', /point/, ['show', 'latest'], environment));

  test('a point, an object and a record that are not there', async () => {
    await refused('no-such-point', /20010101/, ['show', '20010101']);
    await refused('no-such-object', /Account/, ['show', 'latest', 'Account']);
    await refused('no-such-record', /00G/, ['show', 'latest', 'Group', '00G000000000000AAA']);
  });

  test('a second init changes nothing', async () => {
    const before = readdirSync(rig.vault, { recursive: true });
    await refused('vault-exists', /is a vault already/, ['init', '--keys-folder', path.join(emptyFolder(), 'keys')]);
    assert.deepEqual(readdirSync(rig.vault, { recursive: true }), before);
  });

  test('an init over keys that exist makes no vault', async () => {
    const target = path.join(emptyFolder(), 'vault');
    await refused('usage', /never replaced/, [
      'init',
      '--vault',
      target,
      '--keys-folder',
      path.dirname(rig.env.SALVOR_WRITER_KEY_FILE!),
    ]);
    assert.ok(!existsSync(target));
  });

  test('an init over the rest of another makes no vault and no keys', async () => {
    const keys = path.join(emptyFolder(), 'keys');
    const folder = remove('vault.json');
    await refused('vault-incomplete', /not finished/, ['init', '--vault', folder, '--keys-folder', keys]);
    assert.ok(!existsSync(keys), 'keys that open nothing would be taken for the right ones');
  });

  test('an init for recipients that are none, or for one only', async () => {
    const keys = ['--keys-folder', path.join(emptyFolder(), 'keys')];
    const target = ['--vault', path.join(emptyFolder(), 'vault')];
    await refused('key-invalid', /recipient/, ['init', ...target, ...keys, '--recipient', 'age1nonsense']);
    const { recipient } = await newAgeIdentity();
    await refused('one-key', /one recipient/, ['init', ...target, ...keys, '--recipient', recipient]);
  });

  test('an object that failed is listed, and showing its rows says why there are none', async () => {
    rig.org.failNext('queryAll', { name: '500-unknown-exception' }, { object: 'Profile', skip: 1, times: 3 });
    const ran = await run(['backup', '--objects', 'Group,Profile', '--json', '--tag', 'broken']);
    assert.equal(ran.status, 3, ran.stdout);
    assert.equal(ran.json.name, 'object-failed');
    assert.match(ran.json.message, /Profile/);
    const listed = await run(['list-points', '--json']);
    assert.equal(listed.json.result.points[0].status, 'partial');
    assert.match(JSON.stringify(listed.json.result.points[0].incomplete), /Profile.*UNKNOWN_EXCEPTION/);
    const shown = await run(['show', 'broken', 'Profile', '--json']);
    assert.ok([2, 3].includes(shown.status), shown.stdout);
    assert.match(shown.json.message, /Profile/);
    const group = await run(['show', 'broken', 'Group', '--json']);
    assert.equal(group.status, 0);
  });
});

test('nothing of a run is left in the folder for temporary files', () => {
  assert.deepEqual(
    readdirSync(rig.folder).filter((name) => /^salvor-/.test(name) && name !== 'salvor.config.json'),
    [],
  );
});
