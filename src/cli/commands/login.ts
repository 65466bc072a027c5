import { Fault } from '../../errors.ts';
import type { Login } from '../../salesforce/connect.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { type LoginSettings, loginFrom } from '../login.ts';
import { openKeychain } from '../secrets.ts';
import { placeName, storeLogin } from '../stored-login.ts';

export const login = defineCommand({
  name: 'login',
  summary: 'authorise an org once; secrets go to the OS keychain',
  description:
    'With a key or a secret it logs in without a person (best for nightly jobs); with a client id alone it opens a web login.',
  flags: {
    alias: { value: 'name', summary: 'the name for --target-org; the username unless told' },
    'client-id': { value: 'key', summary: 'consumer key of the connected app or external client app' },
    'client-secret': { secret: true, summary: 'consumer secret of the app' },
    'client-secret-file': { value: 'file', kind: 'path', summary: 'file with the consumer secret of the app' },
    'jwt-key-file': { value: 'file', kind: 'path', summary: 'private key of the app, for JWT bearer' },
    username: { value: 'name', summary: 'who logs in, for JWT bearer' },
    'instance-url': { value: 'url', summary: 'the org or login host, as https://example.my.salesforce.com' },
    'sfdx-url-file': { value: 'file', kind: 'path', summary: 'file with an SFDX auth URL (force://…)' },
    store: { value: 'place', choices: ['keychain', 'file'], default: 'keychain', summary: 'where the login is kept' },
  },
  examples: [
    {
      command: 'salvor login --alias prod --client-id 3MVG9… --jwt-key-file server.key --username backup@example.com',
      summary: 'JWT bearer',
    },
    {
      command: 'salvor login --alias prod --client-id 3MVG9… --instance-url https://example.my.salesforce.com',
      summary: 'web login, or client credentials when SALVOR_CLIENT_SECRET is set',
    },
  ],
  exits: [68],
  async run(ctx, { flags }) {
    // before a person goes through a web login: is there a place for what comes out?
    if (flags.store === 'keychain') await provenKeychain();
    const { connect } = await import('../../salesforce/connect.ts');
    let kept = await storable(await chosen(ctx, flags));
    const org = await connect(ctx, kept, {
      apiVersion: ctx.global.apiVersion,
      onRotate: (refreshToken) => {
        if (kept.kind === 'web') kept = fromWeb(kept, refreshToken);
        else if (kept.kind === 'refresh') kept = { ...kept, refreshToken };
      },
    });
    try {
      const { orgId, username, instanceUrl, isSandbox, organizationName, apiVersion } = org.identity;
      if (kept.kind === 'web') {
        throw new Fault('login-failed', 'the org gave no refresh token', {
          actions: ['give the app the scope refresh_token'],
        });
      }
      const alias = flags.alias ?? username;
      await storeLogin(ctx, { alias, login: kept, orgId, username }, flags.store);
      const stored = placeName(ctx, alias, flags.store);
      return {
        result: {
          alias,
          orgId,
          organizationName,
          username,
          instanceUrl,
          isSandbox,
          apiVersion,
          kind: kept.kind,
          stored,
        },
        human: (paint) =>
          `${paint.good('✔')} logged in to ${paint.strong(paint.printable(organizationName))} as ${username}\n` +
          `  kept in ${stored} as ${alias}\n` +
          paint.next(`salvor backup -o ${alias}`, 'take a recovery point'),
      };
    } finally {
      await org.close();
    }
  },
});

async function provenKeychain(): Promise<void> {
  try {
    await openKeychain();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new Fault('keychain-unavailable', cause.message, {
      actions: ['keep the login in a file that only you can read: --store file', ...cause.actions],
      cause,
    });
  }
}

async function chosen(ctx: CommandContext, flags: LoginSettings): Promise<Login> {
  const url = ctx.environment.SFDX_AUTH_URL;
  const described = await loginFrom(ctx, flags);
  if (described) return described;
  if (url && flags.clientId === undefined) return { kind: 'sfdxAuthUrl', url };
  const clientId = flags.clientId ?? (await ctx.prompt.text('consumer key of the app', '--client-id'));
  return {
    kind: 'web',
    clientId,
    loginUrl: flags.instanceUrl,
    show: (address) => ctx.report({ type: 'note', message: `open this address in a browser:\n${address}` }),
  };
}

/** The same login in the form in which its refresh token can be replaced. */
async function storable(given: Login): Promise<Login> {
  if (given.kind !== 'sfdxAuthUrl') return given;
  const { parseSfdxAuthUrl } = await import('../../salesforce/connect.ts');
  return { kind: 'refresh', ...parseSfdxAuthUrl(given.url) };
}

function fromWeb(web: Extract<Login, { kind: 'web' }>, refreshToken: string): Login {
  const { clientId, clientSecret, loginUrl } = web;
  return { kind: 'refresh', clientId, clientSecret, loginUrl, refreshToken };
}
