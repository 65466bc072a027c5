import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { parseQuotedCsv } from './foreign-csv.ts';
import { bash } from './foreign-reader.ts';
import type { Rig } from './rig.ts';

/** What the newest point of the vault holds. */
export const objects = ['Account', 'Contact', 'Attachment', 'ContentVersion', 'ContentDocument'];
export const database = sampleDatabase();

export interface ByHand {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Files that the commands made, by name. */
  readonly made: ReadonlyMap<string, Buffer>;
}

/**
 * Runs the commands of the vault's own README.txt in the vault's folder, as somebody would who has nothing but the recovery kit. `edited`: what
 * that person types in place of what stands there.
 */
export function byHand(vault: string, kit: string, edited = (commands: string) => commands): ByHand {
  copyFileSync(kit, path.join(vault, 'recovery.key'));
  const commands = readFileSync(path.join(vault, 'README.txt'), 'utf8')
    .split('\n')
    .filter((line) => /^ {6}\S/.test(line) || /^ {8}/.test(line))
    .join('\n');
  const script = `${edited(commands)}\necho "made in $W"\n`;
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], { cwd: vault, encoding: 'utf8' });
  const work = /made in (.*)\n$/.exec(stdout)?.[1];
  const made = new Map<string, Buffer>();
  if (work) {
    for (const name of readdirSync(work)) made.set(name, readFileSync(path.join(work, name)));
    rmSync(work, { recursive: true });
  }
  return { status, stdout, stderr, made };
}

export interface Filled {
  /** The recovery kit's file. */
  readonly kit: string;
  readonly rootFingerprint: string;
  /** The newest point. */
  readonly point: string;
  readonly files: number;
}

/** A vault with two points: one with other objects first, so that the newest has to be found. */
export async function filled(rig: Rig): Promise<Filled> {
  const made = await rig.init();
  const first = await rig.salvor('backup', '--json', '--objects', 'User');
  assert.equal(first.status, 0, first.stderr);
  const second = await rig.salvor('backup', '--json', '--objects', objects.join());
  assert.equal(second.status, 0, second.stderr);
  const { recoveryKeyFile, rootFingerprint } = made.json.result;
  const { id, files } = second.json.result.point;
  return { kit: recoveryKeyFile, rootFingerprint, point: id, files: files.count };
}

export function assertReadByHand(vault: string, facts: Filled): void {
  const ran = byHand(vault, facts.kit);
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(ran.stderr, '');

  const lines = ran.stdout.split('\n');
  assert.equal(lines[0], `256 ${facts.rootFingerprint} no comment (ED25519)`);
  assert.equal(lines[1], `Good "salvor-vault-v1" signature for root with ED25519 key ${facts.rootFingerprint}`);
  const records = readdirSync(path.join(vault, 'log')).sort();
  const good = lines.slice(2, 2 + records.length);
  for (const line of good)
    assert.match(line, /^Good "salvor-log-v1" signature for (admin|writer)-1 with ED25519 key SHA256:/);
  assert.equal(good.length, 3);

  const record = JSON.parse(readFileSync(path.join(vault, 'log', records.at(-1)!), 'utf8').split('\n')[0]!);
  assert.equal(record.point, facts.point);
  assert.equal(lines[5], `${record.refs.sha256}  points/${facts.point}/refs.zst`);
  assert.match(lines[6]!, /^made in /);

  const [columns, ...rows] = parseQuotedCsv(ran.made.get('account.csv')!.toString('utf8'));
  const { source } = database.tables.get('Account')!;
  const live = Array.from({ length: source.size }, (_, n) => source.row(n)).filter((row) => row.IsDeleted !== true);
  const name = columns!.indexOf('Name');
  assert.deepEqual(
    rows.map((cells) => [cells[0], cells[name]]),
    live.map(({ Id, Name }) => [Id, Name]),
  );
  const files = parseQuotedCsv(ran.made.get('files.csv')!.toString('utf8'));
  assert.deepEqual(files[0], ['Object', 'Id', 'Field', 'Size', 'Sha256', 'Stored', 'Entry']);
  assert.equal(files.length, 1 + facts.files);
  assert.deepEqual([...new Set(files.slice(1).map(([object]) => object))], ['Attachment', 'ContentVersion']);
  assert.equal(JSON.parse(ran.made.get('root.json')!.toString('utf8')).point, facts.point);
}

/** The bytes of a small and of a large file, fetched as section 6 of README.txt says. */
export function assertFilesByHand(vault: string, kit: string): void {
  const open = `W=$(mktemp -d); for wrap in keys/e0001/r*.age; do age -d -i "$1" "$wrap" > "$W/epoch.key" 2>/dev/null && break; done`;
  const { blob, source } = database.tables.get('ContentVersion')!;
  const list = bash(
    `${open}; zstd -dc points/*/refs.zst | grep -o 'pages/.*files.zst.age' | sort -u | while read -r page; do age -d -i "$W/epoch.key" "$page" | zstd -d; done`,
    [kit],
    vault,
  );
  const [, ...files] = parseQuotedCsv(list.toString('utf8'));
  for (const number of [1, source.size - 1]) {
    const id = String(source.row(number).Id);
    const [, , , size, sha256, stored, entry] = files.find((cells) => cells[1] === id)!;
    const read = entry === '' ? '' : '| tar -xOf - "$2"';
    const bytes = bash(`${open}; cat ${stored} | age -d -i "$W/epoch.key" ${read}`, [kit, entry!], vault);
    assert.ok(bytes.equals(blob!(id, 'VersionData')!), `${id} of ${size} bytes`);
    assert.equal(spawnSync('sha256sum', { input: bytes, encoding: 'utf8' }).stdout.split(' ')[0], sha256);
  }
}
