import type { Command, CommandContext, Outcome } from '../command.ts';
import type { Failure } from '../failure.ts';
import type { Scope } from './notify.ts';

/** Runs a command and has its end told to those whom `notify` in the config names. `shown`: an error as it may be shown. */
export async function notified(
  ctx: CommandContext,
  command: Pick<Command, 'name' | 'notifies'>,
  shown: (error: unknown) => Promise<Failure>,
  run: () => Promise<Outcome>,
  scope: Scope = 'whole',
): Promise<Outcome> {
  if (!command.notifies || ctx.config.values.notify === undefined) return run();
  const { notify, occasionOf } = await import('./notify.ts');
  const tell = async (error: unknown, outcome?: Outcome) => {
    if (outcome?.unnotified) return;
    const failure = error === undefined ? undefined : await shown(error);
    const occasion = occasionOf(failure, outcome !== undefined);
    if (occasion === undefined) return;
    const { point } = (outcome?.result ?? {}) as { point?: { id?: string } };
    // What keeps all orgs from being begun with is about none of them.
    const about = scope === 'all orgs' && !outcome ? 'whole' : scope;
    const told = {
      occasion,
      command: command.name,
      status: failure?.exit ?? 0,
      ...(failure ? { name: failure.name } : {}),
      message: failure?.message ?? 'the work was done',
      actions: failure?.actions ?? [],
      point: point?.id ?? null,
    };
    await notify(ctx, told, about);
  };
  let outcome: Outcome;
  try {
    outcome = await run();
  } catch (error) {
    await tell(error);
    throw error;
  }
  await tell(outcome.fault, outcome);
  return outcome;
}
