import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bounds, type Reached, type Torment, torture } from './torment.ts';
import { torments } from './torments.ts';

interface Task {
  readonly name: string;
  readonly bounds: Bounds;
}

type Told = Omit<Reached, 'torment' | 'struck'> & { readonly struck: readonly (readonly [string, number])[] };

/** `torture` in a process of its own, beside others. Rejects when the process ends without telling what came of it. */
export async function apart(torment: Torment, bounds: Bounds): Promise<Reached> {
  const child = fork(import.meta.filename, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const told = once(child, 'message') as Promise<[Told]>;
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  child.send({ name: torment.name, bounds } satisfies Task);
  const answer = await Promise.race([told, ended]);
  if (typeof answer[0] !== 'object' || answer[0] === null)
    throw new Error(`${torment.name} ended with ${answer.join(', ')} and told nothing`);
  const { struck, ...rest } = answer[0];
  await ended;
  return { torment, struck: new Map(struck), ...rest };
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const [{ name, bounds }] = (await once(process, 'message')) as [Task];
  const { torment: _, struck, ...rest } = await torture(torments.find((one) => one.name === name)!, bounds);
  process.send({ ...rest, struck: [...struck] } satisfies Told, () => process.exit(0));
}
