/** The exit codes of the program. README's table is generated from this one. */
export const exits = {
  0: { name: 'ok', meaning: 'the work was done' },
  1: { name: 'bug', meaning: 'not your error: stack, versions and where to report it are printed' },
  2: { name: 'usage', meaning: 'bad flags or configuration' },
  3: { name: 'partial', meaning: 'some objects or rows failed or were kept as conflicts; the list is in the result' },
  4: { name: 'integrity', meaning: 'a digest, signature, chain or count does not hold' },
  5: { name: 'refused', meaning: 'nothing was done: a guard said no' },
  6: { name: 'differences', meaning: '`diff --exit-code` found some' },
  7: { name: 'alert', meaning: 'the work was done and something needs a person' },
  68: { name: 'auth', meaning: 'login, permission or key missing or wrong' },
  69: { name: 'busy', meaning: 'another run holds the lease, or a remote job still runs: try again, resumable' },
  74: { name: 'unavailable', meaning: 'org, store or disk cannot be reached or is full' },
  75: { name: 'budget', meaning: 'stopped at an API or time budget, resumable' },
  130: { name: 'interrupted', meaning: 'stopped by a signal, resumable' },
} as const;
export type Exit = keyof typeof exits;

/**
 * Every fault that salvor raises on purpose: its exit code and what to do about it.
 * Names are stable; scripts match on them (`name` in `--json`).
 */
