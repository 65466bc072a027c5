import { statSync } from 'node:fs';
import { Fault, systemCode } from '../../errors.ts';
import type { Database } from '../../practice-org/database.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { count, countOf } from '../output/figures.ts';

export const practiceOrg = defineCommand({
  name: 'practice-org',
  summary: 'run the embedded org on its own',
  description:
    "An org on this machine that speaks Salesforce's protocols. What is in it is made up; nothing leaves the machine.",
  flags: {
    port: {
      value: 'number',
      kind: 'integer',
      most: 65_535,
      default: 0,
      summary: 'port on the loopback address; 0 takes a free one',
    },
    seed: {
      value: 'number',
      kind: 'integer',
      default: 1,
      summary: 'another number makes another org of the same kind',
    },
    scale: { value: 'Object=rows', repeatable: true, summary: 'volume of one object' },
    'person-accounts': { summary: 'with person accounts' },
    'every-kind': { summary: 'with objects that few orgs use: Knowledge, ideas, feeds, several currencies …' },
    'largest-file': { value: 'MiB', kind: 'integer', default: 40, summary: 'size of the largest file, up to 2047' },
    describes: { value: 'folder', kind: 'path', summary: 'build the org from recorded describes instead' },
    datasets: { value: 'folder', kind: 'path', summary: 'fill the org of --describes with the records of this folder' },
    order: {
      value: 'order',
      choices: ['ascending', 'chunked', 'shuffled'],
      default: 'chunked',
      summary: 'order of rows in bulk results, which Salesforce does not promise',
    },
  },
  examples: [
    {
      command: 'salvor practice-org --scale Account=1000000',
      summary: 'a million accounts, there at once: rows are computed',
    },
  ],
  async run(ctx, { flags }) {
    const { startPracticeOrg } = await import('../../practice-org/server.ts');
    const database = await databaseOf(ctx, flags, volumes(flags.scale));
    const org = await startPracticeOrg(database, { port: flags.port, seed: flags.seed, rowOrder: flags.order }).catch(
      (cause) => {
        if (systemCode(cause) !== 'EADDRINUSE') throw cause;
        throw new Fault('usage', `port ${flags.port} is taken`, {
          actions: ['choose another --port; 0 takes a free one'],
          cause,
        });
      },
    );
    const environment = { SF_ORG_INSTANCE_URL: org.url, SF_ACCESS_TOKEN: org.accessToken };
    const rows = [...database.tables.values()].reduce((sum, { source }) => sum + source.size, 0);
    return {
      result: {
        url: org.url,
        accessToken: org.accessToken,
        orgId: org.facts.organizationId,
        username: org.facts.username,
        clientId: org.clientId,
        clientSecret: org.clientSecret,
        refreshToken: org.refreshToken,
        objects: database.tables.size,
        rows,
        environment,
      },
      human: (paint) =>
        [
          `${paint.good('✔')} practice org at ${paint.strong(org.url)}: ${count(database.tables.size)} objects, ${countOf(rows, 'row')}`,
          paint.faint('paste these lines into another terminal; Ctrl-C ends the org'),
          ...Object.entries(environment).map(([name, value]) => exportLine(name, value)),
        ].join('\n'),
      async serve() {
        if (!ctx.signal.aborted)
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
        await org.close();
      },
    };
  },
});

interface DatabaseFlags {
  readonly seed: number;
  readonly personAccounts: boolean;
  readonly everyKind: boolean;
  readonly largestFile: number;
  readonly describes: string | undefined;
  readonly datasets: string | undefined;
}

/** The sample org, or an org of recorded describes and data sets; what could not be taken from those is told. */
async function databaseOf(ctx: CommandContext, flags: DatabaseFlags, scale: Record<string, number>): Promise<Database> {
  const { seed, personAccounts, everyKind, largestFile, describes, datasets } = flags;
  if (largestFile < 1 || largestFile > 2047) throw new Fault('usage', '--largest-file has to be between 1 and 2047');
  if (describes === undefined && datasets === undefined) {
    const { sampleDatabase } = await import('../../practice-org/generate.ts');
    return sampleDatabase({ seed, scale, personAccounts, everyKind, largestFile: largestFile * 1024 * 1024 });
  }
  if (personAccounts || everyKind || Object.keys(scale).length > 0) {
    throw new Fault(
      'usage',
      '--scale, --person-accounts and --every-kind belong to the sample org, not to --describes and --datasets',
    );
  }
  for (const folder of [describes, datasets]) {
    if (folder !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Fault('usage', `there is no folder ${folder}`);
    }
  }
  const { loadDatabase } = await import('../../practice-org/load.ts');
  const { database, skipped } = await loadDatabase({ seed, describes, datasets });
  for (const { file, reason } of skipped)
    ctx.report({ type: 'warning', name: 'left-out', message: `${file}: ${reason}` });
  return database;
}

/** The token holds a `!`, which shells read inside double quotes. */
function exportLine(name: string, value: string): string {
  return process.platform === 'win32' ? `$env:${name} = '${value}'` : `export ${name}='${value}'`;
}

function volumes(scale: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    scale.map((text) => {
      const match = /^(\w+)=(\d+)$/.exec(text);
      if (!match)
        throw new Fault('usage', `--scale wants Object=rows, not ${JSON.stringify(text)}`, {
          actions: ['as in --scale Account=1000000'],
        });
      return [match[1]!, Number(match[2])];
    }),
  );
}
