import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { mintPoint } from '../../vault/layout.ts';
import { leftOutSchema, rootObjectSchema } from '../../vault/manifest.ts';
import { refSchema } from '../../vault/record.ts';
import { findRuns, Run } from '../../vault/run.ts';
import type { Vault } from '../../vault/vault.ts';
import type { BackupRequest } from './request.ts';

const startSchema = z.object({ type: z.literal('start'), orgId: z.string(), request: z.string(), started: z.string() });
/** An object that is finished but for its files. */
const objectSchema = z.object({
  type: z.literal('object'),
  object: rootObjectSchema,
  /** Schema page that the object's page refers to. */
  schema: refSchema.optional(),
  /** Everything stored for it. */
  written: z.array(refSchema),
  /** Fields hidden from the user. */
  hidden: z.array(leftOutSchema),
  numbers: z.record(z.string(), z.number()),
});
const filesSchema = z.object({
  type: z.literal('files'),
  page: refSchema,
  refs: refSchema,
  stored: z.array(refSchema),
  count: z.number(),
  bytes: z.number(),
  numbers: z.record(z.string(), z.number()),
});
/** An object of which the org answers no query. */
const refusedSchema = z.object({ type: z.literal('refused'), object: z.string(), reason: z.string() });
const entrySchema = z.discriminatedUnion('type', [startSchema, objectSchema, refusedSchema, filesSchema]);
export type JournalRefused = z.infer<typeof refusedSchema>;
export type JournalObject = z.infer<typeof objectSchema>;
export type JournalFiles = z.infer<typeof filesSchema>;

/** What an unfinished run has done; the objects in it are not read again. */
export interface Journal {
  readonly run: Run;
  readonly started: Date;
  readonly objects: readonly JournalObject[];
  readonly refused: readonly JournalRefused[];
  readonly files: readonly JournalFiles[];
  readonly numbers: Readonly<Record<string, number>>;
  readonly resumed: boolean;
}

/**
 * Opens the journal of the newest unfinished run of the same org and the same request, or begins a new run. Throws `lease-held` when
 * another run works on this vault.
 */
export async function openJournal(
  ctx: Context,
  vault: Vault,
  orgId: string,
  request: BackupRequest,
  resume: boolean,
  random: Buffer,
): Promise<Journal> {
  const { points } = await vault.state();
  const sealed = new Set(points.map(({ record }) => record.point!));
  const { recipient } = await vault.epoch();
  const recipients = [recipient, ...vault.writerRecipients];
  const digest = requestDigest(request);
  const runs = await findRuns(vault.store, await vault.manifestIdentities(), sealed, ctx.now());
  const held = runs.find(({ heldBy }) => heldBy);
  if (held?.heldBy) {
    throw new Fault(
      'lease-held',
      `another run (${held.point}, on ${held.heldBy.host}) is writing to this vault since ${held.heldBy.at}`,
      {
        data: { point: held.point, expires: held.heldBy.expires },
      },
    );
  }
  for (const found of resume ? runs : []) {
    const entries = found.entries.map((entry) => entrySchema.parse(entry));
    const start = entries[0];
    if (start?.type !== 'start' || start.orgId !== orgId || start.request !== digest) continue;
    const objects = entries.filter((entry) => entry.type === 'object');
    const run = new Run(vault.store, recipients, found.point, entries.length);
    await run.hold(ctx.now);
    ctx.report({ type: 'resumed', point: found.point, objects: objects.length });
    return {
      run,
      started: new Date(start.started),
      objects,
      refused: entries.filter((entry) => entry.type === 'refused'),
      files: entries.filter((entry) => entry.type === 'files'),
      numbers: highest(entries.flatMap((entry) => ('numbers' in entry ? [entry.numbers] : []))),
      resumed: true,
    };
  }
  const started = ctx.now();
  const run = new Run(vault.store, recipients, mintPoint(started, random));
  await run.hold(ctx.now);
  await run.append({ type: 'start', orgId, request: digest, started: started.toISOString() } satisfies z.infer<
    typeof startSchema
  >);
  return { run, started, objects: [], refused: [], files: [], numbers: {}, resumed: false };
}

/** Two runs are one when they want the same: policy and files. Tags and speed may differ. */
function requestDigest({ policy, files }: BackupRequest): string {
  const wanted = { objects: [...policy.objects].sort(), exclude: [...policy.exclude].sort(), files };
  return createHash('sha256').update(JSON.stringify(wanted)).digest('hex');
}

function highest(all: readonly Record<string, number>[]): Record<string, number> {
  const result: Record<string, number> = {};
  // Numbers that the run had taken without finishing are skipped by a wide step: names carry digests, so gaps do no harm.
  for (const numbers of all)
    for (const [kind, n] of Object.entries(numbers)) result[kind] = Math.max(result[kind] ?? 0, n + 100);
  return result;
}
