import { crashPoints, crashPointsOfRestores } from './crash-points.ts';
import { schedules } from './schedules.ts';
import { stalledWriter } from './stalled-writer.ts';
import { storeFaults } from './store-faults.ts';
import type { Torment } from './torment.ts';

/** Everything that salvor is held to. Another one is a declaration in a file of its own and a name here. */
export const torments: readonly Torment[] = [crashPoints, crashPointsOfRestores, stalledWriter, schedules, storeFaults];
