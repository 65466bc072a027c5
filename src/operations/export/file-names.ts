import type { ObjectDescribe } from '../../schema/describe.ts';

/** Fields that say what a file was called, the best one first; `extension`: what stands behind the dot where the name has none. */
const naming: Readonly<Record<string, { names: readonly string[]; extension?: string }>> = {
  ContentVersion: { names: ['PathOnClient', 'Title'], extension: 'FileExtension' },
  Document: { names: ['Name'], extension: 'Type' },
};
const usual = { names: ['Name', 'Title'] };

/** Longer names are cut, in bytes: file systems take 255. */
const longestName = 200;

/** Which columns name the files of an object, of those that it has. */
export function nameColumns(describe: ObjectDescribe, held: readonly string[]): string[] {
  const { names, extension } = namingOf(describe.name);
  return [...names, ...(extension ? [extension] : [])].filter((name) => held.includes(name));
}

/** A file's own name, from the cells of `nameColumns`; `blob` where the row says none. It never leaves the folder it is put into. */
export function fileName(object: string, columns: readonly string[], cells: readonly string[], blob: string): string {
  const { names, extension } = namingOf(object);
  const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
  const named = names.map(cell).find((value) => value.trim() !== '') ?? blob;
  // What a browser of Windows sent may be a whole path.
  const last = named.split(/[/\\]/).at(-1)!;
  const suffix = extension === undefined ? '' : safe(cell(extension));
  const whole = suffix !== '' && !last.toLowerCase().endsWith(`.${suffix.toLowerCase()}`) ? `${last}.${suffix}` : last;
  return shortened(safe(whole)) || blob;
}

function namingOf(object: string): { names: readonly string[]; extension?: string } {
  return naming[object] ?? usual;
}

const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Without what some file system refuses: control characters, `<>:"|?*`, dots and spaces at its end, names of devices. */
function safe(name: string): string {
  const clean = name.replaceAll(/[\p{Cc}\p{Cf}<>:"|?*/\\]/gu, '_').replaceAll(/[ .]+$/g, '');
  return reserved.test(clean) ? `_${clean}` : clean;
}

/** Cut in front of the extension. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= 12 ? name.slice(dot) : '';
  let stem = [...name.slice(0, name.length - extension.length)];
  while (Buffer.byteLength(stem.join('') + extension) > longestName)
    stem = stem.slice(0, Math.floor(stem.length * 0.9));
  return stem.join('') + extension;
}
