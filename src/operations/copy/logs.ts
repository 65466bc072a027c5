import { Fault, faults, isFault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { logRecord } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { LogState, Vault } from '../../vault/vault.ts';

export type LogRead = Pick<LogState, 'entries' | 'problems' | 'rejected' | 'head'>;

/** The log of a vault and that of its copy, number by number. */
export interface LogsCompared {
  /** Number -> digest of the vault's records that verify, those among them that nobody believes. */
  readonly ours: ReadonlyMap<number, string>;
  /** Numbers under which the copy has the vault's record. */
  readonly same: ReadonlySet<number>;
  /** Numbers under which the copy has something that does not verify, and the vault has a record. */
  readonly damaged: ReadonlySet<number>;
  /** Records of the copy where that of the vault is damaged or missing. */
  readonly lost: readonly LogEntry[];
  /** Records of the copy behind the end of the vault's log. */
  readonly more: readonly LogEntry[];
  /** The first number under which both have a record of their own. */
  readonly parted: number | undefined;
}

/** A record that is damaged or missing in one place says nothing: the two went different ways only where what verifies says so. */
export function compareLogs(vault: LogRead, copy: LogRead): LogsCompared {
  const [ours, theirs] = [digestsOf(vault), digestsOf(copy)];
  const isBeyond = ({ seq }: LogEntry) => seq > vault.head.taken;
  const missing = copy.entries.filter(({ seq }) => !ours.has(seq));
  const differing = [...theirs].filter(([seq, digest]) => (ours.get(seq) ?? digest) !== digest).map(([seq]) => seq);
  const known = new Set(['', ...ours.values(), ...theirs.values()]);
  const parted = [...differing, ...replaced(vault, theirs, known), ...replaced(copy, ours, known)];
  return {
    ours,
    same: new Set([...theirs].filter(([seq, digest]) => ours.get(seq) === digest).map(([seq]) => seq)),
    damaged: new Set(standing(copy).filter((seq) => ours.has(seq))),
    lost: missing.filter((entry) => !isBeyond(entry)),
    more: missing.filter(isBeyond),
    parted: parted.length > 0 ? Math.min(...parted) : undefined,
  };
}

/** Numbers that hold no record in a log and one in the other, though the record behind them names none of both. */
function replaced(log: LogRead, other: ReadonlyMap<number, string>, known: ReadonlySet<string>): number[] {
  const good = digestsOf(log);
  return log.entries.flatMap(({ seq, record }) => {
    if (known.has(record.prev)) return [];
    const before: number[] = [];
    for (let at = seq - 1; at > 0 && !good.has(at); at--) before.push(at);
    return before.length > 0 && before.every((at) => other.has(at)) ? [before.at(-1)!] : [];
  });
}

function digestsOf({ entries, rejected }: LogRead): Map<number, string> {
  return new Map([
    ...entries.map(({ seq, digest }) => [seq, digest] as const),
    ...rejected.map(({ seq, fault }) => [seq, String(fault.data.rejected)] as const),
  ]);
}

/** Numbers at which something stands that does not verify. */
function standing({ problems }: LogRead): number[] {
  return problems.filter(({ fault }) => !isFault(fault, 'chain-broken')).map(({ seq }) => seq);
}

/**
 * Reads the copy's log and holds the vault's against it. Throws `copy-ahead` when the copy has more records, `vaults-diverged` when both have records
 * that the other has not, and `newer-format` for a record that this version cannot judge.
 */
export async function logsOf(vault: Vault, to: Store, state: LogState, signal: AbortSignal): Promise<LogsCompared> {
  const theirs = await vault.logOf(to).read(signal, { seq: state.head.taken });
  const newer = [...state.problems, ...theirs.problems].find(({ fault }) => isFault(fault, 'newer-format'));
  if (newer) throw newer.fault;
  const logs = compareLogs(state, theirs);
  const { parted, more, lost } = logs;
  if (parted !== undefined) {
    const points = theirs.entries.filter(
      ({ seq, record, digest }) => seq >= parted && record.kind === 'point' && logs.ours.get(seq) !== digest,
    );
    throw new Fault(
      'vaults-diverged',
      `${vault.store.url} and ${to.url} went different ways from ${logRecord(parted)} on; ${points.length} point(s) are in the latter alone`,
      { data: { seq: parted, points: points.map(({ record }) => record.point) } },
    );
  }
  if (more.length > 0)
    throw new Fault(
      'copy-ahead',
      `${to.url} has ${more.length} record(s) more than ${vault.store.url}: work went on there, or the vault lost its newest`,
      { actions: [...(lost.length > 0 ? [healing(vault.store, to)] : []), faults['copy-ahead'].advice] },
    );
  return logs;
}

/** The command that brings back what one place lost. */
export function healing(place: Store, from: Store): string {
  return `\`salvor repair --vault ${place.url} --from ${from.url}\` heals it`;
}
