import path from 'node:path';
import { isFault } from '../../errors.ts';
import type { CommandContext } from '../command.ts';
import type { Failure } from '../failure.ts';
import { fromFolder } from '../flags.ts';
import { readSecret } from '../secrets.ts';
import { sendMail } from './mail.ts';
import { type Notification, NotSent } from './notification.ts';
import type { Channel, Occasion } from './schema.ts';
import { beat, post } from './webhook.ts';

/**
 * What a notification is about. Of several orgs in one run each tells its own end; but a heartbeat is one for all, or it would go on while one of them has no points:
 * it is asked for when all of them are through.
 */
export type Scope = 'whole' | 'one of the orgs' | 'all orgs';

const usual: readonly Occasion[] = ['failure', 'partial', 'alert'];

/** The occasion of an exit code; undefined: a person stopped it, and knows. `worked`: work was done in spite of the failure. */
export function occasionOf(failure: Pick<Failure, 'exit'> | undefined, worked: boolean): Occasion | undefined {
  if (!failure) return 'success';
  if (failure.exit === 130) return undefined;
  if (worked && failure.exit === 3) return 'partial';
  return worked && failure.exit === 7 ? 'alert' : 'failure';
}

/**
 * Tells every channel of the config that wants this occasion, all at once, each within some seconds. One that cannot be told is a warning and nothing else: the work is done.
 */
export async function notify(
  ctx: Pick<CommandContext, 'config' | 'environment' | 'global' | 'report' | 'now' | 'tool'>,
  of: Omit<Notification, 'org' | 'time' | 'tool'>,
  scope: Scope = 'whole',
): Promise<void> {
  const configured = (ctx.config.values.notify ?? []) as readonly Channel[];
  const channels = configured.filter(
    ({ kind }) => scope === 'whole' || (kind === 'heartbeat') === (scope === 'all orgs'),
  );
  const org = ctx.global.targetOrg ?? null;
  const notification: Notification = { ...of, org, time: ctx.now().toISOString(), tool: ctx.tool };
  const wanted = channels.filter((channel) =>
    channel.kind === 'heartbeat' ? of.occasion === 'success' : (channel.on ?? usual).includes(of.occasion),
  );
  const warn = (message: string) => ctx.report({ type: 'warning', name: 'not-notified', message });
  await Promise.all(
    wanted.map(async (channel) => {
      try {
        await send(ctx, channel, notification, warn);
      } catch (error) {
        if (!(error instanceof NotSent) && !isFault(error)) throw error;
        warn(`nobody was told by ${channel.kind}: ${error.message}`);
      }
    }),
  );
}

async function send(
  ctx: Parameters<typeof notify>[0],
  channel: Channel,
  notification: Notification,
  warn: (message: string) => void,
): Promise<void> {
  const secret = async (env: string | undefined, file: string | undefined) => {
    const folder = ctx.config.file === undefined ? '.' : path.dirname(ctx.config.file);
    const place = file === undefined ? undefined : fromFolder(file, folder);
    const { value, warnings } = await readSecret(
      { ...(env === undefined ? {} : { env }), ...(place === undefined ? {} : { file: place }) },
      ctx.environment,
    );
    warnings.forEach(warn);
    return value?.trim() || undefined;
  };
  if (channel.kind === 'email') {
    const password = await secret(channel.passwordEnv, channel.passwordFile);
    return sendMail(channel, password, notification);
  }
  const url = await secret(channel.urlEnv, channel.urlFile);
  if (url === undefined)
    throw new NotSent(`there is no URL in ${channel.urlEnv ?? channel.urlFile ?? 'urlEnv or urlFile'}`);
  if (channel.kind === 'heartbeat') return beat(url, channel.method ?? 'GET');
  return post(url, channel.format ?? 'json', notification);
}
