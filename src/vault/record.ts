import { z } from 'zod';
import { Fault } from '../errors.ts';
import type { Role } from './trust.ts';

/** An object of the vault, held by a signed document: its key, its size and the SHA-256 of its stored bytes. */
export const refSchema = z.strictObject({
  key: z.string(),
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Ref = z.infer<typeof refSchema>;

/** Kinds of log records and who may sign them. */
export const kinds = {
  point: ['writer', 'admin'],
  restore: ['writer', 'admin'],
  attest: ['writer', 'admin'],
  access: ['writer', 'admin'],
  epoch: ['admin'],
  retire: ['admin', 'pruner'],
  unretire: ['admin', 'pruner'],
  sweep: ['admin', 'pruner'],
  swept: ['admin', 'pruner'],
  keep: ['admin', 'pruner'],
  hold: ['admin', 'pruner'],
  quarantine: ['admin'],
  checkpoint: ['admin'],
} as const satisfies Record<string, readonly Role[]>;
export type Kind = keyof typeof kinds;

/** One log record's first line. Strict: an unknown key makes the record unreadable for this version. */
const recordSchema = z.strictObject({
  v: z.number().int(),
  kind: z.enum(Object.keys(kinds) as [Kind, ...Kind[]]),
  vault: z.string(),
  seq: z.number().int().positive(),
  /** SHA-256 of the whole newest record before it that verified when it was written; empty for the first. */
  prev: z.string(),
  point: z.string().optional(),
  restore: z.string().optional(),
  points: z.array(z.string()).optional(),
  /**
   * epoch: the wraps of the epoch's identity and of the admin keys; attest: the attestation; access: its detail; sweep and swept: the lists of the objects
   * that are let go.
   */
  keys: z.array(refSchema).optional(),
  refs: refSchema.optional(),
  epoch: z.number().int().positive(),
  /** epoch: the age recipient that data of this epoch is encrypted to. */
  recipient: z.string().optional(),
  /** retire: nothing is let go before it; keep and hold: how long, for ever without it; not behind `ended`: released. */
  until: z.iso.datetime().optional(),
  started: z.string(),
  ended: z.string(),
  /** Id of the signing key in `trust/`. */
  writer: z.string(),
  tool: z.string(),
});
export type LogRecord = z.infer<typeof recordSchema>;
export type NewRecord = Omit<LogRecord, 'v' | 'vault' | 'seq' | 'prev' | 'writer'>;

const order = [
  'v',
  'kind',
  'vault',
  'seq',
  'prev',
  'point',
  'restore',
  'points',
  'keys',
  'refs',
  'epoch',
  'recipient',
  'until',
  'started',
  'ended',
  'writer',
  'tool',
] as const;

/** The record with its keys in the format's order. */
export function ordered(record: LogRecord): LogRecord {
  return Object.fromEntries(
    order.filter((key) => record[key] !== undefined).map((key) => [key, record[key]]),
  ) as LogRecord;
}

/** Throws `newer-format` for a later version, `signature-invalid` for anything that is not a record. */
export function parseRecord(key: string, value: unknown): LogRecord {
  const v = (value as { v?: unknown } | null)?.v;
  if (typeof v === 'number' && v > 1) {
    throw new Fault('newer-format', `${key} is written in vault format ${v}; this salvor reads format 1`, {
      data: { key },
    });
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success)
    throw new Fault('signature-invalid', `${key} is not a log record`, { cause: parsed.error, data: { key } });
  return parsed.data;
}

export function rolesFor(value: unknown): readonly Role[] {
  const kind = (value as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind as Kind] : [];
}
