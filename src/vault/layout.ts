/** The only place that spells the names of a vault's objects (FORMAT.md, "Layout"). */

export const readme = 'README.txt';
export const vaultFile = 'vault.json';

const digits = (n: number, width: number) => String(n).padStart(width, '0');

export const trustFile = (number: number) => `trust/${digits(number, 4)}`;
export const epochWrap = (epoch: number, wrap: number) => `keys/e${digits(epoch, 4)}/r${digits(wrap, 4)}.age`;
export const adminWrap = (wrap: number) => `keys/admin/r${digits(wrap, 4)}.age`;
export const logRecord = (seq: number) => `log/${digits(seq, 20)}`;
export const seqOf = (key: string) => Number(/^log\/(\d{20})$/.exec(key)?.[1] ?? Number.NaN);

export const pointRoot = (point: string) => `points/${point}/root.json.zst.age`;
/** The names that a point's root may have: as it is written, and uncompressed, as it was before. */
export const pointRoots = (point: string): readonly string[] => [pointRoot(point), `points/${point}/root.json.age`];
export const pointRefs = (point: string) => `points/${point}/refs.zst`;

export type PageKind = 'map' | 'schema' | 'files';
export const page = (kind: PageKind, sha256: string) => `pages/${sha256}.${kind}.zst.age`;
export const pageRefs = (sha256: string) => `pages/${sha256}.refs.zst`;

const numbered = (folder: string, suffix: string) => (point: string, number: number, sha256: string) =>
  `${folder}/${point}/${digits(number, 5)}-${sha256}${suffix}`;
export const segment = numbered('data', '.csv.zst.age');
export const indexTwin = numbered('index', '.idx.zst.age');
export const gone = numbered('gone', '.csv.zst.age');
export const pack = numbered('files', '.tar.age');
export const filePart = (point: string, number: number, part: number, sha256: string) =>
  `files/${point}/${digits(number, 5)}.age.${digits(part, 3)}-${sha256}`;
export const detail = (point: string, sha256: string) => `detail/${point}-${sha256}.json.zst.age`;

export const runPrefix = (point: string) => `runs/${point}/`;
export const runEntry = (point: string, number: number, sha256: string) =>
  `runs/${point}/${digits(number, 5)}-${sha256}.zst.age`;
export const lease = (point: string, number: number, sha256: string) =>
  `runs/${point}/lease-${digits(number, 5)}-${sha256}`;

/** Leases of watches: not of one run, and no run's name. */
export const watchPrefix = 'runs/watch/';
export const watchLease = (number: number, sha256: string) => `${watchPrefix}lease-${digits(number, 16)}-${sha256}`;

export const restoreFolder = 'restores/';
export const restorePrefix = (restore: string) => `restores/${restore}/`;
/** Without a digest: a number that is taken tells a second process that it is not alone. */
export const restoreEntry = (restore: string, number: number) => `restores/${restore}/${digits(number, 6)}.zst.age`;
export const restorePart = (restore: string, number: number, sha256: string) =>
  `restores/${restore}/part-${digits(number, 6)}-${sha256}.zst.age`;
export const restoreLease = (restore: string, number: number, sha256: string) =>
  `restores/${restore}/lease-${digits(number, 5)}-${sha256}`;
export const restoreRefs = (restore: string, sha256: string) => `restores/${restore}/refs-${sha256}.zst`;

export const sweepList = (time: string, sha256: string) => `sweeps/${time}-${sha256}.zst`;

export const attestation = (time: string, sha256: string) => `attest/${time}-${sha256}`;

export const accessDetail = (time: string, sha256: string) => `access/${time}-${sha256}.json.age`;

/** The SHA-256 (of the stored bytes) that an object's name carries, or undefined for names without one. */
export function digestIn(key: string): string | undefined {
  return /(?:^|[/-])([0-9a-f]{64})(?:\.|$)/.exec(key)?.[1];
}

/** Clocks of servers that answer for one org may differ by so much, in milliseconds. */
const nearMs = 60_000;

/**
 * A point's id, minted at its start: `YYYYMMDDTHHMMSSZ-<6 hex>`; sorts by time. Of two points that begin in one second the second sorts behind
 * the first when it is told of it by `others`, ids that are in the vault; so it does when the newest of them is less than a minute ahead.
 */
export function mintPoint(started: Date, random: Buffer, others: readonly string[] = []): string {
  const ahead = compactTime(new Date(started.getTime() + nearMs));
  let second = compactTime(started);
  for (const point of others) if (point > second && point.slice(0, 16) <= ahead) second = point.slice(0, 16);
  return inSecond(new Date(timeIn(second)), random, others);
}

/** When a point or a run began, by its id, in milliseconds. */
export function timeIn(id: string): number {
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'));
}

function inSecond(started: Date, random: Buffer, others: readonly string[]): string {
  const second = `${compactTime(started)}-`;
  const taken = others.filter((point) => point.startsWith(second)).map((point) => Number.parseInt(point.slice(-6), 16));
  const from = Math.max(-1, ...taken) + 1;
  const left = 0x1000000 - from;
  // Nothing is left behind ffffff: the next second is as good.
  if (left <= 0) return inSecond(new Date(started.getTime() + 1000), random, others);
  return `${second}${(from + (random.readUIntBE(0, 3) % left)).toString(16).padStart(6, '0')}`;
}

/** A restore's id, minted when it begins: `R` and the form of a point's. */
export function mintRestore(started: Date, random: Buffer): string {
  return `R${mintPoint(started, random)}`;
}

/** `20261123T224100Z` */
export function compactTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

export const pointPattern = /^\d{8}T\d{6}Z-[0-9a-f]{6}$/;
export const restorePattern = /^R\d{8}T\d{6}Z-[0-9a-f]{6}$/;
