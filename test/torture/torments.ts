import { bombs } from './bombs.ts';
import { canary } from './canary.ts';
import { chains } from './chains.ts';
import { clock } from './clock.ts';
import { crashPoints, crashPointsOfRestores } from './crash-points.ts';
import { diskFull } from './disk-full.ts';
import { fuzzing } from './fuzzing.ts';
import { killCli, killRestores } from './kill-cli.ts';
import { orgFaults, orgFaultsOfRestores } from './org-faults.ts';
import { paths } from './paths.ts';
import { powerCut } from './power-cut.ts';
import { schedules } from './schedules.ts';
import { stalledWriter } from './stalled-writer.ts';
import { storeFaults } from './store-faults.ts';
import { tamper } from './tamper.ts';
import type { Torment } from './torment.ts';

/** Everything that salvor is held to. Another one is a declaration in a file of its own and a name here. */
export const torments: readonly Torment[] = [
  crashPoints,
  crashPointsOfRestores,
  stalledWriter,
  schedules,
  storeFaults,
  orgFaults,
  orgFaultsOfRestores,
  tamper,
  ...killCli,
  killRestores,
  canary,
  powerCut,
  diskFull,
  clock,
  chains,
  ...fuzzing,
  bombs,
  paths,
];
