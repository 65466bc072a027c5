import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolders } from '../../folders.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { rememberHead } from '../heads.ts';
import { replaceKeyFile, writeKeyFile } from '../key-files.ts';
import { demoText } from '../output/demo.ts';
import { duration } from '../output/figures.ts';
import { recoveryKit } from '../recovery-kit.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'the whole story on an embedded practice org: backup, damage, diff, plan, restore, verify, undo',
  description:
    'Starts an org on this machine that speaks the protocols of Salesforce, makes a vault in a new folder, takes a recovery point over ' +
    'HTTP, and verifies it. Then it damages the org, shows what differs, plans, restores, shows that all is back, and undoes the restore. It ' +
    'opens a segment with age and zstd when they are installed. The vault and the keys stay.',
  flags: {
    folder: {
      value: 'folder',
      kind: 'path',
      default: 'salvor-demo',
      summary: 'a new folder for the vault and the keys',
      config: false,
    },
    seed: { value: 'number', kind: 'integer', default: 1, summary: 'another org for another seed', config: false },
  },
  examples: [{ command: 'salvor demo', summary: 'watch it once' }],
  exits: [3, 4],
  async run(ctx, { flags }) {
    const began = Date.now();
    const folder = freshFolder(path.resolve(flags.folder));
    const say = (message: string) => ctx.report({ type: 'note', message });
    const { startPracticeOrg } = await import('../../practice-org/server.ts');
    const { sampleDatabase } = await import('../../practice-org/generate.ts');
    const practice = await startPracticeOrg(sampleDatabase({ seed: flags.seed }));
    try {
      say(`\n1. an org: ${practice.facts.organizationName}, speaking HTTP on ${practice.url}\n`);
      const vaultFolder = path.join(folder, 'vault');
      await makeFolders(folder);
      const { openStore } = await import('../../store/open.ts');
      const { probeStore } = await import('../../store/probe.ts');
      const store = await openStore(vaultFolder, { signal: ctx.signal });
      say(`2. a vault in ${shown(vaultFolder)}: two recovery identities, a writer key, a recovery kit\n`);
      const made = await makeVault(ctx, store, await probeStore(store, ctx.signal), folder, vaultFolder);
      const keys = { rootFingerprint: made.rootFingerprint };
      say('3. a recovery point: with the writer key, which can write rows and not read them\n');
      const taken = await takePoint(ctx, store, { ...keys, writerKey: made.writerKey }, practice);
      await rememberHead(ctx.environment, made.vaultId, taken.head);
      say('\n4. the proof: with the recovery identity, rung by rung\n');
      const { Vault } = await import('../../vault/vault.ts');
      const { verify } = await import('../../operations/verify/verify.ts');
      const { listPoints } = await import('../../operations/points.ts');
      const reader = await Vault.open(store, {
        ...keys,
        operation: 'verify',
        identities: [made.identities[0]!.identity],
      });
      const verified = await verify(ctx, reader, { noIdentity: false, tool: ctx.tool });
      if (verified.attested) await rememberHead(ctx.environment, made.vaultId, verified.attested);
      await reader.state(true);
      const { points } = await listPoints(reader);
      const byHand = await openByHand(reader, folder, vaultFolder);
      const recovery = await damagedAndBack(ctx, reader, practice, folder);
      const result = {
        folder,
        vault: vaultFolder,
        point: taken.point,
        requests: practice.requests.calls,
        verified: verified.points,
        byHand: byHand?.command ?? null,
        damage: recovery.damage,
        diff: recovery.damaged.objects,
        plan: recovery.plan.digest,
        restored: recovery.restored.result,
        stillDiffers: recovery.healed.objects,
        undone: recovery.undone.result,
        seconds: (Date.now() - began) / 1000,
      };
      const tour = { folder: shown(folder), points, taken, verified, byHand, took: duration(Date.now() - began) };
      return { result, human: (paint) => demoText(tour, paint) };
    } finally {
      await practice.close();
    }
  },
});

/** The second half of the story, with a login of its own. */
async function damagedAndBack(
  ctx: CommandContext,
  vault: import('../../vault/vault.ts').Vault,
  practice: { url: string; accessToken: string },
  folder: string,
) {
  const { connect } = await import('../../salesforce/connect.ts');
  const { recover } = await import('../demo-recovery.ts');
  const org = await connect(ctx, { kind: 'token', accessToken: practice.accessToken, instanceUrl: practice.url });
  try {
    return await recover(ctx, { vault, org, folder });
  } finally {
    await org.close();
  }
}

