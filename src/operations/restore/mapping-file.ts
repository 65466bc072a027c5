import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Fault, systemCode } from '../../errors.ts';
import type { MappingRule } from './mapping.ts';

const fileSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** Object -> name or Id in the point -> name or Id in the org. Throws `usage`. */
export async function readMappingFile(file: string): Promise<MappingRule[]> {
  const wrong = (why: string, cause?: unknown) =>
    new Fault('usage', `the mapping file ${file} ${why}`, {
      cause,
      actions: [
        'write it as {"User": {"ann@example.com": "ann@example.com.uat"}, "RecordType": {"Case.Support": "Case.Help"}}',
      ],
    });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw wrong(
      cause instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${systemCode(cause) ?? 'unknown error'}`,
      cause,
    );
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw wrong('does not have the form of one', parsed.error);
  return Object.entries(parsed.data).flatMap(([object, pairs]) =>
    Object.entries(pairs).map(([from, to]) => ({ object, from, to })),
  );
}
