import type { Command } from './command.ts';
import { backup } from './commands/backup.ts';
import { compact } from './commands/compact.ts';
import { copy } from './commands/copy.ts';
import { demo } from './commands/demo.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { find } from './commands/find.ts';
import { hold } from './commands/hold.ts';
import { init } from './commands/init.ts';
import { keep } from './commands/keep.ts';
import { keys } from './commands/keys.ts';
import { listPoints } from './commands/list-points.ts';
import { login } from './commands/login.ts';
import { practiceOrg } from './commands/practice-org.ts';
import { prune } from './commands/prune.ts';
import { repair } from './commands/repair.ts';
import { report } from './commands/report.ts';
import { rescue } from './commands/rescue.ts';
import { restore } from './commands/restore.ts';
import { show } from './commands/show.ts';
import { status } from './commands/status.ts';
import { undo } from './commands/undo.ts';
import { verify } from './commands/verify.ts';
import { watch } from './commands/watch.ts';

/** Every command of the program, in the order of help and README. */
export const commands: readonly Command[] = [
  demo,
  init,
  login,
  backup,
  watch,
  listPoints,
  status,
  show,
  find,
  diff,
  rescue,
  restore,
  undo,
  verify,
  compact,
  prune,
  keep,
  hold,
  copy,
  repair,
  exportCommand,
  ...keys,
  doctor,
  report,
  practiceOrg,
];