/** The folder, or the next free one: a demo never touches an earlier one. */
function freshFolder(wanted: string): string {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? wanted : `${wanted}-${n}`;
    if (!existsSync(folder)) return folder;
  }
}

/** Relative to the working folder where that is shorter. */
function shown(place: string): string {
  const relative = path.relative(process.cwd(), place);
  return relative.startsWith('..') ? place : `./${relative.split(path.sep).join('/')}`;
}

type Store = Awaited<ReturnType<typeof import('../../store/open.ts')['openStore']>>;

async function makeVault(
  ctx: CommandContext,
  store: Store,
  probe: object & { conditionalCreate: boolean },
  folder: string,
  vault: string,
) {
  const { init } = await import('../../operations/init.ts');
  const file = (name: string) => path.join(folder, name);
  const kit = (
    secrets: {
      vaultId: string;
      rootFingerprint: string;
      identities: readonly { identity: string; recipient: string }[];
    },
    head?: { seq: number; digest: string },
  ) => recoveryKit({ ...secrets, ...secrets.identities[1]!, vault, head, made: ctx.now().toISOString() });
  const made = await init(
    ctx,
    store,
    { ...probe },
    {
      recipients: [],
      acceptOneKey: false,
      singleWriter: false,
      tool: ctx.tool,
      keep: async (secrets) => {
        const [first] = secrets.identities;
        await writeKeyFile(file('writer.key'), `${secrets.writerKey}\n`);
        await writeKeyFile(file('identity.key'), `# public key: ${first!.recipient}\n${first!.identity}\n`);
        await writeKeyFile(file('recovery-kit.txt'), kit(secrets));
      },
    },
  );
  await replaceKeyFile(file('recovery-kit.txt'), kit(made, made.head));
  const config = { vault: './vault', rootFingerprint: made.rootFingerprint, identity: ['./identity.key'] };
  await writeFile(file('salvor.config.json'), `${JSON.stringify(config, null, 2)}\n`);
  return made;
}

async function takePoint(
  ctx: CommandContext,
  store: Store,
  keys: { rootFingerprint: string; writerKey: string },
  practice: { url: string; accessToken: string },
) {
  const { Vault } = await import('../../vault/vault.ts');
  const { connect } = await import('../../salesforce/connect.ts');
  const { backup } = await import('../../operations/backup/backup.ts');
  const vault = await Vault.open(store, { ...keys, operation: 'write' });
  const org = await connect(ctx, { kind: 'token', accessToken: practice.accessToken, instanceUrl: practice.url });
  try {
    const policy = { objects: [], exclude: [] };
    return await backup(ctx, org, vault, {
      policy,
      accept: [],
      tags: ['demo'],
      files: true,
      full: false,
      parallel: 4,
      tool: ctx.tool,
    });
  } finally {
    await org.close();
  }
}

export interface ByHand {
  readonly command: string;
  /** The first lines of the segment, cut to the terminal. */
  readonly lines: readonly string[];
}

/** Opens the first segment of accounts with programs that know nothing of salvor; undefined when they are not installed. */
async function openByHand(
  vault: import('../../vault/vault.ts').Vault,
  folder: string,
  vaultFolder: string,
): Promise<ByHand | undefined> {
  const there = ['age', 'zstd'].every((program) => spawnSync(program, ['--version']).status === 0);
  if (!there) return undefined;
  const { points } = await vault.state();
  const account = (await vault.root(points.at(-1)!)).objects.find(({ object }) => object === 'Account');
  if (!account?.page) return undefined;
  const [segment] = (await vault.map(account.page)).base;
  const wrap = 'keys/e0001/r0001.age';
  const epoch = spawnSync('age', ['-d', '-i', path.join(folder, 'identity.key'), path.join(vaultFolder, wrap)]);
  const csv = spawnSync('age', ['-d', '-i', '-', path.join(vaultFolder, segment!.key)], {
    input: epoch.stdout,
    maxBuffer: 1 << 28,
  });
  const text = spawnSync('zstd', ['-dc'], { input: csv.stdout, maxBuffer: 1 << 28 }).stdout.toString('utf8');
  return {
    command: `age -d -i identity.key vault/${wrap} | age -d -i - vault/${segment!.key} | zstd -dc | head -n 3`,
    lines: text.split('\n').slice(0, 3),
  };
}
