import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Describe } from './database.ts';
import { completeDescribe } from './describe.ts';

/** A file, or a part of one, that could not be used, and why. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

export interface RecordedDescribe {
  readonly describe: Describe;
  readonly file: string;
}

/** All files below a folder, as paths from it with `/`, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

/**
 * The recorded describes in a folder: one object a file, or trimmed ones under `standard`. Of several of the same object the
 * one of the newest API version counts. What was recorded is kept, key by key; keys that were trimmed away are filled in,
 * key prefixes from `prefixes` by object name.
 */
export async function readDescribes(
  folder: string,
  prefixes: ReadonlyMap<string, string>,
): Promise<{ found: RecordedDescribe[]; skipped: Skipped[] }> {
  const byName = new Map<string, RecordedDescribe>();
  const skipped: Skipped[] = [];
  for (const file of await filesBelow(folder)) {
    if (!file.endsWith('.json')) {
      skipped.push({ file, reason: 'not a JSON file' });
      continue;
    }
    const json = await readJson(path.join(folder, file));
    const describes = isDescribe(json) ? [json] : (trimmed(json) ?? []);
    if (describes.length === 0)
      skipped.push({ file, reason: json === undefined ? 'not valid JSON' : 'not an sObject describe' });
    for (const describe of describes) {
      const before = byName.get(describe.name);
      const newer = !before || rank(describe) > rank(before.describe);
      const [kept, other] = newer ? [file, before?.file] : [before.file, file];
      if (other !== undefined) skipped.push({ file: other, reason: `${describe.name} is taken from ${kept}` });
      if (newer) byName.set(describe.name, { describe, file });
    }
  }
  const found = [...byName.values()].map(({ describe, file }) => ({
    describe: completeDescribe(describe, prefixes.get(describe.name) ?? null),
    file,
  }));
  return { found, skipped };
}

/** The parsed file, or undefined when it is not JSON. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isDescribe(json: unknown): json is Describe {
  const found = json as Partial<Describe> | null | undefined;
  return typeof found === 'object' && found !== null && typeof found.name === 'string' && Array.isArray(found.fields);
}

function trimmed(json: unknown): Describe[] | undefined {
  const standard = (json as { standard?: unknown } | null | undefined)?.standard;
  return Array.isArray(standard) ? standard.filter(isDescribe) : undefined;
}

/** The API version in its URLs; whole describes come before trimmed ones. */
function rank(describe: Describe): number {
  const version = /\/v(\d+)/.exec(JSON.stringify(describe.urls ?? ''));
  return Object.keys(describe).length > 20 ? 1 + Number(version?.[1] ?? 0) : 0;
}