export const faults = {
  usage: { exit: 2, advice: 'see `salvor --help`, or `--help` behind the command' },
  'config-invalid': { exit: 2, advice: 'correct the configuration file; its schema is named in `$schema`' },
  'no-vault': { exit: 2, advice: 'name the vault with --vault, or create it with `salvor init --vault <url>`' },
  'no-such-point': { exit: 2, advice: 'see which points there are with `salvor list-points`' },
  'no-such-object': { exit: 2, advice: 'see what the point holds with `salvor show <point>`' },
  'no-such-restore': { exit: 2, advice: 'check the id; `salvor restore` prints it when it begins' },
  'no-such-record': { exit: 2, advice: 'check the Id; `salvor show <point> <Object>` lists rows' },

  'object-failed': {
    exit: 3,
    advice: 'the reason stands with the object; run `salvor backup` again to take a whole point',
  },
  'not-compared': {
    exit: 3,
    advice: 'compare states that hold the objects that are named, or leave these out with --exclude',
  },

  'object-missing': { exit: 4, advice: 'do not prune; look for the object in a second copy of the vault' },
  'digest-mismatch': {
    exit: 4,
    advice: 'do not prune; restore the object from a second copy or an older version in the bucket',
  },
  'size-mismatch': {
    exit: 4,
    advice: 'do not prune; restore the object from a second copy or an older version in the bucket',
  },
  'signature-invalid': { exit: 4, advice: 'treat the vault as tampered with until you know who wrote this object' },
  'chain-broken': { exit: 4, advice: 'treat the vault as tampered with; compare with the last head that you noted' },
  'head-mismatch': { exit: 4, advice: 'the vault was rolled back or is another one; compare with a second copy' },
  'not-authentic': { exit: 4, advice: 'the bytes were changed or cut; restore the object from a second copy' },
  'segment-invalid': {
    exit: 4,
    advice: 'restore the object from a second copy; if it was just written, report this as a bug',
  },
  'count-mismatch': {
    exit: 4,
    advice: 'run again; if it stays, the org or a proxy between drops rows: report it with the job id',
  },

  'verify-failed': {
    exit: 4,
    advice: 'do not prune; restore the objects that are named from a second copy of the vault',
  },

  'journal-damaged': {
    exit: 4,
    advice:
      'do not go on with this restore; compare what the org holds with the point (`salvor diff`) and restore anew',
  },

  'nothing-selected': {
    exit: 5,
    advice: 'say what to restore: --objects, --ids, --where, --incident … or --all',
  },
  'unmapped-reference': {
    exit: 5,
    advice: 'map what is named with --mapping <file>, or choose --unmapped default or skip',
  },
  'point-partial': {
    exit: 5,
    advice:
      'choose another point, leave the objects that are named out with --exclude, or accept it with --accept-partial',
  },
  'wrong-target': { exit: 5, advice: 'name the org that is meant with --target-org' },
  'plan-stale': { exit: 5, advice: 'make the plan again: what it was made for is not so any more' },
  'too-long': { exit: 5, advice: 'restore less at a time, or allow more with --max-duration' },
  'email-guard': {
    exit: 5,
    advice:
      'set e-mail deliverability to "System email only" in the setup of the org, then run again with --allow-email',
  },
  unanchored: {
    exit: 5,
    advice: 'give --root-fingerprint, as the recovery kit shows it: only then it is sure that this vault is yours',
  },
  'storage-short': { exit: 5, advice: 'free storage in the org, or restore less at a time' },
  'plan-edited': {
    exit: 5,
    advice: 'make the plan again with --plan-out; a plan is applied as it was made or not at all',
  },
  'patch-edited': { exit: 5, advice: 'make the patch again with `salvor diff <from>..<to> --patch <file>`' },
  'patch-mismatch': { exit: 5, advice: 'restore the point that the patch begins with; its first line names it' },
  'foreign-vault': { exit: 5, advice: 'this vault belongs to another org; choose another --vault or --target-org' },
  'vault-exists': { exit: 5, advice: 'there is a vault already; use it, or choose an empty place' },
  'vault-incomplete': {
    exit: 5,
    advice:
      '`salvor copy` or `salvor init` was cut short here: run the same `salvor copy` again, which goes on; for `salvor init` empty the place or choose another, and run it again',
  },
  'vaults-diverged': {
    exit: 5,
    advice: 'keep both; choose which one goes on, and copy it to an empty place: nothing is merged',
  },
  'copy-ahead': { exit: 5, advice: 'copy in the other direction: --vault names the one that is ahead, --to the other' },
  'region-refused': { exit: 5, advice: 'use a vault in a region that allowedRegions names, or change the policy' },
  'prune-held': {
    exit: 5,
    advice: 'look at what is named; `salvor hold --release` lets pruning go on',
  },
  'prune-too-large': { exit: 5, advice: 'look at the plan of the dry run; if it is meant, add --allow-large' },
  'clock-drift': { exit: 5, advice: 'set the clock of this host, or of the store; what is old is judged by it' },
  'newer-format': { exit: 5, advice: 'install the version of salvor that is named' },
  'unproven-store': {
    exit: 5,
    advice: 'use a store with conditional create, or accept one writer only with --single-writer',
  },
  'one-key': { exit: 5, advice: 'name two recipients, or accept the risk with --accept-one-key' },
  'coverage-too-low': {
    exit: 5,
    advice: 'see the coverage report in the preview (`--dry-run`), or lower --min-coverage',
  },
  'confirmation-missing': { exit: 5, advice: 'confirm as the message says; `--json` alone never approves a write' },

  'point-suspect': {
    exit: 7,
    advice:
      'look at what changed since the point before with `salvor diff latest..<point>`; `latest` passes this point over, and when the change was meant there is nothing to do',
  },
  'points-late': {
    exit: 7,
    advice: 'see why no good point was taken: run `salvor backup`, or look at the log of the job that should',
  },
  'doctor-found': {
    exit: 7,
    advice: 'do what stands with each finding, then run `salvor doctor` again',
  },
  'access-not-logged': {
    exit: 5,
    advice: 'give a key that may write to the vault, or let go of `accessLog: required` in the configuration file',
  },

  differences: { exit: 6, advice: 'see them with `salvor diff <point> --records`' },

  'no-login': { exit: 68, advice: 'run `salvor login`, or set SF_ACCESS_TOKEN and SF_ORG_INSTANCE_URL' },
  'login-failed': {
    exit: 68,
    advice: 'check the client id, the key or secret, the user and the host; then `salvor login` again',
  },
  'session-expired': {
    exit: 68,
    advice: 'log in again; a nightly job wants JWT or client credentials rather than a token',
  },
  'permission-missing': { exit: 68, advice: 'give the backup user the permission that is named' },
  'org-refused': { exit: 68, advice: 'check that API access is enabled for the org and the user' },
  'no-identity': { exit: 68, advice: 'give an identity with --identity, SALVOR_IDENTITY or SALVOR_IDENTITY_FILE' },
  'wrong-identity': { exit: 68, advice: 'none of the identities opens this vault; try the one from the recovery kit' },
  'no-admin-key': {
    exit: 68,
    advice: 'give SALVOR_ADMIN_KEY or SALVOR_ADMIN_KEY_FILE (`salvor keys export-admin` makes one), or an identity',
  },
  'no-writer-key': { exit: 68, advice: 'give the writer key with SALVOR_WRITER_KEY or SALVOR_WRITER_KEY_FILE' },
  'wrong-writer-key': { exit: 68, advice: 'this writer key is not one of this vault; see `salvor keys list`' },
  'key-invalid': { exit: 68, advice: 'the key is damaged or of another kind; take it again from where it was stored' },
  'store-denied': { exit: 68, advice: 'check the credentials and the bucket policy (examples/ has one)' },
  'keychain-unavailable': { exit: 68, advice: 'use a file or an environment variable instead' },

  'restore-unfinished': { exit: 69, advice: 'go on with the restore that is named, or take it back' },
  'clock-behind': { exit: 5, advice: 'set the clock of this host; points sort by the time at which they were begun' },
  'point-retired': {
    exit: 69,
    advice: 'run again: it builds on a point that stays; `salvor keep` brings a point back while it is in its grace',
  },
  'lease-held': { exit: 69, advice: 'wait for the other run to end, then run again' },
  'job-running': { exit: 69, advice: 'run again later; what is finished is kept' },

  'org-unreachable': {
    exit: 74,
    advice: 'check the host, the network and the proxy; then run again, it goes on where it stopped',
  },
  'org-unavailable': { exit: 74, advice: 'the org is in maintenance or overloaded; run again later' },
  'answer-lost': {
    exit: 74,
    advice: 'run again: it looks up what the org has done before it writes anything again',
  },
  'store-unreachable': { exit: 74, advice: 'check the endpoint, the network and the proxy; then run again' },
  'disk-full': { exit: 74, advice: 'free space, then run again' },
  'disk-error': { exit: 74, advice: 'check the path, its permissions and the disk; then run again' },

  'api-budget': {
    exit: 75,
    advice:
      'run again after the limit resets: it goes on where it stopped; or let it wait with --wait-for-quota, or raise --max-api-percent',
  },
  'org-full': { exit: 75, advice: 'free storage in the org, then go on with the same restore' },
  'time-budget': { exit: 75, advice: 'run again: it goes on where it stopped' },

  'rows-failed': {
    exit: 3,
    advice: 'see the file of failed rows: it has the reason and the advice for each, and is input for --ids-file',
  },
  'rows-kept': { exit: 3, advice: 'somebody changed these rows since: look at them, or use --conflicts overwrite' },
  'too-many-errors': {
    exit: 3,
    advice: 'see the file of failed rows; then go on with the same restore, with a higher --max-errors if need be',
  },
  'bulk-refused': { exit: 3, advice: 'the object is read by REST instead' },
  'object-refused': { exit: 3, advice: "the object cannot be read by this way; the reason is the org's own" },

  'texts-cut': { exit: 3, advice: 'export these objects as csv or sqlite, which hold texts of any length' },

  interrupted: { exit: 130, advice: 'run the same command again: it goes on where it stopped' },
} as const satisfies Record<string, { exit: Exit; advice: string }>;
export type FaultName = keyof typeof faults;

export interface FaultDetail {
  /** What to do, most useful first; without it the table's advice stands. */
  actions?: string[];
  /** Facts for scripts and logs: keys, Ids, counts; never a secret, never a record value. */
  data?: Record<string, unknown>;
  cause?: unknown;
}

/** An error that salvor foresaw. Everything else that is thrown is a bug (exit 1). */
export class Fault extends Error {
  override readonly name: FaultName;
  readonly exit: Exit;
  readonly actions: string[];
  readonly data: Record<string, unknown>;

  /** `message`: one sentence on what happened, with names and figures, without advice. */
  constructor(name: FaultName, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = name;
    this.exit = faults[name].exit;
    this.actions = detail.actions ?? [faults[name].advice];
    this.data = detail.data ?? {};
  }
}

/** True for a Fault, of one of `names` when any is given. */
export function isFault(error: unknown, ...names: FaultName[]): error is Fault {
  return error instanceof Fault && (names.length === 0 || names.includes(error.name));
}

/** True for a Fault that says that what is stored is damaged, forged or missing: no other key and no other version would read it. */
export function isDamage(error: unknown): error is Fault {
  return isFault(error) && error.exit === 4;
}

/** The code of a Node system error (`ENOENT`, `EPIPE`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
